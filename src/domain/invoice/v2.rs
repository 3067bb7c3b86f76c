//! What an invoice or a credit note says from content version 2 on, frozen when it is issued. What was issued before says what `content` has.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Evidence, InvoiceKind, PaymentMethod, Totals, VatTreatment, fi71_line};
use crate::domain::language::Language;
use crate::domain::membership::MembershipId;
use crate::domain::money::percentage_half_up;
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

impl Inpayment {
    /// As it is printed: `+71<15 digits+creditor<`.
    pub fn line(&self) -> String {
        fi71_line(&self.identification, &self.creditor)
    }
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

    /// Whether its lines and its VAT are these sums. The VAT of an invoice is that of its rates; of a credit note it is less where it completes the credit.
    pub fn adds_up(&self, kind: InvoiceKind, totals: Totals) -> bool {
        let net = sum(self.lines.iter().map(|line| line.net_cents));
        let base = sum(self.vat.iter().map(|share| share.base_cents));
        let vat = sum(self.vat.iter().map(|share| share.amount_cents));
        let is_rate = |share: &VatShare| {
            kind == InvoiceKind::CreditNote
                || share.amount_cents == percentage_half_up(share.base_cents, share.rate)
        };
        (net, base, vat) == (Some(totals.net), Some(totals.net), Some(totals.vat))
            && totals.net.checked_add(totals.vat) == Some(totals.gross)
            && self.vat.iter().all(is_rate)
    }
}

/// Nothing where it leaves 64 bits.
fn sum(mut cents: impl Iterator<Item = i64>) -> Option<i64> {
    cents.try_fold(0i64, |sum, cents| sum.checked_add(cents))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn content() -> Value {
        json!({
            "language": "en",
            "membership_id": "mem_00000000000070008000000000000001",
            "seller": {
                "example": true, "name": "s", "street": "s", "postal_code": "1000 AA", "city": "c", "country": "NL", "vat_number": "1",
            },
            "buyer": {
                "company_name": "b", "street": "s", "postal_code": "1000 AA", "city": "c", "country": "NL", "account_number": "1", "member_number": "1",
            },
            "lines": [
                {"kind": "membership", "description": "m", "net_cents": 75010, "starts": "2026-11-26", "ends": "2027-11-25"},
                {"kind": "transfer_fee", "description": "f", "net_cents": 3990},
            ],
            "vat": [{"category": "standard", "rate": "0.25", "base_cents": 79000, "amount_cents": 19750}],
            "notices": [],
            "payment": {"method": "card", "card": {"brand": "Visa", "last4": "4242"}, "iban": "i", "bic": "b", "bank": "b"},
        })
    }

    fn adds_up(change: fn(&mut Value), kind: InvoiceKind) -> bool {
        let mut content = content();
        change(&mut content);
        let content: Content = serde_json::from_value(content).unwrap();
        content.adds_up(kind, Totals::of(79000, 19750).unwrap())
    }

    #[test]
    fn what_is_said_is_said_again_from_what_was_stored() {
        let content: Content = serde_json::from_value(content()).unwrap();
        let stored = serde_json::to_value(&content).unwrap();
        assert_eq!(serde_json::from_value::<Content>(stored).unwrap(), content);
        let days = ("2026-11-26".parse().unwrap(), "2027-11-25".parse().unwrap());
        assert_eq!(content.period(), Some(days));
    }

    #[test]
    fn one_cent_too_many_is_told() {
        let (invoice, note) = (InvoiceKind::Invoice, InvoiceKind::CreditNote);
        assert!(adds_up(|_| {}, invoice) && adds_up(|_| {}, note));
        let changes: [fn(&mut Value); 3] = [
            |content| content["lines"][1]["net_cents"] = json!(3991),
            |content| content["vat"][0]["base_cents"] = json!(79001),
            |content| content["vat"][0]["amount_cents"] = json!(19751),
        ];
        for change in changes {
            assert!(!adds_up(change, invoice) && !adds_up(change, note));
        }
        let rate: fn(&mut Value) = |content| content["vat"][0]["rate"] = json!("0.24");
        assert!(!adds_up(rate, invoice) && adds_up(rate, note));
    }
}
