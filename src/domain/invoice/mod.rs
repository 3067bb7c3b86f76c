//! Invoices: due dates, numbers and the rules of the programme. What an issued one says is in `v2` (in `content` of those before), its sums are in `sums`, payment references in
//! `reference`.

mod content;
mod reference;
mod sums;
pub mod v2;

use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::Deserialize;

use super::calendar::{local_date, local_moment};
use super::collection::OverdueRules;
use super::money::{Amount, Currency};
pub use super::vat::VatTreatment;
use crate::types::{Instant, id, text_enum};
pub use content::{Buyer, Content, Evidence, Line, Seller};
pub use reference::{
    fi71_candidates, fi71_identification, fi71_line, fi71_number, fi71_payload, grouped, is_fi71,
    is_rf_reference, referred, rf_candidates, rf_reference,
};
pub use sums::{Totals, credit, totals};

id!(
    /// The identity of an invoice.
    InvoiceId, "inv_"
);

id!(
    /// The identity of a payment.
    PaymentId, "pay_"
);

text_enum! {
    /// What a number was given to.
    pub enum InvoiceKind {
        /// It asks for money.
        Invoice = "invoice",
        /// It takes an invoice back, in part or whole.
        CreditNote = "credit_note",
    }
}

text_enum! {
    /// Where an invoice stands.
    pub enum InvoiceStatus {
        /// Issued, not paid; overdue once its due date is past.
        Open = "open",
        /// Paid in full.
        Paid = "paid",
        /// Mended by a credit note.
        Credited = "credited",
    }
}

text_enum! {
    /// Why finance credits an invoice.
    pub enum CreditReason {
        /// It said something wrong.
        Error = "error",
        /// To make up for something.
        Goodwill = "goodwill",
    }
}

/// Why a credit note was issued, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditCause {
    /// Finance asked for it.
    Staff(CreditReason),
    /// The membership ended, since it was not paid.
    EndedUnpaid,
}

impl std::fmt::Display for CreditCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Staff(reason) => reason.fmt(f),
            Self::EndedUnpaid => f.write_str("ended_unpaid"),
        }
    }
}

text_enum! {
    /// How an invoice is paid.
    pub enum PaymentMethod {
        /// A stored card, charged on the due date.
        Card = "card",
        /// The customer orders a transfer with the reference.
        BankTransfer = "bank_transfer",
    }
}

text_enum! {
    /// What is made of an invoice.
    pub enum InvoiceFileKind {
        /// For people, PDF/A-3b.
        Pdf = "pdf",
        /// The electronic invoice, UBL 2.1.
        Xml = "xml",
    }
}

impl InvoiceFileKind {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Xml => "application/xml",
        }
    }
}

/// Section `[invoice]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceRules {
    /// What a number begins with.
    pub prefix: String,
    /// Days from issue to due date.
    pub due_days: u32,
    /// What the seller charges for a bank transfer, without VAT, in its currency.
    pub bank_transfer_fee: Amount,
    /// When a card is charged on the due date, in the seller's zone.
    pub charge_at: NaiveTime,
    /// Days before the due date on which the holder of the card is told.
    pub notice_days: u32,
    /// Days after the first attempt on which a card is charged again.
    pub card_retry_days: Vec<u32>,
    /// What is less, VAT included, is not invoiced.
    pub smallest: Amount,
}

impl InvoiceRules {
    /// What the seller charges for a payment by `method`, in cents; nothing for a transfer in euro, by law (PSD2 article 62).
    pub fn transfer_fee_cents(&self, method: PaymentMethod, currency: Currency) -> Option<i64> {
        let charged = method == PaymentMethod::BankTransfer && currency != Currency::EUR;
        Some(self.bank_transfer_fee.0).filter(|fee| charged && *fee > 0)
    }

    /// What is wrong with the section as the programme writes it, behind the name of the entry.
    pub fn check(&self, currency: Currency) -> Result<(), (&'static str, String)> {
        let longest = invoice_number(&self.prefix, 9999, 999_999_999);
        if rf_reference(&longest).is_none() {
            let fault = "prefix is too long for a payment reference".to_owned();
            Err(("prefix", fault))
        } else if self.bank_transfer_fee.0 < 0 {
            Err(("bank_transfer_fee", "is negative".to_owned()))
        } else if self.bank_transfer_fee.0 > 0 && currency == Currency::EUR {
            let fault = "a transfer in euro costs nothing (PSD2 article 62)".to_owned();
            Err(("bank_transfer_fee", fault))
        } else {
            Ok(())
        }
    }
}

