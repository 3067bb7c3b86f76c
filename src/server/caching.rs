//! Conditional reading and what caches may keep.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

/// Answers 304 to a reader who has the current version, and names what may be kept.
pub async fn cache<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let reads = request.method() == Method::GET;
    let seen = request
        .headers()
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    let current = headers.get(ETAG).and_then(|value| value.to_str().ok());
    let is_current =
        matches!((&seen, current), (Some(seen), Some(current)) if holds(seen, current));
    if !(reads && is_current && response.status() == StatusCode::OK) {
        return Ok(response.map_into_left_body());
    }
    let mut response = response
        .map_body(|_, _| BoxBody::new(()))
        .map_into_right_body();
    *response.response_mut().status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().remove(CONTENT_TYPE);
    response.headers_mut().remove(CONTENT_LENGTH);
    Ok(response)
}

fn holds(seen: &str, current: &str) -> bool {
    seen.split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == current || tag == "*")
}
