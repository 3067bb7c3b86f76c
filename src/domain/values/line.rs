//! One line of text as people type it: a name, a street, a reason.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};

const PATTERN: &str = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$";

/// At most `MOST` characters, no control character among them and not only blanks. Blanks around are dropped.
#[derive(Debug, Clone, PartialEq, Eq, DeserializeFromStr)]
pub struct Line<const MOST: usize>(String);

impl<const MOST: usize> Value for Line<MOST> {
    const WRITTEN: &'static str = "one line of text";
}

impl<const MOST: usize> FromStr for Line<MOST> {
    type Err = BadValue;

    fn from_str(typed: &str) -> Result<Self, BadValue> {
        let is_line = typed.chars().count() <= MOST
            && !typed.contains(|c: char| c.is_ascii_control())
            && !typed.trim().is_empty();
        is_line
            .then(|| Self(typed.trim().to_owned()))
            .ok_or(BadValue(Self::WRITTEN))
    }
}

impl<const MOST: usize> From<Line<MOST>> for String {
    fn from(line: Line<MOST>) -> Self {
        line.0
    }
}

impl<const MOST: usize> fmt::Display for Line<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MOST: usize> PartialSchema for Line<MOST> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MOST))
            .pattern(Some(PATTERN))
            .description(Some("One line of text, not blank."))
            .into()
    }
}

/// Lines of another length are another type of the contract.
impl<const MOST: usize> ToSchema for Line<MOST> {
    fn name() -> Cow<'static, str> {
        format!("Line{MOST}").into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_the_schema_accepts_is_what_is_read(typed in "[ a\u{e6}\u{85}\u{a0}\t\u{7f}]{0,12}|\\PC{0,12}") {
            let matches = regex::Regex::new(PATTERN).unwrap().is_match(&typed);
            let accepts = matches && (1..=8).contains(&typed.chars().count());
            let read = typed.parse::<Line<8>>();
            prop_assert_eq!(read.is_ok(), accepts, "{:?}", typed);
            if let Ok(line) = read {
                prop_assert_eq!(line.to_string(), typed.trim());
                prop_assert_eq!(line.to_string().parse(), Ok(line));
            }
        }
    }
}
