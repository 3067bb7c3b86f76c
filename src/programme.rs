//! The programme file, read once: every number, list and date that the rules use.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::Deserialize;

use crate::domain::account::ApplicationRules;
use crate::domain::bank::BankRules;
use crate::domain::calendar::Calendar;
use crate::domain::check_digits::is_iban;
use crate::domain::collection::OverdueRules;
use crate::domain::einvoice::{SellerNumbers, danish_account};
use crate::domain::feed::EventRules;
use crate::domain::invoice::InvoiceRules;
use crate::domain::language::Language;
use crate::domain::legacy_migration::MigrationRules;
use crate::domain::mail::MailRules;
use crate::domain::membership::{Level, MembershipRules};
use crate::domain::money::{Currency, own_currency};
use crate::domain::partner::DealerRules;
use crate::domain::password::PasswordRules;
use crate::domain::points::InvitationRules;
use crate::domain::product::ProductRules;
use crate::domain::session::SessionRules;
use crate::domain::values::{Country, Dialling, area_of};
use crate::domain::vat::VatRules;
use crate::domain::work_item::WorkItemRules;

/// The programme as shipped.
pub const SHIPPED: &str = include_str!("../programme.toml");

/// The whole programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    pub name: String,
    pub terms_version: String,
    pub terms: Terms,
    pub countries: Vec<Country>,
    pub mainland_only: Vec<Country>,
    pub languages: Vec<Language>,
    pub help: Help,
    pub phones: BTreeMap<Country, Dialling>,
    pub seller: Seller,
    pub application: ApplicationRules,
    pub mails: MailRules,
    pub review: Calendar,
    pub passwords: PasswordRules,
    pub sessions: SessionRules,
    pub products: ProductRules,
    pub catalogue: Catalogue,
    pub legacy_migration: MigrationRules,
    pub invitation: InvitationRules,
    pub levels: Vec<Level>,
    pub membership: MembershipRules,
    pub invoice: InvoiceRules,
    pub overdue: OverdueRules,
    pub bank: BankRules,
    pub dealers: DealerRules,
    pub vat: VatRules,
    pub queue: QueueRules,
    pub work_items: WorkItemRules,
    pub events: EventRules,
    pub rate_limits: RateLimitSection,
    /// What is frozen with whatever is bought, as the file writes it: [`SellerTerms`] read it again.
    #[serde(skip)]
    pub frozen: serde_json::Value,
}

/// What something was sold under: these sections as they were at that moment. A section that gets an entry later reads without it too.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SellerTerms {
    pub seller: Seller,
    pub invoice: InvoiceRules,
    pub vat: VatRules,
    pub overdue: OverdueRules,
    pub bank: BankRules,
}

const FROZEN: [&str; 5] = ["seller", "invoice", "vat", "overdue", "bank"];

/// The sections that are frozen, of the text of a programme.
fn frozen(text: &str) -> Result<serde_json::Value, String> {
    let all: toml::Table = toml::from_str(text).map_err(|e| e.to_string())?;
    let kept = all
        .into_iter()
        .filter(|(name, _)| FROZEN.contains(&name.as_str()));
    let kept: toml::Table = kept.collect();
    serde_json::to_value(kept).map_err(|e| e.to_string())
}

/// What the queue of jobs is bounded by.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueRules {
    /// Of the mails that anybody can ask for, so many wait at once; more are not made.
    pub stranger_mails: i64,
}

/// What the current version of the terms says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Made up.
    #[serde(default)]
    pub example: bool,
    pub da: String,
    pub en: String,
}

impl Terms {
    /// In a language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Da => &self.da,
            Language::En => &self.en,
        }
    }
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
    pub currency: Currency,
    pub iban: String,
    pub bic: String,
    pub bank: String,
    pub zone: Tz,
    /// A Danish seller's creditor number for +71 lines.
    pub fi_creditor: Option<String>,
    /// Its number in its country's register.
    pub company_number: Option<String>,
    /// What kind of number that is, by its code of ISO 6523: 0106 is the Dutch KVK's, 0184 the Danish CVR's.
    pub company_scheme: Option<String>,
    /// Where it takes electronic invoices, as `scheme:number`; made of its numbers where there is none.
    pub electronic_address: Option<String>,
    /// For so many years after a financial year its books are kept.
    pub keep_years: u32,
}

