//! The lines of a booked entry: the entry is the money, its details say whose it is where they add up to it.

use std::str::FromStr;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::domain::money::Currency;

/// The most digits of an amount (ISO 20022, ActiveOrHistoricCurrencyAndAmount), and the most of them behind its point.
const DIGITS: (usize, usize) = (18, 5);

/// An amount as banks write it: without a sign, up to five decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BankAmount(Decimal);

/// The text is no amount of a bank statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an amount of at most 18 digits with a point and without a sign")]
pub struct BadBankAmount;

impl FromStr for BankAmount {
    type Err = BadBankAmount;

    fn from_str(text: &str) -> Result<Self, BadBankAmount> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let are_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let has_point = text.contains('.');
        let is_right = !whole.is_empty()
            && are_digits(whole)
            && are_digits(decimals)
            && has_point != decimals.is_empty()
            && decimals.len() <= DIGITS.1
            && whole.len() + decimals.len() <= DIGITS.0;
        let exact = Decimal::from_str_exact(text).ok().filter(|_| is_right);
        exact.map(Self).ok_or(BadBankAmount)
    }
}

impl BankAmount {
    /// So many cents, whichever way they go.
    pub fn of_cents(cents: i64) -> Self {
        Self(Decimal::new(cents, 2).abs())
    }

    /// The exact amount, negative where it goes out.
    pub fn signed(self, is_credit: bool) -> Decimal {
        if is_credit { self.0 } else { -self.0 }
    }
}

/// Whole cents of an exact amount; nothing where it has a fraction of a cent, which is never rounded.
pub fn cents(exact: Decimal) -> Option<i64> {
    let cents = exact.checked_mul(Decimal::ONE_HUNDRED)?;
    i64::try_from(cents)
        .ok()
        .filter(|_| cents.fract().is_zero())
}

/// Who is at the other end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    pub name: Option<String>,
    /// An IBAN, or what the bank has instead.
    pub account: Option<String>,
}

/// One payment among those of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    pub amount: Option<(BankAmount, Currency)>,
    /// Its own direction, where it has one.
    pub is_credit: Option<bool>,
    pub bank_reference: Option<String>,
    pub end_to_end_id: Option<String>,
    /// The reference in its own field.
    pub reference: Option<String>,
    /// What the payer wrote.
    pub texts: Vec<String>,
    pub debtor: Party,
    pub creditor: Party,
}

/// What changed the balance of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub amount: BankAmount,
    pub currency: Currency,
    /// Into the account; the direction of the entry itself, also of a reversal.
    pub is_credit: bool,
    pub is_reversal: bool,
    /// Whether the bank has booked it.
    pub is_booked: bool,
    pub booking_date: Option<NaiveDate>,
    pub value_date: Option<NaiveDate>,
    pub bank_reference: Option<String>,
    /// What the bank adds about the whole.
    pub text: Option<String>,
    /// How many payments the bank says it is of.
    pub payments: Option<u32>,
    /// What the account holds behind it, where the bank says so of each entry.
    pub balance: Option<Decimal>,
    pub details: Vec<Detail>,
}

impl Entry {
    /// The exact amount, negative where it goes out.
    pub fn signed(&self) -> Decimal {
        self.amount.signed(self.is_credit)
    }
}

/// One line of a statement as it is stored and matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The exact amount, negative where it goes out.
    pub amount: Decimal,
    /// Whole cents of it; nothing where it has a fraction of one.
    pub cents: Option<i64>,
    pub currency: Currency,
    pub is_booked: bool,
    pub is_reversal: bool,
    pub booking_date: Option<NaiveDate>,
    pub value_date: Option<NaiveDate>,
    pub bank_reference: Option<String>,
    pub end_to_end_id: Option<String>,
    pub reference: Option<String>,
    pub texts: Vec<String>,
    /// Who is at the other end.
    pub payer: Party,
    /// Its place in the entry, from 0 on.
    pub place: usize,
    /// What the account holds behind its entry, where the bank says so of each.
    pub balance: Option<Decimal>,
    /// The payment was of more than came.
    pub has_charges: bool,
    /// It is of several payments of which nothing is known.
    pub is_batch: bool,
}

