//! What an invoice or a credit note says from content version 2 on, frozen when it is issued. What was issued before says what `content` has.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Evidence, PaymentMethod, VatTreatment};
use crate::domain::language::Language;
use crate::domain::membership::MembershipId;
use crate::domain::values::Country;
use crate::types::text_enum;

/// The version of what is issued now.
pub const VERSION: i64 = 2;

/// All that it says beside its number, dates and sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What its words are written in.
    pub language: Language,
    pub membership_id: MembershipId,
    pub seller: Seller,
    pub buyer: Buyer,
    pub lines: Vec<Line>,
    /// One for each category and rate.
    pub vat: Vec<VatShare>,
    /// What shows that the buyer is a business.
    pub evidence: Option<Evidence>,
    /// What the law and the payer have to read.
    pub notices: Vec<String>,
    pub payment: Payment,
    /// The invoice that a credit note corrects.
    pub corrects: Option<Corrected>,
}

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub company_number: Option<String>,
    /// The scheme of that number by ISO 6523.
    pub company_scheme: Option<String>,
    /// As `scheme:number`.
    pub electronic_address: Option<String>,
}

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    pub company_name: String,
    pub street: String,
    pub postal_code: String,
    pub city: String,
    pub country: Country,
    /// Without the country's prefix; a business may have none.
    pub vat_number: Option<String>,
    pub company_number: Option<String>,
    /// As `scheme:number`.
    pub electronic_address: Option<String>,
    /// What the buyer knows the purchase by.
    pub your_reference: Option<String>,
    pub account_number: String,
    pub member_number: String,
}

text_enum! {
    /// What a line is for.
    pub enum LineKind {
        /// A term of membership.
        Membership = "membership",
        /// A higher level for what is left of a term.
        Upgrade = "upgrade",
        /// What the seller charges for a transfer.
        TransferFee = "transfer_fee",
        /// What is given back.
        Credit = "credit",
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub kind: LineKind,
    pub description: String,
    pub level: Option<String>,
    /// Without VAT, in the invoice's currency.
    pub net_cents: i64,
    /// The first day that it is about.
    pub starts: Option<NaiveDate>,
    /// The last one.
    pub ends: Option<NaiveDate>,
}

/// The VAT of one category and rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VatShare {
    pub category: VatTreatment,
    /// 0.21 is 21 %.
    pub rate: Decimal,
    /// The sum of its lines.
    pub base_cents: i64,
    pub amount_cents: i64,
}

/// How it is paid, and where the money goes, whichever way was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub method: PaymentMethod,
    pub card: Option<CardShown>,
    pub iban: String,
    pub bic: String,
    pub bank: String,
    /// An RF creditor reference.
    pub reference: Option<String>,
    /// The payment line of a Danish seller's invoice in kroner.
    pub inpayment: Option<Inpayment>,
}

/// What a card is told by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardShown {
    pub brand: String,
    pub last4: String,
}

/// A Danish inpayment form of type 71.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inpayment {
    /// 15 digits.
    pub identification: String,
    pub creditor: String,
}

/// An invoice that is corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    pub number: String,
    pub issued_date: NaiveDate,
}

impl Content {
    /// The first and the last day that its lines are about.
    pub fn period(&self) -> Option<(NaiveDate, NaiveDate)> {
        let starts = self.lines.iter().filter_map(|line| line.starts).min()?;
        let ends = self.lines.iter().filter_map(|line| line.ends).max()?;
        Some((starts, ends))
    }
}
