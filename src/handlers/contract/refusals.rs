//! How operations refuse: each status described once, and named where an operation's shape allows it.

use serde_json::{Value, json};

use super::examples::Examples;
use super::headers::{common, has_parameter, references};
use super::{Object, reference, within};
use crate::handlers::problem::MEDIA_TYPE;
use crate::handlers::{RateLimit, Registration, oauth};

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
    fn of(operation: &Object, registration: &Registration) -> Self {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let has = |place: &str| {
            let mut parameters = parameters.into_iter().flatten();
            parameters.any(|one| one.get("in").is_some_and(|at| at == place))
        };
        let security = operation.get("security").and_then(Value::as_array);
        Self {
            is_closed: security.is_some_and(|all| !all.is_empty()),
            writes: registration.methods.iter().any(|method| !method.is_safe()),
            has_body: operation.contains_key("requestBody"),
            has_path: has("path"),
            has_query: has("query"),
            has_key: has_parameter(operation, "Idempotency-Key"),
            has_if_match: has_parameter(operation, "If-Match"),
        }
    }
}

/// Each refusal: its status, its name, the operations that can answer it, what it means.
type Refusal = (u16, &'static str, fn(&Shape) -> bool, &'static str);

const REFUSALS: [Refusal; 14] = [
    (
        400,
        "Problem400",
        |shape| shape.has_body || shape.has_query || shape.has_key || shape.has_if_match,
        "It cannot be parsed, or a required header is missing",
    ),
    (
        401,
        "Problem401",
        |shape| shape.is_closed,
        "No valid token came with the request",
    ),
    (
        403,
        "Problem403",
        |shape| shape.is_closed,
        "The caller may not do this",
    ),
    (
        404,
        "Problem404",
        |shape| shape.has_path,
        "There is no such thing, or the caller may not know of it",
    ),
    (
        408,
        "Problem408",
        |shape| shape.has_body,
        "The body came too slowly",
    ),
    (
        409,
        "Problem409",
        |shape| shape.writes,
        "The state of things forbids it; `code` says which",
    ),
    (
        412,
        "Problem412",
        |shape| shape.has_if_match,
        "The resource has changed since it was read, or the tag is weak",
    ),
    (
        413,
        "Problem413",
        |shape| shape.has_body,
        "The body is too large",
    ),
    (
        415,
        "Problem415",
        |shape| shape.has_body,
        "The media type is not taken",
    ),
    (
        422,
        "Problem422",
        |shape| shape.has_body || shape.has_query || shape.has_key,
        "Fields do not pass; `errors` names each",
    ),
    (
        428,
        "Problem428",
        |shape| shape.has_if_match,
        "`If-Match` is missing",
    ),
    (
        429,
        "Problem429",
        |_| true,
        "Too many requests; `Retry-After` says when to come back",
    ),
    (500, "Problem500", |_| true, "The service failed"),
    (
        503,
        "Problem503",
        |_| true,
        "The service is busy or stopping; `Retry-After` says when to come back",
    ),
];

/// Describes each refusal, and shows each of its codes.
pub fn add_to(components: &mut Object, examples: &Examples) {
    for (status, name, _, description) in REFUSALS {
        let own: &[&str] = match status {
            401 => &["WWW-Authenticate"],
            415 => &["Accept-Patch"],
            429 | 503 => &["Retry-After"],
            _ => &[],
        };
        let headers = common(RateLimit::PerCaller).iter().chain(own).copied();
        let response = json!({
            "description": description,
            "headers": references(headers),
            "content": { MEDIA_TYPE: {
                "schema": reference("schemas", "Problem"),
                "examples": examples.problems(|_, problem| problem.get("status") == Some(&json!(status))),
            } },
        });
        components.insert(name.to_owned(), response);
    }
}

/// Names the refusals that an operation's shape allows; what it describes itself stays. The token endpoint refuses in a form of its own.
pub fn tell(operation: &mut Object, registration: &Registration) {
    if registration.path == oauth::PATH {
        return;
    }
    let shape = Shape::of(operation, registration);
    within(operation, "responses", |responses| {
        for (status, name, applies, _) in REFUSALS {
            if applies(&shape) {
                let described = responses.entry(status.to_string());
                described.or_insert_with(|| reference("responses", name));
            }
        }
    });
}
