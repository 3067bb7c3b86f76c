//! VAT numbers: accepted as people write them, checked offline, kept in one form without the country's prefix.

use vat_id_validator::check_vat_by_country;

use super::Country;
use crate::error::FaultCode;

/// A right VAT number in the one form in which it is stored and answered: without separators and prefix, in upper case (rules, section 1).
/// A Norwegian one always ends in `MVA`, a Belgian one always has ten digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VatNumber(String);

impl VatNumber {
    /// Reads what somebody typed as a number of `country`. `vat_number_invalid` where the check digits are wrong or nobody knows the
    /// country's rule.
    pub fn read(country: Country, typed: &str) -> Result<Self, FaultCode> {
        let all: String = typed
            .chars()
            .filter(|c| !is_separator(*c))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if all.len() > 20 || !all.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(FaultCode::VatNumberInvalid);
        }
        // A French number may itself begin with FR, so what remains without the prefix is only the first reading.
        all.strip_prefix(country.as_str())
            .and_then(|rest| canonical(country, rest))
            .or_else(|| canonical(country, &all))
            .map(Self)
            .ok_or(FaultCode::VatNumberInvalid)
    }
}

impl From<VatNumber> for String {
    fn from(number: VatNumber) -> Self {
        number.0
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '.' | '/' | '\u{2010}'..='\u{2015}')
}

/// The one form of a right number of `country`, from upper-case letters and digits without the prefix.
fn canonical(country: Country, number: &str) -> Option<String> {
    let zeros = number
        .bytes()
        .filter(u8::is_ascii_digit)
        .all(|digit| digit == b'0');
    if zeros {
        return None;
    }
    let number = match country.as_str() {
        "BE" if number.len() == 9 => format!("0{number}"),
        "NO" if !number.ends_with("MVA") => format!("{number}MVA"),
        _ => number.to_owned(),
    };
    let right = match country.as_str() {
        "DK" => is_danish(&number),
        "BE" => is_belgian(&number),
        "IE" => is_irish(&number),
        // The crate's pattern for AT and others holds the prefix, so it goes back on.
        code => check_vat_by_country(&format!("{code}{number}"), code).is_valid,
    };
    right.then_some(number)
}

/// The digits of `text`, where it has nothing else.
fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

