//! What answers where nothing is routed: 405 for a path of the contract, 404 elsewhere.

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;
use utoipa::openapi::OpenApi;

use crate::error::{Code, Error};

/// The paths of the contract with the methods that they take.
pub struct Paths(Vec<(Vec<String>, Vec<Method>)>);

impl Paths {
    /// The paths of `document`.
    pub fn of(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter().map(|(path, item)| {
            let methods = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let taken = methods
                .into_iter()
                .filter(|(_, operation)| operation.is_some())
                .map(|(method, _)| method);
            (
                path.split('/').map(str::to_owned).collect(),
                taken.collect(),
            )
        });
        Self(paths.collect())
    }

    /// The methods of the template that fits best: the one that names most of the path itself.
    fn methods(&self, path: &str) -> &[Method] {
        let segments: Vec<&str> = path.split('/').collect();
        let is_parameter = |part: &&String| part.starts_with('{');
        let fits = |template: &[String]| {
            template.len() == segments.len()
                && template
                    .iter()
                    .zip(&segments)
                    .all(|(a, b)| a == b || (is_parameter(&a) && !b.is_empty()))
        };
        let fitting = self.0.iter().filter(|(template, _)| fits(template));
        let best = fitting.min_by_key(|(template, _)| template.iter().filter(is_parameter).count());
        best.map_or(&[], |(_, methods)| methods)
    }
}

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
