//! Payment references: RF creditor references, the lines of Danish inpayment forms, and finding either in what a payer wrote.

use crate::domain::check_digits::{luhn, mod97};

/// An RF creditor reference (ISO 11649) of the letters and digits in `number`, at most 21 of them: `RF80 2025 0001` without its
/// spaces. Nothing where there are none or too many.
pub fn rf_reference(number: &str) -> Option<String> {
    let body = referred(number);
    if !(1..=21).contains(&body.len()) {
        return None;
    }
    let check = 98 - mod97(&format!("{body}RF00"))?;
    Some(format!("RF{check:02}{body}"))
}

/// What of a text a payment reference holds: its Latin letters, in upper case, and its digits.
pub fn referred(text: &str) -> String {
    let held = text.chars().filter(char::is_ascii_alphanumeric);
    held.map(|c| c.to_ascii_uppercase()).collect()
}

/// Whether `text`, with or without spaces, is an RF creditor reference with right check digits.
pub fn is_rf_reference(text: &str) -> bool {
    let compact: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let parts = compact
        .strip_prefix("RF")
        .and_then(|rest| rest.split_at_checked(2));
    parts.is_some_and(|(check, body)| {
        check.bytes().all(|b| b.is_ascii_digit())
            && (1..=21).contains(&body.len())
            && mod97(&format!("{body}RF{check}")) == Some(1)
    })
}

/// A reference in groups of four, as it is printed.
pub fn grouped(reference: &str) -> String {
    let mut text = String::new();
    for (at, c) in reference.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

/// The digits of an invoice's number as the payload of [`fi71_identification`].
pub fn fi71_payload(year: i32, seq: i64) -> Option<u64> {
    format!("{year}{seq:06}").parse().ok()
}

/// The payment line of a Danish inpayment form of type 71: `+71<000000000000018+81234567<` (rules, section 10).
pub fn fi71_line(identification: &str, creditor: &str) -> String {
    format!("+71<{identification}+{creditor}<")
}

/// A payload of at most 14 digits as the identification of a payment line: 15 digits, the last a Luhn check digit.
pub fn fi71_identification(payload: u64) -> Option<String> {
    let payload = format!("{payload:014}");
    let check = luhn(&payload).filter(|_| payload.len() == 14)?;
    Some(format!("{payload}{check}"))
}

/// Whether `text` is the identification of a payment line: 15 digits, of which the last checks the others.
pub fn is_fi71(text: &str) -> bool {
    let parts = text.split_at_checked(14);
    parts.is_some_and(|(payload, check)| {
        check.len() == 1 && luhn(payload).is_some_and(|digit| check.parse::<u32>() == Ok(digit))
    })
}

/// Year and number of the invoice whose payment line has this identification; nothing where no invoice of ours can have it.
pub fn fi71_number(identification: &str) -> Option<(i32, i64)> {
    let (payload, _) = identification.split_at_checked(14)?;
    let (year, seq) = payload.trim_start_matches('0').split_at_checked(4)?;
    if !is_fi71(identification) || seq.len() < 6 {
        return None;
    }
    Some((year.parse().ok()?, seq.parse().ok()?))
}

/// The shortest and the longest RF creditor reference that is looked for in a text.
const RF_LENGTHS: std::ops::RangeInclusive<usize> = 9..=25;

/// Every piece of what a payer wrote that is an RF creditor reference with right check digits, without its spaces. Letters and digits alone are looked at, all
/// texts joined, since banks break them anywhere; text that is glued to a reference does no harm, since only one that an invoice bears counts.
pub fn rf_candidates<T: AsRef<str>>(texts: &[T]) -> Vec<String> {
    let characters = texts.iter().flat_map(|text| text.as_ref().chars());
    let written: String = characters
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let mut found: Vec<String> = Vec::new();
    for (at, _) in written.match_indices("RF") {
        let pieces = RF_LENGTHS.filter_map(|length| written.get(at..at + length));
        for piece in pieces.filter(|piece| is_rf_reference(piece)) {
            if !found.iter().any(|one| one == piece) {
                found.push(piece.to_owned());
            }
        }
    }
    found
}

/// The identifications in what a payer wrote: a text that is nothing but `+71<15 digits+creditor<`, `71#15 digits` or 15 digits, right by its check digit, and of
/// our creditor where it names one.
pub fn fi71_candidates<T: AsRef<str>>(texts: &[T], creditor: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        let text: String = text
            .as_ref()
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let identification = named_identification(&text, creditor);
        let is_new = |one: &&str| !found.iter().any(|other| other == one);
        let right = identification.filter(|one| is_fi71(one));
        if let Some(one) = right.filter(is_new) {
            found.push(one.to_owned());
        }
    }
    found
}

