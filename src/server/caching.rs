//! Conditional reading and what caches may keep.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, EntityTag, Header, HeaderValue, IfNoneMatch,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

/// Answers 304 to a reader who has the current version, and names what may be kept.
pub async fn cache<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let reads = request.method() == Method::GET;
    let seen = IfNoneMatch::parse(&request).ok();
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    let current = headers.get(ETAG).and_then(|value| value.to_str().ok());
    let current = current.and_then(|tag| tag.parse().ok());
    let is_current = seen
        .zip(current)
        .is_some_and(|(seen, current)| holds(&seen, &current));
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

fn holds(seen: &IfNoneMatch, current: &EntityTag) -> bool {
    match seen {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|tag| tag.weak_eq(current)),
    }
}
