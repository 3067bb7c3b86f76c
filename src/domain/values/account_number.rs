//! Account numbers as somebody else types them. Whose one is stands in the database.

use std::str::FromStr;

use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};
use crate::domain::account::ACCOUNT_NUMBER_DIGITS;
use crate::domain::check_digits::has_check_digits;
use crate::error::{Fault, FaultCode};

/// The `format` of its schema.
pub const FORMAT: &str = "account-number";
/// Characters that somebody may type for one.
const MOST: usize = 32;

/// An account number with the right check digits, typed with or without blanks and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr)]
pub struct AccountNumber(String);

impl AccountNumber {
    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for AccountNumber {
    const WRITTEN: &'static str = "10 digits";

    fn fault(pointer: impl Into<String>, _typed: &str) -> Fault {
        Fault::new(pointer, FaultCode::AccountNumberInvalid)
    }
}

impl FromStr for AccountNumber {
    type Err = BadValue;

    fn from_str(typed: &str) -> Result<Self, BadValue> {
        let is_separator = |c: char| c.is_whitespace() || c == '-';
        let digits: String = typed.chars().filter(|c| !is_separator(*c)).collect();
        let is_one = digits.len() == ACCOUNT_NUMBER_DIGITS
            && has_check_digits(&digits)
            && typed.chars().count() <= MOST;
        is_one
            .then_some(Self(digits))
            .ok_or(BadValue(Self::WRITTEN))
    }
}

impl PartialSchema for AccountNumber {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(FORMAT.to_owned())))
            .max_length(Some(MOST))
            .description(Some("10 digits, the last two of them check digits."))
            .into()
    }
}

impl ToSchema for AccountNumber {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::account::account_number;

    #[test]
    fn blanks_and_hyphens_make_no_other_number() {
        for typed in ["2000000127", " 2000 0001-27 "] {
            assert_eq!(
                typed.parse::<AccountNumber>().unwrap().as_str(),
                "2000000127"
            );
        }
        for typed in ["", "2000000150", "20000001270", "２000000127"] {
            assert!(typed.parse::<AccountNumber>().is_err(), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn what_is_given_out_is_read(random: [u8; 8]) {
            let number = account_number(random);
            let read = number.parse::<AccountNumber>().unwrap();
            prop_assert_eq!(read.as_str(), number);
        }
    }
}
