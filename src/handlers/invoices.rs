//! Invoices, as their account sees them.

use actix_web::get;
use actix_web::web::{Data, Path};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::extract::{Cursor, PageParams, Pages, Params, list_params};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Access;
use crate::domain::account::AccountId;
use crate::domain::invoice::{
    Buyer, Content, Evidence, InvoiceId, InvoiceStatus, Line, PaymentMethod, Seller, VatTreatment,
};
use crate::domain::language::Language;
use crate::domain::membership::MembershipId;
use crate::domain::money::{Currency, Money};
use crate::domain::permissions::InvoicesRead;
use crate::error::Result;
use crate::repository::accounts;
use crate::repository::invoices::{self, Invoice};
use crate::types::Instant;

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
        );
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

/// One line.
#[derive(Serialize, ToSchema)]
struct InvoiceLine {
    description: String,
    #[schema(minimum = 1)]
    quantity: i64,
    /// Without VAT.
    net: Money,
    /// The first day that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    starts_date: Option<NaiveDate>,
    /// The last day that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ends_date: Option<NaiveDate>,
}

impl InvoiceLine {
    fn of(line: Line, currency: Currency) -> Self {
        Self {
            description: line.description,
            quantity: 1,
            net: Money::new(line.net_cents, currency),
            starts_date: line.period.map(|(starts, _)| starts),
            ends_date: line.period.map(|(_, ends)| ends),
        }
    }
}

/// The VAT, with why it is charged as it is.
#[derive(Serialize, ToSchema)]
struct InvoiceVat {
    treatment: VatTreatment,
    /// `0.21` is 21 %; `0` unless the treatment is `standard`.
    #[schema(pattern = r"^[0-9]+(\.[0-9]+)?$", example = "0.21")]
    rate: String,
    amount: Money,
    /// The document by which the buyer is known to be a business.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    evidence: Option<Evidence>,
}

/// An invoice.
#[derive(Serialize, ToSchema)]
#[schema(as = Invoice)]
struct InvoiceView {
    id: InvoiceId,
    /// Without gaps per seller and year.
    #[schema(example = "CPS-2026-000001")]
    number: String,
    status: InvoiceStatus,
    issued_date: NaiveDate,
    due_date: NaiveDate,
    membership_id: MembershipId,
    /// What its words are written in: the account's language when it was issued.
    language: Language,
    seller: Seller,
    buyer: Buyer,
    lines: Vec<InvoiceLine>,
    /// Without VAT.
    net: Money,
    vat: InvoiceVat,
    /// What is to be paid.
    gross: Money,
    payment_method: PaymentMethod,
    /// To be given with a bank transfer (ISO 11649).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^RF[0-9]{2}[0-9A-Z]{1,21}$")]
    payment_reference: Option<String>,
    /// The payment line of a Danish seller's invoice in kroner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fi_payment_line: Option<String>,
    /// What the law and the payer have to read.
    notices: Vec<String>,
    created_at: Instant,
    /// Counts the changes of its status; also the `ETag`.
    #[schema(minimum = 1)]
    version: i64,
}

impl InvoiceView {
    fn of(invoice: Invoice) -> Result<Self> {
        let content: Content = invoice.content.decode()?;
        let money = |cents| Money::new(cents, invoice.currency);
        let lines = content.lines.into_iter();
        Ok(Self {
            id: invoice.id,
            number: invoice.number,
            status: invoice.status,
            issued_date: invoice.issued_date,
            due_date: invoice.due_date.unwrap_or(invoice.issued_date),
            membership_id: content.membership_id,
            language: content.language,
            seller: content.seller,
            buyer: content.buyer,
            lines: lines
                .map(|line| InvoiceLine::of(line, invoice.currency))
                .collect(),
            net: money(invoice.net_cents),
            vat: InvoiceVat {
                treatment: content.vat_treatment,
                rate: content.vat_rate.normalize().to_string(),
                amount: money(invoice.vat_cents),
                evidence: content.vat_evidence,
            },
            gross: money(invoice.gross_cents),
            payment_method: invoice.payment_method,
            payment_reference: invoice.payment_reference,
            fi_payment_line: content.fi_line,
            notices: content.notices,
            created_at: invoice.created_at,
            version: invoice.version,
        })
    }
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
    struct InvoicesParams {}
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
) -> Result<Answer> {
    let size = params.0.size();
    let before = pages
        .after(&params.0)?
        .map(|cursor| InvoiceId::from(cursor.id));
    let rows = service
        .db
        .fetch(move |conn| {
            let rows = invoices::list(conn, &access.account, before, size + 1)?;
            accounts::exists_unless(conn, &access.account, !rows.is_empty())?;
            Ok(rows)
        })
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |invoice| Cursor::of_id(invoice.id.uuid()));
    let items = rows
        .into_iter()
        .map(InvoiceView::of)
        .collect::<Result<_>>()?;
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&InvoicePage { items, next_cursor })?.header_if("Link", link))
}

/// Read an invoice
///
/// As it was issued; only its status changes. Words are in the language that the account had then.
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
) -> Result<Answer> {
    let id = path.invoice_id;
    let invoice = service
        .db
        .fetch(move |conn| invoices::find(conn, &access.account, id))
        .await?;
    let version = invoice.version;
    Ok(Answer::ok(&InvoiceView::of(invoice)?)?.etag_with_digest(version))
}
