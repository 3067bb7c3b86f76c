//! VAT between two businesses: which treatment, and at which rate. What it comes to on an invoice is in `invoice`.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

use super::values::{Country, PostalArea, area_of};
use crate::types::text_enum;

text_enum! {
    /// How VAT is charged (rules, section 10).
    pub enum VatTreatment {
        /// At the rate of the seller's country.
        Standard = "standard",
        /// The buyer accounts for it: Directive 2006/112 articles 44 and 196.
        ReverseCharge = "reverse_charge",
        /// Outside the Union.
        OutsideScope = "outside_scope",
    }
}

/// Section `[vat]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VatRules {
    /// The countries among which reverse charge holds.
    pub union: Vec<Country>,
    /// The parts of countries that VAT or the programme tells from the rest.
    pub territories: Vec<PostalArea>,
    /// The standard rate by country; 0.25 is 25 %.
    #[serde(deserialize_with = "rates")]
    pub rates: BTreeMap<Country, Decimal>,
}

/// A rate as a decimal string; read one by one, so that a fault is that of its line.
struct Rate(Decimal);

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Decimal::from_str_exact(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

fn rates<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Country, Decimal>, D::Error> {
    let rates = BTreeMap::<Country, Rate>::deserialize(deserializer)?;
    Ok(rates
        .into_iter()
        .map(|(country, rate)| (country, rate.0))
        .collect())
}

/// How VAT is charged on an invoice, and at which rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vat {
    /// The treatment.
    pub treatment: VatTreatment,
    /// The rate; 0 unless the treatment is `standard`.
    pub rate: Decimal,
}

