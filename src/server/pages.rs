//! The pages for people that are no part of the contract: the sandbox's start page, which stands in for a frontend too, and how Swagger UI begins.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::secrets::sha256;

/// Where the links in a sandbox's mails lead.
pub const FRONTEND: &str = "/sandbox/frontend/{_:.*}";

const PAGE: &str = include_str!("pages/sandbox.html");
const INITIALIZER: &str = include_str!("pages/swagger-initializer.js");

/// The page runs its own script, wears its own style and asks this service; nothing else runs or loads in it.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash_of("script"),
        hash_of("style"),
    )
});

/// The hash by which a policy names what stands between the tags of `element`.
fn hash_of(element: &str) -> String {
    let behind = PAGE.split_once(&format!("<{element}>"));
    let inside = behind.and_then(|(_, rest)| rest.split_once(&format!("</{element}>")));
    let text = inside.map_or("", |(text, _)| text);
    format!("sha256-{}", BASE64_STANDARD.encode(sha256(text.as_bytes())))
}

/// The start page, or the page that stands in for a frontend: which of them, its script tells by the address.
pub async fn start() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .content_type(ContentType::html())
        .body(PAGE)
}

/// What Swagger UI begins with, in place of what it brings along.
pub async fn initializer() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .body(INITIALIZER)
}
