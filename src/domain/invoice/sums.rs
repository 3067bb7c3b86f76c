//! What an invoice and its credit notes add up to. How VAT is charged is in `vat`.

use rust_decimal::Decimal;

use crate::domain::money::percentage_half_up;

/// The sums of an invoice or of credit notes, in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Without VAT.
    pub net: i64,
    /// The VAT, rounded half up once on the sum of the lines (EN 16931, BR-CO-17).
    pub vat: i64,
    /// What is to be paid.
    pub gross: i64,
}

impl Totals {
    /// So much without VAT, and its VAT; nothing where the sum leaves 64 bits.
    pub fn of(net: i64, vat: i64) -> Option<Self> {
        let gross = net.checked_add(vat)?;
        Some(Self { net, vat, gross })
    }

    /// What is left once `other` is taken off.
    pub fn less(self, other: Self) -> Option<Self> {
        let net = self.net.checked_sub(other.net)?;
        Self::of(net, self.vat.checked_sub(other.vat)?)
    }
}

/// The sums of lines of so many cents each without VAT, all of one category and rate; nothing where they leave 64 bits.
pub fn totals(lines: &[i64], rate: Decimal) -> Option<Totals> {
    let mut lines = lines.iter();
    let net = lines.try_fold(0i64, |sum, net| sum.checked_add(*net))?;
    Totals::of(net, percentage_half_up(net, rate))
}

/// The sums of a credit note over `net`, where so much of its invoice is `left` to credit: the one that completes the credit takes all VAT that is left, and
/// none takes more. Nothing where `net` is not at least a cent of what is left.
pub fn credit(net: i64, left: Totals, rate: Decimal) -> Option<Totals> {
    let vat = match left.net.checked_sub(net)? {
        _ if net <= 0 => return None,
        0 => left.vat,
        1.. => percentage_half_up(net, rate).min(left.vat),
        _ => return None,
    };
    Totals::of(net, vat)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::money::Amount;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/money.json")).unwrap()
    }

    fn cents(value: &Value) -> i64 {
        value.as_str().unwrap().parse::<Amount>().unwrap().0
    }

    fn rate(case: &Value) -> Decimal {
        case["rate"].as_str().unwrap().parse().unwrap()
    }

    #[test]
    fn vat_is_rounded_once_on_the_sum_of_the_lines() {
        for case in vectors()["vat_by_category"].as_array().unwrap() {
            let lines: Vec<i64> = case["lines"]
                .as_array()
                .unwrap()
                .iter()
                .map(cents)
                .collect();
            let sums = totals(&lines, rate(case)).unwrap();
            let expected = Totals {
                net: cents(&case["net"]),
                vat: cents(&case["vat"]),
                gross: cents(&case["gross"]),
            };
            assert_eq!(sums, expected, "{case}");
            let by_line: i64 = lines
                .iter()
                .map(|net| percentage_half_up(*net, rate(case)))
                .sum();
            assert_eq!(by_line, cents(&case["by_line_it_would_be"]), "{case}");
        }
        assert_eq!(totals(&[i64::MAX, 1], Decimal::ZERO), None);
    }

    #[test]
    fn the_credit_note_that_completes_the_credit_takes_what_is_left() {
        for case in vectors()["credit_notes_in_parts"].as_array().unwrap() {
            let mut left = totals(&[cents(&case["invoice_net"])], rate(case)).unwrap();
            assert_eq!(left.vat, cents(&case["invoice_vat"]), "{case}");
            for note in case["credit_notes"].as_array().unwrap() {
                let sums = credit(cents(&note["net"]), left, rate(case)).unwrap();
                assert_eq!(sums.vat, cents(&note["vat"]), "{case} {note}");
                left = left.less(sums).unwrap();
            }
            assert_eq!(left, Totals::default(), "{case}");
            assert_eq!(credit(1, left, rate(case)), None);
        }
    }

    #[test]
    fn the_rest_of_a_term_is_credited_with_its_vat() {
        for case in vectors()["credit_for_the_rest"].as_array().unwrap() {
            let whole = totals(&[cents(&case["net"])], rate(case)).unwrap();
            assert_eq!(whole.gross, cents(&case["gross"]), "{case}");
            let sums = credit(cents(&case["credit_net"]), whole, rate(case));
            assert_eq!(sums.is_some(), case["credit_note"], "{case}");
            let sums = sums.unwrap_or_default();
            assert_eq!(sums.vat, cents(&case["credit_vat"]), "{case}");
            assert_eq!(sums.gross, cents(&case["credit_gross"]), "{case}");
        }
    }

    proptest! {
        #[test]
        fn parts_never_exceed_the_whole_and_full_credit_equals_it(lines in proptest::collection::vec(1i64..1_000_000, 1..5), per_mille in 0i64..300, parts in proptest::collection::vec(1i64..300_000, 0..20)) {
            let rate = Decimal::new(per_mille, 3);
            let whole = totals(&lines, rate).unwrap();
            prop_assert_eq!(whole.gross, whole.net + whole.vat);
            let mut left = whole;
            for part in parts {
                prop_assert_eq!(credit(left.net + 1, left, rate), None);
                let Some(sums) = credit(part.min(left.net), left, rate) else { break };
                left = left.less(sums).unwrap();
                prop_assert!(left.net >= 0 && left.vat >= 0 && sums.gross > 0);
            }
            if let Some(last) = credit(left.net, left, rate) {
                left = left.less(last).unwrap();
            }
            prop_assert_eq!(left, Totals::default());
            prop_assert_eq!(credit(whole.net, whole, rate), Some(whole));
        }
    }
}
