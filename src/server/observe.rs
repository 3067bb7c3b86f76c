//! Request ids, one line of log and one measurement for every request.

use std::time::Instant as Tick;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use metrics::{Label, SharedString};
use tracing::{Instrument, info, info_span};

use super::routing::Routed;
use crate::handlers::RequestId;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Names the request, then tells how it went. Paths are logged by their pattern: what stands in them may be a secret.
pub async fn observe<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let begun = Tick::now();
    let id = request_id(&request);
    let trace_id = trace_id(&request).unwrap_or_default();
    let method = known_method(request.method());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = info_span!("request", request_id = %id, trace_id = %trace_id, method = %method);
    let outcome = next.call(request).instrument(span.clone()).await;
    let mut response = outcome?;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    let route = route(response.request());
    let status = response.status().as_u16();
    let seconds = begun.elapsed().as_secs_f64();
    span.in_scope(|| {
        info!(
            route = &*route,
            status,
            milliseconds = seconds * 1000.0,
            "answered"
        )
    });
    let labels = vec![
        Label::new("method", method),
        Label::new("route", route),
        Label::new("status", status.to_string()),
    ];
    metrics::counter!("http_requests_total", labels.clone()).increment(1);
    metrics::histogram!("http_request_duration_seconds", labels).record(seconds);
    Ok(response)
}

/// A method as it is measured and logged: one of those that HTTP has, for a client can make any up.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The pattern of the route that was taken, or `none`.
fn route(request: &HttpRequest) -> SharedString {
    match request.extensions().get::<Routed>() {
        Some(routed) => routed.0.pattern.clone().into(),
        None => SharedString::const_str("none"),
    }
}

fn request_id(request: &ServiceRequest) -> String {
    let sent = request
        .headers()
        .get(HEADER)
        .and_then(|value| value.to_str().ok());
    let is_good = |id: &&str| {
        (8..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    sent.filter(is_good)
        .map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), str::to_owned)
}

/// The trace id of a W3C `traceparent`.
fn trace_id(request: &ServiceRequest) -> Option<String> {
    let header = request.headers().get("traceparent")?.to_str().ok()?;
    let id = header.split('-').nth(1)?;
    let is_good = id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_good.then(|| id.to_owned())
}
