//! The last step of every refusal: whatever went wrong leaves as problem+json, in the caller's language.

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use serde::Serialize;
use tracing::error;

use super::MiddlewareState;
use crate::domain::language::Language;
use crate::error::{Code, Error};
use crate::handlers::problem::{self, Context, MEDIA_TYPE, Problem};
use crate::handlers::{RequestId, language, oauth};

/// Writes the body of every 4xx and 5xx.
pub async fn explain<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let mut response = next.call(request).await?;
    response
        .headers_mut()
        .append(VARY, HeaderValue::from_static("Accept-Language"));
    let language = language::preferred(response.request().headers());
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_explained(&response) {
        speak(&mut response, language);
        return Ok(response.map_into_left_body());
    }
    let request = response.request();
    if request.method() == Method::POST && request.path() == oauth::PATH {
        return refuse_token(response);
    }
    let problem = problem_of(&response, language);
    let status = StatusCode::from_u16(problem.status).unwrap_or(status);
    let mut response = told(response, status, MEDIA_TYPE, &problem)?;
    speak(&mut response, language);
    Ok(response)
}

/// The answer with this status and body.
fn told<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    status: StatusCode,
    media_type: &'static str,
    body: &impl Serialize,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let body = serde_json::to_vec(body)?;
    let mut response = response
        .map_body(|_, _| BoxBody::new(body))
        .map_into_right_body();
    *response.response_mut().status_mut() = status;
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Ok(response)
}

/// Writes a refusal of the token endpoint, in the form and the language that its clients know.
fn refuse_token<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let state = response.request().app_data::<Data<MiddlewareState>>();
    let public_url = state.map_or("", |state| &state.public_url);
    let (status, refused) = match error_of(&response) {
        Some(error) => oauth::refuse(error, public_url),
        None => oauth::refuse(&code_of(response.status()).into(), public_url),
    };
    let mut response = told(response, status, "application/json", &refused)?;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    speak(&mut response, Language::En);
    Ok(response)
}

/// What went wrong, where it was us who said so; a failure of our own is logged here, once.
fn error_of<B>(response: &ServiceResponse<B>) -> Option<&Error> {
    let error = response.response().error()?.as_error::<Error>()?;
    if problem::is_failure(error) {
        error!(cause = %error, "a request failed");
    }
    Some(error)
}

/// The problem that an answer stands for.
fn problem_of<B>(response: &ServiceResponse<B>, language: Language) -> Problem {
    let request = response.request();
    let state = request.app_data::<Data<MiddlewareState>>();
    let request_id = request.extensions().get::<RequestId>().cloned();
    let context = Context {
        public_url: state.map_or("", |state| &state.public_url),
        language,
        instance: request.path().to_owned(),
        request_id: request_id.map(|id| id.0).unwrap_or_default(),
    };
    match error_of(response) {
        Some(error) => problem::render(error, &context),
        None => problem::render(&Error::from(code_of(response.status())), &context),
    }
}

fn is_explained<B>(response: &ServiceResponse<B>) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(MEDIA_TYPE.as_bytes()))
}

fn speak<B>(response: &mut ServiceResponse<B>, language: Language) {
    let value = HeaderValue::from_static(language.as_str());
    if !response.headers().contains_key(CONTENT_LANGUAGE) {
        response.headers_mut().insert(CONTENT_LANGUAGE, value);
    }
}

/// What a bare status of the framework means in our words.
fn code_of(status: StatusCode) -> Code {
    match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => Code::BodyTooSlow,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        status if status.is_client_error() => Code::MalformedRequest,
        _ => Code::InternalError,
    }
}
