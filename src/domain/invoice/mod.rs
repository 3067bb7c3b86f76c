//! Invoices: VAT, totals, due dates, numbers and payment references. What an issued one says is in `content`.

mod content;

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

use super::calendar::local_date;
use super::check_digits::{luhn, mod97};
use super::money::{Currency, percentage_half_up};
use super::values::Country;
use crate::types::{Instant, id, text_enum};
pub use content::{Buyer, Content, Evidence, Line, Seller};

id!(
    /// The identity of an invoice.
    InvoiceId, "inv_"
);

id!(
    /// The identity of a payment.
    PaymentId, "pay_"
);

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
    /// How VAT is charged (rules, section 10).
    pub enum VatTreatment {
        /// At the rate of the seller's country.
        Standard = "standard",
        /// The buyer accounts for it: Directive 2006/112 articles 44 and 196.
        ReverseCharge = "reverse_charge",
        /// Outside the Union.
        OutsideScope = "outside_scope",
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

/// Section `[vat]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VatRules {
    /// The countries among which reverse charge holds.
    pub union: Vec<Country>,
    /// The parts of these countries that are no part of the Union's VAT area, each by how its postal codes begin.
    pub outside_area: BTreeMap<Country, Vec<String>>,
    /// The standard rate by country; 0.25 is 25 %.
    #[serde(deserialize_with = "rates")]
    pub rates: BTreeMap<Country, Decimal>,
}

/// A rate as a decimal string; read one by one, so that a fault is that of its line.
struct Rate(Decimal);

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Decimal::from_str_exact(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

fn rates<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Country, Decimal>, D::Error> {
    let rates = BTreeMap::<Country, Rate>::deserialize(deserializer)?;
    Ok(rates
        .into_iter()
        .map(|(country, rate)| (country, rate.0))
        .collect())
}

impl VatRules {
    /// Whether a postal code of `country` lies outside the Union's VAT area: the country itself, or a part of it (Directive 2006/112 article 6).
    /// Postal codes may be written with blanks, hyphens and the country in front.
    fn is_outside(&self, country: Country, postal_code: &str) -> bool {
        let plain: String = postal_code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let digits = plain.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let begins = |parts: &Vec<String>| parts.iter().any(|part| digits.starts_with(part));
        !self.union.contains(&country) || self.outside_area.get(&country).is_some_and(begins)
    }
}

/// How VAT is charged on an invoice, and at which rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vat {
    /// The treatment.
    pub treatment: VatTreatment,
    /// The rate; 0 unless the treatment is `standard`.
    pub rate: Decimal,
}

/// The VAT between two businesses, the buyer at `postal_code` (rules, section 10; Directive 2006/112 articles 6, 44 and 196): that of the country
/// where both are, reverse charge between two countries of the Union with or without a VAT number, else outside the scope, as for buyers in
/// parts of a country that are outside the VAT area. Nothing where the programme has no rate of the country where both are.
pub fn vat(
    seller: Country,
    (buyer, postal_code): (Country, &str),
    rules: &VatRules,
) -> Option<Vat> {
    let none = |treatment| Vat {
        treatment,
        rate: Decimal::ZERO,
    };
    if seller == buyer {
        let treatment = VatTreatment::Standard;
        rules.rates.get(&seller).map(|rate| Vat {
            treatment,
            rate: *rate,
        })
    } else if rules.union.contains(&seller) && !rules.is_outside(buyer, postal_code) {
        Some(none(VatTreatment::ReverseCharge))
    } else {
        Some(none(VatTreatment::OutsideScope))
    }
}

/// The sums of an invoice, in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Without VAT.
    pub net: i64,
    /// The VAT, rounded half up line by line.
    pub vat: i64,
    /// What is to be paid.
    pub gross: i64,
}

