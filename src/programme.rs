//! The programme file, read once: every number, list and date that the rules use.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::domain::country::Country;
use crate::domain::language::Language;

/// The programme as shipped.
pub const SHIPPED: &str = include_str!("../programme.toml");

/// The whole programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    pub name: String,
    pub terms_version: String,
    pub countries: Vec<Country>,
    pub mainland_only: Vec<Country>,
    pub languages: Vec<Language>,
    pub help: Help,
    pub seller: Seller,
    pub application: ApplicationRules,
    pub review: ReviewRules,
    pub passwords: PasswordRules,
    pub products: ProductRules,
    pub catalogue: Catalogue,
    pub legacy_migration: LegacyMigrationRules,
    pub invitation: InvitationRules,
    pub levels: Vec<toml::Table>,
    pub membership: MembershipRules,
    pub invoice: InvoiceRules,
    pub overdue: toml::Table,
    pub dealers: toml::Table,
    pub vat: VatRules,
    pub rate_limits: RateLimitSection,
}

/// Where people get help.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Help {
    pub email: String,
    pub desk: String,
}

/// Who sells the memberships.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seller {
    /// Made up.
    #[serde(default)]
    pub example: bool,
    pub name: String,
    pub street: String,
    pub postal_code: String,
    pub city: String,
    pub country: Country,
    pub vat_number: String,
    pub currency: String,
    pub iban: String,
    pub bic: String,
    pub bank: String,
    pub zone: Tz,
    /// A Danish seller's creditor number for +71 lines.
    pub fi_creditor: Option<String>,
}

/// Applications and their documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationRules {
    pub open_per_email: i64,
    pub documents: i64,
    pub bytes: i64,
    pub file_bytes: usize,
    pub draft_days: i64,
    pub business_invoice_months: u32,
    pub files_days_after_approval: i64,
    pub files_days_after_other_end: i64,
    pub known_address_mails_per_day: i64,
}

/// When an answer is due.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRules {
    pub working_days: u32,
    #[serde(with = "time_of_day")]
    pub closes_at: NaiveTime,
    pub zone: Tz,
    pub calendar: Country,
    pub closing_days: Vec<String>,
    pub working_days_after_information: u32,
    pub lease_minutes: i64,
}

/// Passwords and failed sign-ins.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordRules {
    pub first_link_hours: i64,
    pub reset_link_hours: i64,
    pub min_characters: usize,
    pub max_characters: usize,
    pub free_tries: i64,
    pub first_delay_seconds: i64,
    pub longest_delay_seconds: i64,
}

/// Products and their serial numbers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductRules {
    pub reserve_days: i64,
    pub estimated_serials_that_earn: i64,
    pub serial_min_characters: usize,
    pub serial_max_characters: usize,
    pub lens_serial_digits: Vec<usize>,
}

/// Which models of the shipped catalogue have their real points.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub real_points: Vec<String>,
}

/// Taking over the products of an old account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegacyMigrationRules {
    pub code_digits: u32,
    pub code_minutes: i64,
    pub code_tries: i64,
    pub mails_per_day: i64,
}

/// When the invitation goes out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationRules {
    pub points: i64,
    pub again_after_days: i64,
}

/// How long a membership lasts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipRules {
    pub term_years: u32,
    pub renewal_opens_days: i64,
    pub notice_days: Vec<i64>,
}

/// What an invoice says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceRules {
    pub prefix: String,
    pub due_days: i64,
    pub bank_transfer_fee: Option<Decimal>,
    pub card_retry_days: Vec<i64>,
}

/// VAT by country.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VatRules {
    pub union: Vec<Country>,
    pub rates: BTreeMap<Country, Decimal>,
}

/// Requests a minute.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitRules {
    pub per_credential: u32,
    pub anonymous_per_address: u32,
    pub sign_in_per_address: u32,
    pub reset_per_address: u32,
    pub register_per_address: u32,
}

/// Requests a minute, in live mode and in the sandbox.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct RateLimitSection {
    #[serde(flatten)]
    pub live: RateLimitRules,
    pub sandbox: RateLimitRules,
}

mod time_of_day {
    //! "hh:mm".

    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer};

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, "%H:%M").map_err(serde::de::Error::custom)
    }
}

impl Programme {
    /// The programme of `text`; what is wrong with it, with its line, when it cannot be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programme_as_shipped_is_whole() {
        let programme = Programme::parse(SHIPPED).unwrap();
        assert_eq!((programme.countries.len(), programme.levels.len()), (19, 4));
        assert!(programme.rate_limits.sandbox.anonymous_per_address >= 1000);
    }

    #[test]
    fn a_fault_is_named_with_its_line() {
        let broken = SHIPPED.replace("open_per_email = 5", "open_per_email = \"five\"");
        let line = broken.lines().position(|line| line.starts_with("open_per_email")).unwrap() + 1;
        let fault = Programme::parse(&broken).unwrap_err();
        assert!(fault.contains(&format!("line {line}")), "{fault}");
    }
}