impl Seller {
    /// What it is known by where sellers share a database: its VAT number behind its country.
    pub fn key(&self) -> String {
        format!("{}{}", self.country, self.vat_number)
    }

    /// What makes its invoices impossible, behind the name of the entry.
    fn check(&self, vat: &VatRules) -> Result<(), (&'static str, String)> {
        let territory = area_of(&vat.territories, self.country, &self.postal_code);
        if !self.currency.has_cents() {
            let fault = "a currency without two decimals cannot be invoiced".to_owned();
            Err(("currency", fault))
        } else if own_currency(self.country).is_some_and(|own| own != self.currency) {
            let fault = "a seller invoices in the currency of its country".to_owned();
            Err(("currency", fault))
        } else if let Some(place) = territory.filter(|place| !place.in_vat_area) {
            let fault = format!("a seller in {} has a VAT of its own", place.name);
            Err(("postal_code", fault))
        } else {
            self.check_numbers()
        }
    }

    /// Which of its numbers nobody can pay to, or no electronic invoice can name.
    fn check_numbers(&self) -> Result<(), (&'static str, String)> {
        let is_transfer = self.country == Country::DK && self.fi_creditor.is_none();
        if !is_iban(&self.iban) {
            Err(("iban", "the check digits of the IBAN are wrong".to_owned()))
        } else if is_transfer && danish_account(&self.iban).is_none() {
            let fault = "a Danish seller without a creditor number is paid on a Danish account";
            Err(("iban", fault.to_owned()))
        } else {
            self.numbers().check()
        }
    }

    /// What electronic invoices know it by.
    pub fn numbers(&self) -> SellerNumbers<'_> {
        SellerNumbers {
            country: self.country,
            vat_number: &self.vat_number,
            company_number: self.company_number.as_deref(),
            company_scheme: self.company_scheme.as_deref(),
            electronic_address: self.electronic_address.as_deref(),
        }
    }
}

/// Which models of the shipped catalogue have their real points.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub real_points: Vec<String>,
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
    /// A day, in UTC.
    pub registrations_a_day_per_address: u32,
    /// Tokens of one credential of a partner.
    pub tokens_per_client: u32,
}

/// Requests a minute, in live mode and in the sandbox.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitSection {
    pub live: RateLimitRules,
    pub sandbox: RateLimitRules,
}

impl RateLimitSection {
    /// Those that hold here.
    pub fn of(&self, is_sandbox: bool) -> &RateLimitRules {
        match is_sandbox {
            true => &self.sandbox,
            false => &self.live,
        }
    }
}

impl Programme {
    /// The programme of `text`; what is wrong with it, with its line, when it cannot be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut programme: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        programme.frozen = frozen(text)?;
        programme.check().map_err(|(code, fault)| {
            match text.lines().position(|line| line.contains(&code)) {
                Some(at) => format!("line {}: {fault}", at + 1),
                None => fault,
            }
        })?;
        Ok(programme)
    }
}