#[cfg(test)]
impl Line {
    /// A booked line of so many cents of which nothing else is known.
    pub fn of_cents(cents: i64) -> Self {
        Self {
            amount: Decimal::new(cents, 2),
            cents: Some(cents),
            currency: Currency::EUR,
            is_booked: true,
            is_reversal: false,
            booking_date: None,
            value_date: None,
            bank_reference: None,
            end_to_end_id: None,
            reference: None,
            texts: Vec::new(),
            payer: Party::default(),
            place: 0,
            balance: None,
            has_charges: false,
            is_batch: false,
        }
    }
}

/// The lines of an entry: one for each detail where all have an amount in the entry's currency and add up to it, else one for the entry, with the texts of its
/// only detail, and of several with none.
pub fn entry_lines(entry: &Entry) -> Vec<Line> {
    let amounts: Option<Vec<Decimal>> = entry
        .details
        .iter()
        .map(|detail| amount_of(entry, detail))
        .collect();
    let amounts = amounts.filter(|all| all.iter().sum::<Decimal>() == entry.signed());
    match (amounts, entry.details.as_slice()) {
        (Some(amounts), [_, ..]) => {
            let pairs = entry.details.iter().zip(amounts).enumerate();
            let lines = pairs.map(|(place, (detail, amount))| Line {
                place,
                ..line(entry, amount, Some(detail))
            });
            lines.collect()
        }
        (_, [detail]) => vec![Line {
            has_charges: amount_of(entry, detail).is_some(),
            ..line(entry, entry.signed(), Some(detail))
        }],
        (_, details) => vec![Line {
            is_batch: !details.is_empty() || entry.payments.is_some_and(|payments| payments > 1),
            ..line(entry, entry.signed(), None)
        }],
    }
}

/// What a detail says that it is of, in the entry's currency.
fn amount_of(entry: &Entry, detail: &Detail) -> Option<Decimal> {
    let (amount, currency) = detail.amount?;
    let is_credit = detail.is_credit.unwrap_or(entry.is_credit);
    Some(amount.signed(is_credit)).filter(|_| currency == entry.currency)
}

fn line(entry: &Entry, amount: Decimal, detail: Option<&Detail>) -> Line {
    let texts = match detail {
        Some(detail) => detail.texts.clone(),
        None if entry.details.is_empty() => entry.text.iter().cloned().collect(),
        None => Vec::new(),
    };
    // A reversal has the parties of the payment that it takes back.
    let came_in = amount.is_sign_positive() != entry.is_reversal;
    let payer = detail.map(|detail| match came_in {
        true => detail.debtor.clone(),
        false => detail.creditor.clone(),
    });
    let own_reference = detail.and_then(|detail| detail.bank_reference.clone());
    Line {
        amount,
        cents: cents(amount),
        currency: entry.currency,
        is_booked: entry.is_booked,
        is_reversal: entry.is_reversal,
        booking_date: entry.booking_date,
        value_date: entry.value_date,
        bank_reference: own_reference.or_else(|| entry.bank_reference.clone()),
        end_to_end_id: detail.and_then(|detail| detail.end_to_end_id.clone()),
        reference: detail.and_then(|detail| detail.reference.clone()),
        texts,
        payer: payer.unwrap_or_default(),
        place: 0,
        balance: entry.balance,
        has_charges: false,
        is_batch: false,
    }
}

