//! Whether the balances of a statement prove its entries.

use rust_decimal::Decimal;

use crate::types::text_enum;

text_enum! {
    /// What the balances say of the entries between them.
    pub enum Balance {
        /// Opening and entries are the closing balance.
        Booked = "booked",
        /// They are once every reversal is turned round.
        Inverted = "inverted",
        /// They are not.
        Held = "held",
    }
}

/// What the booked entries come to, each negative where it goes out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub all: Decimal,
    /// Those of them that take an earlier one back.
    pub reversals: Decimal,
}

impl Sums {
    /// With one entry more; nothing where no account holds so much.
    pub fn plus(self, amount: Decimal, is_reversal: bool) -> Option<Self> {
        let reversal = if is_reversal { amount } else { Decimal::ZERO };
        Some(Self {
            all: self.all.checked_add(amount)?,
            reversals: self.reversals.checked_add(reversal)?,
        })
    }

    /// Of two pages together.
    pub fn and(self, other: Self) -> Option<Self> {
        Some(Self {
            all: self.all.checked_add(other.all)?,
            reversals: self.reversals.checked_add(other.reversals)?,
        })
    }
}

/// What the balances say of a statement with these entries: the witnesses of which way round its bank writes reversals.
pub fn balance(opening: Decimal, sums: Sums, closing: Decimal) -> Balance {
    let booked = opening + sums.all;
    if booked == closing {
        Balance::Booked
    } else if booked - sums.reversals - sums.reversals == closing {
        Balance::Inverted
    } else {
        Balance::Held
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn amount(value: &Value) -> Decimal {
        value.as_str().unwrap().parse().unwrap()
    }

    #[test]
    fn a_statement_is_booked_where_its_balances_prove_it() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/money.json")).unwrap();
        for case in vectors["statement_balance"].as_array().unwrap() {
            let sums = case["entries"].as_array().unwrap().iter();
            let sums = sums.fold(Sums::default(), |sums, entry| {
                let is_reversal = entry["reversal"].as_bool().unwrap();
                sums.plus(amount(&entry["amount"]), is_reversal).unwrap()
            });
            let result = match balance(amount(&case["opening"]), sums, amount(&case["closing"])) {
                Balance::Booked => "booked",
                Balance::Inverted => "booked, reversals inverted",
                Balance::Held => "held",
            };
            assert_eq!(result, case["result"], "{case}");
        }
    }

    #[test]
    fn two_pages_are_added_up() {
        let page = Sums::default().plus(Decimal::ONE, true).unwrap();
        let both = page.and(page).unwrap();
        assert_eq!((both.all, both.reversals), (Decimal::TWO, Decimal::TWO));
    }
}
