//! What callers see of a document, and how a path names one.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{KnownFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::domain::account::AccountId;
use crate::domain::document::{DocumentCode, DocumentId, DocumentKind, DocumentStatus};
use crate::domain::media_type::MediaType;
use crate::error::Result;
use crate::repository::documents::Document;
use crate::types::Instant;

/// Names one document in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DocumentPath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000003")]
    #[allow(dead_code)]
    pub account_id: AccountId,
    /// The document.
    #[param(example = "doc_0000000000007000800000000000000d")]
    pub document_id: DocumentId,
}

/// A document, without its bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentView {
    id: DocumentId,
    kind: DocumentKind,
    status: DocumentStatus,
    /// Why it does not do: revision or rejection codes.
    #[schema(value_type = Vec<DocumentCode>)]
    codes: Vec<String>,
    media_type: MediaType,
    /// In bytes.
    #[schema(minimum = 1)]
    size: i64,
    /// Of the bytes, in lower-case hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// As the applicant called it; for display only.
    file_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    issued_date: Option<NaiveDate>,
    /// Whether the bytes can still be read.
    content_available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    decided_at: Option<Instant>,
    created_at: Instant,
    #[schema(minimum = 1)]
    version: i64,
}

/// The bytes of a file, as the contract names them.
pub struct FileBytes;

impl PartialSchema for FileBytes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .into()
    }
}

impl ToSchema for FileBytes {}

impl DocumentView {
    /// What callers see of a document.
    pub fn of(document: Document) -> Result<Self> {
        let content_available = document.readable_key().is_some();
        Ok(Self {
            id: document.id,
            kind: document.kind,
            status: document.status,
            codes: document.codes.decode()?,
            media_type: document.media_type,
            size: document.size,
            sha256: document.sha256,
            file_name: document.file_name,
            issued_date: document.issued_date,
            content_available,
            decided_at: document.decided_at,
            created_at: document.created_at,
            version: document.version,
        })
    }
}
