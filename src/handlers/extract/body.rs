//! A body: its size, its pace, its media type. What becomes of it is in `input`.

use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;

use super::Limits;
use super::input::Input;
use crate::domain::json;
use crate::error::{Code, Error, Result};
use crate::handlers::service::Service;
use crate::secrets::sha256_hex;
use crate::workflows::csv_file::{Decoded, Encoding, decode, of_charset};

/// A JSON body, parsed.
pub struct Body<T: Input> {
    pub value: T::Parsed,
    hash: String,
}

impl<T: Input> Body<T> {
    /// Identifies the body as sent, for idempotency keys.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// A JSON body that may be left out.
pub struct OptionalBody<T: Input> {
    pub value: Option<T::Parsed>,
    hash: String,
}

impl<T: Input> OptionalBody<T> {
    /// Identifies the body as sent, for idempotency keys.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// The media types of a merge patch (RFC 7396), in the order in which they are named.
pub const MERGE_PATCH: [&str; 2] = ["application/merge-patch+json", "application/json"];

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

impl<T: Input> FromRequest for Body<T> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = bytes(request, payload, T::MEDIA_TYPES);
        Box::pin(async move {
            let (bytes, service) = read.await?;
            Ok(Self {
                value: parsed::<T>(&bytes, &service)?,
                hash: sha256_hex(&bytes),
            })
        })
    }
}

impl<T: Input> FromRequest for OptionalBody<T> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_typed = request.headers().contains_key(CONTENT_TYPE);
        let media_types = if is_typed { T::MEDIA_TYPES } else { &[] };
        let read = bytes(request, payload, media_types);
        Box::pin(async move {
            let (bytes, service) = read.await?;
            let value = match bytes.is_empty() {
                true => None,
                false if is_typed => Some(parsed::<T>(&bytes, &service)?),
                false => return Err(unsupported(T::MEDIA_TYPES)),
            };
            Ok(Self {
                value,
                hash: sha256_hex(&bytes),
            })
        })
    }
}

fn parsed<T: Input>(bytes: &Bytes, service: &Service) -> Result<T::Parsed> {
    let json = json::of_bytes(bytes)?;
    let (fields, faults) = json::read_body::<T>(json)?;
    fields.parse(&service.programme, faults)
}

/// A body in a format that is not taken: 415, which names those that are.
pub fn unsupported(media_types: &[&str]) -> Error {
    let expected = media_types.join(", ");
    Code::UnsupportedMediaType.with("expected", expected).into()
}

/// The bytes of a body of one of `media_types` (of any, where there are none), within the limits.
fn bytes(
    request: &HttpRequest,
    payload: &mut Payload,
    media_types: &'static [&'static str],
) -> Extracted<(Bytes, Data<Service>)> {
    let limits = request
        .app_data::<Data<Limits>>()
        .map(|limits| *limits.get_ref());
    let service = request.app_data::<Data<Service>>().cloned();
    let fits = media_types.is_empty() || has_media_type(request, media_types);
    let payload = payload.take();
    Box::pin(async move {
        let (Some(limits), Some(service)) = (limits, service) else {
            return Err(Error::internal("reading a body")(
                "the service is not set up",
            ));
        };
        if !fits {
            return Err(unsupported(media_types));
        }
        let limit = if media_types == CSV {
            limits.csv
        } else {
            limits.json
        };
        let bytes = read_limited(payload, limit, limits.body_time).await?;
        Ok((bytes, service))
    })
}

/// The media type of a CSV file.
const CSV: &[&str] = &["text/csv"];

/// A CSV file, as text.
pub struct CsvBody {
    pub file: Decoded,
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
        let read = bytes(request, payload, CSV);
        let announced = announced_encoding(request);
        Box::pin(async move {
            let (bytes, _) = read.await?;
            let announced = announced?;
            let file = decode(&bytes, announced).ok_or(Code::MalformedRequest)?;
            Ok(Self {
                file,
                hash: sha256_hex(&bytes),
            })
        })
    }
}

/// The media type of a form.
const FORM: &[&str] = &["application/x-www-form-urlencoded"];

/// The names and values of a form, in the order in which they were sent.
pub struct FormBody(pub Vec<(String, String)>);

impl FromRequest for FormBody {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = bytes(request, payload, FORM);
        Box::pin(async move {
            let (bytes, _) = read.await?;
            let pairs = form_urlencoded::parse(&bytes).into_owned();
            Ok(Self(pairs.collect()))
        })
    }
}

/// The `charset` of the request's media type.
fn charset(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parameters = header.split(';').skip(1);
    let charset = parameters.find_map(|one| {
        let (name, value) = one.trim().split_once('=')?;
        name.eq_ignore_ascii_case("charset").then_some(value)
    })?;
    Some(charset.trim_matches('"').to_owned())
}

/// The encoding that the request's media type names, if it does; 415 where it is none of ours.
pub fn announced_encoding(request: &HttpRequest) -> Result<Option<Encoding>> {
    let expected = "text/csv; charset=utf-8, text/csv; charset=windows-1252";
    let known = charset(request).map(|charset| {
        let unknown = || Code::UnsupportedMediaType.with("expected", expected);
        of_charset(&charset).ok_or_else(unknown)
    });
    Ok(known.transpose()?)
}

/// The media type of the request, in lower case and without its parameters.
pub fn media_type(request: &HttpRequest) -> String {
    let header = request.headers().get(CONTENT_TYPE);
    let header = header.and_then(|value| value.to_str().ok());
    let essence = header.unwrap_or_default().split(';').next();
    essence.unwrap_or_default().trim().to_ascii_lowercase()
}

fn has_media_type(request: &HttpRequest, wanted: &[&str]) -> bool {
    wanted.contains(&media_type(request).as_str())
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