impl Programme {
    /// What does not hold together, behind the text by which its line is found.
    fn check(&self) -> Result<(), (String, String)> {
        for level in &self.levels {
            level
                .check()
                .map_err(|fault| (format!("code = \"{}\"", level.code), fault))?;
        }
        if self.levels.is_empty() {
            return Err(("levels".to_owned(), "there is no level".to_owned()));
        }
        let has_no_code = |country: &&Country| !self.phones.contains_key(country);
        if let Some(country) = self.countries.iter().find(has_no_code) {
            let fault = format!("{country} has no code of its telephone numbers");
            return Err(("[phones]".to_owned(), fault));
        }
        let at = |(entry, fault): (&str, String)| (format!("{entry} ="), fault);
        self.seller.check(&self.vat).map_err(at)?;
        self.invoice.check(self.seller.currency).map_err(at)?;
        self.overdue.check().map_err(at)?;
        self.dealers.check().map_err(at)?;
        if !self.vat.rates.contains_key(&self.seller.country) {
            return Err((
                "[vat.rates]".to_owned(),
                "the seller's country has no VAT rate".to_owned(),
            ));
        }
        Ok(())
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
    fn what_is_frozen_is_read_again() {
        let programme = Programme::parse(SHIPPED).unwrap();
        let terms = SellerTerms::deserialize(&programme.frozen).unwrap();
        assert_eq!(terms.seller.key(), programme.seller.key());
        assert_eq!(terms.seller.zone, programme.seller.zone);
        assert_eq!(terms.invoice.charge_at, programme.invoice.charge_at);
        assert_eq!(terms.vat.rates, programme.vat.rates);
        assert_eq!(terms.vat.territories.len(), programme.vat.territories.len());
        assert_eq!(terms.overdue.steps_at, programme.overdue.steps_at);
        assert_eq!(terms.bank.tolerance, programme.bank.tolerance);
        let dearer = SHIPPED.replace("NL = \"0.21\"", "NL = \"0.22\"");
        assert_ne!(Programme::parse(&dearer).unwrap().frozen, programme.frozen);
        let renamed = SHIPPED.replace("name = \"Silver\"", "name = \"Argent\"");
        assert_eq!(Programme::parse(&renamed).unwrap().frozen, programme.frozen);
    }

    #[test]
    fn a_fault_is_named_with_its_line() {
        let broken = SHIPPED.replace("open_per_email = 5", "open_per_email = \"five\"");
        let line = broken
            .lines()
            .position(|line| line.starts_with("open_per_email"))
            .unwrap()
            + 1;
        let fault = Programme::parse(&broken).unwrap_err();
        assert!(fault.contains(&format!("line {line}")), "{fault}");
        let dear = SHIPPED.replace(
            "bank_transfer_fee = \"0.00\"",
            "bank_transfer_fee = \"5.00\"",
        );
        let line = dear
            .lines()
            .position(|line| line.starts_with("bank_transfer_fee"))
            .unwrap()
            + 1;
        assert!(
            Programme::parse(&dear)
                .unwrap_err()
                .starts_with(&format!("line {line}:"))
        );
        for (written, changed, entry) in [
            ("country = \"NL\"", "country = \"DK\"", "currency = "),
            ("currency = \"EUR\"", "currency = \"JPY\"", "currency = "),
            ("NL13TEST0123456789", "NL14TEST0123456789", "iban = "),
            (
                "company_scheme = \"0106\"",
                "company_scheme = \"0184\"",
                "company_scheme = ",
            ),
            (
                "company_number = \"99999999\"",
                "company_number = \"9999999\"",
                "company_number = ",
            ),
            (
                "# electronic_address = \"0106:99999999\"",
                "electronic_address = \"0106:9999999\"",
                "# electronic_address = ",
            ),
            (
                "reminder_days = [3, 13, 23]",
                "reminder_days = [3, 13, 40]",
                "reminder_days = ",
            ),
        ] {
            let fault = Programme::parse(&SHIPPED.replace(written, changed)).unwrap_err();
            let at = SHIPPED
                .lines()
                .position(|line| line.starts_with(entry))
                .unwrap()
                + 1;
            assert!(fault.starts_with(&format!("line {at}:")), "{fault}");
        }
        let torn = SHIPPED.replace("at_least = 500", "at_least = 500\nabove = 3");
        let line = torn
            .lines()
            .position(|line| line == "code = \"silver\"")
            .unwrap()
            + 1;
        assert!(
            Programme::parse(&torn)
                .unwrap_err()
                .starts_with(&format!("line {line}:"))
        );
    }

    #[test]
    fn no_list_is_longer_than_the_contract_says() {
        for (entry, more) in [
            ("networks = 20", "101"),
            ("lines_per_batch = 10000", "10001"),
        ] {
            assert!(SHIPPED.contains(entry), "{entry}");
            let name = entry.split(' ').next().unwrap();
            let wide = SHIPPED.replace(entry, &format!("{name} = {more}"));
            let fault = Programme::parse(&wide).unwrap_err();
            assert!(fault.contains(more), "{fault}");
        }
    }
}
