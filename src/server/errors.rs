//! The last step of every refusal: whatever went wrong leaves as problem+json, in the caller's language.

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, VARY};
use actix_web::middleware::Next;
use actix_web::web::Data;
use tracing::error;

use super::MiddlewareState;
use crate::domain::language::Language;
use crate::error::{Code, Error};
use crate::handlers::problem::{self, Context, MEDIA_TYPE, Problem};
use crate::handlers::{RequestId, language};

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
    let problem = problem_of(&response, language);
    let body = serde_json::to_vec(&problem)?;
    let mut response = response
        .map_body(|_, _| BoxBody::new(body))
        .map_into_right_body();
    if let Ok(status) = StatusCode::from_u16(problem.status) {
        *response.response_mut().status_mut() = status;
    }
    response.headers_mut().remove(CONTENT_LENGTH);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    speak(&mut response, language);
    Ok(response)
}

/// The problem that an answer stands for; a failure of our own is logged here, once.
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
    let error = response.response().error();
    match error.and_then(|error| error.as_error::<Error>()) {
        Some(error) => {
            if problem::is_failure(error) {
                error!(cause = %error, "a request failed");
            }
            problem::render(error, &context)
        }
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
