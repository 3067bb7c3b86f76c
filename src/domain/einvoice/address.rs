//! Where a business takes electronic invoices: a number behind the scheme that gave it out (ISO 6523, the list of Peppol).

use std::str::FromStr;

use serde_with::DeserializeFromStr;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::check_digits::{has_gs1_check_digit, luhn};
use crate::domain::values::{Country, Value};
use crate::error::{Fault, FaultCode};

/// The `format` of its schema.
pub const ELECTRONIC_ADDRESS: &str = "electronic-address";
/// Characters that somebody may type for one.
const MOST: usize = 60;

/// The schemes that Peppol BIS Billing 3 knows (rule CL008).
const SCHEMES: &str = "\
    0002 0007 0009 0060 0088 0096 0097 0106 0130 0135 0142 0151 0183 0184 0188 0190 0191 0192 0195 0196 0198 0199 0200 0201 0204 0208 0209 0210 0211 0216 0218 \
    0221 0225 0230 0235 0240 0242 0244 0245 0246 0248 9910 9913 9914 9915 9918 9919 9920 9922 9923 9924 9925 9926 9927 9928 9929 9930 9931 9932 9933 9934 9935 \
    9936 9937 9938 9939 9940 9941 9942 9943 9944 9945 9946 9947 9948 9949 9950 9951 9952 9953 9957 9959";

/// A number in a scheme, as `0184:13585628`; right by the scheme's own rule.
#[derive(Debug, Clone, PartialEq, Eq, DeserializeFromStr)]
pub struct ElectronicAddress {
    scheme: String,
    number: String,
}

/// The text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the four digits of a scheme, a colon and a number that is right in it")]
pub struct BadElectronicAddress;

impl ElectronicAddress {
    /// The four digits of its scheme.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The number in it.
    pub fn number(&self) -> &str {
        &self.number
    }

    fn new(scheme: &str, number: &str) -> Option<Self> {
        let is_known = SCHEMES.split(' ').any(|known| known == scheme);
        let (scheme, number) = (scheme.to_owned(), number.to_owned());
        (is_known && is_right(&scheme, &number)).then_some(Self { scheme, number })
    }
}

impl FromStr for ElectronicAddress {
    type Err = BadElectronicAddress;

    fn from_str(text: &str) -> Result<Self, BadElectronicAddress> {
        let (scheme, number) = text.trim().split_once(':').ok_or(BadElectronicAddress)?;
        Self::new(scheme, number).ok_or(BadElectronicAddress)
    }
}

impl Value for ElectronicAddress {
    const WRITTEN: &'static str = "0184:13585628";

    fn fault(pointer: impl Into<String>, _typed: &str) -> Fault {
        Fault::new(pointer, FaultCode::ElectronicAddressInvalid)
    }
}

impl PartialSchema for ElectronicAddress {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(ELECTRONIC_ADDRESS.to_owned())))
            .max_length(Some(MOST))
            .description(Some(
                "The four digits of a scheme of Peppol, a colon and a number that is right in it, as `0184:13585628`.",
            ))
            .into()
    }
}

impl ToSchema for ElectronicAddress {}

impl std::fmt::Display for ElectronicAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.scheme, self.number)
    }
}

/// The address of a business of `country`: its own, else one that its numbers make; nothing where they make none.
pub fn address(
    own: Option<&str>,
    country: Country,
    vat_number: Option<&str>,
    company_number: Option<&str>,
) -> Option<ElectronicAddress> {
    if let Some(own) = own {
        return own.parse().ok();
    }
    let company_number = company_number.map(plain);
    let company_number = company_number.as_deref();
    let of_vat = |scheme: &str| {
        let number = format!("{country}{}", vat_number?);
        ElectronicAddress::new(scheme, &number)
    };
    let of_either = |scheme: &str, made: fn(&str) -> String| {
        let numbers = [company_number, vat_number];
        let mut made = numbers.into_iter().flatten().map(made);
        made.find_map(|number| ElectronicAddress::new(scheme, &number))
    };
    match country.as_str() {
        "DK" => of_either("0184", str::to_owned),
        "NO" => of_either("0192", |number| number.trim_end_matches("MVA").to_owned()),
        "SE" => of_either("0007", |number| number.chars().take(10).collect()),
        "FI" => of_either("0216", |number| format!("0037{number}")),
        "BE" => of_either("0208", str::to_owned),
        "NL" => of_vat("9944").or_else(|| ElectronicAddress::new("0106", company_number?)),
        code => of_vat(vat_scheme(code)?),
    }
}

