//! The generated OpenAPI document: what the routes say here, what holds for many operations at once in the modules.

mod callers;
mod codes;
mod examples;
mod headers;
pub mod prefilled;
mod refusals;
mod schemas;
mod security;
mod shared;

use actix_web::App;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt, scope};

use super::endpoint::{Registration, registrations};
use super::problem::Problem;
use examples::Examples;
pub use security::TOKEN_URL;

/// Where somebody begins who tries the operations, in three lines.
const BEGIN: &str = "\n\n**Where to begin.** A business: `registerAccount`, then enter its `applicant_token` at *Authorize*.\n\nA user or a member of staff: `createSession`, then enter its `access_token` there; it holds 10 minutes, `refreshSession` gives the next.\n\nEach operation says below who may call it; `readProblem` says what to do about a code.";
const BEGIN_IN_SANDBOX: &str = "\n\n**Where to begin.** On the [start page](/): who can sign in, the mails, the clock, and the journey of a business in ten steps.\n\nSign in there with one click: the token is entered at *Authorize* here, and kept fresh.\n\nEvery operation succeeds as it is filled in, for one of its callers; `resetSandbox` begins again.";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "cps-api",
        version = env!("CARGO_PKG_VERSION"),
        description = "A professional membership programme for businesses: register, prove the business, register products, earn points, choose a level, pay, be a member.\n\nEvery refusal is `application/problem+json` (RFC 9457) with a stable `code` and every field that does not pass; `type` opens a page that says what to do.\n\n`x-callers` names who may call an operation: `anybody`, the words of the schema `Role`, or `partner` for a dealer's system. Within a version of the path fields, words, operations and events are added, so a client must pass over what it does not know; what is to go is marked `deprecated` and stays for twelve months more. The changelog and the whole policy are `docs/changelog.md` and `docs/deprecation.md` of the source.\n\nWhat is no HTTP is answered before it is read, without a body: 400 for an address or a header that cannot be read (other letters than ASCII are percent-encoded: `K%C3%B8benhavn`), 431 for more than 96 headers or 128 KiB of them.",
        license(name = "MIT", identifier = "MIT"),
        contact(name = "cps-api", url = "https://cps.example/help")
    ),
    servers((url = "https://api.cps.example", description = "Production; the document that a service hands out names its own")),
    external_docs(url = "https://api.cps.example/docs/", description = "Every operation, to try it out"),
    tags(
        (name = "accounts", description = "Registering a business, its account and its users"),
        (name = "sessions", description = "Signing in and out, passwords"),
        (name = "documents", description = "Verification documents"),
        (name = "reviews", description = "Staff decide applications"),
        (name = "products", description = "The catalogue and the products of an account"),
        (name = "registrations", description = "What dealers' systems report, line by line"),
        (name = "registration_batches", description = "What dealers' systems report, thousands of lines at once"),
        (name = "offers", description = "What dealers report of a customer who does not trust them, and whom a customer trusts"),
        (name = "migration", description = "Taking over the products of an old CPS account"),
        (name = "points", description = "The ledger of points"),
        (name = "membership", description = "The programme, its levels and the membership"),
        (name = "invoices", description = "Invoices"),
        (name = "payments", description = "Money that came, and money that goes back"),
        (name = "bank", description = "Bank statements, and what waits of their lines"),
        (name = "partners", description = "Dealers and their systems"),
        (name = "events", description = "What happened, as it is told: each type with its payload"),
        (name = "work_items", description = "What waits for staff"),
        (name = "jobs", description = "What the service does later, and what of it failed for good"),
        (name = "operation", description = "Health, keys, problem pages"),
        (name = "sandbox", description = "Only in the sandbox: what is seeded, the clock, the mailbox")
    ),
    components(schemas(Problem))
)]
struct Base;

/// A JSON object, of which a document is made.
type Object = Map<String, Value>;

/// The document of every route, without starting anything.
pub fn document(is_sandbox: bool) -> Value {
    let mut document = json!(described(is_sandbox));
    let examples = Examples::kept();
    for registration in registrations(is_sandbox) {
        for method in &registration.methods {
            let method = method.as_str().to_lowercase();
            let path = document.pointer_mut("/paths");
            let path = path.and_then(|paths| paths.get_mut(&registration.path));
            let operation = path.and_then(|path| path.get_mut(method));
            if let Some(Value::Object(operation)) = operation {
                complete(operation, &registration, &examples);
            }
        }
    }
    if let Value::Object(document) = &mut document {
        within(document, "components", |components| {
            within(components, "schemas", codes::add_to);
            within(components, "headers", headers::add_to);
            within(components, "responses", |responses| {
                refusals::add_to(responses, &examples);
            });
        });
    }
    if let Some(Value::String(description)) = document.pointer_mut("/info/description") {
        description.push_str(if is_sandbox { BEGIN_IN_SANDBOX } else { BEGIN });
    }
    if let Some(Value::Object(server)) = document.pointer_mut("/servers/0") {
        server.insert("x-internal".to_owned(), json!(false));
    }
    if let Value::Object(document) = &mut document {
        document.insert("security".to_owned(), json!([]));
    }
    schemas::bound(&mut document);
    shared::gather(&mut document);
    examples::gather(&mut document);
    examples::thin(&mut document, &examples);
    document
}

/// The schemas that the routes name.
pub fn schemas() -> Value {
    json!(described(true).components)
}

/// What the routes say of themselves.
fn described(is_sandbox: bool) -> utoipa::openapi::OpenApi {
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
    security::describe(document.components.get_or_insert_default());
    document
}

/// Says of an operation what follows from its registration and from its shape.
fn complete(operation: &mut Object, registration: &Registration, examples: &Examples) {
    security::tell(operation, registration.callers);
    callers::tell(operation, registration.callers);
    prefilled::put(operation);
    schemas::leave_out_rather_than_null(operation);
    headers::tell(operation, registration.rate_limit);
    examples.tell(operation);
    refusals::tell(operation, registration);
}

/// Changes the object `name` of `parent`, which is made where it is not there.
fn within(parent: &mut Object, name: &str, change: impl FnOnce(&mut Object)) {
    if let Value::Object(child) = parent.entry(name).or_insert_with(|| json!({})) {
        change(child);
    }
}

/// A reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