/// The same line with its money in the other direction, for a bank that writes reversals the wrong way round.
pub fn turned_round(line: Line) -> Line {
    Line {
        amount: -line.amount,
        cents: line.cents.map(|cents| -cents),
        ..line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> BankAmount {
        text.parse().unwrap()
    }

    fn entry(written: &str, details: Vec<Detail>) -> Entry {
        Entry {
            amount: amount(written),
            currency: Currency::EUR,
            is_credit: true,
            is_reversal: false,
            is_booked: true,
            booking_date: None,
            value_date: None,
            bank_reference: Some("entry".to_owned()),
            text: Some("of the bank".to_owned()),
            payments: None,
            balance: None,
            details,
        }
    }

    fn detail(written: &str, currency: Currency) -> Detail {
        Detail {
            amount: Some((amount(written), currency)),
            texts: vec![written.to_owned()],
            ..Detail::default()
        }
    }

    #[test]
    fn an_amount_is_written_as_iso_20022_has_it() {
        assert_eq!(
            cents(amount("000000000000149.87").signed(true)),
            Some(14987)
        );
        assert_eq!(cents(amount("1.50000").signed(false)), Some(-150));
        assert_eq!(cents(amount("7").signed(true)), Some(700));
        assert_eq!(cents(amount("0.005").signed(true)), None);
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "-1.00",
            "+1.00",
            "1,00",
            "1e3",
            "1.000000",
            "1 000.00",
            "NaN",
            "1234567890123456789",
            "12345678901234567.89",
            "1.0.0",
            "0x1",
            "١",
        ] {
            assert_eq!(bad.parse::<BankAmount>(), Err(BadBankAmount), "{bad}");
        }
    }

    #[test]
    fn details_that_add_up_are_lines_of_their_own() {
        let (one, two) = (detail("0.10", Currency::EUR), detail("0.20", Currency::EUR));
        let lines = entry_lines(&entry("0.30", vec![one, two]));
        let seen: Vec<_> = lines
            .iter()
            .map(|line| (line.cents, line.place, line.texts.concat(), line.is_batch))
            .collect();
        let expected = [
            (Some(10), 0, "0.10".to_owned(), false),
            (Some(20), 1, "0.20".to_owned(), false),
        ];
        assert_eq!(seen, expected);
        assert_eq!(lines[0].bank_reference.as_deref(), Some("entry"));
    }

    #[test]
    fn the_entry_is_the_money_where_its_details_do_not_add_up() {
        let kept = entry_lines(&entry("325.00", vec![detail("351.00", Currency::EUR)]));
        assert_eq!((kept[0].cents, kept[0].has_charges), (Some(32500), true));
        assert_eq!(kept[0].texts, ["351.00"]);
        let abroad = entry_lines(&entry("47.10", vec![detail("351.00", Currency::DKK)]));
        assert_eq!(
            (abroad[0].cents, abroad[0].has_charges),
            (Some(4710), false)
        );
        let torn = vec![detail("1.00", Currency::EUR), detail("2.00", Currency::EUR)];
        let torn = entry_lines(&entry("3.01", torn));
        assert_eq!((torn.len(), torn[0].is_batch), (1, true));
        assert!(torn[0].texts.is_empty());
        let bare = entry_lines(&entry("5.00", Vec::new()));
        assert_eq!(bare[0].texts, ["of the bank"]);
        assert!(!bare[0].is_batch);
    }

    #[test]
    fn a_detail_that_goes_the_other_way_is_taken_off() {
        let back = Detail {
            is_credit: Some(false),
            ..detail("2.00", Currency::EUR)
        };
        let lines = entry_lines(&entry("3.00", vec![detail("5.00", Currency::EUR), back]));
        let cents: Vec<_> = lines.iter().map(|line| line.cents).collect();
        assert_eq!(cents, [Some(500), Some(-200)]);
    }

    #[test]
    fn whoever_paid_is_named_also_where_it_is_taken_back() {
        let mut paid = detail("5.00", Currency::EUR);
        paid.debtor.name = Some("payer".to_owned());
        paid.creditor.name = Some("we".to_owned());
        let mut entry = entry("5.00", vec![paid]);
        let name = |entry: &Entry| entry_lines(entry)[0].payer.name.clone().unwrap();
        assert_eq!(name(&entry), "payer");
        (entry.is_credit, entry.is_reversal) = (false, true);
        assert_eq!(name(&entry), "payer");
        entry.is_reversal = false;
        assert_eq!(name(&entry), "we");
    }

    proptest! {
        #[test]
        fn the_lines_of_an_entry_add_up_to_it(parts in proptest::collection::vec(0i64..1_000_000, 0..6), off in 0i64..3, is_credit in any::<bool>(), is_euro in any::<bool>()) {
            let written = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
            let currency = if is_euro { Currency::EUR } else { Currency::DKK };
            let details = parts.iter().map(|cents| detail(&written(*cents), currency)).collect();
            let mut entry = entry(&written(parts.iter().sum::<i64>() + off), details);
            entry.is_credit = is_credit;
            let lines = entry_lines(&entry);
            prop_assert!(!lines.is_empty());
            prop_assert_eq!(lines.iter().map(|line| line.amount).sum::<Decimal>(), entry.signed());
            let turned: Decimal = lines.into_iter().map(|line| turned_round(line).amount).sum();
            prop_assert_eq!(turned, -entry.signed());
        }
    }
}
