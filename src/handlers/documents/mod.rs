//! Verification documents: handing in, looking at, taking back.

mod download;
mod file_name;
mod receiving;
mod upload;
mod views;

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::accounts::AccountPath;
use super::answer::Answer;
use super::extract::{
    Cursor, Idempotency, IdempotencyHeader, IfMatch, IfMatchHeader, PageParams, Pages, Params,
    list_params,
};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::document::DocumentId;
use crate::domain::permissions::{DocumentsChange, DocumentsRead};
use crate::error::{Code, Error, Result};
use crate::repository::accounts;
use crate::repository::documents;
use crate::workflows;
use crate::workflows::documents::Upload;
pub(super) use download::disposition;
use receiving::ExpectedFile;
pub use upload::form_config;
use upload::{UnreadForm, UploadForm, request_hash};
pub(super) use views::FileBytes;
pub use views::{DocumentPath, DocumentView};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_documents,
            Callers::account(DocumentsRead),
            RateLimit::PerCaller,
        )
        .service(
            upload_document,
            Callers::account(DocumentsChange),
            RateLimit::PerCaller,
        )
        .service(
            read_document,
            Callers::account(DocumentsRead),
            RateLimit::PerCaller,
        )
        .service(
            remove_document,
            Callers::account(DocumentsChange),
            RateLimit::PerCaller,
        )
        .service(
            read_content,
            Callers::account(DocumentsRead),
            RateLimit::PerCaller,
        );
}

/// A page of documents.
#[derive(Serialize, ToSchema)]
struct DocumentPage {
    items: Vec<DocumentView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

list_params! {
    /// Which documents to list.
    struct DocumentsParams {}
}

/// List documents
///
/// The verification documents of the account, newest first; those that were taken back are left out.
#[utoipa::path(
    tag = "documents",
    operation_id = "listDocuments",
    security(("bearer" = [])),
    params(AccountPath, DocumentsParams),
    responses((status = 200, description = "The documents", body = DocumentPage))
)]
#[get("/accounts/{account_id}/documents")]
async fn list_documents(
    service: Data<Service>,
    access: Access<DocumentsRead>,
    params: Params<DocumentsParams>,
    pages: Pages,
) -> Result<Answer> {
    let (account, size) = (access.account.account_id(), params.0.size());
    let before = pages
        .after(&params.0)?
        .map(|cursor| DocumentId::from(cursor.id));
    let rows = service
        .db
        .fetch(move |conn| {
            let rows = documents::list(conn, account, before, size + 1)?;
            accounts::exists_unless(conn, &access.account, !rows.is_empty())?;
            Ok(rows)
        })
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |document| Cursor::of_id(document.id.uuid()));
    let items = rows
        .into_iter()
        .map(DocumentView::of)
        .collect::<Result<Vec<_>>>()?;
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&DocumentPage { items, next_cursor })?.header_if("Link", link))
}

/// Hand in a document
///
/// One file with its kind: PDF, JPEG, PNG or TIFF, told by its first bytes, 1 byte to 4 MiB. A kind of the other set is refused as
/// `document_kind_not_accepted`; a business invoice needs an `issued_date` at most 3 months back. The applicant's with the application, the superuser's
/// once the account is active, to prove another name or VAT number: its file is deleted after 90 days.
#[utoipa::path(
    tag = "documents",
    operation_id = "uploadDocument",
    security(("bearer" = [])),
    params(AccountPath, IdempotencyHeader),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The document", body = DocumentView, headers(("ETag" = String), ("Location" = String))))
)]
#[post("/accounts/{account_id}/documents")]
async fn upload_document(
    service: Data<Service>,
    access: Access<DocumentsChange>,
    key: Idempotency,
    form: UnreadForm,
) -> Result<Answer> {
    form.check_size(&service)?;
    let expected = ExpectedFile::begin(&service, &access.account, &key).await?;
    let answer = match form.receive(&service, &expected).await {
        Ok(upload) => add_document(&service, access, &key, upload, expected.clone()).await,
        Err(refused) => Err(refused),
    };
    expected.settle(answer).await
}

/// Adds the document of a file that is stored.
async fn add_document(
    service: &Service,
    access: Access<DocumentsChange>,
    key: &Idempotency,
    upload: Upload,
    file: ExpectedFile,
) -> Result<Answer> {
    let (context, hash) = (service.context(), request_hash(&upload));
    key.write(service, &hash, move |conn| {
        let account = &access.account;
        let document = workflows::documents::add(conn, &context, account, upload, file.key()?)?;
        let location = format!(
            "/v1/accounts/{}/documents/{}",
            document.account_id, document.id
        );
        Ok(Answer::created(&DocumentView::of(document)?)?
            .location(location)
            .etag(1))
    })
    .await
}

/// Read a document
///
/// What is known of it and how it was decided; the bytes are under `content`.
#[utoipa::path(
    tag = "documents",
    operation_id = "readDocument",
    security(("bearer" = [])),
    params(DocumentPath),
    responses((status = 200, description = "The document", body = DocumentView, headers(("ETag" = String))))
)]
#[get("/accounts/{account_id}/documents/{document_id}")]
async fn read_document(
    service: Data<Service>,
    access: Access<DocumentsRead>,
    path: Path<DocumentPath>,
) -> Result<Answer> {
    let document = service
        .db
        .fetch(move |conn| documents::find(conn, &access.account, path.document_id))
        .await?;
    let version = document.version;
    Ok(Answer::ok(&DocumentView::of(document)?)?.etag(version))
}

/// Take a document back
///
/// While the application may be edited, or on an active account while nobody has decided it (else 409 `application_not_editable`). The file is deleted.
#[utoipa::path(
    tag = "documents",
    operation_id = "removeDocument",
    security(("bearer" = [])),
    params(DocumentPath, IfMatchHeader),
    responses((status = 204, description = "It is gone"))
)]
#[delete("/accounts/{account_id}/documents/{document_id}")]
async fn remove_document(
    service: Data<Service>,
    access: Access<DocumentsChange>,
    path: Path<DocumentPath>,
    seen: IfMatch,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.document_id);
    service
        .db
        .write(move |conn| {
            workflows::documents::remove(conn, &context, &access.account, id, |version| {
                seen.check(version)
            })
        })
        .await?;
    Ok(Answer::no_content())
}

/// Read a document's bytes
///
/// As a download, never for display in place. 404 once the file was deleted.
#[utoipa::path(
    tag = "documents",
    operation_id = "readDocumentContent",
    security(("bearer" = [])),
    params(DocumentPath),
    responses((status = 200, description = "The file", content(
        (FileBytes = "application/pdf"), (FileBytes = "image/jpeg"), (FileBytes = "image/png"), (FileBytes = "image/tiff")
    )))
)]
#[get("/accounts/{account_id}/documents/{document_id}/content")]
async fn read_content(
    service: Data<Service>,
    access: Access<DocumentsRead>,
    path: Path<DocumentPath>,
) -> Result<HttpResponse, Error> {
    let document = service
        .db
        .fetch(move |conn| documents::find(conn, &access.account, path.document_id))
        .await?;
    let key = document.readable_key().ok_or(Code::NotFound)?;
    let bytes = service.store.get(key).await?.ok_or(Code::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type(document.media_type.as_str())
        .insert_header(("Content-Disposition", disposition(&document.file_name)))
        .insert_header(("Content-Security-Policy", download::POLICY))
        .insert_header(("Cache-Control", "no-store"))
        .streaming(bytes))
}