/// The scheme of a country's VAT numbers.
fn vat_scheme(country: &str) -> Option<&'static str> {
    Some(match country {
        "AT" => "9914",
        "CZ" => "9929",
        "DE" => "9930",
        "ES" => "9920",
        "FR" => "9957",
        "GB" => "9932",
        "HU" => "9910",
        "IE" => "9935",
        "IT" => "0211",
        "LU" => "9938",
        "PL" => "9945",
        "PT" => "9946",
        "SK" => "9950",
        _ => return None,
    })
}

/// A number of a register without blanks, dots and hyphens.
fn plain(written: &str) -> String {
    let plain = written.chars().filter(char::is_ascii_alphanumeric);
    plain.collect()
}

/// Whether a number is right by the rule of its scheme; where Peppol has none, whether it may be one.
fn is_right(scheme: &str, number: &str) -> bool {
    let may_be = || (1..=50).contains(&number.len()) && number.bytes().all(may_stand);
    rule(scheme, number).unwrap_or_else(may_be)
}

/// Whether a number is right by the rule that Peppol has for its scheme (COMMON-R040 to R056); nothing where it has none.
pub(super) fn rule(scheme: &str, number: &str) -> Option<bool> {
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let are_alphanumeric = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    let has_digits = |count: usize| number.len() == count && are_digits(number);
    let behind = |prefix: &str| number.strip_prefix(prefix).unwrap_or(number);
    Some(match scheme {
        "0007" => has_digits(10) && has_luhn(number),
        "0088" => [8, 12, 13, 14].into_iter().any(has_digits) && has_gs1_check_digit(number),
        "0096" => has_digits(10),
        "0106" => has_digits(8),
        "0151" => has_digits(11) && is_australian(number),
        "0184" => behind("DK").len() == 8 && are_digits(behind("DK")),
        "0190" => has_digits(20),
        "0192" => has_digits(9) && has_mod11(number),
        "0198" => number.len() == 10 && behind("DK").len() == 8 && are_digits(behind("DK")),
        "0201" => number.len() == 6 && are_alphanumeric(number),
        "0208" => has_digits(10) && is_belgian(number),
        "0210" => has_digits(11) || (number.len() == 16 && are_alphanumeric(number)),
        "0211" => number.len() == 13 && behind("IT").len() == 11 && has_luhn(behind("IT")),
        "0216" => has_digits(12) && number.starts_with("0037"),
        "9944" => is_dutch(number),
        _ => return None,
    })
}

fn may_stand(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+*-._/:".contains(&byte)
}

fn has_luhn(number: &str) -> bool {
    let parts = number.split_at_checked(number.len().saturating_sub(1));
    parts.is_some_and(|(payload, check)| {
        luhn(payload).is_some_and(|digit| check.parse::<u32>() == Ok(digit))
    })
}

/// Weights 2 to 7 from the right on; the last digit makes the sum a multiple of 11.
fn has_mod11(digits: &str) -> bool {
    let digits = digits.chars().rev().map_while(|c| c.to_digit(10));
    let weights = std::iter::once(1).chain((2..=7).cycle());
    let sum: u32 = digits
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    sum > 0 && sum.is_multiple_of(11)
}

/// The first of eleven digits less one; weights 10, then the odd numbers from 1 on; the sum is a multiple of 89.
fn is_australian(digits: &str) -> bool {
    let weights = std::iter::once(10).chain((1..).step_by(2));
    let digits = digits.chars().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    sum.checked_sub(10)
        .is_some_and(|sum| sum.is_multiple_of(89))
}

