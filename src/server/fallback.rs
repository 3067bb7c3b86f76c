//! What answers where nothing is routed: 404 for a path that is not served, what it takes to OPTIONS, 405 to other methods.

use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::routing::RouteTable;
use crate::error::{Code, Error};
use crate::handlers::extract::MERGE_PATCH;
use crate::handlers::problem::ACCEPT_PATCH;

/// Refuses what is not routed, and says of a path what may be sent to it.
pub async fn answer(request: HttpRequest, routes: Data<RouteTable>) -> Result<HttpResponse, Error> {
    let methods = routes.methods(request.uri());
    if methods.is_empty() {
        return Err(Code::NotFound.into());
    }
    let allowed = methods.join(", ");
    if request.method() != Method::OPTIONS {
        return Err(Code::MethodNotAllowed.with("allowed", allowed).into());
    }
    let mut response = HttpResponse::NoContent();
    if methods.contains(&"PATCH") {
        response.insert_header((ACCEPT_PATCH, MERGE_PATCH.join(", ")));
    }
    Ok(response.insert_header((ALLOW, allowed)).finish())
}
