//! The generated OpenAPI document: what the routes say, plus what holds for every operation.

use actix_web::App;
use utoipa::OpenApi;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, ObjectBuilder, Ref, RefOr, Required};
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt, scope};

use super::problem::{MEDIA_TYPE, Problem};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "cps-api",
        version = env!("CARGO_PKG_VERSION"),
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
        (name = "events", description = "What happened, as it is told: each type with its payload"),
        (name = "jobs", description = "What the service does later, and what of it failed for good"),
        (name = "operation", description = "Health, keys, problem pages"),
        (name = "sandbox", description = "Only in the sandbox: what is seeded, the clock, the mailbox")
    ),
    components(schemas(Problem))
)]
struct Base;

/// The document of every route, without starting anything.
pub fn document(is_sandbox: bool) -> utoipa::openapi::OpenApi {
    let v1 = |config: &mut ServiceConfig<'_>| super::v1_routes(config, is_sandbox);
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(|config| super::routes(config))
        .service(scope::scope("/v1").configure(v1))
        .split_for_parts();
    if !is_sandbox && let Some(tags) = &mut document.tags {
        tags.retain(|tag| tag.name != "sandbox");
    }
    super::events::describe(&mut document);
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

/// What of an operation's shape decides how it can be refused.
struct Shape {
    is_closed: bool,
    writes: bool,
    has_body: bool,
    has_path: bool,
    has_query: bool,
    has_key: bool,
    has_if_match: bool,
}

impl Shape {
    fn of(operation: &Operation, writes: bool) -> Self {
        let parameters = operation.parameters.iter().flatten();
        let places: Vec<(&ParameterIn, &str)> = parameters
            .filter_map(|one| match one {
                RefOr::T(one) => Some((&one.parameter_in, one.name.as_str())),
                RefOr::Ref(_) => None,
            })
            .collect();
        let has = |place| places.iter().any(|(found, _)| *found == place);
        let names = |name: &str| {
            places
                .iter()
                .any(|(_, found)| found.eq_ignore_ascii_case(name))
        };
        Self {
            is_closed: operation.security.iter().flatten().next().is_some(),
            writes,
            has_body: operation.request_body.is_some(),
            has_path: has(&ParameterIn::Path),
            has_query: has(&ParameterIn::Query),
            has_key: names("Idempotency-Key"),
            has_if_match: names("If-Match"),
        }
    }
}

/// Each refusal: its status, the operations that can answer it, what it means.
type Refusal = (u16, fn(&Shape) -> bool, &'static str);

const REFUSALS: [Refusal; 14] = [
    (
        400,
        |shape| shape.has_body || shape.has_query || shape.has_key,
        "It cannot be parsed, or a required header is missing",
    ),
    (
        401,
        |shape| shape.is_closed,
        "No valid token came with the request",
    ),
    (403, |shape| shape.is_closed, "The caller may not do this"),
    (
        404,
        |shape| shape.has_path,
        "There is no such thing, or the caller may not know of it",
    ),
    (408, |shape| shape.has_body, "The body came too slowly"),
    (
        409,
        |shape| shape.writes,
        "The state of things forbids it; `code` says which",
    ),
    (
        412,
        |shape| shape.has_if_match,
        "The resource has changed since it was read",
    ),
    (413, |shape| shape.has_body, "The body is too large"),
    (415, |shape| shape.has_body, "The media type is not taken"),
    (
        422,
        |shape| shape.has_body || shape.has_query || shape.has_key,
        "Fields do not pass; `errors` names each",
    ),
    (428, |shape| shape.has_if_match, "`If-Match` is missing"),
    (
        429,
        |_| true,
        "Too many requests; `Retry-After` says when to come back",
    ),
    (500, |_| true, "The service failed"),
    (
        503,
        |_| true,
        "The service is busy or stopping; `Retry-After` says when to come back",
    ),
];

/// Says of an operation that anybody may call it, where it says nothing else; adds the refusals that its shape allows, and the
/// header of every answer.
fn complete(operation: &mut Operation, writes: bool) {
    operation.security.get_or_insert_default();
    let shape = Shape::of(operation, writes);
    let responses = &mut operation.responses.responses;
    for (status, applies, description) in REFUSALS {
        let key = status.to_string();
        if applies(&shape) && !responses.contains_key(&key) {
            responses.insert(key, problem(status, description));
        }
    }
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            let text = ObjectBuilder::new().schema_type(Type::String);
            let header = HeaderBuilder::new()
                .schema(Some(text))
                .description(Some("Names this request in the service's logs"))
                .build();
            let name = "X-Request-Id".to_owned();
            response.headers.insert(name, RefOr::T(header));
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
        let seconds = ObjectBuilder::new().schema_type(Type::Integer);
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
