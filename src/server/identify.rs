//! Puts the caller beside every request, before any extractor asks.

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::auth::Authenticator;

/// Reads the credentials. Whether the operation needs any is its extractors' matter.
pub async fn identify<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    if let Some(authenticator) = request.app_data::<Data<Authenticator>>().cloned() {
        match authenticator.identify(request.headers()).await {
            Ok(identity) => {
                request.extensions_mut().insert(identity);
            }
            Err(error) => return Ok(request.error_response(error).map_into_right_body()),
        }
    }
    Ok(next.call(request).await?.map_into_left_body())
}
