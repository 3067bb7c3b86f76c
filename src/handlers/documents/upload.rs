//! Reading the parts of an upload as they come: every fault of them at once. Where its file goes is in `receiving`.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartConfig, MultipartError};
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use bytes::BytesMut;
use chrono::NaiveDate;
use futures_util::StreamExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::receiving::{ExpectedFile, ReceivedFile};
use crate::domain::calendar::latest_day;
use crate::domain::document::{DocumentKind, check_issued_date};
use crate::domain::file_name::display_name;
use crate::domain::media_type::MediaType;
use crate::domain::values::{Date, Value};
use crate::error::{Code, Error, Fault, FaultCode, Result};
use crate::handlers::extract::{Limits, of_payload, unsupported};
use crate::handlers::service::Service;
use crate::secrets::sha256_hex;
use crate::workflows::documents::Upload;

/// Bytes of a part that is not the file.
const SMALL: usize = 200;
/// What is held of a form while a part is looked for its end.
const BUFFER: usize = 8 * 1024;
/// More parts than this no form has.
const PARTS: usize = 10;
/// What a form has beside the bytes of its file.
const AROUND: usize = 64 * 1024;
/// The media type of a form.
const FORM: &[&str] = &["multipart/form-data"];

/// The parts of an upload, as the contract names them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub struct UploadForm {
    kind: DocumentKind,
    /// PDF, JPEG, PNG or TIFF.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// Required of a `business_invoice`.
    #[schema(nullable = false)]
    issued_date: Option<Date>,
}

/// A form of which nothing is read yet.
pub struct UnreadForm {
    multipart: Multipart,
    time: Duration,
    /// What the request says of its size.
    announced: Option<usize>,
}

/// The parts as they came.
#[derive(Default)]
struct Parts {
    seen: Vec<String>,
    kind: Option<String>,
    issued_date: Option<String>,
    file: Option<ReceivedFile>,
    faults: Vec<Fault>,
}

/// How a form is read.
pub fn form_config() -> MultipartConfig {
    MultipartConfig::new().buffer_limit(BUFFER)
}

impl FromRequest for UnreadForm {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = request.app_data::<Data<Limits>>();
        let length = request.headers().get(CONTENT_LENGTH);
        let Ok(multipart) = Multipart::from_request(request, payload).into_inner() else {
            return ready(Err(unsupported(FORM)));
        };
        ready(Ok(Self {
            multipart,
            time: limits.map(|limits| limits.upload_time).unwrap_or_default(),
            announced: length.and_then(|length| length.to_str().ok()?.parse().ok()),
        }))
    }
}

impl UnreadForm {
    /// Refuses a form that says of itself that it is too large.
    pub fn check_size(&self, service: &Service) -> Result<()> {
        let limit = limit(service);
        match self.announced {
            Some(bytes) if bytes > limit.saturating_add(AROUND) => {
                Err(Code::DocumentTooLarge.with("limit", limit).into())
            }
            _ => Ok(()),
        }
    }

    /// Takes the parts as they come, the file to where it is expected, and checks them; the file is stored then.
    pub async fn receive(self, service: &Service, expected: &ExpectedFile) -> Result<Upload> {
        let read = read_parts(self.multipart, limit(service), expected);
        let read = tokio::time::timeout(self.time, read).await;
        let parts = read.unwrap_or(Err(Code::BodyTooSlow.into()))?;
        let (upload, file) = checked(parts, service)?;
        file.store().await?;
        Ok(upload)
    }
}

fn limit(service: &Service) -> usize {
    usize::try_from(service.programme.application.file_bytes).unwrap_or(0)
}

async fn read_parts(
    mut multipart: Multipart,
    limit: usize,
    expected: &ExpectedFile,
) -> Result<Parts> {
    let mut parts = Parts::default();
    while let Some(field) = multipart.next().await {
        let field = field.map_err(of_multipart)?;
        if parts.seen.len() >= PARTS {
            return Err(Fault::new("#", FaultCode::TooMany)
                .with("max", PARTS)
                .into());
        }
        parts.take(field, limit, expected).await?;
    }
    Ok(parts)
}

