//! Telephone numbers as people type them.

use std::str::FromStr;

use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};

const PATTERN: &str = r"^\+[0-9]{6,15}$";

/// A number with its country's code (ITU-T E.164).
#[derive(Debug, Clone, PartialEq, Eq, DeserializeFromStr)]
pub struct Phone(String);

impl Value for Phone {
    const WRITTEN: &'static str = "+4533110000";
}

impl FromStr for Phone {
    type Err = BadValue;

    fn from_str(typed: &str) -> Result<Self, BadValue> {
        let digits = typed.strip_prefix('+').unwrap_or_default();
        let is_number =
            (6..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number
            .then(|| Self(typed.to_owned()))
            .ok_or(BadValue(Self::WRITTEN))
    }
}

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialSchema for Phone {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(PATTERN))
            .description(Some("With the country's code."))
            .into()
    }
}

impl ToSchema for Phone {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_the_schema_accepts_is_what_is_read(typed in "\\+?[0-9]{4,17}|\\+[0-9 ]{6,15}\n?|\\PC{0,12}") {
            let accepts = regex::Regex::new(PATTERN).unwrap().is_match(&typed);
            let read = typed.parse::<Phone>();
            prop_assert_eq!(read.is_ok(), accepts);
            if let Ok(phone) = read {
                prop_assert_eq!(phone.to_string(), typed);
            }
        }
    }
}