fn named_identification<'a>(text: &'a str, creditor: &str) -> Option<&'a str> {
    if let Some(line) = text.strip_prefix("+71<") {
        let (identification, named) = line.strip_suffix('<')?.split_once('+')?;
        return Some(identification).filter(|_| named == creditor);
    }
    Some(text.strip_prefix("71#").unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::invoice::invoice_number;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/money.json")).unwrap()
    }

    fn texts(value: &Value) -> Vec<&str> {
        let texts = value.as_array().unwrap().iter();
        texts.map(|text| text.as_str().unwrap()).collect()
    }

    #[test]
    fn references_have_check_digits() {
        let vectors: Value = serde_json::from_str(include_str!(
            "../../../tests/vectors/payment_references.json"
        ))
        .unwrap();
        for text in vectors["rf_valid"].as_array().unwrap() {
            let text = text.as_str().unwrap();
            assert!(is_rf_reference(text), "{text}");
            let made = rf_reference(&text[4..]).unwrap();
            assert_eq!(grouped(&made), text);
        }
        for text in vectors["rf_invalid"].as_array().unwrap() {
            assert!(!is_rf_reference(text.as_str().unwrap()), "{text}");
        }
        for bad in [
            "",
            "RF",
            "RF18",
            "RF1",
            "18539007547034",
            "RFøø12",
            "RF+1539007547034",
        ] {
            assert!(!is_rf_reference(bad), "{bad}");
        }
        let creditor = vectors["creditor"].as_str().unwrap();
        for case in vectors["fi71"].as_array().unwrap() {
            let payload = case["payload"].as_str().unwrap();
            let identification = fi71_identification(payload.parse().unwrap()).unwrap();
            assert_eq!(identification, case["identification"]);
            assert_eq!(fi71_line(&identification, creditor), case["line"]);
        }
        assert_eq!(fi71_identification(100_000_000_000_000), None);
    }

    #[test]
    fn each_invoice_number_makes_its_reference() {
        let references = &vectors()["references"];
        for case in references["made"].as_array().unwrap() {
            let made = rf_reference(case["number"].as_str().unwrap()).unwrap();
            assert_eq!(made, case["rf"].as_str().unwrap(), "{case}");
            assert_eq!(grouped(&made), case["printed"].as_str().unwrap(), "{case}");
        }
        for case in references["fik"].as_array().unwrap() {
            let year = i32::try_from(case["year"].as_i64().unwrap()).unwrap();
            let seq = case["seq"].as_i64().unwrap();
            let identification = fi71_identification(fi71_payload(year, seq).unwrap()).unwrap();
            assert_eq!(identification, case["identification"], "{case}");
            assert_eq!(
                fi71_line(&identification, "81234567"),
                case["line"],
                "{case}"
            );
            assert_eq!(fi71_number(&identification), Some((year, seq)), "{case}");
        }
    }

    #[test]
    fn a_reference_is_found_however_the_payer_wrote_it() {
        let vectors = vectors();
        let invoices = vectors["matching"]["invoices"].as_array().unwrap();
        let is_borne = |found: &String| invoices.iter().any(|one| one["reference"] == *found);
        for case in vectors["references"]["found"].as_array().unwrap() {
            let mut found = rf_candidates(&texts(&case["texts"]));
            found.retain(is_borne);
            assert_eq!(found, texts(&case["known"]), "{case}");
        }
        for case in vectors["references"]["fik_found"].as_array().unwrap() {
            let creditor = case["creditor"].as_str().unwrap();
            let found = fi71_candidates(&texts(&case["texts"]), creditor);
            assert_eq!(found, texts(&case["found"]), "{case}");
        }
    }

    #[test]
    fn an_identification_that_is_no_number_of_ours_is_none() {
        for odd in [
            "",
            "000000000000018",
            "00002026000001",
            "0000202600000110",
            "00002026000001x",
        ] {
            assert_eq!(fi71_number(odd), None, "{odd}");
        }
        assert!(is_fi71("000000000000018"));
        for odd in [
            "",
            "000000000000019",
            "00000000000018",
            "0000000000000018",
            "x00000000000018",
            "x0000000000000y",
        ] {
            assert!(!is_fi71(odd), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn a_reference_that_we_make_is_right_and_tells_a_wrong_digit(number in "[0-9A-Z]{1,21}", at in 0usize..25, by in 1u8..10) {
            let reference = rf_reference(&number).unwrap();
            prop_assert!(is_rf_reference(&reference));
            prop_assert!(is_rf_reference(&grouped(&reference)));
            let mut bytes = reference.into_bytes();
            if let Some(byte) = bytes.get_mut(at).filter(|byte| byte.is_ascii_digit()) {
                *byte = b'0' + (*byte - b'0' + by) % 10;
                let wrong = String::from_utf8(bytes).unwrap();
                prop_assert!(!is_rf_reference(&wrong));
            }
        }

        #[test]
        fn a_reference_is_found_in_any_text_around_it(year in 2020i32..2100, seq in 1i64..10_000_000, before in "[ -~]{0,30}", after in "[ -~]{0,30}", at in 0usize..17) {
            let reference = rf_reference(&invoice_number("CPS", year, seq)).unwrap();
            let (first, second) = reference.split_at(at);
            let texts = [format!("{before}{first}"), format!("{second}{after}")];
            prop_assert!(rf_candidates(&texts).contains(&reference));
            let identification = fi71_identification(fi71_payload(year, seq).unwrap()).unwrap();
            prop_assert_eq!(fi71_number(&identification), Some((year, seq)));
        }
    }
}
