//! GTINs (GS1 General Specifications): the numbers in the bar codes of products. Which model one is of stands in the catalogue.

use std::fmt;
use std::str::FromStr;

use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};
use crate::domain::check_digits::has_gs1_check_digit;
use crate::error::{Fault, FaultCode};

/// The `format` of its schema.
pub const FORMAT: &str = "gtin";
/// Characters that somebody may type for one.
const MOST: usize = 32;

/// A GTIN-8, -12, -13 or -14 with the right check digit, typed with or without blanks and hyphens; kept as 14 digits, since the shorter ones are
/// the same number with zeros before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr)]
pub struct Gtin(String);

impl Gtin {
    /// Its 14 digits, by which it is compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a shop reads it under a bar code: 13 digits, or 14 of a whole carton.
    pub fn printed(&self) -> &str {
        self.0.strip_prefix('0').unwrap_or(&self.0)
    }
}

impl Value for Gtin {
    const WRITTEN: &'static str = "8, 12, 13 or 14 digits";

    fn fault(pointer: impl Into<String>, _typed: &str) -> Fault {
        Fault::new(pointer, FaultCode::GtinInvalid)
    }
}

impl FromStr for Gtin {
    type Err = BadValue;

    fn from_str(typed: &str) -> Result<Self, BadValue> {
        let is_separator = |c: char| c.is_whitespace() || c == '-';
        let digits: String = typed.chars().filter(|c| !is_separator(*c)).collect();
        let is_one = matches!(digits.len(), 8 | 12 | 13 | 14)
            && has_gs1_check_digit(&digits)
            && digits.bytes().any(|digit| digit != b'0');
        (is_one && typed.chars().count() <= MOST)
            .then(|| Self(format!("{digits:0>14}")))
            .ok_or(BadValue(Self::WRITTEN))
    }
}

impl fmt::Display for Gtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialSchema for Gtin {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(FORMAT.to_owned())))
            .max_length(Some(MOST))
            .description(Some("GTIN-8, -12, -13 or -14 with its check digit."))
            .into()
    }
}

impl ToSchema for Gtin {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_number_may_be_written_in_several_lengths() {
        for typed in ["4549292160123", "04549292160123", " 4549292-160123 "] {
            assert_eq!(typed.parse::<Gtin>().unwrap().as_str(), "04549292160123");
        }
        assert_eq!(
            "96385074".parse::<Gtin>().unwrap().as_str(),
            "00000096385074"
        );
        assert_eq!(
            "036000291452".parse::<Gtin>().unwrap().as_str(),
            "00036000291452"
        );
    }

    #[test]
    fn a_gtin_is_shown_as_it_is_printed() {
        let printed = |typed: &str| typed.parse::<Gtin>().unwrap().printed().to_owned();
        assert_eq!(printed("4549292160123"), "4549292160123");
        assert_eq!(printed("036000291452"), "0036000291452");
        assert_eq!(printed("14549292160120"), "14549292160120");
    }

    #[test]
    fn what_is_no_gtin_is_refused() {
        for typed in [
            "",
            "4549292160124",
            "454929216012",
            "0000000000000",
            "45492921601২3",
            "abc",
        ] {
            assert!(typed.parse::<Gtin>().is_err(), "{typed}");
        }
        assert_eq!(Gtin::fault("#/gtin", "1").code, FaultCode::GtinInvalid);
    }

    proptest! {
        #[test]
        fn a_mistyped_digit_is_told(payload in "[1-9][0-9]{11}", at in 0usize..13, by in 1u8..10) {
            let right = (0..10).map(|digit| format!("{payload}{digit}")).find(|one| one.parse::<Gtin>().is_ok()).unwrap();
            let mut digits = right.into_bytes();
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            prop_assert!(String::from_utf8(digits).unwrap().parse::<Gtin>().is_err());
        }
    }
}
