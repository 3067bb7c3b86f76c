//! Money: whole cents of one currency, and how it is rounded.

use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};

use super::text_column;
use super::values::Country;

/// The text is not three upper-case letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 currency code")]
pub struct BadCurrency;

/// A currency by its ISO 4217 code, three upper-case letters. Every currency is counted in cents.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");
    /// The Danish krone.
    pub const DKK: Self = Self(*b"DKK");

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether it is divided into a hundred (ISO 4217).
    pub fn has_cents(self) -> bool {
        const OTHERS: [&str; 25] = [
            "BHD", "BIF", "CLF", "CLP", "DJF", "GNF", "IQD", "ISK", "JOD", "JPY", "KMF", "KRW",
            "KWD", "LYD", "OMR", "PYG", "RWF", "TND", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
            "XPF",
        ];
        !OTHERS.contains(&self.as_str())
    }
}

/// The currency of a country in which the programme may be sold; nothing for any other.
pub fn own_currency(country: Country) -> Option<Currency> {
    let code = match country.as_str() {
        "AT" | "BE" | "DE" | "ES" | "FI" | "FR" | "IE" | "IT" | "LU" | "NL" | "PT" | "SK" => "EUR",
        "CZ" => "CZK",
        "DK" => "DKK",
        "GB" => "GBP",
        "HU" => "HUF",
        "NO" => "NOK",
        "PL" => "PLN",
        "SE" => "SEK",
        _ => return None,
    };
    code.parse().ok()
}

impl FromStr for Currency {
    type Err = BadCurrency;

    fn from_str(text: &str) -> Result<Self, BadCurrency> {
        match text.as_bytes() {
            &[a @ b'A'..=b'Z', b @ b'A'..=b'Z', c @ b'A'..=b'Z'] => Ok(Self([a, b, c])),
            _ => Err(BadCurrency),
        }
    }
}

text_column!(Currency, "^[A-Z]{3}$");

/// The text is not an amount with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an amount with two decimals")]
pub struct BadAmount;

/// The `format` of the schema of an amount.
pub const AMOUNT: &str = "amount";

/// Whether nothing but its size keeps a text from being read: how an amount is written is its pattern's.
pub fn is_countable(text: &str) -> bool {
    digits_of(text).is_none() || text.parse::<Amount>().is_ok()
}

/// The sign and all digits of an amount with two decimals; nothing where the text is written otherwise.
fn digits_of(text: &str) -> Option<String> {
    let (whole, cents) = text.split_once('.')?;
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let only_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let is_written_so =
        !digits.is_empty() && cents.len() == 2 && only_digits(digits) && only_digits(cents);
    is_written_so.then(|| format!("{whole}{cents}"))
}

/// Cents as a decimal string with two decimals: `100.00`. The currency is known from beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub i64);

impl Amount {
    /// The largest that can be counted.
    pub const MAX: Self = Self(i64::MAX);
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl FromStr for Amount {
    type Err = BadAmount;

    fn from_str(text: &str) -> Result<Self, BadAmount> {
        let all = digits_of(text).ok_or(BadAmount)?;
        all.parse().map(Self).map_err(|_| BadAmount)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// An amount of money: `{"amount":"100.00","currency":"EUR"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Whole cents; negative for what is taken back.
    pub cents: i64,
    /// The currency.
    pub currency: Currency,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoneyText {
    amount: Amount,
    currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (amount, currency) = (Amount(self.cents), self.currency);
        MoneyText { amount, currency }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MoneyText::deserialize(deserializer).map(|text| Self::new(text.amount.0, text.currency))
    }
}

impl utoipa::PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        let text = |pattern: &str| {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some(pattern))
        };
        let amount = text("^-?[0-9]+\\.[0-9]{2}$")
            .format(Some(SchemaFormat::Custom(AMOUNT.to_owned())))
            .description(Some(format!("At most {}.", Amount::MAX)));
        ObjectBuilder::new()
            .property("amount", amount)
            .property("currency", text("^[A-Z]{3}$"))
            .required("amount")
            .required("currency")
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .into()
    }
}

impl utoipa::ToSchema for Money {}

impl Money {
    /// So many cents.
    pub fn new(cents: i64, currency: Currency) -> Self {
        Self { cents, currency }
    }

    /// The sum; nothing where the currencies differ or the sum leaves 64 bits.
    pub fn plus(self, other: Self) -> Option<Self> {
        let cents = self.cents.checked_add(other.cents)?;
        (self.currency == other.currency).then(|| Self::new(cents, self.currency))
    }

