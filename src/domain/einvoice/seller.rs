//! Whether the numbers that a programme gives its seller can stand in an electronic invoice.

use super::address::rule;
use super::{ElectronicAddress, address, registers};
use crate::domain::values::{CompanyNumber, Country};

/// What a seller is known by.
#[derive(Debug, Clone, Copy)]
pub struct SellerNumbers<'a> {
    pub country: Country,
    pub vat_number: &'a str,
    pub company_number: Option<&'a str>,
    pub company_scheme: Option<&'a str>,
    pub electronic_address: Option<&'a str>,
}

impl SellerNumbers<'_> {
    /// What is wrong, behind the name of the entry.
    pub fn check(self) -> Result<(), (&'static str, String)> {
        let (country, registers) = (self.country, registers(self.country));
        let is_abroad = |scheme: &str| !registers.is_empty() && !registers.contains(&scheme);
        let is_wrong = |number: &str| !self.is_registered(number);
        let is_nowhere = |own: &str| own.parse::<ElectronicAddress>().is_err();
        if self.company_scheme.is_some_and(is_abroad) {
            let registers = registers.join(" or ");
            let fault =
                format!("a seller in {country} has its number in a register of {registers}");
            Err(("company_scheme", fault))
        } else if self.company_scheme.is_some_and(is_no_register) {
            let fault = "a register is named by its four digits of ISO 6523".to_owned();
            Err(("company_scheme", fault))
        } else if self.company_number.is_some_and(is_wrong) {
            let fault = "the register gives out no such number".to_owned();
            Err(("company_number", fault))
        } else if self.electronic_address.is_some_and(is_nowhere) {
            let fault =
                "expected the four digits of a scheme, a colon and a number that is right in it";
            Err(("electronic_address", fault.to_owned()))
        } else {
            Ok(())
        }
    }

    /// The entry without which there is no electronic invoice for some buyer (BR-CO-26, NL-R-003, DK-R-002, R020), where one lacks.
    pub fn lacking(self) -> Option<&'static str> {
        let own = self.electronic_address;
        let numbers = (Some(self.vat_number), self.company_number);
        if self.company_number.is_none() {
            Some("company_number")
        } else if self.company_scheme.is_none() {
            Some("company_scheme")
        } else if address(own, self.country, numbers.0, numbers.1).is_none() {
            Some("electronic_address")
        } else {
            None
        }
    }

    /// Whether a number is right by the rule of its scheme, and by the check digits of the country whose register that is.
    fn is_registered(self, number: &str) -> bool {
        let Some(scheme) = self.company_scheme else {
            return CompanyNumber::read(self.country, number).is_ok();
        };
        let register = match scheme {
            "0007" => Some("SE"),
            "0106" => Some("NL"),
            "0184" => Some("DK"),
            "0192" => Some("NO"),
            "0208" => Some("BE"),
            "0212" => Some("FI"),
            _ => None,
        };
        let is_read = |country| CompanyNumber::read(country, number).is_ok();
        match (rule(scheme, number), register.map(str::parse::<Country>)) {
            (Some(false), _) => false,
            (_, Some(Ok(country))) => is_read(country),
            (Some(true), _) => true,
            (None, _) => is_read(self.country),
        }
    }
}

/// Codes from 9900 on are of Peppol's own list: addresses have them, registers do not (BR-CL-11).
fn is_no_register(scheme: &str) -> bool {
    let are_digits = scheme.bytes().all(|byte| byte.is_ascii_digit());
    scheme.len() != 4 || !are_digits || scheme.starts_with("99")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seller<'a>(country: &str, number: &'a str, scheme: &'a str) -> SellerNumbers<'a> {
        SellerNumbers {
            country: country.parse().unwrap(),
            vat_number: "999999990B51",
            company_number: Some(number),
            company_scheme: Some(scheme).filter(|scheme| !scheme.is_empty()),
            electronic_address: None,
        }
    }

    #[test]
    fn a_number_is_right_in_the_register_that_gave_it_out() {
        for (country, number, scheme) in [
            ("NL", "99999999", "0106"),
            ("NL", "00000001003214345000", "0190"),
            ("DK", "13585628", "0184"),
            ("NO", "995525828", "0192"),
            ("SE", "5567037485", "0007"),
            ("BE", "0428759497", "0208"),
            ("DE", "HRB 12345", ""),
            ("DE", "5798009811578", "0088"),
        ] {
            assert_eq!(seller(country, number, scheme).check(), Ok(()), "{number}");
        }
        for (country, number, scheme, entry) in [
            ("NL", "9999999", "0106", "company_number"),
            ("NL", "99 99 99 99", "0106", "company_number"),
            ("NL", "99999999", "0190", "company_number"),
            ("NL", "", "0106", "company_number"),
            ("DK", "13585627", "0184", "company_number"),
            ("NO", "995525829", "0192", "company_number"),
            ("DE", "5798009811579", "0088", "company_number"),
            ("DE", "\u{d8}", "", "company_number"),
            ("NL", "99999999", "0184", "company_scheme"),
            ("DE", "HRB12345", "9930", "company_scheme"),
            ("DE", "HRB12345", "KVK", "company_scheme"),
        ] {
            let fault = seller(country, number, scheme).check().unwrap_err();
            assert_eq!(fault.0, entry, "{number} {scheme}");
        }
        let own = |own: &'static str| SellerNumbers {
            electronic_address: Some(own),
            ..seller("NL", "99999999", "0106")
        };
        assert!(own("0106:99999999").check().is_ok());
        assert_eq!(
            own("0106:9999999").check().unwrap_err().0,
            "electronic_address"
        );
    }

    #[test]
    fn what_an_electronic_invoice_lacks_is_named() {
        let whole = seller("NL", "99999999", "0106");
        assert_eq!(whole.lacking(), None);
        let (number, scheme) = (None, None);
        let lacking = [
            SellerNumbers {
                company_number: number,
                ..whole
            }
            .lacking(),
            SellerNumbers {
                company_scheme: scheme,
                ..whole
            }
            .lacking(),
            seller("US", "99999999", "0106").lacking(),
        ];
        let entries = ["company_number", "company_scheme", "electronic_address"];
        assert_eq!(lacking, entries.map(Some));
    }
}