impl Parts {
    async fn take(&mut self, field: Field, limit: usize, expected: &ExpectedFile) -> Result<()> {
        let name = field.name().unwrap_or_default().to_owned();
        let is_again = self.seen.contains(&name);
        self.seen.push(name.clone());
        match name.as_str() {
            "file" if !is_again => {
                let wanted = self.faults.is_empty().then(|| expected.writer()).flatten();
                self.file = Some(ReceivedFile::read(field, limit, wanted).await?);
            }
            "kind" if !is_again => self.kind = self.text(&name, field).await?,
            "issued_date" if !is_again => {
                let text = self.text(&name, field).await?;
                self.issued_date = text.filter(|text| !text.is_empty());
            }
            "file" | "kind" | "issued_date" => {
                read_small(field).await?;
                self.refuse(&name, FaultCode::NotUnique);
            }
            _ => {
                read_small(field).await?;
                self.refuse(&name, FaultCode::Unknown);
            }
        }
        Ok(())
    }

    fn refuse(&mut self, name: &str, code: FaultCode) {
        self.faults.push(Fault::new(format!("#/{name}"), code));
    }

    /// A part that is a short text. None, and a fault, where it is long.
    async fn text(&mut self, name: &str, field: Field) -> Result<Option<String>> {
        let bytes = read_small(field).await?;
        if bytes.len() > SMALL {
            let fault = Fault::new(format!("#/{name}"), FaultCode::TooLong);
            self.faults.push(fault.with("max", SMALL));
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
    }
}

/// The bytes of a part that is not the file.
async fn read_small(mut field: Field) -> Result<BytesMut> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field.next().await {
        bytes.extend_from_slice(&chunk.map_err(of_multipart)?);
        if bytes.len() > AROUND {
            return Err(Code::BodyTooLarge.with("limit", AROUND).into());
        }
    }
    Ok(bytes)
}

/// Identifies what was sent, for idempotency keys.
pub fn request_hash(upload: &Upload) -> String {
    let date = upload.issued_date.map(|date| date.to_string());
    let parts = [
        upload.kind.as_str(),
        &upload.file_name,
        &date.unwrap_or_default(),
        &upload.sha256,
    ];
    sha256_hex(parts.join("\n").as_bytes())
}

/// What went wrong with a form on its way.
pub fn of_multipart(error: MultipartError) -> Error {
    match error {
        MultipartError::Payload(error) => of_payload(error),
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible => unsupported(FORM),
        _ => Code::MalformedRequest.into(),
    }
}

fn checked(mut parts: Parts, service: &Service) -> Result<(Upload, ReceivedFile)> {
    let faults = &mut parts.faults;
    let kind = kind(parts.kind.as_deref(), faults);
    let issued_date = issued_date(kind, parts.issued_date.as_deref(), service, faults);
    let media_type = media_type(parts.file.as_ref(), faults);
    let (Some(kind), Some(file), Some(media_type), true) =
        (kind, parts.file, media_type, faults.is_empty())
    else {
        return Err(Error::invalid(parts.faults));
    };
    let upload = Upload {
        kind,
        media_type,
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        sha256: file.sha256.clone(),
        file_name: display_name(&file.name),
        issued_date,
    };
    Ok((upload, file))
}

fn media_type(file: Option<&ReceivedFile>, faults: &mut Vec<Fault>) -> Option<MediaType> {
    let fault = match file.map(|file| file.media_type) {
        Some(Ok(media_type)) => return Some(media_type),
        Some(Err(other)) => {
            Fault::new("#/file", FaultCode::DocumentTypeNotAccepted).with("found", other)
        }
        None => Fault::new("#/file", FaultCode::Required),
    };
    faults.push(fault);
    None
}

fn kind(sent: Option<&str>, faults: &mut Vec<Fault>) -> Option<DocumentKind> {
    let Some(sent) = sent else {
        faults.push(Fault::new("#/kind", FaultCode::Required));
        return None;
    };
    let kind = sent.parse().ok();
    if kind.is_none() {
        let allowed: Vec<&str> = DocumentKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let fault = Fault::new("#/kind", FaultCode::NotAccepted);
        faults.push(fault.with("allowed", allowed.join(", ")));
    }
    kind
}

fn issued_date(
    kind: Option<DocumentKind>,
    sent: Option<&str>,
    service: &Service,
    faults: &mut Vec<Fault>,
) -> Option<NaiveDate> {
    let date = match sent.map(|sent| (sent, sent.parse::<Date>())) {
        Some((sent, Err(_))) => {
            faults.push(Date::fault("#/issued_date", sent));
            return None;
        }
        Some((_, Ok(date))) => Some(date.day()),
        None => None,
    };
    let (rules, now) = (&service.programme, service.now());
    let today = (rules.review.date_of(now), latest_day(now));
    let months = rules.application.business_invoice_months;
    let checked = kind.map(|kind| check_issued_date(kind, date, today, months));
    if let Some(Err(code)) = checked {
        faults.push(Fault::new("#/issued_date", code));
    }
    date
}