    /// The sum of all, in `currency`; nothing where one has another currency.
    pub fn sum(items: impl IntoIterator<Item = Self>, currency: Currency) -> Option<Self> {
        items
            .into_iter()
            .try_fold(Self::new(0, currency), Self::plus)
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.currency.as_str(), Amount(self.cents))
    }
}

/// The whole number nearest to `numerator` / `denominator`, half of one rounded away from zero; 0 where the denominator is.
pub fn half_up(numerator: i128, denominator: i128) -> i64 {
    let (numerator, denominator) = match denominator < 0 {
        true => (-numerator, -denominator),
        false => (numerator, denominator),
    };
    let doubled = 2 * numerator.abs() + denominator;
    let whole = doubled.checked_div(2 * denominator).unwrap_or(0);
    let signed = if numerator < 0 { -whole } else { whole };
    i64::try_from(signed).unwrap_or(i64::MAX)
}

/// `rate` (0.25 is 25 %) of `cents`, half a cent rounded away from zero (rules, section 10).
pub fn percentage_half_up(cents: i64, rate: Decimal) -> i64 {
    Decimal::from(cents)
        .checked_mul(rate)
        .map(|exact| exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero))
        .and_then(|whole| i64::try_from(whole).ok())
        .unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_share_is_rounded_half_up() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/money.json")).unwrap();
        for case in vectors["half_up"].as_array().unwrap() {
            let number = |name: &str| case[name].as_i64().unwrap();
            let whole = half_up(number("numerator").into(), number("denominator").into());
            assert_eq!(whole, number("whole"), "{case}");
        }
        assert_eq!(half_up(1, 0), 0);
        assert_eq!(half_up(3, -2), -2);
    }

    #[test]
    fn half_a_cent_is_rounded_up() {
        let rate = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(percentage_half_up(35000, rate("0.25")), 8750);
        assert_eq!(percentage_half_up(2, rate("0.25")), 1);
        assert_eq!(percentage_half_up(1, rate("0.25")), 0);
        assert_eq!(percentage_half_up(-2, rate("0.25")), -1);
        assert_eq!(percentage_half_up(1000, rate("0.255")), 255);
    }

    #[test]
    fn euros_and_kroner_are_not_added() {
        let (euro, krone) = (Money::new(1, Currency::EUR), Money::new(1, Currency::DKK));
        assert_eq!(euro.plus(krone), None);
        assert_eq!(Money::sum([euro, krone], Currency::EUR), None);
        assert_eq!(
            Money::sum([euro, euro], Currency::EUR),
            Some(Money::new(2, Currency::EUR))
        );
        assert_eq!(Money::new(i64::MAX, Currency::EUR).plus(euro), None);
    }

    #[test]
    fn a_seller_has_the_currency_of_its_country() {
        let own = |code: &str| own_currency(code.parse().unwrap());
        assert_eq!(own("NL"), Some(Currency::EUR));
        assert_eq!(own("DK"), Some(Currency::DKK));
        assert_eq!(own("CH"), None);
        assert!(Currency::DKK.has_cents() && !"JPY".parse::<Currency>().unwrap().has_cents());
    }

    #[test]
    fn an_amount_has_exactly_two_decimals() {
        for bad in [
            "", "1", "1.0", "1.000", ".00", "-.00", "+1.00", "1,00", "--1.00", "1.-1",
        ] {
            assert_eq!(bad.parse::<Amount>(), Err(BadAmount), "{bad}");
        }
        // Its size alone is not the pattern's.
        assert!(is_countable("1,00") && is_countable("92233720368547758.07"));
        assert!(!is_countable("92233720368547758.08"));
        let json = r#"{"amount":"-0.05","currency":"EUR"}"#;
        let money: Money = serde_json::from_str(json).unwrap();
        assert_eq!(money, Money::new(-5, Currency::EUR));
        assert_eq!(serde_json::to_string(&money).unwrap(), json);
        assert_eq!(Money::new(10000, Currency::DKK).to_string(), "DKK 100.00");
    }

    proptest! {
        #[test]
        fn an_amount_survives_its_text(cents: i64) {
            prop_assert_eq!(Amount(cents).to_string().parse(), Ok(Amount(cents)));
        }

        #[test]
        fn rounding_is_never_off_by_more_than_half_a_cent(cents in -1_000_000_000i64..1_000_000_000, rate in 0i64..1000) {
            let exact = cents * rate;
            let rounded = percentage_half_up(cents, Decimal::new(rate, 3)) * 1000;
            prop_assert!((rounded - exact).abs() <= 500);
        }
    }
}
