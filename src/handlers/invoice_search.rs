//! Invoices across accounts, as staff look for them. The whole of one is in `invoices`.

use actix_web::get;
use actix_web::web::Data;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::extract::{Cursor, PageParams, Pages, Params, list_params};
use super::labels::label;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::StaffOnly;
use crate::domain::account::AccountId;
use crate::domain::calendar::local_date;
use crate::domain::invoice::{InvoiceId, InvoiceKind, InvoiceStatus};
use crate::domain::language::Language;
use crate::domain::money::Money;
use crate::domain::permissions::BooksRead;
use crate::error::Result;
use crate::repository::invoice_search::{FoundInvoice, InvoiceSearch, Owner, search};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config.service(
        search_invoices,
        Callers::staff(BooksRead),
        RateLimit::PerCaller,
    );
}

list_params! {
    /// Which invoices to list.
    struct InvoiceSearchParams {
        /// Only those of this status.
        #[param(inline, nullable = false)]
        status: Option<InvoiceStatus>,
        /// A whole number or payment reference, or a part of the company's name.
        #[param(
            min_length = 1,
            max_length = 254,
            pattern = r"^[^\x00-\x1f\x7f]+$",
            nullable = false,
            example = "Fjord"
        )]
        query: Option<String>,
        /// Only those that should have been paid by now.
        #[param(nullable = false)]
        overdue: Option<bool>,
    }
}

/// An invoice or credit note, as a list across accounts has it.
#[derive(Serialize, ToSchema)]
struct FoundInvoiceView {
    id: InvoiceId,
    account_id: AccountId,
    #[schema(example = "2000000127")]
    account_number: String,
    #[schema(example = "Fjord Foto ApS")]
    company_name: String,
    kind: InvoiceKind,
    #[schema(example = "CPS-2026-000001")]
    number: String,
    status: InvoiceStatus,
    /// In the caller's language.
    label: String,
    /// Whether it should have been paid by now.
    overdue: bool,
    issued_date: NaiveDate,
    /// Of an invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    due_date: Option<NaiveDate>,
    gross: Money,
    /// Not settled, or of a credit note not placed yet.
    open: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^RF[0-9]{2}[0-9A-Z]{1,21}$")]
    payment_reference: Option<String>,
}

impl FoundInvoiceView {
    fn of(
        (invoice, owner): (FoundInvoice, Owner),
        (today, language): (NaiveDate, Language),
    ) -> Self {
        let money = |cents| Money::new(cents, invoice.currency);
        let is_open = invoice.status == InvoiceStatus::Open;
        Self {
            id: invoice.id,
            account_id: invoice.account_id,
            account_number: owner.account_number,
            company_name: owner.company_name,
            kind: invoice.kind,
            number: invoice.number,
            status: invoice.status,
            label: label("invoice_statuses", invoice.status, language),
            overdue: is_open && invoice.collect_from.is_some_and(|day| day < today),
            issued_date: invoice.issued_date,
            due_date: invoice.due_date,
            gross: money(invoice.gross_cents),
            open: money(invoice.open_cents),
            payment_reference: invoice.payment_reference,
        }
    }
}

/// A page of invoices of all accounts.
#[derive(Serialize, ToSchema)]
struct FoundInvoicePage {
    items: Vec<FoundInvoiceView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// Find invoices
///
/// For staff: invoices and credit notes of all accounts, newest first; the whole of one is read at its account.
#[utoipa::path(
    tag = "invoices",
    operation_id = "searchInvoices",
    security(("bearer" = [])),
    params(InvoiceSearchParams),
    responses((status = 200, description = "The invoices", body = FoundInvoicePage))
)]
#[get("/invoices")]
async fn search_invoices(
    service: Data<Service>,
    _: StaffOnly<BooksRead>,
    params: Params<InvoiceSearchParams>,
    pages: Pages,
    language: Language,
) -> Result<Answer> {
    let size = params.0.size();
    let today = local_date(service.now(), service.programme.seller.zone);
    let asked = InvoiceSearch {
        before: pages.after(&params.0)?.map(|cursor| cursor.id.into()),
        status: params.0.status,
        overdue_on: (params.0.overdue == Some(true)).then_some(today),
        text: params.0.query,
        limit: size + 1,
    };
    let rows = service.db.fetch(move |conn| search(conn, &asked)).await?;
    let (rows, next_cursor) = pages.cut(rows, size, |(row, _)| Cursor::of_id(row.id.uuid()));
    let items = rows.into_iter();
    let items = items
        .map(|row| FoundInvoiceView::of(row, (today, language)))
        .collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&FoundInvoicePage { items, next_cursor })?.header_if("Link", link))
}