/// The date by which an invoice is to be paid.
pub fn due_date(issued: NaiveDate, due_days: u32) -> NaiveDate {
    issued
        .checked_add_days(Days::new(due_days.into()))
        .unwrap_or(NaiveDate::MAX)
}

/// When a card is charged for an invoice: on its due date, never before.
pub fn charge_moment(due: NaiveDate, seller_zone: Tz, rules: &InvoiceRules) -> Instant {
    local_moment(due, rules.charge_at, seller_zone)
}

/// When it is charged again after so many charges were declined that may go another day, the first of them on `charged`; nothing after the last.
pub fn retry_moment(
    charged: NaiveDate,
    declined: usize,
    seller_zone: Tz,
    rules: &InvoiceRules,
) -> Option<Instant> {
    let days = rules.card_retry_days.get(declined.checked_sub(1)?)?;
    let day = charged.checked_add_days(Days::new((*days).into()))?;
    Some(local_moment(day, rules.charge_at, seller_zone))
}

/// When the holder of the card is told of it.
pub fn notice_moment(
    due: NaiveDate,
    seller_zone: Tz,
    rules: &InvoiceRules,
    overdue: &OverdueRules,
) -> Instant {
    let day = due.checked_sub_days(Days::new(rules.notice_days.into()));
    local_moment(day.unwrap_or(due), overdue.steps_at, seller_zone)
}

/// The date and the year in which an invoice counts: those of the seller's zone.
pub fn issued(at: Instant, seller_zone: Tz) -> (NaiveDate, i32) {
    let date = local_date(at, seller_zone);
    (date, date.year())
}

/// An invoice number: `2026-000123`, behind the prefix and a hyphen where there is one.
pub fn invoice_number(prefix: &str, year: i32, seq: i64) -> String {
    let hyphen = if prefix.is_empty() { "" } else { "-" };
    format!("{prefix}{hyphen}{year}-{seq:06}")
}

/// Whether a card that expires at the end of that month cannot be charged on the due date any more. A month that does not
/// exist cannot be charged either.
pub fn card_expires_too_early(year: i32, month: u32, due: NaiveDate) -> bool {
    NaiveDate::from_ymd_opt(year, month, 1).is_none() || (year, month) < (due.year(), due.month())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_counts_in_the_year_of_its_seller() {
        let at = "2026-12-31T23:30:00Z".parse().unwrap();
        let (date, year) = issued(at, chrono_tz::Europe::Amsterdam);
        assert_eq!((date.to_string().as_str(), year), ("2027-01-01", 2027));
        assert_eq!(invoice_number("", year, 123), "2027-000123");
        assert_eq!(invoice_number("CPS", year, 1_234_567), "CPS-2027-1234567");
        assert_eq!(due_date(date, 30).to_string(), "2027-01-31");
    }

    #[test]
    fn a_fee_for_a_transfer_is_charged_outside_the_euro_only() {
        let rules = |fee: i64, prefix: &str| InvoiceRules {
            prefix: prefix.to_owned(),
            due_days: 30,
            bank_transfer_fee: Amount(fee),
            charge_at: NaiveTime::MIN,
            notice_days: 5,
            card_retry_days: Vec::new(),
            smallest: Amount(100),
        };
        let (bank, card) = (PaymentMethod::BankTransfer, PaymentMethod::Card);
        let fee = |method, currency| rules(3900, "CPS").transfer_fee_cents(method, currency);
        assert_eq!(fee(bank, Currency::DKK), Some(3900));
        assert_eq!(fee(card, Currency::DKK), None);
        assert_eq!(fee(bank, Currency::EUR), None);
        assert_eq!(
            rules(0, "CPS").transfer_fee_cents(bank, Currency::DKK),
            None
        );
        assert!(rules(0, "CPS").check(Currency::EUR).is_ok());
        assert!(rules(3900, "CPS").check(Currency::DKK).is_ok());
        assert!(rules(3900, "CPS").check(Currency::EUR).is_err());
        assert!(rules(-1, "CPS").check(Currency::DKK).is_err());
        assert!(rules(0, "A-PREFIX-TOO-LONG").check(Currency::EUR).is_err());
    }

    #[test]
    fn a_card_must_live_until_the_due_date() {
        let due = "2026-07-08".parse().unwrap();
        assert!(card_expires_too_early(2026, 6, due));
        assert!(!card_expires_too_early(2026, 7, due));
        assert!(!card_expires_too_early(2027, 1, due));
        assert!(card_expires_too_early(2027, 13, due));
    }
}
