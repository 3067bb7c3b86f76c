//! SerialNumber numbers: as people type them, as they are shown, and as they are compared.

use crate::domain::check_digits::is_ean13;
use crate::domain::model::Category;
use crate::domain::product::ProductRules;
use crate::error::FaultCode;

/// A serial number that passed the rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SerialNumber {
    /// As it is shown: upper case, leading zeros kept.
    pub shown: String,
    /// As it is compared: without leading zeros, so that two that differ only in them are the same one.
    pub key: String,
}

impl SerialNumber {
    /// Reads what somebody typed (rules, section 5): a bracketed part, spaces and hyphens are dropped.
    /// `serial_is_barcode` for an EAN-13, `serial_format` for anything else that cannot be a serial number.
    pub fn parse(typed: &str, category: Category, rules: &ProductRules) -> Result<Self, FaultCode> {
        let shown = tidied(typed);
        if is_ean13(&shown) {
            return Err(FaultCode::SerialIsBarcode);
        }
        let key = key(&shown).to_owned();
        let length = rules.serial_min_characters..=rules.serial_max_characters;
        let right = length.contains(&shown.len())
            && shown.bytes().all(|b| b.is_ascii_alphanumeric())
            && !key.is_empty()
            && (category != Category::Lens || is_lens_serial(&shown, rules));
        if right {
            Ok(Self { shown, key })
        } else {
            Err(FaultCode::SerialFormat)
        }
    }
}

/// Whether two serial numbers are the same one, however they were typed.
pub fn same_serial(one: &str, other: &str) -> bool {
    serial_key(one) == serial_key(other)
}

/// What was typed as serial numbers are compared, whether or not it can be one.
pub fn serial_key(typed: &str) -> String {
    key(&tidied(typed)).to_owned()
}

fn tidied(typed: &str) -> String {
    without_brackets(typed)
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'))
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

fn key(shown: &str) -> &str {
    shown.trim_start_matches('0')
}

fn is_lens_serial(shown: &str, rules: &ProductRules) -> bool {
    shown.bytes().all(|b| b.is_ascii_digit()) && rules.lens_serial_digits.contains(&shown.len())
}

/// `typed` without what stands between brackets; a bracket that nothing closes stays, and is refused later.
fn without_brackets(typed: &str) -> String {
    let mut rest = typed;
    let mut kept = String::new();
    for (open, close) in [('(', ')'), ('[', ']')] {
        let Some((before, inside)) = rest.split_once(open) else {
            continue;
        };
        let Some((_, after)) = inside.split_once(close) else {
            continue;
        };
        kept.push_str(before);
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::product::tests::rules;

    fn parse(typed: &str, category: Category) -> Result<SerialNumber, FaultCode> {
        SerialNumber::parse(typed, category, &rules())
    }

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/serials.json")).unwrap()
    }

    fn text<'a>(case: &'a Value, name: &str) -> &'a str {
        case[name].as_str().unwrap()
    }

    #[test]
    fn what_people_type_is_tidied() {
        for case in vectors()["normalised"].as_array().unwrap() {
            let serial = parse(text(case, "typed"), Category::Camera).unwrap();
            assert_eq!(serial.shown, text(case, "serial"));
        }
    }

    #[test]
    fn a_lens_has_digits_of_certain_lengths_only() {
        for typed in vectors()["lens_valid"].as_array().unwrap() {
            assert!(
                parse(typed.as_str().unwrap(), Category::Lens).is_ok(),
                "{typed}"
            );
        }
        for typed in vectors()["lens_invalid"].as_array().unwrap() {
            let refused = Err(FaultCode::SerialFormat);
            assert_eq!(
                parse(typed.as_str().unwrap(), Category::Lens),
                refused,
                "{typed}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_serial_number_is_refused() {
        for case in vectors()["refused"].as_array().unwrap() {
            for category in [Category::Camera, Category::Lens] {
                let code = parse(text(case, "typed"), category).unwrap_err();
                assert_eq!(code.as_str(), text(case, "code"), "{case}");
            }
        }
        for typed in ["12345678 (UC", "12345ß", "١٢٣٤٥٦"] {
            assert_eq!(
                parse(typed, Category::Camera),
                Err(FaultCode::SerialFormat),
                "{typed}"
            );
        }
        assert!(parse("4549292132107", Category::Camera).is_ok());
    }

    #[test]
    fn leading_zeros_make_no_other_serial_number() {
        for case in vectors()["same"].as_array().unwrap() {
            let one = parse(text(case, "one"), Category::Camera).unwrap();
            let other = parse(text(case, "other"), Category::Camera).unwrap();
            assert_eq!(one.key, other.key);
            assert_ne!(one.shown, other.shown);
        }
    }

    proptest! {
        #[test]
        fn a_shown_serial_number_reads_as_itself(typed in "\\PC{0,20}|[ 0-9a-zA-Z()-]{0,24}") {
            for category in [Category::Camera, Category::Lens] {
                if let Ok(serial) = parse(&typed, category) {
                    prop_assert_eq!(parse(&serial.shown, category), Ok(serial.clone()));
                    prop_assert!(serial.shown.ends_with(&serial.key));
                    prop_assert!(!serial.key.starts_with('0') && !serial.key.is_empty());
                }
            }
        }

        #[test]
        fn typing_spaces_and_hyphens_changes_nothing(serial in "[1-9A-Z][0-9A-Z]{4,11}", at in 1usize..5) {
            let typed = format!(" {}- {} ", &serial[..at], &serial[at..].to_lowercase());
            prop_assert_eq!(parse(&typed, Category::Camera), parse(&serial, Category::Camera));
        }
    }
}
