//! A JSON body: its size, its pace, its media type, its parsing, then its checks.

use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde_json::Value;

use super::Limits;
use super::checked::{Checked, draft};
use super::schemas::body_schema;
use crate::error::{Code, Error, Found, Result};
use crate::handlers::service::Service;
use crate::secrets::sha256_hex;

/// A JSON body that has passed every check.
pub struct Body<T> {
    pub value: T,
    hash: String,
}

impl<T> Body<T> {
    /// Identifies the body as sent, for idempotency keys.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// A JSON body with what is wrong with it so far: for who asks the database for the rest, and refuses all at once.
pub struct Draft<T> {
    /// As sent, but for a stand-in wherever something is wrong.
    pub value: T,
    pub found: Found,
    hash: String,
}

impl<T> Draft<T> {
    /// Identifies the body as sent, for idempotency keys.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// A JSON Merge Patch (RFC 7396) with what is wrong with it so far: it is judged by what comes out of it.
pub struct Patch<T> {
    /// As sent, but for a stand-in wherever something is wrong.
    pub value: T,
    pub found: Found,
}

/// A JSON body that may be left out: no body at all, or one that has passed every check.
pub struct OptionalBody<T> {
    pub value: Option<T>,
    hash: String,
}

impl<T> OptionalBody<T> {
    /// Identifies the body as sent, for idempotency keys.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

impl<T: Checked> FromRequest for Body<T> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let draft = Draft::<T>::from_request(request, payload);
        Box::pin(async move {
            let Draft { value, found, hash } = draft.await?;
            Ok(Self {
                value: found.judge(Ok(value))?,
                hash,
            })
        })
    }
}

impl<T: Checked> FromRequest for Draft<T> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = bytes(request, payload, "application/json");
        Box::pin(async move {
            let (bytes, service) = read.await?;
            let (value, found) = drafted(&bytes, &service)?;
            Ok(Self {
                value,
                found,
                hash: sha256_hex(&bytes),
            })
        })
    }
}

impl<T: Checked> FromRequest for Patch<T> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = bytes(request, payload, "application/merge-patch+json");
        Box::pin(async move {
            let (bytes, service) = read.await?;
            let (value, found) = drafted(&bytes, &service)?;
            Ok(Self { value, found })
        })
    }
}

impl<T: Checked> FromRequest for OptionalBody<T> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_typed = request.headers().contains_key(CONTENT_TYPE);
        let media_type = if is_typed { "application/json" } else { "" };
        let read = bytes(request, payload, media_type);
        Box::pin(async move {
            let (bytes, service) = read.await?;
            let value = match bytes.is_empty() {
                true => None,
                false if is_typed => Some(checked(&bytes, &service)?),
                false => {
                    return Err(Code::UnsupportedMediaType
                        .with("expected", "application/json")
                        .into());
                }
            };
            Ok(Self {
                value,
                hash: sha256_hex(&bytes),
            })
        })
    }
}

fn checked<T: Checked>(bytes: &Bytes, service: &Service) -> Result<T> {
    let (value, found) = drafted(bytes, service)?;
    found.judge(Ok(value))
}

fn drafted<T: Checked>(bytes: &Bytes, service: &Service) -> Result<(T, Found)> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| Code::MalformedRequest)?;
    draft(value, "#", body_schema::<T>, |value: &T| {
        value.faults(&service.programme, service.now())
    })
}

/// The bytes of a body of `media_type` (of any, where that is empty), within the limits.
fn bytes(
    request: &HttpRequest,
    payload: &mut Payload,
    media_type: &'static str,
) -> Extracted<(Bytes, Data<Service>)> {
    let limits = request
        .app_data::<Data<Limits>>()
        .map(|limits| *limits.get_ref());
    let service = request.app_data::<Data<Service>>().cloned();
    let fits = media_type.is_empty() || has_media_type(request, media_type);
    let payload = payload.take();
    Box::pin(async move {
        let (Some(limits), Some(service)) = (limits, service) else {
            return Err(Error::internal("reading a body")(
                "the service is not set up",
            ));
        };
        if !fits {
            return Err(Code::UnsupportedMediaType
                .with("expected", media_type)
                .into());
        }
        let limit = if media_type == "text/csv" {
            limits.csv
        } else {
            limits.json
        };
        let bytes = read_limited(payload, limit, limits.body_time).await?;
        Ok((bytes, service))
    })
}

/// A CSV file, as text.
pub struct CsvBody {
    pub text: String,
    hash: String,
}

impl CsvBody {
    /// Identifies the body as sent, for idempotency keys.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl FromRequest for CsvBody {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = bytes(request, payload, "text/csv");
        Box::pin(async move {
            let (bytes, _) = read.await?;
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| Code::MalformedRequest)?;
            if text.contains('\0') {
                return Err(Code::MalformedRequest.into());
            }
            Ok(Self {
                text,
                hash: sha256_hex(&bytes),
            })
        })
    }
}

fn has_media_type(request: &HttpRequest, wanted: &str) -> bool {
    let header = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = header.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(wanted)
}

/// What a body that broke off means: what stopped it where that was us, else that it is not whole.
pub fn of_payload(error: PayloadError) -> Error {
    let ours = match error {
        PayloadError::Io(cause) => cause.downcast::<Error>().ok(),
        _ => None,
    };
    ours.unwrap_or_else(|| Code::MalformedRequest.into())
}

/// The whole body, at most `limit` bytes within `time`.
pub async fn read_limited(mut payload: Payload, limit: usize, time: Duration) -> Result<Bytes> {
    let read = async {
        let mut whole = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(of_payload)?;
            if whole.len() + chunk.len() > limit {
                return Err(Code::BodyTooLarge.with("limit", limit).into());
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    };
    tokio::time::timeout(time, read)
        .await
        .unwrap_or(Err(Code::BodyTooSlow.into()))
}
