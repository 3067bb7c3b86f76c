//! What answers where nothing is routed: 405 for a path that is served, 404 elsewhere.

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::routing::RouteTable;
use crate::error::{Code, Error};

/// Refuses what is not routed.
pub async fn answer(request: HttpRequest, routes: Data<RouteTable>) -> Result<&'static str, Error> {
    let methods = routes.methods(request.uri());
    if methods.is_empty() {
        return Err(Code::NotFound.into());
    }
    Err(Code::MethodNotAllowed
        .with("allowed", methods.join(", "))
        .into())
}
