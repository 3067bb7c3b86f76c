//! A moment in time, as it is stored, sent and compared.

use std::str::FromStr;

use chrono::{
    DateTime, Datelike, DurationRound, Months, NaiveDateTime, SecondsFormat, SubsecRound,
    TimeDelta, Utc,
};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

use super::{SqlInstant, column};

/// A moment in UTC, to the microsecond, in the years 1970 to 9998.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = SqlInstant)]
pub struct Instant(DateTime<Utc>);

impl Instant {
    /// The moment of `at`, cut to the microsecond.
    pub fn from_utc(at: DateTime<Utc>) -> Self {
        Self(at.trunc_subsecs(6))
    }

    /// The moment as chrono has it.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// Whole seconds since 1970; 0 for anything before.
    pub fn unix_seconds(self) -> u64 {
        u64::try_from(self.0.timestamp()).unwrap_or(0)
    }

    /// Nanoseconds within the second.
    pub fn subsecond_nanos(self) -> u32 {
        self.0.timestamp_subsec_nanos()
    }

    /// The moment `by` later (or earlier, when negative); itself where that leaves the calendar.
    pub fn plus(self, by: TimeDelta) -> Self {
        Self(self.0.checked_add_signed(by).unwrap_or(self.0))
    }

    /// When its hour began.
    pub fn hour(self) -> Self {
        Self(self.0.duration_trunc(TimeDelta::hours(1)).unwrap_or(self.0))
    }

    /// The moment as text of one length, to the microsecond: sorts by time, and is the same whichever database it comes from.
    pub fn stored(self) -> String {
        self.0.format(STORED).to_string()
    }

    /// The moment `months` later, on the same day or the last one of a shorter month; itself where that leaves the calendar.
    pub fn plus_months(self, months: u32) -> Self {
        let later = self.0.checked_add_months(Months::new(months));
        Self(later.unwrap_or(self.0))
    }

    /// How long after `earlier` this is.
    pub fn since(self, earlier: Self) -> TimeDelta {
        self.0.signed_duration_since(earlier.0)
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// The text is not a moment that the service can hold.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not an RFC 3339 moment in the years 1970 to 9998")]
pub struct BadInstant;

impl FromStr for Instant {
    type Err = BadInstant;

    fn from_str(text: &str) -> Result<Self, BadInstant> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| BadInstant)?;
        let at = Self::from_utc(at.with_timezone(&Utc));
        if (1970..=9998).contains(&at.0.year()) {
            Ok(at)
        } else {
            Err(BadInstant)
        }
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Instant {}

const STORED: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";
column!(Instant: SqlInstant, sql_types::Timestamptz, |at: &DateTime<Utc>| at.format(STORED).to_string(),
    |text: &str| NaiveDateTime::parse_from_str(text, STORED).map(|at| at.and_utc()));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_its_text() {
        let at: Instant = "2026-03-31T14:05:06.123456789+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-03-31T12:05:06.123456Z");
        assert_eq!(at.to_string().parse::<Instant>().unwrap(), at);
        assert!("9999-12-31T23:59:59-01:00".parse::<Instant>().is_err());
    }
}
