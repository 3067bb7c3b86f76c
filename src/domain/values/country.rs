//! Countries by their ISO 3166-1 alpha-2 code.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat};

use super::{BadValue, Value};
use crate::domain::text_column;
use crate::error::{Fault, FaultCode};

/// The `format` of its schema.
pub const FORMAT: &str = "iso-3166-1-alpha-2";

/// Every code that ISO 3166-1 has officially assigned.
const ASSIGNED: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ \
    BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR \
    CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU \
    ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ \
    LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ \
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF \
    PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI \
    SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR \
    TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// The code of a country, officially assigned by ISO 3166-1. Which countries take part says the programme.
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
pub struct Country([u8; 2]);

impl Country {
    /// Denmark.
    pub const DK: Self = Self(*b"DK");

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Country {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let code = Self::of_shape(text).filter(|code| code.is_assigned());
        code.ok_or(BadValue(Self::WRITTEN))
    }
}

impl Country {
    /// Two upper-case letters: what a database may hold from before a code was assigned, or since it is no longer.
    fn of_shape(text: &str) -> Option<Self> {
        match text.as_bytes() {
            &[a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Some(Self([a, b])),
            _ => None,
        }
    }

    fn is_assigned(self) -> bool {
        ASSIGNED.split(' ').any(|code| code == self.as_str())
    }
}

/// Whether a text is a code, as far as its pattern has not said so.
pub fn is_assigned(text: &str) -> bool {
    Country::of_shape(text).is_none_or(Country::is_assigned)
}

impl Value for Country {
    const WRITTEN: &'static str = "ISO 3166-1 alpha-2";

    fn fault(pointer: impl Into<String>, typed: &str) -> Fault {
        match Self::of_shape(typed) {
            Some(_) => Fault::new(pointer, FaultCode::NotAccepted).with("allowed", Self::WRITTEN),
            None => Fault::new(pointer, FaultCode::Format).with("format", Self::WRITTEN),
        }
    }
}

/// Whether `country` was a member state of the European Union in 2026 (Treaty on European Union, article 52).
pub fn is_eu(country: Country) -> bool {
    const MEMBERS: [&str; 27] = [
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
        "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    ];
    MEMBERS.contains(&country.as_str())
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Country {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom(FORMAT.to_owned())))
            .pattern(Some("^[A-Z]{2}$"))
            .description(Some("As officially assigned by ISO 3166-1."))
            .into()
    }
}

text_column!(stored Country, |text: &str| Country::of_shape(text)
    .ok_or(BadValue(<Country as Value>::WRITTEN)));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_one_that_is_assigned() {
        assert_eq!("DK".parse(), Ok(Country::DK));
        assert_eq!(ASSIGNED.split(' ').count(), 249);
        for good in ASSIGNED.split(' ') {
            assert!(good.parse::<Country>().is_ok() && is_assigned(good));
        }
        for bad in ["ZZ", "UK", "EU", "XK", "AN", "SU", "XX", "AA", "EL"] {
            assert!(bad.parse::<Country>().is_err() && !is_assigned(bad));
        }
        for bad in ["dk", "D", "DNK", "D1", "", "ØK"] {
            assert_eq!(
                bad.parse::<Country>(),
                Err(BadValue(Country::WRITTEN)),
                "{bad}"
            );
        }
    }

    #[test]
    fn norway_and_britain_take_part_but_are_outside_the_union() {
        let eu = |code: &str| is_eu(code.parse().unwrap());
        assert!(eu("DK") && eu("NL") && eu("SK"));
        assert!(!eu("NO") && !eu("GB") && !eu("CH"));
    }
}
