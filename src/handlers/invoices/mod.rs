//! Invoices, as their account sees them.

mod correcting;
mod parts;
mod view;

use actix_web::get;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::view::InvoiceView;
use super::answer::Answer;
use super::extract::{Cursor, PageParams, Pages, Params, list_params};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::account::AccountId;
use crate::domain::invoice::{InvoiceId, InvoiceKind};
use crate::domain::language::Language;
use crate::domain::permissions::InvoicesRead;
use crate::error::Result;
use crate::repository::accounts;
use crate::repository::invoices;
use crate::workflows::invoices::{details, details_of};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_invoices,
            Callers::account(InvoicesRead),
            RateLimit::PerCaller,
        )
        .service(
            read_invoice,
            Callers::account(InvoicesRead),
            RateLimit::PerCaller,
        )
        .configure(correcting::routes);
}

/// Names the account whose invoices are listed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code)]
pub struct InvoicesPath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000002")]
    account_id: AccountId,
}

/// Names one invoice in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct InvoicePath {
    /// The account.
    #[param(example = "acc_00000000000070008000000000000002")]
    #[allow(dead_code)]
    account_id: AccountId,
    /// The invoice.
    #[param(example = "inv_00000000000070008000000000000002")]
    invoice_id: InvoiceId,
}

/// A page of invoices.
#[derive(Serialize, ToSchema)]
struct InvoicePage {
    items: Vec<InvoiceView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

list_params! {
    /// Which invoices to list.
    struct InvoicesParams {
        /// Invoices or credit notes alone.
        #[param(nullable = false)]
        kind: Option<InvoiceKind>,
    }
}

/// List the invoices
///
/// Those of the account, newest first.
#[utoipa::path(
    tag = "invoices",
    operation_id = "listInvoices",
    security(("bearer" = [])),
    params(InvoicesPath, InvoicesParams),
    responses((status = 200, description = "The invoices", body = InvoicePage))
)]
#[get("/accounts/{account_id}/invoices")]
async fn list_invoices(
    service: Data<Service>,
    access: Access<InvoicesRead>,
    params: Params<InvoicesParams>,
    pages: Pages,
    language: Language,
) -> Result<Answer> {
    let size = params.0.size();
    let before = pages
        .after(&params.0)?
        .map(|cursor| InvoiceId::from(cursor.id));
    let (kind, context) = (params.0.kind, service.context());
    let rows = service
        .db
        .read(move |conn| {
            let rows = invoices::list(conn, &access.account, kind, (before, size + 1))?;
            accounts::exists_unless(conn, &access.account, !rows.is_empty())?;
            details(conn, &context, rows)
        })
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |one| Cursor::of_id(one.invoice.id.uuid()));
    let items = rows.into_iter();
    let items = items.map(|row| InvoiceView::of(row, language)).collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&InvoicePage { items, next_cursor })?.header_if("Link", link))
}

/// Read an invoice
///
/// As it was issued; only what settles and corrects it changes. Words are in the language that the account had then, but for `label`.
#[utoipa::path(
    tag = "invoices",
    operation_id = "readInvoice",
    security(("bearer" = [])),
    params(InvoicePath),
    responses((status = 200, description = "The invoice", body = InvoiceView, headers(("ETag" = String))))
)]
#[get("/accounts/{account_id}/invoices/{invoice_id}")]
async fn read_invoice(
    service: Data<Service>,
    access: Access<InvoicesRead>,
    path: Path<InvoicePath>,
    language: Language,
) -> Result<Answer> {
    let (id, context) = (path.invoice_id, service.context());
    let invoice = service
        .db
        .read(move |conn| {
            let invoice = invoices::find(conn, &access.account, id)?;
            details_of(conn, &context, invoice)
        })
        .await?;
    let version = invoice.invoice.version;
    Ok(Answer::ok(&InvoiceView::of(invoice, language))?.etag_with_digest(version))
}