fn is_belgian(digits: &str) -> bool {
    let parts = digits.split_at_checked(8);
    let numbers = parts.and_then(|(first, last)| {
        let first: u32 = first.parse().ok()?;
        Some((first, last.parse::<u32>().ok()?))
    });
    numbers.is_some_and(|(first, last)| last == 97 - first % 97)
}

/// `NL`, nine digits, `B`, two digits.
fn is_dutch(number: &str) -> bool {
    let digits = number
        .strip_prefix("NL")
        .and_then(|rest| rest.split_once('B'));
    let are =
        |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    digits.is_some_and(|(first, last)| are(first, 9) && are(last, 2))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::programme::{Programme, SHIPPED};

    #[test]
    fn an_address_is_made_of_the_numbers_of_its_country() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/money.json")).unwrap();
        for case in vectors["electronic_address"].as_array().unwrap() {
            let text = |name: &str| case[name].as_str();
            let country = text("country").unwrap().parse().unwrap();
            let made = address(
                text("own"),
                country,
                text("vat_number"),
                text("company_number"),
            );
            let made = made.map(|address| address.to_string());
            assert_eq!(made.as_deref(), text("address"), "{case}");
        }
    }

    #[test]
    fn an_address_of_its_own_is_right_in_its_scheme() {
        for good in [
            "0007:5567037485",
            "0088:5798009811578",
            "0096:1234567890",
            "0106:33166721",
            "0151:51824753556",
            "0190:00000001003214345000",
            "0201:UFABCD",
            "0210:RSSMRA85T10A562S",
            "0184:DK13585628",
            "0192:995525828",
            "0198:DK13585628",
            "0208:0428759497",
            "0211:IT00743110157",
            "0216:003712345678",
            "9930:DE136695976",
            "9944:NL005916343B01",
        ] {
            assert_eq!(good.parse::<ElectronicAddress>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "0184",
            "0184:",
            "0184:1358562",
            "0184:NO13585628",
            "9902:13585628",
            "0088:5798009811579",
            "0096:DK1234567890",
            "0096:123456789",
            "0151:51824753557",
            "0151:5182475355",
            "0151:00000000000",
            "0190:33166721",
            "0201:UFABC",
            "0210:RSSMRA85T10A562",
            "0007:5567037484",
            "0192:995525829",
            "0208:0428759498",
            "0211:IT00743110158",
            "0211:ITx074311015y",
            "9944:NL005916343C01",
            "9930:DE 136695976",
            "184:13585628",
        ] {
            assert_eq!(
                bad.parse::<ElectronicAddress>(),
                Err(BadElectronicAddress),
                "{bad}"
            );
        }
    }

    #[test]
    fn swedes_and_finns_have_their_register_in_their_vat_number() {
        let of = |country: &str, vat_number: &str| {
            let address = address(None, country.parse().unwrap(), Some(vat_number), None);
            address.unwrap().to_string()
        };
        assert_eq!(of("SE", "556703748501"), "0007:5567037485");
        assert_eq!(of("FI", "12345678"), "0216:003712345678");
        let company = address(None, "FI".parse().unwrap(), None, Some("1234567-8"));
        assert_eq!(company.unwrap().to_string(), "0216:003712345678");
    }

    static COUNTRIES: LazyLock<Vec<Country>> =
        LazyLock::new(|| Programme::parse(SHIPPED).unwrap().countries);

    proptest! {
        #[test]
        fn every_address_passes_its_schemes_own_rule(country in 0usize..19, vat in "[0-9]{8,12}|NL[0-9]{9}B01|[0-9]{9}B[0-9]{2}", company in "[A-Z0-9 -]{0,12}") {
            let country = COUNTRIES[country % COUNTRIES.len()];
            if let Some(made) = address(None, country, Some(&vat), Some(&company)) {
                prop_assert_eq!(made.to_string().parse(), Ok(made));
            }
        }
    }
}
