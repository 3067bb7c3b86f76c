//! The generated OpenAPI document: what the routes say, plus what holds for every operation.

use actix_web::App;
use utoipa::OpenApi;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, ObjectBuilder, Ref, RefOr, Required};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use super::problem::{MEDIA_TYPE, Problem};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "cps-api",
        version = "1.0.0",
        description = "A professional membership programme for businesses: register, prove the business, register products, earn points, choose a level, pay, be a member.\n\nEvery refusal is `application/problem+json` (RFC 9457) with a stable `code` and every field that does not pass; `type` opens a page that says what to do.",
        license(name = "MIT", identifier = "MIT"),
        contact(name = "cps-api", url = "https://cps.example/help")
    ),
    servers((url = "/", description = "This service")),
    tags(
        (name = "accounts", description = "Registering a business, its account and its users"),
        (name = "sessions", description = "Signing in and out, passwords"),
        (name = "documents", description = "Verification documents"),
        (name = "reviews", description = "Staff decide applications"),
        (name = "products", description = "The catalogue and the products of an account"),
        (name = "migration", description = "Taking over the products of an old CPS account"),
        (name = "points", description = "The ledger of points"),
        (name = "membership", description = "The programme, its levels and the membership"),
        (name = "invoices", description = "Invoices"),
        (name = "operation", description = "Health, keys, problem pages"),
        (name = "sandbox", description = "Only in the sandbox: what is seeded, the clock, the mailbox")
    ),
    components(schemas(Problem))
)]
struct Base;

/// The document of every route, without starting anything.
pub fn document(is_sandbox: bool) -> utoipa::openapi::OpenApi {
    let routes = |config: &mut ServiceConfig<'_>| super::routes(config, is_sandbox);
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(routes)
        .split_for_parts();
    if !is_sandbox && let Some(tags) = &mut document.tags {
        tags.retain(|tag| tag.name != "sandbox");
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The `access_token` of a session, or the `applicant_token` that registering returned.",
        ))
        .build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("bearer", SecurityScheme::Http(bearer));
    for item in document.paths.paths.values_mut() {
        for (writes, operation) in [
            (false, &mut item.get),
            (true, &mut item.post),
            (true, &mut item.put),
            (true, &mut item.patch),
            (true, &mut item.delete),
        ] {
            if let Some(operation) = operation {
                complete(operation, writes);
            }
        }
    }
    document
}

/// Says of an operation that anybody may call it, where it says nothing else; adds the problems that it can answer with, read off its shape, and the headers of every answer.
fn complete(operation: &mut Operation, writes: bool) {
    let parameters = operation.parameters.iter().flatten();
    let places: Vec<(ParameterIn, String)> = parameters
        .filter_map(|one| match one {
            RefOr::T(one) => Some((one.parameter_in.clone(), one.name.clone())),
            RefOr::Ref(_) => None,
        })
        .collect();
    let has = |place: &ParameterIn| places.iter().any(|(found, _)| found == place);
    let names = |name: &str| {
        places
            .iter()
            .any(|(_, found)| found.eq_ignore_ascii_case(name))
    };
    let is_closed = operation
        .security
        .as_ref()
        .is_some_and(|all| !all.is_empty());
    operation.security.get_or_insert_default();
    let has_body = operation.request_body.is_some();
    let named = [
        (
            400,
            has_body || has(&ParameterIn::Query) || names("Idempotency-Key"),
            "It cannot be parsed, or a required header is missing",
        ),
        (401, is_closed, "No valid token came with the request"),
        (403, is_closed, "The caller may not do this"),
        (
            404,
            has(&ParameterIn::Path),
            "There is no such thing, or the caller may not know of it",
        ),
        (408, has_body, "The body came too slowly"),
        (
            409,
            writes,
            "The state of things forbids it; `code` says which",
        ),
        (
            412,
            names("If-Match"),
            "The resource has changed since it was read",
        ),
        (413, has_body, "The body is too large"),
        (415, has_body, "The media type is not taken"),
        (
            422,
            has_body || has(&ParameterIn::Query) || names("Idempotency-Key"),
            "Fields do not pass; `errors` names each",
        ),
        (428, names("If-Match"), "`If-Match` is missing"),
        (
            429,
            true,
            "Too many requests; `Retry-After` says when to come back",
        ),
        (500, true, "The service failed"),
        (
            503,
            true,
            "The service is busy or stopping; `Retry-After` says when to come back",
        ),
    ];
    for (status, applies, description) in named {
        let key = status.to_string();
        if applies && !operation.responses.responses.contains_key(&key) {
            operation
                .responses
                .responses
                .insert(key, problem(status, description));
        }
    }
    let text = || ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let header = HeaderBuilder::new()
                .schema(Some(text()))
                .description(Some("Names this request in the service's logs"))
                .build();
            response
                .headers
                .insert("X-Request-Id".to_owned(), RefOr::T(header));
        }
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.parameter_in == ParameterIn::Path
        {
            parameter.required = Required::True;
        }
    }
}

fn problem(status: u16, description: &str) -> RefOr<utoipa::openapi::Response> {
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(
            MEDIA_TYPE,
            Content::new(Some(Ref::from_schema_name("Problem"))),
        )
        .build();
    if matches!(status, 429 | 503) {
        let seconds = ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::Integer);
        let header = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("Seconds to wait"))
            .build();
        response
            .headers
            .insert("Retry-After".to_owned(), RefOr::T(header));
    }
    RefOr::T(response)
}