/// CVR (rules, section 1; python-stdnum `stdnum.dk.cvr`): 8 digits, the first not 0, weighted sum divisible by 11. The crate's
/// check lacks the rule of the first digit.
fn is_danish(number: &str) -> bool {
    digits(number).is_some_and(|digits| {
        digits.len() == 8
            && digits.first() != Some(&0)
            && weighted(&digits, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

/// python-stdnum `stdnum.be.vat`: ten digits that begin with 0 or, since 2023, 1; the last two are 97 less the remainder of the
/// others by 97. The crate refuses those that begin with 1.
fn is_belgian(number: &str) -> bool {
    let parts = (number.len() == 10)
        .then(|| number.split_at_checked(8))
        .flatten();
    let (Some((body, check)), true) = (parts, number.starts_with(['0', '1'])) else {
        return false;
    };
    match (digits(number), body.parse::<u32>(), check.parse::<u32>()) {
        (Some(_), Ok(body), Ok(check)) => 97 - body % 97 == check,
        _ => false,
    }
}

/// python-stdnum `stdnum.ie.vat`: seven digits, a check letter and since 2013 one of A to I, which counts nine times. The crate
/// knows A and H only; the form before 2013 (a letter second) is left to it.
fn is_irish(number: &str) -> bool {
    const LETTERS: &[u8] = b"WABCDEFGHIJKLMNOPQRSTUV";
    let new_form = || {
        let (body, letters) = number.split_at_checked(7)?;
        let body = digits(body)?;
        let (check, extra) = match *letters.as_bytes() {
            [check] => (check, 0),
            [check, extra @ b'A'..=b'I'] => (check, u32::from(extra - b'A') + 1),
            _ => return None,
        };
        let sum = weighted(&body, &[8, 7, 6, 5, 4, 3, 2]) + 9 * extra;
        let expected = LETTERS.get(usize::try_from(sum % 23).ok()?)?;
        Some(*expected == check)
    };
    new_form().unwrap_or_else(|| check_vat_by_country(&format!("IE{number}"), "IE").is_valid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn texts(value: &Value) -> Vec<String> {
        let items = value.as_array().unwrap().iter();
        items
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    }

    fn read(country: Country, typed: &str) -> Result<String, FaultCode> {
        VatNumber::read(country, typed).map(String::from)
    }

    fn country(number: &str) -> Country {
        number[..2].parse().unwrap()
    }

    #[test]
    fn every_participating_country_has_its_check() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/vat_numbers.json")).unwrap();
        for number in texts(&vectors["valid"]) {
            let country = country(&number);
            let stored = read(country, &number);
            assert_eq!(stored.as_deref(), Ok(&number[2..]), "{number}");
            for typed in [
                number.to_lowercase(),
                number[2..].to_owned(),
                format!(" {} - {}.{}", &number[..2], &number[2..6], &number[6..]),
            ] {
                assert_eq!(read(country, &typed), stored, "{typed}");
            }
        }
        for number in texts(&vectors["invalid"]) {
            let refused = Err(FaultCode::VatNumberInvalid);
            assert_eq!(read(country(&number), &number), refused, "{number}");
        }
    }

    #[test]
    fn a_cvr_number_is_recognised() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/cvr.json")).unwrap();
        for typed in texts(&vectors["valid"]) {
            let stored = read(Country::DK, &typed).unwrap();
            assert!(
                stored.len() == 8 && typed.ends_with(&stored[6..]),
                "{typed}"
            );
        }
        for typed in texts(&vectors["invalid"]) {
            let refused = Err(FaultCode::VatNumberInvalid);
            assert_eq!(read(Country::DK, &typed), refused, "{typed}");
        }
    }

    #[test]
    fn one_number_has_one_form() {
        for (code, typed, stored) in [
            ("BE", "BE428759497", "0428759497"),
            ("BE", "BE 1000.000.021", "1000000021"),
            ("NO", "NO 995 525 828", "995525828MVA"),
            ("FR", "FRFR303265045", "FR303265045"),
            ("IE", "6433435OA", "6433435OA"),
        ] {
            let found = read(code.parse().unwrap(), typed);
            assert_eq!(found.as_deref(), Ok(stored), "{typed}");
        }
    }

    #[test]
    fn zeros_foreign_digits_and_other_prefixes_are_refused() {
        for (code, typed) in [
            ("LU", "00000000"),
            ("FI", "FI00000000"),
            ("DK", "١٣٥٨٥٦٢٨"),
            ("DK", "DE136695976"),
            ("DK", "DKDK13585628"),
            ("US", "123456789"),
            ("GB", "GB000000000"),
        ] {
            let refused = Err(FaultCode::VatNumberInvalid);
            assert_eq!(read(code.parse().unwrap(), typed), refused, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn a_stored_number_is_stored_the_same_again(at in 0usize..19, typed in "[A-Z0-9]{0,3}[ .-]?[0-9]{5,12}(B0[0-9]|MVA|[A-W]A?)?") {
            let codes = ["AT", "BE", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "HU", "IE", "IT", "LU", "NL", "NO", "PL", "PT", "SE", "SK"];
            let country: Country = codes[at].parse().unwrap();
            if let Ok(stored) = read(country, &typed) {
                prop_assert_eq!(read(country, &stored), Ok(stored.clone()));
                prop_assert!(!stored.contains([' ', '.', '-']));
            }
        }

        #[test]
        fn nothing_that_is_typed_breaks_the_check(at in 0usize..19, typed in "\\PC{0,24}") {
            let codes = ["AT", "BE", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "HU", "IE", "IT", "LU", "NL", "NO", "PL", "PT", "SE", "SK"];
            let _ = read(codes[at].parse().unwrap(), &typed);
        }
    }
}
