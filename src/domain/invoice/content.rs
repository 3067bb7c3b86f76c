//! What an invoice says, frozen when it is issued. Which number it has and whether it is paid stands beside it.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::VatTreatment;
use crate::domain::document::{DocumentId, DocumentKind};
use crate::domain::language::Language;
use crate::domain::membership::MembershipId;
use crate::domain::values::Country;
use crate::types::Instant;

/// All that an issued invoice says beside its number, dates and sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What its words are written in.
    pub language: Language,
    pub membership_id: MembershipId,
    pub seller: Seller,
    pub buyer: Buyer,
    pub lines: Vec<Line>,
    pub vat_treatment: VatTreatment,
    /// 0.21 is 21 %; 0 unless the treatment is `standard`.
    pub vat_rate: Decimal,
    /// What shows that the buyer is a business.
    pub vat_evidence: Option<Evidence>,
    /// The payment line of a Danish seller's invoice in kroner.
    pub fi_line: Option<String>,
    /// What the law and the payer have to read.
    pub notices: Vec<String>,
}

/// Who sells, with where the money goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = InvoiceSeller)]
pub struct Seller {
    /// Whether it is made up.
    pub example: bool,
    pub name: String,
    pub street: String,
    pub postal_code: String,
    pub city: String,
    pub country: Country,
    /// Without the country's prefix.
    pub vat_number: String,
    pub iban: String,
    pub bic: String,
    pub bank: String,
}

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = InvoiceBuyer)]
pub struct Buyer {
    pub company_name: String,
    pub street: String,
    pub postal_code: String,
    pub city: String,
    pub country: Country,
    /// Without the country's prefix; a business may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vat_number: Option<String>,
    pub account_number: String,
    pub member_number: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub description: String,
    /// Without VAT, in the invoice's currency.
    pub net_cents: i64,
    /// The first and the last day that it is about.
    pub period: Option<(NaiveDate, NaiveDate)>,
}

/// The accepted document that proves the business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = VatEvidence)]
pub struct Evidence {
    pub document_id: DocumentId,
    pub kind: DocumentKind,
    /// Of its bytes, in lower-case hex.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// When a reviewer accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decided_at: Option<Instant>,
}
