//! Countries by their ISO 3166-1 alpha-2 code.

use std::str::FromStr;

use super::{BadValue, Value};
use crate::domain::text_column;

/// A country code of the right shape: two upper-case letters. Which countries take part says the programme.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct Country([u8; 2]);

impl Country {
    /// Denmark.
    pub const DK: Self = Self(*b"DK");

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Country {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text.as_bytes() {
            &[a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Ok(Self([a, b])),
            _ => Err(BadValue(Self::WRITTEN)),
        }
    }
}

impl Value for Country {
    const WRITTEN: &'static str = "ISO 3166-1 alpha-2";
}

/// Whether `country` was a member state of the European Union in 2026 (Treaty on European Union, article 52).
pub fn is_eu(country: Country) -> bool {
    const MEMBERS: [&str; 27] = [
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
        "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    ];
    MEMBERS.contains(&country.as_str())
}

text_column!(Country, "^[A-Z]{2}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_two_upper_case_letters() {
        assert_eq!("DK".parse(), Ok(Country::DK));
        for bad in ["dk", "D", "DNK", "D1", "", "ØK"] {
            assert_eq!(
                bad.parse::<Country>(),
                Err(BadValue(Country::WRITTEN)),
                "{bad}"
            );
        }
    }

    #[test]
    fn norway_and_britain_take_part_but_are_outside_the_union() {
        let eu = |code: &str| is_eu(code.parse().unwrap());
        assert!(eu("DK") && eu("NL") && eu("SK"));
        assert!(!eu("NO") && !eu("GB") && !eu("CH"));
    }
}
