//! The parts of an invoice in an answer: parties, lines, VAT, what settles and corrects it. The whole is in `view`.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::invoice::v2::{Buyer, Corrected, Line, LineKind, Payment, Seller, VatShare};
use crate::domain::invoice::{Evidence, InvoiceId, PaymentId, VatTreatment};
use crate::domain::money::{Currency, Money};
use crate::domain::values::Country;
use crate::repository::allocations::Allocation;
use crate::repository::invoices::Invoice;
use crate::types::Instant;

/// Who sells, with where the money goes.
#[derive(Serialize, ToSchema)]
pub(super) struct InvoiceSeller {
    /// Whether it is made up.
    example: bool,
    name: String,
    street: String,
    postal_code: String,
    city: String,
    country: Country,
    /// Without the country's prefix.
    vat_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    company_number: Option<String>,
    /// The scheme of that number by ISO 6523.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    company_scheme: Option<String>,
    /// As `scheme:number`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    electronic_address: Option<String>,
    iban: String,
    bic: String,
    bank: String,
}

impl InvoiceSeller {
    pub(super) fn of(seller: Seller, payment: &Payment) -> Self {
        Self {
            example: seller.example,
            name: seller.name,
            street: seller.street,
            postal_code: seller.postal_code,
            city: seller.city,
            country: seller.country,
            vat_number: seller.vat_number,
            company_number: seller.company_number,
            company_scheme: seller.company_scheme,
            electronic_address: seller.electronic_address,
            iban: payment.iban.clone(),
            bic: payment.bic.clone(),
            bank: payment.bank.clone(),
        }
    }
}

/// Who buys.
#[derive(Serialize, ToSchema)]
pub(super) struct InvoiceBuyer {
    company_name: String,
    street: String,
    postal_code: String,
    city: String,
    country: Country,
    /// Without the country's prefix; a business may have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    vat_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    company_number: Option<String>,
    /// As `scheme:number`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    electronic_address: Option<String>,
    /// What the buyer knows the purchase by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    your_reference: Option<String>,
    account_number: String,
    member_number: String,
}

impl From<Buyer> for InvoiceBuyer {
    fn from(buyer: Buyer) -> Self {
        Self {
            company_name: buyer.company_name,
            street: buyer.street,
            postal_code: buyer.postal_code,
            city: buyer.city,
            country: buyer.country,
            vat_number: buyer.vat_number,
            company_number: buyer.company_number,
            electronic_address: buyer.electronic_address,
            your_reference: buyer.your_reference,
            account_number: buyer.account_number,
            member_number: buyer.member_number,
        }
    }
}

/// One line.
#[derive(Serialize, ToSchema)]
pub(super) struct InvoiceLine {
    kind: LineKind,
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
    pub(super) fn of(line: &Line, currency: Currency) -> Self {
        Self {
            kind: line.kind,
            description: line.description.clone(),
            quantity: 1,
            net: Money::new(line.net_cents, currency),
            starts_date: line.starts,
            ends_date: line.ends,
        }
    }
}

/// The VAT, with why it is charged as it is.
#[derive(Serialize, ToSchema)]
pub(super) struct InvoiceVat {
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

impl InvoiceVat {
    pub(super) fn of(shares: &[VatShare], evidence: Option<Evidence>, amount: Money) -> Self {
        let first = shares.first();
        let rate = first.map(|share| share.rate.normalize().to_string());
        Self {
            treatment: first.map_or(VatTreatment::OutsideScope, |share| share.category),
            rate: rate.unwrap_or_else(|| "0".to_owned()),
            amount,
            evidence,
        }
    }
}

/// The VAT of one treatment and rate.
#[derive(Serialize, ToSchema)]
pub(super) struct InvoiceVatShare {
    treatment: VatTreatment,
    /// `0.21` is 21 %.
    #[schema(pattern = r"^[0-9]+(\.[0-9]+)?$", example = "0.21")]
    rate: String,
    /// The sum of its lines.
    net: Money,
    amount: Money,
}

impl InvoiceVatShare {
    pub(super) fn of(share: &VatShare, currency: Currency) -> Self {
        Self {
            treatment: share.category,
            rate: share.rate.normalize().to_string(),
            net: Money::new(share.base_cents, currency),
            amount: Money::new(share.amount_cents, currency),
        }
    }
}

/// Where a transfer goes.
#[derive(Serialize, ToSchema)]
pub(super) struct InvoiceBankTransfer {
    iban: String,
    bic: String,
    /// To be given with the transfer (ISO 11649).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^RF[0-9]{2}[0-9A-Z]{1,21}$")]
    reference: Option<String>,
}

impl InvoiceBankTransfer {
    pub(super) fn of(payment: Payment, reference: Option<String>) -> Self {
        Self {
            iban: payment.iban,
            bic: payment.bic,
            reference,
        }
    }
}

/// Cents that were placed on it: of a payment, of a credit note, or of neither where they were written off.
#[derive(Serialize, ToSchema)]
pub(super) struct InvoiceAllocation {
    amount: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payment_id: Option<PaymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credit_note_id: Option<InvoiceId>,
    written_off: bool,
    created_at: Instant,
}

impl InvoiceAllocation {
    pub(super) fn of(one: &Allocation, currency: Currency) -> Self {
        Self {
            amount: Money::new(one.amount_cents, currency),
            payment_id: one.payment_id,
            credit_note_id: one.credit_note_id,
            written_off: one.written_off,
            created_at: one.created_at,
        }
    }
}

/// The invoice that a credit note corrects.
#[derive(Serialize, ToSchema)]
pub(super) struct CorrectedInvoice {
    invoice_id: InvoiceId,
    number: String,
}

impl CorrectedInvoice {
    pub(super) fn of(note: &Invoice, corrected: Option<Corrected>) -> Option<Self> {
        Some(Self {
            invoice_id: note.corrects_id?,
            number: corrected?.number,
        })
    }
}

/// A credit note of an invoice.
#[derive(Serialize, ToSchema)]
pub(super) struct InvoiceCreditNote {
    invoice_id: InvoiceId,
    number: String,
    issued_date: NaiveDate,
    gross: Money,
}

impl InvoiceCreditNote {
    pub(super) fn of(note: &Invoice) -> Self {
        Self {
            invoice_id: note.id,
            number: note.number.clone(),
            issued_date: note.issued_date,
            gross: Money::new(note.gross_cents, note.currency),
        }
    }
}
