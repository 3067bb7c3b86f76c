//! Reading the parts of an upload: every fault of them at once, before anything is stored.

use std::pin::Pin;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use chrono::NaiveDate;
use futures_util::StreamExt;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::document::{DocumentKind, MediaType, check_issued_date, display_name};
use crate::domain::values::{Date, Value};
use crate::error::{Code, Error, Fault, FaultCode, Result};
use crate::handlers::extract::{Limits, of_payload};
use crate::handlers::service::Service;
use crate::secrets::{hex, random, sha256_hex};
use crate::workflows::documents::Upload;

/// Bytes of a part that is not the file.
const SMALL: usize = 200;

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

/// An upload that has passed its checks.
pub struct UploadedDocument {
    kind: DocumentKind,
    media_type: MediaType,
    file_name: String,
    issued_date: Option<NaiveDate>,
    bytes: Bytes,
    sha256: String,
}

/// The parts as they came.
#[derive(Default)]
struct Parts {
    kind: Option<String>,
    issued_date: Option<String>,
    file: Option<(String, Bytes)>,
    faults: Vec<Fault>,
}

impl FromRequest for UploadedDocument {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let multipart = Multipart::from_request(request, payload);
        let service = request.app_data::<Data<Service>>().cloned();
        let limits = request.app_data::<Data<Limits>>();
        let time = limits.map(|limits| limits.upload_time).unwrap_or_default();
        Box::pin(async move {
            let service = service
                .ok_or_else(|| Error::internal("reading an upload")("the service is not set up"))?;
            let multipart = multipart.await.map_err(|_| Code::UnsupportedMediaType)?;
            let limit = usize::try_from(service.programme.application.file_bytes).unwrap_or(0);
            let read = tokio::time::timeout(time, read_parts(multipart, limit));
            let parts = read.await.unwrap_or(Err(Code::BodyTooSlow.into()))?;
            checked(parts, &service)
        })
    }
}

async fn read_parts(mut multipart: Multipart, limit: usize) -> Result<Parts> {
    let mut parts = Parts::default();
    while let Some(field) = multipart.next().await {
        let field = field.map_err(of_multipart)?;
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field
            .content_disposition()
            .and_then(|one| one.get_filename())
            .unwrap_or_default()
            .to_owned();
        let bytes = read_part(field, limit).await?;
        let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
        match name.as_str() {
            "file" => parts.file = Some((file_name, bytes)),
            "kind" | "issued_date" if bytes.len() > SMALL => parts
                .faults
                .push(Fault::new(format!("#/{name}"), FaultCode::TooLong).with("max", SMALL)),
            "kind" => parts.kind = Some(text()),
            "issued_date" => parts.issued_date = Some(text()).filter(|text| !text.is_empty()),
            _ => parts
                .faults
                .push(Fault::new(format!("#/{name}"), FaultCode::Unknown)),
        }
    }
    Ok(parts)
}

async fn read_part(mut field: Field, limit: usize) -> Result<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field.next().await {
        let chunk = chunk.map_err(of_multipart)?;
        if bytes.len() + chunk.len() > limit {
            return Err(Code::DocumentTooLarge.with("limit", limit).into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn of_multipart(error: MultipartError) -> Error {
    match error {
        MultipartError::Payload(error) => of_payload(error),
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible => Code::UnsupportedMediaType.into(),
        _ => Code::MalformedRequest.into(),
    }
}

fn checked(parts: Parts, service: &Service) -> Result<UploadedDocument> {
    let mut faults = parts.faults;
    let kind = kind(parts.kind.as_deref(), &mut faults);
    let issued_date = issued_date(kind, parts.issued_date.as_deref(), service, &mut faults);
    let media_type = parts
        .file
        .as_ref()
        .and_then(|(_, bytes)| MediaType::sniff(bytes));
    match (&parts.file, media_type) {
        (None, _) => faults.push(Fault::new("#/file", FaultCode::Required)),
        (Some(_), None) => faults.push(Fault::new("#/file", FaultCode::DocumentTypeNotAccepted)),
        (Some(_), Some(_)) => {}
    }
    let (Some(kind), Some((file_name, bytes)), Some(media_type), true) =
        (kind, parts.file, media_type, faults.is_empty())
    else {
        return Err(Error::invalid(faults));
    };
    let sha256 = sha256_hex(&bytes);
    Ok(UploadedDocument {
        kind,
        media_type,
        file_name: display_name(&file_name),
        issued_date,
        bytes,
        sha256,
    })
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
    let date = sent.map(str::parse::<Date>);
    if let Some(Err(_)) = date {
        faults.push(Date::fault("#/issued_date"));
        return None;
    }
    let date = date.and_then(Result::ok).map(Date::day);
    let rules = &service.programme;
    let today = rules.review.date_of(service.now());
    let months = rules.application.business_invoice_months;
    let checked = kind.map(|kind| check_issued_date(kind, date, today, months));
    if let Some(Err(code)) = checked {
        faults.push(Fault::new("#/issued_date", code));
    }
    date
}

impl UploadedDocument {
    /// Identifies the parts, for idempotency keys.
    pub fn hash(&self) -> String {
        let date = self
            .issued_date
            .map(|date| date.to_string())
            .unwrap_or_default();
        sha256_hex(format!("{}\n{}\n{date}\n{}", self.kind, self.file_name, self.sha256).as_bytes())
    }

    /// Stores the bytes; the row comes after them, and a sweep deletes what no row names.
    pub async fn store(self, service: &Service) -> Result<Upload> {
        let size = i64::try_from(self.bytes.len()).unwrap_or(i64::MAX);
        let file_key = format!("documents/{}", hex(&random::<16>()?));
        service.store.put(&file_key, self.bytes).await?;
        Ok(Upload {
            kind: self.kind,
            media_type: self.media_type,
            size,
            sha256: self.sha256,
            file_name: self.file_name,
            issued_date: self.issued_date,
            file_key,
        })
    }
}

/// What somebody uploaded runs nothing, loads nothing and is shown inside no page, whatever it is.
pub const POLICY: &str =
    "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A download under the file's own name (RFC 6266, RFC 8187).
pub fn disposition(file_name: &str) -> String {
    let plain: String = file_name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-_ ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded: String = file_name
        .bytes()
        .map(|byte| {
            if unreserved(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}
