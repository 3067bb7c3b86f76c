//! How an amount, a date and a country are written in the way of a language. Texts around them are in `texts`.

use chrono::{Datelike, NaiveDate};

use rust_decimal::Decimal;

use super::language::Language;
use super::money::Amount;
use super::values::Country;

const MONTHS: [(&str, &str); 12] = [
    ("januar", "January"),
    ("februar", "February"),
    ("marts", "March"),
    ("april", "April"),
    ("maj", "May"),
    ("juni", "June"),
    ("juli", "July"),
    ("august", "August"),
    ("september", "September"),
    ("oktober", "October"),
    ("november", "November"),
    ("december", "December"),
];

const COUNTRIES: [(&str, &str, &str); 19] = [
    ("AT", "Østrig", "Austria"),
    ("BE", "Belgien", "Belgium"),
    ("CZ", "Tjekkiet", "Czechia"),
    ("DE", "Tyskland", "Germany"),
    ("DK", "Danmark", "Denmark"),
    ("ES", "Spanien", "Spain"),
    ("FI", "Finland", "Finland"),
    ("FR", "Frankrig", "France"),
    ("GB", "Storbritannien", "United Kingdom"),
    ("HU", "Ungarn", "Hungary"),
    ("IE", "Irland", "Ireland"),
    ("IT", "Italien", "Italy"),
    ("LU", "Luxembourg", "Luxembourg"),
    ("NL", "Nederlandene", "Netherlands"),
    ("NO", "Norge", "Norway"),
    ("PL", "Polen", "Poland"),
    ("PT", "Portugal", "Portugal"),
    ("SE", "Sverige", "Sweden"),
    ("SK", "Slovakiet", "Slovakia"),
];

/// The name of a country that takes part, of another its code.
pub fn country(language: Language, country: &Country) -> &str {
    let named = COUNTRIES
        .iter()
        .find(|(code, ..)| *code == country.as_str());
    named.map_or(country.as_str(), |(_, danish, english)| match language {
        Language::Da => danish,
        Language::En => english,
    })
}

/// A rate of 0.255 as `25,5` or `25.5`.
pub fn percent(language: Language, rate: Decimal) -> String {
    let percent = (rate * Decimal::ONE_HUNDRED).normalize().to_string();
    match language {
        Language::Da => percent.replace('.', ","),
        Language::En => percent,
    }
}

/// `5. marts 2026` or `5 March 2026`.
pub fn date(language: Language, date: NaiveDate) -> String {
    let (danish, english) = MONTHS
        .get(date.month0() as usize)
        .copied()
        .unwrap_or_default();
    match language {
        Language::Da => format!("{}. {danish} {}", date.day(), date.year()),
        Language::En => format!("{} {english} {}", date.day(), date.year()),
    }
}

/// The first and the last day of a period: `26. november 2026 til 25. november 2027`.
pub fn period(language: Language, (first, last): (NaiveDate, NaiveDate)) -> String {
    let to = match language {
        Language::Da => "til",
        Language::En => "to",
    };
    format!("{} {to} {}", date(language, first), date(language, last))
}

/// `1.234.567,00` or `1,234,567.00`.
pub fn amount(language: Language, amount: Amount) -> String {
    let (between, before_cents) = match language {
        Language::Da => ('.', ','),
        Language::En => (',', '.'),
    };
    let sign = if amount.0 < 0 { "-" } else { "" };
    let cents = amount.0.unsigned_abs();
    let digits = (cents / 100).to_string();
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(between);
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{before_cents}{:02}", cents % 100)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_language_writes_in_its_own_way() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/money.json")).unwrap();
        for case in vectors["words"].as_array().unwrap() {
            let language = case["language"].as_str().unwrap().parse().unwrap();
            let shown = match case["date"].as_str() {
                Some(day) => date(language, day.parse().unwrap()),
                None => amount(language, case["amount"].as_str().unwrap().parse().unwrap()),
            };
            assert_eq!(shown, case["shown"], "{case}");
        }
    }

    #[test]
    fn a_country_and_a_rate_are_written_as_each_language_has_them() {
        let (there, elsewhere) = (Country::DK, "GR".parse().unwrap());
        assert_eq!(country(Language::Da, &there), "Danmark");
        assert_eq!(country(Language::En, &there), "Denmark");
        assert_eq!(country(Language::Da, &elsewhere), "GR");
        let rate = "0.2550".parse().unwrap();
        assert_eq!(percent(Language::Da, rate), "25,5");
        assert_eq!(percent(Language::En, rate), "25.5");
    }

    #[test]
    fn a_period_names_its_first_and_its_last_day() {
        let days = ("2026-11-26".parse().unwrap(), "2027-11-25".parse().unwrap());
        let danish = "26. november 2026 til 25. november 2027";
        assert_eq!(period(Language::Da, days), danish);
        assert_eq!(
            period(Language::En, days),
            "26 November 2026 to 25 November 2027"
        );
    }
}
