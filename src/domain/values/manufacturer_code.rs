//! The manufacturer's own codes of its models. Which model one is of stands in the catalogue.

use std::fmt;
use std::str::FromStr;

use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};

/// The `format` of its schema.
pub const FORMAT: &str = "manufacturer-code";
/// Letters and digits of one, at most.
const MOST: usize = 20;
/// Characters that somebody may type for one.
const MOST_TYPED: usize = 32;

/// Letters and digits, kept in upper case without the blanks and hyphens that people write between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr)]
pub struct ManufacturerCode(String);

impl ManufacturerCode {
    /// As it is compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for ManufacturerCode {
    const WRITTEN: &'static str = "4082C003";
}

impl FromStr for ManufacturerCode {
    type Err = BadValue;

    fn from_str(typed: &str) -> Result<Self, BadValue> {
        let is_separator = |c: char| c.is_whitespace() || c == '-';
        let kept = typed.chars().filter(|c| !is_separator(*c));
        let code: String = kept.map(|c| c.to_ascii_uppercase()).collect();
        let is_one = (1..=MOST).contains(&code.len())
            && typed.chars().count() <= MOST_TYPED
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_one.then_some(Self(code)).ok_or(BadValue(Self::WRITTEN))
    }
}

impl fmt::Display for ManufacturerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialSchema for ManufacturerCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(FORMAT.to_owned())))
            .max_length(Some(MOST_TYPED))
            .description(Some(
                "The manufacturer's code of a model; blanks, hyphens and case make no difference.",
            ))
            .into()
    }
}

impl ToSchema for ManufacturerCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_hyphens_and_case_make_no_other_code() {
        for typed in ["4082C003", "4082 c003", " 4082-C003 "] {
            assert_eq!(
                typed.parse::<ManufacturerCode>().unwrap().as_str(),
                "4082C003"
            );
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in ["", " - ", "4082/C003", "408ÆC003", "123456789012345678901"] {
            assert!(typed.parse::<ManufacturerCode>().is_err(), "{typed}");
        }
    }
}
