//! The documents of invoices and credit notes, as files.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;

use super::documents::{FileBytes, disposition};
use super::problem::Problem;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::invoice::{InvoiceFileKind, InvoiceId};
use crate::domain::permissions::InvoicesRead;
use crate::error::{Error, Result};
use crate::jobs::invoice_files;
use crate::repository::{invoice_files as stored, invoices};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            read_invoice_pdf,
            Callers::account(InvoicesRead),
            RateLimit::PerCaller,
        )
        .service(
            read_invoice_xml,
            Callers::account(InvoicesRead),
            RateLimit::PerCaller,
        );
}

/// Names the invoice whose document is read.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct InvoiceFilePath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000002")]
    #[allow(dead_code)]
    account_id: AccountId,
    /// The invoice or credit note.
    #[param(example = "inv_00000000000070008000000000000002")]
    invoice_id: InvoiceId,
}

/// Read an invoice as PDF
///
/// PDF/A-3b, in the invoice's language; the electronic invoice is attached where there can be one. Always the same bytes.
#[utoipa::path(
    tag = "invoices",
    operation_id = "readInvoicePdf",
    security(("bearer" = [])),
    params(InvoiceFilePath),
    responses((status = 200, description = "The file", content((FileBytes = "application/pdf")), headers(("ETag" = String))))
)]
#[get("/accounts/{account_id}/invoices/{invoice_id}/pdf")]
async fn read_invoice_pdf(
    service: Data<Service>,
    access: Access<InvoicesRead>,
    path: Path<InvoiceFilePath>,
) -> Result<HttpResponse, Error> {
    let id = path.invoice_id;
    file(&service, access.account, id, InvoiceFileKind::Pdf).await
}

/// Read an invoice as XML
///
/// UBL 2.1 by Peppol BIS Billing 3. 409 `einvoice_not_possible` names what has to be filled in first.
#[utoipa::path(
    tag = "invoices",
    operation_id = "readInvoiceXml",
    security(("bearer" = [])),
    params(InvoiceFilePath),
    responses(
        (status = 200, description = "The file", content((FileBytes = "application/xml")), headers(("ETag" = String))),
        (status = 409, description = "`einvoice_not_possible`", body = Problem, content_type = "application/problem+json")
    )
)]
#[get("/accounts/{account_id}/invoices/{invoice_id}/xml")]
async fn read_invoice_xml(
    service: Data<Service>,
    access: Access<InvoicesRead>,
    path: Path<InvoiceFilePath>,
) -> Result<HttpResponse, Error> {
    let id = path.invoice_id;
    file(&service, access.account, id, InvoiceFileKind::Xml).await
}

/// The download of a document.
async fn file(
    service: &Service,
    account: AccountAccess,
    id: InvoiceId,
    kind: InvoiceFileKind,
) -> Result<HttpResponse, Error> {
    let (invoice, stored) = service
        .db
        .read(move |conn| {
            Ok((
                invoices::find(conn, &account, id)?,
                stored::find(conn, id, kind)?,
            ))
        })
        .await?;
    let name = format!("{}.{kind}", invoice.number);
    let made = invoice_files::read(&service.store, invoice, kind, stored).await?;
    Ok(HttpResponse::Ok()
        .content_type(kind.media_type())
        .insert_header(("Content-Disposition", disposition(&name)))
        .insert_header(("ETag", format!("\"{}\"", made.sha256)))
        .body(made.bytes))
}
