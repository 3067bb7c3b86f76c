//! Calendar days as people type them. Which days count is in `calendar`.

use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{BadValue, Value};

/// The `format` of its schema.
pub const FORMAT: &str = "date";
/// The programme's oldest products and papers are younger.
const FIRST_YEAR: i32 = 1900;

/// A day that somebody typed: `yyyy-mm-dd` (RFC 3339, full-date) and nothing else, from 1900 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, DeserializeFromStr)]
pub struct Date(NaiveDate);

impl Date {
    /// The day.
    pub fn day(self) -> NaiveDate {
        self.0
    }
}

impl Value for Date {
    const WRITTEN: &'static str = "yyyy-mm-dd";
}

impl FromStr for Date {
    type Err = BadValue;

    fn from_str(typed: &str) -> Result<Self, BadValue> {
        let is_written_so = typed.len() == 10
            && typed.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let day = NaiveDate::parse_from_str(typed, "%Y-%m-%d").ok();
        day.filter(|day| is_written_so && day.year() >= FIRST_YEAR)
            .map(Self)
            .ok_or(BadValue(Self::WRITTEN))
    }
}

impl PartialSchema for Date {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(FORMAT.to_owned())))
            .description(Some("From 1900-01-01 on."))
            .into()
    }
}

impl ToSchema for Date {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_is_four_digits_two_and_two() {
        for typed in ["2024-05-17", "1900-01-01", "2024-02-29", "9999-12-31"] {
            assert_eq!(typed.parse::<Date>().unwrap().day().to_string(), typed);
        }
        for typed in [
            "17-05-24",
            "01-06-26",
            "-5000-01-01",
            "+2024-05-17",
            "02024-05-17",
            "2024-5-17",
            "2024-05-7",
            "2024-05-17 ",
            " 2024-05-17",
            "2024/05/17",
            "17.05.2024",
            "20240517",
            "2024-05-17T00:00:00Z",
            "2023-02-29",
            "2024-13-01",
            "1899-12-31",
            "0017-05-24",
            "٢٠٢٤-٠٥-١٧",
            "2024-05- 7",
            "2024- 5-17",
            "",
            "45429",
        ] {
            assert_eq!(
                typed.parse::<Date>(),
                Err(BadValue("yyyy-mm-dd")),
                "{typed}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_day_reads_as_itself(typed in "[0-9]{4}-[01][0-9]-[0-3][0-9]|\\PC{0,12}|[-+0-9 ]{8,12}") {
            if let Ok(date) = typed.parse::<Date>() {
                prop_assert_eq!(date.day().to_string(), typed);
                prop_assert!((1900..=9999).contains(&date.day().year()));
            }
        }
    }
}
