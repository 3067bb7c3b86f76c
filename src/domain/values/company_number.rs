//! Numbers of registers of companies: accepted as people write them, checked by the rule of their country where it has one, kept in one form.

use super::Country;
use super::vat_number::{VatNumber, plain};
use crate::error::FaultCode;

/// Characters that somebody may type for one.
const MOST: usize = 30;

/// A number in the register of companies of a country, without separators, in upper case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyNumber(String);

impl CompanyNumber {
    /// Reads what somebody typed as a number of `country`: `company_number_invalid` where it breaks the rule that the country has.
    pub fn read(country: Country, typed: &str) -> Result<Self, FaultCode> {
        let number = plain(typed);
        let number = number.strip_prefix(country.as_str()).unwrap_or(&number);
        let read = canonical(country, number).filter(|_| typed.chars().count() <= MOST);
        read.map(Self).ok_or(FaultCode::CompanyNumberInvalid)
    }
}

impl From<CompanyNumber> for String {
    fn from(number: CompanyNumber) -> Self {
        number.0
    }
}

/// Where VAT numbers are made of the number in the register, it is as right as they are.
fn canonical(country: Country, number: &str) -> Option<String> {
    let vat = |number: &str| VatNumber::read(country, number).ok().map(String::from);
    match country.as_str() {
        "BE" | "DK" | "FI" => vat(number),
        "NO" => vat(number).map(|vat| vat.trim_end_matches("MVA").to_owned()),
        "SE" => vat(&format!("{number}01")).map(|_| number.to_owned()),
        "NL" => is_kvk(number).then(|| number.to_owned()),
        _ => is_any(number).then(|| number.to_owned()),
    }
}

/// Eight digits of the Dutch chamber of commerce, which have no check digit.
fn is_kvk(number: &str) -> bool {
    number.len() == 8
        && number.bytes().all(|b| b.is_ascii_digit())
        && number.bytes().any(|b| b != b'0')
}

fn is_any(number: &str) -> bool {
    (2..=20).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_alphanumeric())
        && number.bytes().any(|b| (b'1'..=b'9').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(country: &str, typed: &str) -> Result<String, FaultCode> {
        CompanyNumber::read(country.parse().unwrap(), typed).map(String::from)
    }

    #[test]
    fn a_number_is_right_by_the_rule_of_its_register() {
        for (country, typed, kept) in [
            ("DK", "13 58 56 28", "13585628"),
            ("DK", "dk13585628", "13585628"),
            ("NO", "995 525 828 MVA", "995525828"),
            ("NO", "995525828", "995525828"),
            ("SE", "556703-7485", "5567037485"),
            ("BE", "0428.759.497", "0428759497"),
            ("NL", "33166721", "33166721"),
            ("DE", "HRB 12345", "HRB12345"),
            ("FR", "303 265 045", "303265045"),
        ] {
            assert_eq!(read(country, typed).as_deref(), Ok(kept), "{typed}");
        }
        for (country, typed) in [
            ("DK", "13585627"),
            ("NO", "995525829"),
            ("SE", "556703-7484"),
            ("BE", "0428759498"),
            ("NL", "3316672"),
            ("NL", "00000000"),
            ("NL", "3316672X"),
            ("DE", ""),
            ("DE", "HRB/Ø"),
            ("FR", "0000"),
        ] {
            let refused = Err(FaultCode::CompanyNumberInvalid);
            assert_eq!(read(country, typed), refused, "{typed}");
        }
    }
}