/// The sums of lines of so many cents each without VAT; nothing where they leave 64 bits.
pub fn totals(lines: &[i64], rate: Decimal) -> Option<Totals> {
    lines.iter().try_fold(Totals::default(), |sum, net| {
        let vat = percentage_half_up(*net, rate);
        Some(Totals {
            net: sum.net.checked_add(*net)?,
            vat: sum.vat.checked_add(vat)?,
            gross: sum.gross.checked_add(*net)?.checked_add(vat)?,
        })
    })
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
    pub bank_transfer_fee: super::money::Amount,
    /// Days after the first attempt on which a card is charged again.
    pub card_retry_days: Vec<u32>,
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

/// An RF creditor reference (ISO 11649) of the letters and digits in `number`, at most 21 of them: `RF80 2025 0001` without its
/// spaces. Nothing where there are none or too many.
pub fn rf_reference(number: &str) -> Option<String> {
    let body: String = number
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if !(1..=21).contains(&body.len()) {
        return None;
    }
    let check = 98 - mod97(&format!("{body}RF00"))?;
    Some(format!("RF{check:02}{body}"))
}

/// Whether `text`, with or without spaces, is an RF creditor reference with right check digits.
pub fn is_rf_reference(text: &str) -> bool {
    let compact: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let parts = compact
        .strip_prefix("RF")
        .and_then(|rest| rest.split_at_checked(2));
    parts.is_some_and(|(check, body)| {
        check.bytes().all(|b| b.is_ascii_digit())
            && (1..=21).contains(&body.len())
            && mod97(&format!("{body}RF{check}")) == Some(1)
    })
}

/// A reference in groups of four, as it is printed.
pub fn grouped(reference: &str) -> String {
    let mut text = String::new();
    for (at, c) in reference.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

/// The digits of an invoice's number as the payload of [`fi71_line`].
pub fn fi71_payload(year: i32, seq: i64) -> Option<u64> {
    format!("{year}{seq:06}").parse().ok()
}

/// The payment line of a Danish inpayment form of type 71 for a payload of at most 14 digits:
/// `+71<000000000000018+81234567<`, its 15 digits ending in a Luhn check digit (rules, section 10).
pub fn fi71_line(payload: u64, creditor: &str) -> Option<String> {
    let payload = format!("{payload:014}");
    let check = luhn(&payload).filter(|_| payload.len() == 14)?;
    Some(format!("+71<{payload}{check}+{creditor}<"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::money::Amount;

    fn rules() -> VatRules {
        serde_json::from_value(json!({
            "union": ["DE", "DK", "NL"],
            "outside_area": {},
            "rates": {"DK": "0.25", "NL": "0.21"},
        }))
        .unwrap()
    }

    fn country(value: &Value) -> Country {
        value.as_str().unwrap().parse().unwrap()
    }

    #[test]
    fn vat_follows_seller_and_buyer() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/vat_treatment.json"))
                .unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let postal_code = case["postal_code"].as_str().unwrap_or_default();
            let buyer = (country(&case["buyer"]), postal_code);
            let vat = vat(country(&case["seller"]), buyer, &rules()).unwrap();
            assert_eq!(vat.treatment.as_str(), case["treatment"], "{case}");
            if let Some(rate) = case["rate"].as_str() {
                assert_eq!(vat.rate.to_string(), rate, "{case}");
            }
            let net: Amount = case["net"].as_str().unwrap().parse().unwrap();
            let sums = totals(&[net.0], vat.rate).unwrap();
            assert_eq!(
                Amount(sums.vat).to_string(),
                case["vat"].as_str().unwrap(),
                "{case}"
            );
            assert_eq!(sums.gross, net.0 + sums.vat);
        }
        let norway = "NO".parse().unwrap();
        assert_eq!(vat(norway, (norway, ""), &rules()), None);
    }

    #[test]
    fn a_buyer_in_a_part_outside_the_vat_area_is_outside_the_scope() {
        let rules = crate::programme::Programme::parse(crate::programme::SHIPPED).unwrap();
        let treatment = |country: &str, postal_code| {
            let buyer = (country.parse().unwrap(), postal_code);
            vat("NL".parse().unwrap(), buyer, &rules.vat)
                .unwrap()
                .treatment
        };
        for (country, outside, inside) in [
            (
                "ES",
                &["35001", "38004", "51001", "52006", "ES-35001"][..],
                &["28013", "07001", "13500"][..],
            ),
            (
                "FI",
                &["22100", "FI-22100", "AX 22 100"],
                &["00100", "20100"],
            ),
            ("DE", &["78266", "27498", "D-27498"], &["78267", "10115"]),
            ("IT", &["23041", "22061"], &["23030", "22060", "00184"]),
            (
                "FR",
                &[
                    "97110", "97200", "97300", "97400", "97500", "97600", "97133", "97150", "98800",
                ],
                &["75001", "20000", "98000"],
            ),
            ("DK", &["3900"], &["1058", "8000"]),
            ("PT", &[], &["9000-018", "9500-150"]),
        ] {
            for code in outside {
                assert_eq!(
                    treatment(country, code),
                    VatTreatment::OutsideScope,
                    "{country} {code}"
                );
            }
            for code in inside {
                assert_eq!(
                    treatment(country, code),
                    VatTreatment::ReverseCharge,
                    "{country} {code}"
                );
            }
        }
    }

    #[test]
    fn each_line_is_rounded_by_itself() {
        let rate = Decimal::new(25, 2);
        let expected = Totals {
            net: 4,
            vat: 2,
            gross: 6,
        };
        assert_eq!(totals(&[2, 2], rate), Some(expected));
        assert_eq!(totals(&[i64::MAX, 1], rate), None);
    }

    #[test]
    fn references_have_check_digits() {
        let vectors: Value = serde_json::from_str(include_str!(
            "../../../tests/vectors/payment_references.json"
        ))
        .unwrap();
        for text in vectors["rf_valid"].as_array().unwrap() {
            let text = text.as_str().unwrap();
            assert!(is_rf_reference(text), "{text}");
            let made = rf_reference(&text[4..]).unwrap();
            assert_eq!(grouped(&made), text);
        }
        for text in vectors["rf_invalid"].as_array().unwrap() {
            assert!(!is_rf_reference(text.as_str().unwrap()), "{text}");
        }
        for bad in [
            "",
            "RF",
            "RF18",
            "RF1",
            "18539007547034",
            "RFøø12",
            "RF+1539007547034",
        ] {
            assert!(!is_rf_reference(bad), "{bad}");
        }
        let creditor = vectors["creditor"].as_str().unwrap();
        for case in vectors["fi71"].as_array().unwrap() {
            let payload = case["payload"].as_str().unwrap();
            let line = fi71_line(payload.parse().unwrap(), creditor).unwrap();
            assert_eq!(line, case["line"].as_str().unwrap());
            assert!(line.contains(case["identification"].as_str().unwrap()));
        }
        assert_eq!(fi71_line(100_000_000_000_000, creditor), None);
    }

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
            card_retry_days: Vec::new(),
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
    fn a_danish_payment_line_carries_the_digits_of_the_number() {
        assert_eq!(fi71_payload(2026, 18), Some(2_026_000_018));
    }

    #[test]
    fn a_card_must_live_until_the_due_date() {
        let due = "2026-07-08".parse().unwrap();
        assert!(card_expires_too_early(2026, 6, due));
        assert!(!card_expires_too_early(2026, 7, due));
        assert!(!card_expires_too_early(2027, 1, due));
        assert!(card_expires_too_early(2027, 13, due));
    }

    proptest! {
        #[test]
        fn a_reference_that_we_make_is_right_and_tells_a_wrong_digit(number in "[0-9A-Z]{1,21}", at in 0usize..25, by in 1u8..10) {
            let reference = rf_reference(&number).unwrap();
            prop_assert!(is_rf_reference(&reference));
            prop_assert!(is_rf_reference(&grouped(&reference)));
            let mut bytes = reference.into_bytes();
            if let Some(byte) = bytes.get_mut(at).filter(|byte| byte.is_ascii_digit()) {
                *byte = b'0' + (*byte - b'0' + by) % 10;
                let wrong = String::from_utf8(bytes).unwrap();
                prop_assert!(!is_rf_reference(&wrong));
            }
        }
    }
}
