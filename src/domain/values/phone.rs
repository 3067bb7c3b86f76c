//! Telephone numbers: as people type them, and as they are kept.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Country;
use crate::error::{Fault, FaultCode};

/// How numbers of a country are dialled; an entry of `[phones]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialling {
    /// Its code, without `+`.
    pub code: String,
    /// What is dialled in front of a number within the country, and left out from abroad; empty where there is no such thing.
    #[serde(default)]
    pub prefix: String,
}

/// A number with its country's code (ITU-T E.164): `+4533110000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(String);

/// Characters of a number as people type it.
const MOST: usize = 40;
const WRITTEN: &str = "+4533110000";

/// A number as somebody typed it: with the country's code, or as it is dialled within the country.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct TypedPhone(String);

impl TypedPhone {
    /// The number of somebody in `country` (rules, section 1); nothing where the country would have to be known and is not. A `format` fault
    /// where it is no number.
    pub fn read(
        &self,
        country: Option<Country>,
        dialling: &BTreeMap<Country, Dialling>,
    ) -> Result<Option<Phone>, Vec<Fault>> {
        let fault =
            || vec![Fault::new("#/contact/phone", FaultCode::Format).with("format", WRITTEN)];
        let typed = plain(&self.0).ok_or_else(fault)?;
        let digits = match (international(&typed), country) {
            (Some(digits), _) => digits,
            (None, None) => return Ok(None),
            (None, Some(country)) => {
                let dialling = dialling.get(&country).ok_or_else(fault)?;
                let bare = without_brackets(&typed);
                let bare = bare.strip_prefix(&*dialling.prefix).unwrap_or(&bare);
                format!("{}{bare}", dialling.code)
            }
        };
        let is_number = (6..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        match is_number {
            true => Ok(Some(Phone(format!("+{digits}")))),
            false => Err(fault()),
        }
    }
}

impl From<String> for TypedPhone {
    fn from(typed: String) -> Self {
        Self(typed)
    }
}

impl From<TypedPhone> for String {
    fn from(typed: TypedPhone) -> Self {
        typed.0
    }
}

/// Without what is put between digits to be read; a `(0)` behind the country's code is none of them and stays. Nothing for any other text.
fn plain(typed: &str) -> Option<String> {
    let is_between =
        |c: char| c.is_whitespace() || matches!(c, '.' | '-' | '/' | '\u{2010}'..='\u{2015}');
    let kept: String = typed.chars().filter(|c| !is_between(*c)).collect();
    let bare = kept.trim_start_matches('(');
    let bare = bare.strip_prefix('+').unwrap_or(bare);
    let is_phone = |c: char| c.is_ascii_digit() || matches!(c, '(' | ')');
    bare.chars().all(is_phone).then_some(kept)
}

/// The digits of a number that begins with its country's code, without `+` or `00`.
fn international(plain: &str) -> Option<String> {
    let rest = plain.trim_start_matches('(');
    let rest = rest.strip_prefix('+').or_else(|| rest.strip_prefix("00"))?;
    Some(without_brackets(&rest.replacen("(0)", "", 1)))
}

fn without_brackets(number: &str) -> String {
    number.replace(['(', ')'], "")
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialSchema for TypedPhone {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(MOST))
            .description(Some(
                "With the country's code, or as it is dialled within the account's country. Blanks, dots, slashes, brackets and hyphens are dropped.",
            ))
            .into()
    }
}

impl ToSchema for TypedPhone {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::programme::{Programme, SHIPPED};

    fn read(country: &str, typed: &str) -> Result<Option<String>, FaultCode> {
        let phones = Programme::parse(SHIPPED).unwrap().phones;
        let read = TypedPhone(typed.to_owned()).read(country.parse().ok(), &phones);
        read.map(|phone| phone.map(|phone| phone.to_string()))
            .map_err(|faults| faults[0].code)
    }

    #[test]
    fn a_number_is_read_however_it_is_typed() {
        let typed: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/typed.json")).unwrap();
        for case in typed["phones"].as_array().unwrap() {
            let text = |name: &str| case[name].as_str().unwrap();
            let found = read(text("country"), text("typed"));
            assert_eq!(found, Ok(Some(text("kept").to_owned())), "{case}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for typed in [
            "",
            " ",
            "33",
            "call me",
            "+45 33 11 00 00 ext. 5",
            "+",
            "++4533110000",
            "45+33110000",
            "+0533110000",
            "+45331100001234567",
            "\u{0663}\u{0663}110000",
            "+4533110000\u{202e}",
        ] {
            assert_eq!(read("DK", typed), Err(FaultCode::Format), "{typed}");
        }
    }

    #[test]
    fn a_number_within_a_country_says_nothing_where_the_country_is_unknown() {
        assert_eq!(read("", "33 11 00 00"), Ok(None));
        let whole = Ok(Some("+4533110000".to_owned()));
        assert_eq!(read("", "0045 33 11 00 00"), whole);
    }

    proptest! {
        #[test]
        fn what_is_kept_is_kept_again(at in 0usize..6, typed in "[+0-9 ().-]{0,20}|\\PC{0,12}") {
            let country = ["DK", "GB", "HU", "IT", "SE", "US"][at];
            if let Ok(Some(kept)) = read(country, &typed) {
                prop_assert_eq!(read("", &kept), Ok(Some(kept.clone())));
                prop_assert!((7..=16).contains(&kept.len()));
            }
        }
    }
}
