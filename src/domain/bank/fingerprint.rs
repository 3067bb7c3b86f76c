//! Telling a line that was seen before from one that only looks the same.

use std::collections::HashMap;

use super::Line;

/// What a line of `account` is told by: all that the bank says of it, as one text; what is stored is a hash of it.
pub fn fingerprint(account: &str, line: &Line) -> String {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let date = line.booking_date.map(|day| day.to_string());
    let mut parts = vec![
        account.to_owned(),
        date.unwrap_or_default(),
        line.amount.normalize().to_string(),
        line.currency.to_string(),
        optional(&line.bank_reference),
        optional(&line.end_to_end_id),
        optional(&line.reference),
        line.place.to_string(),
    ];
    // Equal rows of a day are told apart by it, whichever file they come in.
    let balance = line.balance.map(|balance| balance.normalize());
    parts.extend(balance.map(|balance| format!("balance {balance}")));
    parts.extend(line.texts.iter().cloned());
    // Each with its length, so that no two lines run into one text.
    let parts = parts.iter().map(|part| format!("{}:{part}", part.len()));
    parts.collect()
}

/// Which one of its like each is, from 0 on: two equal payments of a day count twice.
pub fn number_repeats(fingerprints: &[String], seen: &mut HashMap<String, i64>) -> Vec<i64> {
    let number = |fingerprint: &String| {
        let next = seen.entry(fingerprint.clone()).or_default();
        let number = *next;
        *next += 1;
        number
    };
    fingerprints.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::domain::bank::Party;
    use crate::domain::money::Currency;

    fn line() -> Line {
        Line {
            amount: Decimal::new(35000, 2),
            cents: Some(35000),
            currency: Currency::EUR,
            is_booked: true,
            is_reversal: false,
            booking_date: Some("2026-12-22".parse().unwrap()),
            value_date: None,
            bank_reference: Some("1".to_owned()),
            end_to_end_id: None,
            reference: None,
            texts: vec!["ab".to_owned(), "c".to_owned()],
            payer: Party::default(),
            place: 0,
            balance: None,
            has_charges: false,
            is_batch: false,
        }
    }

    #[test]
    fn whatever_the_bank_says_tells_lines_apart() {
        let first = fingerprint("A", &line());
        let differs = |change: fn(&mut Line)| {
            let mut other = line();
            change(&mut other);
            fingerprint("A", &other) != first
        };
        assert!(differs(|line| line.amount = -line.amount));
        assert!(differs(|line| line.currency = Currency::DKK));
        assert!(differs(|line| line.booking_date = None));
        assert!(differs(|line| line.bank_reference = None));
        assert!(differs(|line| line.end_to_end_id = Some("1".to_owned())));
        assert!(differs(
            |line| line.texts = vec!["a".to_owned(), "bc".to_owned()]
        ));
        assert!(differs(|line| line.place = 1));
        assert!(differs(|line| line.balance = Some(Decimal::ONE)));
        assert!(!differs(|line| line.amount = Decimal::new(35_000_000, 5)));
        assert!(!differs(|line| line.value_date = line.booking_date));
        assert_ne!(fingerprint("B", &line()), first);
    }

    #[test]
    fn two_equal_payments_of_a_day_are_two() {
        let mut seen = HashMap::new();
        let texts = ["a", "b", "a"].map(str::to_owned);
        assert_eq!(number_repeats(&texts, &mut seen), [0, 0, 1]);
        assert_eq!(number_repeats(&texts[..1], &mut seen), [2]);
    }
}
