//! What answers where nothing is routed: 405 for a path of the contract, 404 elsewhere.

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;
use utoipa::openapi::OpenApi;

use crate::error::{Code, Error};

/// A path of the contract with the methods that it takes.
struct Template {
    path: String,
    segments: Vec<String>,
    methods: Vec<Method>,
}

impl Template {
    fn fits(&self, segments: &[&str]) -> bool {
        self.segments.len() == segments.len()
            && self
                .segments
                .iter()
                .zip(segments)
                .all(|(own, sent)| own == sent || (is_parameter(own) && !sent.is_empty()))
    }

    fn parameters(&self) -> usize {
        self.segments
            .iter()
            .filter(|part| is_parameter(part))
            .count()
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

/// The paths of the contract.
pub struct Paths(Vec<Template>);

impl Paths {
    /// The paths of `document`.
    pub fn of(document: &OpenApi) -> Self {
        let templates = document.paths.paths.iter().map(|(path, item)| {
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
            Template {
                path: path.clone(),
                segments: path.split('/').map(str::to_owned).collect(),
                methods: taken.collect(),
            }
        });
        Self(templates.collect())
    }

    /// The template that fits best: the one that names most of the path itself.
    fn best(&self, path: &str) -> Option<&Template> {
        let segments: Vec<&str> = path.split('/').collect();
        let fitting = self.0.iter().filter(|template| template.fits(&segments));
        fitting.min_by_key(|template| template.parameters())
    }

    /// The path of the contract that `path` is one of.
    pub fn pattern(&self, path: &str) -> Option<&str> {
        self.best(path).map(|template| template.path.as_str())
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
    let methods = paths
        .best(request.path())
        .map_or(&[][..], |best| &best.methods);
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
