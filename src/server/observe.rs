//! Request ids, one line of log and one measurement for every request.

use std::time::Instant as Tick;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use tracing::{Instrument, info, info_span};

use super::paths::Paths;
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
    let method = request.method().as_str().to_owned();
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
    let labels = [
        ("method", method),
        ("route", route.clone()),
        ("status", status.to_string()),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels).record(seconds);
    span.in_scope(|| info!(route = %route, status, milliseconds = seconds * 1000.0, "answered"));
    Ok(response)
}

/// The pattern of the path; the framework's own look-up tries the regular expressions of all routes once more.
fn route(request: &HttpRequest) -> String {
    let paths = request.app_data::<Data<Paths>>();
    paths
        .and_then(|paths| paths.pattern(request.path()))
        .map(str::to_owned)
        .or_else(|| request.match_pattern())
        .unwrap_or_else(|| "none".to_owned())
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
