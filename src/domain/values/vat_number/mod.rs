//! VAT numbers: accepted as people write them, checked offline, kept in one form without the country's prefix.

mod checks;

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
        let all = plain(typed);
        // An Irish number of before 2013 may have one of two signs.
        let is_of_number = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'*');
        if all.len() > 20 || !all.bytes().all(is_of_number) {
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

/// A number without separators, in upper case.
pub(super) fn plain(typed: &str) -> String {
    let signs = typed.chars().filter(|c| !is_separator(*c));
    signs.map(|c| c.to_ascii_uppercase()).collect()
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
    // A department of the British government may have the number 000.
    if zeros && !number.starts_with("GD") {
        return None;
    }
    let number = match country.as_str() {
        "BE" if number.len() == 9 => format!("0{number}"),
        "NO" if !number.ends_with("MVA") => format!("{number}MVA"),
        _ => number.to_owned(),
    };
    let right = match country.as_str() {
        "BE" => checks::is_belgian(&number),
        "CZ" => checks::is_czech(&number),
        "DK" => checks::is_danish(&number),
        "ES" => checks::is_spanish(&number),
        "FI" => checks::is_finnish(&number),
        "FR" => checks::is_french(&number),
        "GB" => checks::is_british(&number),
        "IE" => checks::is_irish(&number),
        "NL" => checks::is_dutch(&number),
        "PL" => checks::is_polish(&number),
        "SK" => checks::is_slovak(&number),
        // The crate's pattern for AT and others holds the prefix, so it goes back on.
        code => check_vat_by_country(&format!("{code}{number}"), code).is_valid,
    };
    right.then_some(number)
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
            serde_json::from_str(include_str!("../../../../tests/vectors/vat_numbers.json"))
                .unwrap();
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

    /// Where python-stdnum says no and we say yes, and why.
    fn is_exception(vectors: &Value, country: &str, number: &str) -> bool {
        let exceptions = vectors["exceptions"].as_array().unwrap();
        exceptions.iter().any(|exception| {
            let form = regex::Regex::new(exception["form"].as_str().unwrap()).unwrap();
            exception["country"] == country && form.is_match(number)
        })
    }

    #[test]
    fn the_checks_agree_with_those_of_python_stdnum() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../tests/vectors/vat_checks.json"))
                .unwrap();
        let (mut disagreed, mut excepted) = (Vec::new(), Vec::new());
        for (code, numbers) in vectors["countries"].as_object().unwrap() {
            let country: Country = code.parse().unwrap();
            let (right, wrong) = (texts(&numbers["right"]), texts(&numbers["wrong"]));
            assert_eq!((right.len(), wrong.len()), (150, 150), "{code}");
            let refused = right.into_iter().filter(|n| read(country, n).is_err());
            disagreed.extend(refused.map(|number| format!("{code} {number} is right")));
            for number in wrong.into_iter().filter(|n| read(country, n).is_ok()) {
                match is_exception(&vectors, code, &number) {
                    true => excepted.push(code.clone()),
                    false => disagreed.push(format!("{code} {number} is wrong")),
                }
            }
        }
        assert_eq!(disagreed, [""; 0]);
        excepted.dedup();
        assert_eq!(
            excepted.len(),
            vectors["exceptions"].as_array().unwrap().len()
        );
    }

    #[test]
    fn a_number_is_read_however_it_is_typed() {
        let typed: Value =
            serde_json::from_str(include_str!("../../../../tests/vectors/typed.json")).unwrap();
        for case in typed["vat_numbers"].as_array().unwrap() {
            let text = |name: &str| case[name].as_str().unwrap();
            let found = read(text("country").parse().unwrap(), text("typed"));
            assert_eq!(found.as_deref(), Ok(text("kept")), "{case}");
        }
    }

    #[test]
    fn a_cvr_number_is_recognised() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../tests/vectors/cvr.json")).unwrap();
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
            ("FR", "FR FR 482637352", "FR482637352"),
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
