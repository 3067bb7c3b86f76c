//! Puts the caller and where they call from beside every request, before any extractor asks.

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::Surroundings;
use super::rate_limits::client_address;
use crate::auth::Authenticator;
use crate::handlers::{ClientAddress, RequestId};

/// Reads the credentials. Whether the operation needs any is its extractors' matter.
pub async fn identify<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let address = request
        .app_data::<Data<Surroundings>>()
        .and_then(|around| client_address(&request, &around.config.trusted_proxies));
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
    if let Some(authenticator) = request.app_data::<Data<Authenticator>>().cloned() {
        let request_id = request.extensions().get::<RequestId>().cloned();
        let identified = authenticator.identify(request.headers(), request_id.map(|id| id.0));
        match identified.await {
            Ok(identity) => {
                request.extensions_mut().insert(identity);
            }
            Err(error) => return Ok(request.error_response(error).map_into_right_body()),
        }
    }
    Ok(next.call(request).await?.map_into_left_body())
}
