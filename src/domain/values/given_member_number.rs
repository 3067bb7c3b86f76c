//! Member numbers of this programme or the old one, as somebody else types them. Whose one is stands in the database.

use std::str::FromStr;

use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};
use crate::domain::member_number::{MemberNumber, number_key};
use crate::error::{Fault, FaultCode};

/// The `format` of its schema.
pub const FORMAT: &str = "member-number";
/// Digits of a number of this programme.
const DIGITS: usize = 12;

/// A number that a member gives. One of 12 digits is of this programme and needs its check digits; any other may be of the old one, whose
/// numbers had no one form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr)]
pub struct GivenMemberNumber(String);

impl GivenMemberNumber {
    /// As it is compared.
    pub fn key(&self) -> &str {
        &self.0
    }
}

impl Value for GivenMemberNumber {
    const WRITTEN: &'static str = "12 digits, or a number of the old programme";

    fn fault(pointer: impl Into<String>, _typed: &str) -> Fault {
        Fault::new(pointer, FaultCode::MemberNumberInvalid)
    }
}

impl FromStr for GivenMemberNumber {
    type Err = BadValue;

    fn from_str(typed: &str) -> Result<Self, BadValue> {
        let key = number_key(typed).ok_or(BadValue(Self::WRITTEN))?;
        let is_of_this = key.len() == DIGITS && key.bytes().all(|byte| byte.is_ascii_digit());
        match is_of_this && MemberNumber::parse(&key).is_err() {
            true => Err(BadValue(Self::WRITTEN)),
            false => Ok(Self(key)),
        }
    }
}

impl PartialSchema for GivenMemberNumber {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(FORMAT.to_owned())))
            .max_length(Some(64))
            .description(Some(
                "12 digits, the last two of them check digits, or a number of the old programme.",
            ))
            .into()
    }
}

impl ToSchema for GivenMemberNumber {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_digits_need_check_digits_and_old_numbers_do_not() {
        for (typed, key) in [
            (" 2074-91553073", "207491553073"),
            ("4410 023", "4410023"),
            ("k-100 b", "K100B"),
        ] {
            assert_eq!(typed.parse::<GivenMemberNumber>().unwrap().key(), key);
        }
        for typed in ["207491553074", "", " - "] {
            assert!(typed.parse::<GivenMemberNumber>().is_err(), "{typed}");
        }
    }
}
