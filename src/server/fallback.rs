//! What answers where nothing is routed: 405 for a path of the contract, 404 elsewhere.

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::paths::Paths;
use crate::error::{Code, Error};

/// Nothing of ours has a NUL in its path, and PostgreSQL cannot even be asked.
pub async fn refuse_nul<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    if request.path().contains("%00") {
        let error = Error::from(Code::NotFound);
        return Ok(request.error_response(error).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Refuses what is not routed.
pub async fn answer(request: HttpRequest, paths: Data<Paths>) -> Result<&'static str, Error> {
    let methods = paths.methods(request.path());
    if methods.is_empty() || methods.contains(request.method()) {
        return Err(Code::NotFound.into());
    }
    let mut allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    Err(Code::MethodNotAllowed
        .with("allowed", allowed.join(", "))
        .into())
}
