//! Areas of a country that its postal codes tell apart. What VAT makes of them is in `vat`.

use regex::Regex;
use serde::{Deserialize, Deserializer};
use unicode_normalization::UnicodeNormalization;

use super::Country;

/// An area as the programme names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostalArea {
    /// What people call it.
    pub name: String,
    /// The country whose addresses it is part of.
    pub country: Country,
    /// A regular expression of its postal codes: the whole code, in upper case, without blanks, hyphens and what names the country.
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
    fn holds(&self, country: Country, readings: &[&str]) -> bool {
        let is_code = |reading: &&str| self.postal_codes.is_match(reading);
        self.country == country && readings.iter().any(is_code)
    }
}

/// The first of `areas` that an address lies in.
pub fn area_of<'a>(
    areas: &'a [PostalArea],
    country: Country,
    postal_code: &str,
) -> Option<&'a PostalArea> {
    let key = key(postal_code);
    let readings = readings(country, &key);
    areas.iter().find(|area| area.holds(country, &readings))
}

/// A postal code as it is compared: its letters and digits, in upper case, each in its plain form.
fn key(typed: &str) -> String {
    let plain: String = typed.nfkc().collect();
    let upper = plain.to_uppercase();
    upper.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// What names Great Britain in front of a postal code, which has letters of its own.
const BRITISH: [&str; 3] = ["GB", "GBR", "UK"];

/// Whatever a key may mean: all of it, what stands behind the country's name, and, where nothing but digits does, what stands behind any letters. Those are the
/// sign of the country on cars (`E-35001`), that of the neighbour whose post comes there (`CH-8238`) or the island's own (`DK-FO-100`).
fn readings(country: Country, key: &str) -> Vec<&str> {
    let own = [country.as_str()];
    let names = match country.as_str() {
        "GB" => BRITISH.as_slice(),
        _ => own.as_slice(),
    };
    let behind_name = names.iter().filter_map(|name| key.strip_prefix(*name));
    let digits = key.trim_start_matches(|c: char| !c.is_ascii_digit());
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let all = [key].into_iter().chain(behind_name);
    all.chain(Some(digits).filter(|_| is_number)).collect()
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Regex, D::Error> {
    let pattern = String::deserialize(deserializer)?;
    Regex::new(&format!("^(?:{pattern})$")).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::{Programme, SHIPPED};

    /// A territory, two of its codes with a neighbour's between them, and what may name the country in front of them.
    const PLACES: [(&str, &str, &str, &str, &[&str]); 18] = [
        ("Balearic Islands", "ES", "07001", "08001", &["ES", "E"]),
        ("Canary Islands", "ES", "35001", "34001", &["ES", "E"]),
        ("Canary Islands", "ES", "38900", "39001", &["ES", "E"]),
        ("Ceuta", "ES", "51001", "50001", &["ES", "E"]),
        ("Melilla", "ES", "52006", "53001", &["ES", "E"]),
        (
            "Northern Ireland",
            "GB",
            "BT1 5GS",
            "B1 1TT",
            &["GB", "UK", "GBR"],
        ),
        (
            "Channel Islands",
            "GB",
            "JE2 3AB",
            "E2 3AB",
            &["GB", "UK", "GBR"],
        ),
        (
            "Channel Islands",
            "GB",
            "GY1 1AA",
            "G1 1AA",
            &["GB", "UK", "GBR"],
        ),
        (
            "Isle of Man",
            "GB",
            "IM1 1AA",
            "M1 1AA",
            &["GB", "UK", "GBR"],
        ),
        ("Greenland", "DK", "3900", "3790", &["DK", "GL", "DK-GL"]),
        ("Greenland", "DK", "2412", "2413", &["DK", "GL", "DK-GL"]),
        (
            "Faroe Islands",
            "DK",
            "100",
            "1000",
            &["DK", "FO", "DK-FO", "FR"],
        ),
        (
            "\u{c5}land",
            "FI",
            "22100",
            "21100",
            &["FI", "AX", "FIN", "FI-AX"],
        ),
        ("B\u{fc}singen", "DE", "78266", "78267", &["DE", "D"]),
        ("B\u{fc}singen", "DE", "8238", "8239", &["CH", "DE-CH"]),
        ("Heligoland", "DE", "27498", "27499", &["DE", "D"]),
        ("Livigno", "IT", "23041", "23042", &["IT", "I"]),
        ("Campione d'Italia", "IT", "6911", "6912", &["CH", "IT-CH"]),
    ];

    const FRENCH: &[&str] = &["FR", "F"];
    const ITALIAN: &[&str] = &["IT", "I"];

    #[test]
    fn an_area_is_told_however_its_postal_code_is_typed() {
        let areas = Programme::parse(SHIPPED).unwrap().vat.territories;
        let area = |country: &str, postal_code: &str| {
            let found = area_of(&areas, country.parse().unwrap(), postal_code);
            found.map(|area| area.name.as_str())
        };
        let french = ["97100", "97200", "97300", "97400", "97500", "97600"]
            .into_iter()
            .chain(["97700", "97800", "98400", "98600", "98700", "98800"])
            .map(|code| ("French overseas territories", "FR", code, "98000", FRENCH));
        let campione = ("Campione d'Italia", "IT", "22061", "22062", ITALIAN);
        let all = PLACES.into_iter().chain(french).chain([campione]);
        for (name, country, inside, outside, prefixes) in all {
            for (code, expected) in [(inside, Some(name)), (outside, None)] {
                let bare = code.replace(' ', "");
                let (first, last) = bare.split_at(bare.len() - 1);
                let wide: String = bare.chars().map(wide).collect();
                let mut spellings = vec![code.to_owned(), bare.clone(), bare.to_lowercase(), wide];
                spellings.push(format!("{first} {last}"));
                for prefix in prefixes {
                    for between in ["-", " ", "", " - "] {
                        spellings.push(format!("{prefix}{between}{code}"));
                        spellings.push(format!("{prefix}{between}{bare}").to_lowercase());
                    }
                }
                for typed in spellings {
                    assert_eq!(area(country, &typed), expected, "{country} {typed}");
                }
            }
        }
    }

    /// As it is typed on keyboards of the east.
    fn wide(c: char) -> char {
        char::from_u32(u32::from(c) + 0xfee0).unwrap()
    }

    #[test]
    fn a_code_of_elsewhere_is_in_no_area() {
        let areas = Programme::parse(SHIPPED).unwrap().vat.territories;
        for (country, postal_code) in [
            ("ES", "28001"),
            ("GB", "BT"),
            ("GB", ""),
            ("DK", "1058"),
            ("DK", "DK"),
            ("SE", "351 01"),
            ("DE", "38001"),
            ("NO", "N-3900"),
            ("FR", "MC-98000"),
        ] {
            let found = area_of(&areas, country.parse().unwrap(), postal_code);
            assert!(found.is_none(), "{postal_code}");
        }
    }
}
