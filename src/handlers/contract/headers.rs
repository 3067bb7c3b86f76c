//! The headers of answers: each described once, and named where it can come.

use serde_json::{Value, json};

use super::{Object, reference, within};
use crate::handlers::RateLimit;

/// Each header with the type of its value and what it says.
const HEADERS: [(&str, &str, &str); 11] = [
    (
        "X-Request-Id",
        "string",
        "Names this request in the service's logs: the caller's own, if it is 8 to 64 letters, digits, `-` and `_`",
    ),
    (
        "Content-Language",
        "string",
        "The language of the words in the answer: `da` or `en`",
    ),
    (
        "RateLimit",
        "string",
        "What is left of the limit that counted this request: `\"caller\";r=299;t=1`",
    ),
    (
        "RateLimit-Policy",
        "string",
        "The limit that counted this request: `\"caller\";q=300;w=60`",
    ),
    (
        "ETag",
        "string",
        "Names this version of the answer, strongly: `\"3\"`, or `\"3-0a1b2c\"` where more than the version can change it. For `If-Match` and `If-None-Match`",
    ),
    ("Location", "string", "The path of what was made"),
    (
        "Link",
        "string",
        "The next page, where there is one: `<...>; rel=\"next\"`",
    ),
    (
        "Idempotency-Replayed",
        "string",
        "`true` where the answer was given before under this key",
    ),
    ("Retry-After", "integer", "Seconds to wait"),
    (
        "WWW-Authenticate",
        "string",
        "`Bearer`: a token is asked for",
    ),
    (
        "Accept-Patch",
        "string",
        "The formats of a patch, where one is taken",
    ),
];

/// Describes each header.
pub fn add_to(components: &mut Object) {
    for (name, kind, description) in HEADERS {
        let mut schema = json!({ "type": kind });
        if kind == "integer" {
            schema = json!({ "type": kind, "minimum": 0, "maximum": 86_400 });
        }
        let header = json!({ "description": description, "schema": schema });
        components.insert(name.to_owned(), header);
    }
}

/// References to headers, by their names.
pub fn references<'n>(names: impl IntoIterator<Item = &'n str>) -> Value {
    let named = names
        .into_iter()
        .map(|name| (name.to_owned(), reference("headers", name)));
    Value::Object(named.collect())
}

/// The headers that every answer has under this limit.
pub fn common(rate_limit: RateLimit) -> &'static [&'static str] {
    match rate_limit {
        RateLimit::Unlimited => &["X-Request-Id", "Content-Language"],
        _ => &[
            "X-Request-Id",
            "Content-Language",
            "RateLimit",
            "RateLimit-Policy",
        ],
    }
}

/// Names the headers of the answers that an operation describes itself: beside those of its handler what its shape brings.
pub fn tell(operation: &mut Object, rate_limit: RateLimit) {
    let is_repeatable = has_parameter(operation, "Idempotency-Key");
    let responses = operation.get_mut("responses");
    for (status, response) in responses
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        let Value::Object(response) = response else {
            continue;
        };
        let is_success = status.starts_with('2');
        let is_page = is_page(response);
        within(response, "headers", |headers| {
            let mut names: Vec<String> = headers.keys().cloned().collect();
            names.extend(common(rate_limit).iter().map(ToString::to_string));
            if is_success && is_page {
                names.push("Link".to_owned());
            }
            if is_success && is_repeatable {
                names.push("Idempotency-Replayed".to_owned());
            }
            for name in names {
                let header = reference("headers", &name);
                headers.insert(name, header);
            }
        });
        if response
            .get("headers")
            .is_some_and(|headers| *headers == json!({}))
        {
            response.remove("headers");
        }
    }
}

/// Whether an operation has a parameter of this name.
pub fn has_parameter(operation: &Object, name: &str) -> bool {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let mut names = parameters
        .into_iter()
        .flatten()
        .filter_map(|one| one.get("name")?.as_str());
    names.any(|one| one.eq_ignore_ascii_case(name))
}

/// Whether an answer is a page of a list: lists alone are named so.
fn is_page(response: &Object) -> bool {
    let content = response.get("content");
    let json = content.and_then(|content| content.get("application/json"));
    let named = json.and_then(|json| json.pointer("/schema/$ref")?.as_str());
    named.is_some_and(|named| named.ends_with("Page"))
}
