//! What an invoice looks like in an answer, whichever version of content it has. Its parts are in `parts`.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::parts::{
    CorrectedInvoice, InvoiceAllocation, InvoiceBankTransfer, InvoiceBuyer, InvoiceCreditNote,
    InvoiceLine, InvoiceSeller, InvoiceVat, InvoiceVatShare,
};
use crate::domain::invoice::v2::Inpayment;
use crate::domain::invoice::{InvoiceId, InvoiceKind, InvoiceStatus, PaymentMethod};
use crate::domain::language::Language;
use crate::domain::membership::MembershipId;
use crate::domain::money::Money;
use crate::handlers::labels::label;
use crate::types::Instant;
use crate::workflows::invoices::Details;

/// An invoice or a credit note.
#[derive(Serialize, ToSchema)]
#[schema(as = Invoice)]
pub(super) struct InvoiceView {
    id: InvoiceId,
    kind: InvoiceKind,
    /// Without gaps per seller and year.
    #[schema(example = "CPS-2026-000001")]
    number: String,
    status: InvoiceStatus,
    /// In the caller's language.
    label: String,
    /// Whether it is open and its due date is past.
    overdue: bool,
    issued_date: NaiveDate,
    /// Of an invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    due_date: Option<NaiveDate>,
    membership_id: MembershipId,
    /// What its words are written in: the account's language when it was issued.
    language: Language,
    seller: InvoiceSeller,
    buyer: InvoiceBuyer,
    lines: Vec<InvoiceLine>,
    /// Without VAT.
    net: Money,
    vat: InvoiceVat,
    /// One for each treatment and rate.
    vat_breakdown: Vec<InvoiceVatShare>,
    /// What is to be paid.
    gross: Money,
    /// What of it is not settled yet.
    open: Money,
    payment_method: PaymentMethod,
    /// To be given with a bank transfer (ISO 11649).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^RF[0-9]{2}[0-9A-Z]{1,21}$")]
    payment_reference: Option<String>,
    /// The payment line of a Danish seller's invoice in kroner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fi_payment_line: Option<String>,
    bank_transfer: InvoiceBankTransfer,
    /// What the law and the payer have to read.
    notices: Vec<String>,
    /// What settles it.
    allocations: Vec<InvoiceAllocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    corrects: Option<CorrectedInvoice>,
    credit_notes: Vec<InvoiceCreditNote>,
    /// Until then no step is taken against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    paused_until: Option<NaiveDate>,
    created_at: Instant,
    /// Counts the changes of what settles it.
    #[schema(minimum = 1)]
    version: i64,
}

impl InvoiceView {
    pub(super) fn of(details: Details, caller: Language) -> Self {
        let (invoice, content) = (details.invoice, details.content);
        let currency = invoice.currency;
        let money = |cents| Money::new(cents, currency);
        let is_transfer = invoice.payment_method == PaymentMethod::BankTransfer;
        let line = content.payment.inpayment.as_ref().map(Inpayment::line);
        let reference = invoice.payment_reference.clone();
        let placed = |one: &_| InvoiceAllocation::of(one, currency);
        Self {
            corrects: CorrectedInvoice::of(&invoice, content.corrects),
            id: invoice.id,
            kind: invoice.kind,
            number: invoice.number,
            status: invoice.status,
            label: label("invoice_statuses", invoice.status, caller),
            overdue: details.is_overdue,
            issued_date: invoice.issued_date,
            due_date: invoice.due_date,
            membership_id: invoice.membership_id,
            language: content.language,
            seller: InvoiceSeller::of(content.seller, &content.payment),
            buyer: content.buyer.into(),
            lines: mapped(&content.lines, |line| InvoiceLine::of(line, currency)),
            net: money(invoice.net_cents),
            vat: InvoiceVat::of(&content.vat, content.evidence, money(invoice.vat_cents)),
            vat_breakdown: mapped(&content.vat, |share| InvoiceVatShare::of(share, currency)),
            gross: money(invoice.gross_cents),
            open: money(invoice.open_cents),
            payment_method: invoice.payment_method,
            payment_reference: reference.filter(|_| is_transfer),
            fi_payment_line: line.filter(|_| is_transfer),
            bank_transfer: InvoiceBankTransfer::of(content.payment, invoice.payment_reference),
            notices: content.notices,
            allocations: mapped(&details.allocations, placed),
            credit_notes: mapped(&details.credit_notes, InvoiceCreditNote::of),
            paused_until: invoice.paused_until,
            created_at: invoice.created_at,
            version: invoice.version,
        }
    }
}

fn mapped<A, B>(all: &[A], view: impl Fn(&A) -> B) -> Vec<B> {
    all.iter().map(view).collect()
}
