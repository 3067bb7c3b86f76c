//! Areas of a country that its postal codes tell apart. What VAT makes of them is in `vat`.

use regex::Regex;
use serde::{Deserialize, Deserializer};

use super::Country;

/// An area as the programme names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostalArea {
    /// What people call it.
    pub name: String,
    /// The country whose addresses it is part of.
    pub country: Country,
    /// A regular expression of its postal codes: the whole code, in upper case, without blanks, hyphens and the country's own letters.
    #[serde(deserialize_with = "whole")]
    postal_codes: Regex,
    /// Whether its businesses may register.
    #[serde(default = "yes")]
    pub takes_part: bool,
    /// Whether it is part of its country's VAT area (Directive 2006/112 article 6).
    #[serde(default)]
    pub in_vat_area: bool,
}

fn yes() -> bool {
    true
}

impl PostalArea {
    fn holds(&self, country: Country, postal_code: &str) -> bool {
        self.country == country && self.postal_codes.is_match(postal_code)
    }
}

/// The first of `areas` that an address lies in.
pub fn area_of<'a>(
    areas: &'a [PostalArea],
    country: Country,
    postal_code: &str,
) -> Option<&'a PostalArea> {
    let key = key(country, postal_code);
    areas.iter().find(|area| area.holds(country, &key))
}

/// A postal code as it is compared.
fn key(country: Country, typed: &str) -> String {
    let upper = typed.to_uppercase();
    let key: String = upper.chars().filter(|c| c.is_alphanumeric()).collect();
    match key.strip_prefix(country.as_str()) {
        Some(digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.to_owned(),
        _ => key,
    }
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
    let pattern = String::deserialize(deserializer)?;
    Regex::new(&format!("^(?:{pattern})$")).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::{Programme, SHIPPED};

    #[test]
    fn an_area_is_told_however_its_postal_code_is_typed() {
        let areas = Programme::parse(SHIPPED).unwrap().vat.territories;
        let area = |country: &str, postal_code: &str| {
            let found = area_of(&areas, country.parse().unwrap(), postal_code);
            found.map(|area| area.name.as_str())
        };
        for (country, postal_code, name) in [
            ("ES", "07001", "Balearic Islands"),
            ("ES", "35001", "Canary Islands"),
            ("ES", "ES-38001", "Canary Islands"),
            ("ES", "51 001", "Ceuta"),
            ("ES", "52002", "Melilla"),
            ("GB", "BT1 5GS", "Northern Ireland"),
            ("GB", "bt15gs", "Northern Ireland"),
            ("GB", "JE2 3AB", "Channel Islands"),
            ("GB", "GY1 1AA", "Channel Islands"),
            ("GB", "IM1 1AA", "Isle of Man"),
            ("DK", "3900", "Greenland"),
            ("DK", "DK-3992", "Greenland"),
            ("DK", "FO-100", "Faroe Islands"),
            ("DK", "970", "Faroe Islands"),
        ] {
            assert_eq!(area(country, postal_code), Some(name), "{postal_code}");
        }
        for (country, postal_code) in [
            ("ES", "28001"),
            ("ES", "08001"),
            ("GB", "B1 1TT"),
            ("GB", "G1 1AA"),
            ("GB", "BT"),
            ("DK", "1058"),
            ("DK", "3790"),
            ("SE", "351 01"),
            ("DE", "38001"),
            ("DE", "27499"),
        ] {
            assert_eq!(area(country, postal_code), None, "{postal_code}");
        }
    }
}
