//! Puts the caller and where they call from beside every request, before any extractor asks.

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::MiddlewareState;
use super::concurrency::is_probe;
use super::rate_limits::{Key, Remaining, client_address};
use crate::auth::{Authenticator, Origin};
use crate::error::Error;
use crate::handlers::{ClientAddress, RequestId};

/// Counts a token that has to be looked up and may be made up; a refusal where the address has tried too many.
fn strangers_refusal(request: &ServiceRequest) -> Option<(Remaining, Error)> {
    let state = request.app_data::<Data<MiddlewareState>>()?;
    if !state.authenticator.is_stranger(request.headers()) {
        return None;
    }
    let address = Key::address(&request.extensions());
    let (remaining, counted) = state.rate_limits.count_look_up(address);
    counted.err().map(|refusal| (remaining, refusal.into()))
}

/// Reads the credentials. Whether the operation needs any is its extractors' matter.
pub async fn identify<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let address = request
        .app_data::<Data<MiddlewareState>>()
        .zip(request.peer_addr())
        .map(|(state, peer)| {
            let trusted = &state.config.trusted_proxies;
            client_address(peer.ip(), request.headers(), trusted)
        });
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
    // A probe is nobody's, and is answered while the database is away.
    if is_probe(&request) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    if let Some((remaining, refusal)) = strangers_refusal(&request) {
        let mut response = request.error_response(refusal);
        remaining.tell(&mut response);
        return Ok(response.map_into_right_body());
    }
    if let Some(authenticator) = request.app_data::<Data<Authenticator>>().cloned() {
        let request_id = request.extensions().get::<RequestId>().cloned();
        let origin = Origin {
            address,
            request_id: request_id.map(|id| id.0),
        };
        match authenticator.identify(request.headers(), origin).await {
            Ok(identity) => {
                request.extensions_mut().insert(identity);
            }
            Err(error) => return Ok(request.error_response(error).map_into_right_body()),
        }
    }
    Ok(next.call(request).await?.map_into_left_body())
}