/// The VAT between two businesses, the buyer at `postal_code` (rules, section 10; Directive 2006/112 articles 6, 44 and 196): outside the scope for a
/// buyer in a territory that is no part of its country's VAT area, whoever sells; else the rate of the country where both are, reverse charge between
/// two countries of the Union with or without a VAT number, and outside the scope for all others. Nothing where the programme has no rate of the
/// country where both are.
pub fn treatment(
    seller: Country,
    (buyer, postal_code): (Country, &str),
    rules: &VatRules,
) -> Option<Vat> {
    let territory = area_of(&rules.territories, buyer, postal_code);
    let none = |treatment| {
        let rate = Decimal::ZERO;
        Some(Vat { treatment, rate })
    };
    if territory.is_some_and(|territory| !territory.in_vat_area) {
        none(VatTreatment::OutsideScope)
    } else if seller == buyer {
        let rate = rules.rates.get(&seller).copied();
        let treatment = VatTreatment::Standard;
        rate.map(|rate| Vat { treatment, rate })
    } else if rules.union.contains(&seller) && rules.union.contains(&buyer) {
        none(VatTreatment::ReverseCharge)
    } else {
        none(VatTreatment::OutsideScope)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::invoice::totals;
    use crate::domain::money::Amount;
    use crate::programme::{Programme, SHIPPED};

    static PROGRAMME: LazyLock<Programme> = LazyLock::new(|| Programme::parse(SHIPPED).unwrap());

    fn country(value: &Value) -> Country {
        value.as_str().unwrap().parse().unwrap()
    }

    #[test]
    fn vat_follows_seller_and_buyer() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/vat_treatment.json")).unwrap();
        let rules = &PROGRAMME.vat;
        for case in vectors["cases"].as_array().unwrap() {
            let postal_code = case["postal_code"].as_str().unwrap_or_default();
            let buyer = (country(&case["buyer"]), postal_code);
            let vat = treatment(country(&case["seller"]), buyer, rules).unwrap();
            assert_eq!(vat.treatment.as_str(), case["treatment"], "{case}");
            if let Some(rate) = case["rate"].as_str() {
                assert_eq!(vat.rate.to_string(), rate, "{case}");
            }
            let net: Amount = case["net"].as_str().unwrap().parse().unwrap();
            let sums = totals(&[net.0], vat.rate).unwrap();
            let shown = Amount(sums.vat).to_string();
            assert_eq!(shown, case["vat"].as_str().unwrap(), "{case}");
            assert_eq!(sums.gross, net.0 + sums.vat);
        }
    }

    #[test]
    fn a_territory_decides_by_the_postal_code() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/money.json")).unwrap();
        let rules = &PROGRAMME.vat;
        for case in vectors["vat_treatment"].as_array().unwrap() {
            let (buyer, code) = (
                country(&case["buyer"]),
                case["postal_code"].as_str().unwrap(),
            );
            let vat = treatment(country(&case["seller"]), (buyer, code), rules).unwrap();
            assert_eq!(vat.treatment.as_str(), case["treatment"], "{case}");
            let rate: Decimal = case["rate"].as_str().unwrap().parse().unwrap();
            assert_eq!(vat.rate, rate, "{case}");
            let territory = area_of(&rules.territories, buyer, code);
            let takes_part = territory.is_none_or(|territory| territory.takes_part);
            assert_eq!(takes_part, case["takes_part"], "{case}");
            let name = territory.map(|territory| territory.name.as_str());
            assert_eq!(name, case["territory"].as_str(), "{case}");
        }
    }

    #[test]
    fn each_territory_is_told_from_its_neighbours() {
        let rules = &PROGRAMME.vat;
        let treatment = |country: &str, postal_code| {
            let buyer = (country.parse().unwrap(), postal_code);
            let vat = treatment("NL".parse().unwrap(), buyer, rules);
            vat.unwrap().treatment
        };
        for (country, outside, inside) in [
            (
                "ES",
                &["35001", "38004", "51001", "52006", "ES-35001"][..],
                &["28013", "07001", "13500"][..],
            ),
            (
                "FI",
                &["22100", "FI-22100", "AX 22 100"],
                &["00100", "20100"],
            ),
            (
                "DE",
                &["78266", "27498", "D-27498"],
                &["78267", "10115", "27499"],
            ),
            ("IT", &["23041", "22061"], &["23030", "22060", "00184"]),
            (
                "FR",
                &[
                    "97110", "97200", "97300", "97400", "97500", "97600", "97133", "97150", "98800",
                ],
                &["75001", "20000", "98000"],
            ),
            ("DK", &["3900", "100"], &["1058", "8000", "3000"]),
            ("PT", &[], &["9000-018", "9500-150"]),
        ] {
            for code in outside {
                let told = treatment(country, code);
                assert_eq!(told, VatTreatment::OutsideScope, "{country} {code}");
            }
            for code in inside {
                let told = treatment(country, code);
                assert_eq!(told, VatTreatment::ReverseCharge, "{country} {code}");
            }
        }
    }

    #[test]
    fn what_takes_no_part_and_still_is_of_its_countrys_vat_area_pays_its_vat() {
        let rules = &PROGRAMME.vat;
        for (country, code) in [("ES", "07001"), ("GB", "BT1 5GS"), ("GB", "IM1 1AA")] {
            let country: Country = country.parse().unwrap();
            let vat = treatment(country, (country, code), rules).unwrap();
            assert_eq!(vat.treatment, VatTreatment::Standard, "{country} {code}");
        }
    }

    proptest! {
        #[test]
        fn every_pair_of_countries_has_an_answer_however_the_code_is_typed(seller in 0usize..19, buyer in 0usize..19, digits in "[0-9]{3,6}", at in 0usize..6) {
            let of = |at: usize| PROGRAMME.countries[at % PROGRAMME.countries.len()];
            let (seller, buyer) = (of(seller), of(buyer));
            let answer = |code: &str| treatment(seller, (buyer, code), &PROGRAMME.vat).unwrap();
            let (before, after) = digits.split_at(at.min(digits.len()));
            let plain = answer(&digits);
            prop_assert_eq!(answer(&format!("{buyer}-{before} {after}")), plain);
            prop_assert_eq!(answer(&format!(" {before}-{after} ")), plain);
            prop_assert_eq!(plain.rate.is_zero(), plain.treatment != VatTreatment::Standard);
        }
    }
}
