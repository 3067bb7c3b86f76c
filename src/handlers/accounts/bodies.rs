//! What callers send about an account.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::account::{Registration as Rules, check_registration, check_vat_number};
use crate::domain::country::Country;
use crate::domain::language::Language;
use crate::domain::values::Email;
use crate::error::{Fault, Result};
use crate::handlers::extract::Checked;
use crate::programme::Programme;
use crate::types::Instant;
use crate::workflows::accounts::Registration;

/// Where a business is.
#[derive(Debug, Clone, Deserialize, serde::Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
        example = "Havnegade 1"
    )]
    pub street: String,
    #[schema(
        min_length = 1,
        max_length = 20,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
        example = "1058"
    )]
    pub postal_code: String,
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
        example = "København K"
    )]
    pub city: String,
}

/// Who speaks for a business.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
        example = "Asta Holm"
    )]
    pub name: String,
    /// Mails go here.
    #[schema(example = "asta@nordlys.example")]
    pub email: Email,
    /// With the country's code.
    #[schema(
        pattern = r"^\+[0-9]{6,15}$",
        example = "+4533110000",
        nullable = false
    )]
    pub phone: Option<String>,
}

/// A business that registers.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "company_name": "Nordlys Foto ApS", "country": "DK", "vat_registered": true, "vat_number": "13585628",
    "address": { "street": "Havnegade 1", "postal_code": "1058", "city": "København K" },
    "contact": { "name": "Asta Holm", "email": "asta@nordlys.example", "phone": "+4533110000" },
    "legacy_cps_email": "foto@nordlys.example", "language": "da", "source": "itcg",
    "authority_declared": true, "accept_terms_version": "2026-01"
}))]
pub struct RegisterAccount {
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"
    )]
    pub company_name: String,
    /// One of the programme's countries.
    pub country: Country,
    /// Whether the business is registered for VAT; decides which documents prove it.
    pub vat_registered: bool,
    /// Required of who is registered for VAT; separators and the country's prefix are dropped.
    #[schema(max_length = 30, nullable = false)]
    pub vat_number: Option<String>,
    #[validate(nested)]
    pub address: Address,
    #[validate(nested)]
    pub contact: Contact,
    /// The e-mail address of an old CPS account, to take over its products.
    #[schema(nullable = false)]
    pub legacy_cps_email: Option<Email>,
    /// `da` or `en`, with or without a region; others fall back to English.
    #[schema(
        pattern = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$",
        max_length = 35,
        nullable = false
    )]
    pub language: Option<String>,
    /// The tag of the sign-up link.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\x00-\x1f\x7f]+$",
        nullable = false
    )]
    pub source: Option<String>,
    /// The person may bind the business and hand over its documents.
    pub authority_declared: bool,
    /// The current `terms_version` of the programme.
    #[schema(min_length = 1, max_length = 32)]
    pub accept_terms_version: String,
}

impl Checked for RegisterAccount {
    fn faults(&self, programme: &Programme, _: Instant) -> Vec<Fault> {
        let rules = Rules {
            country: self.country,
            vat_registered: self.vat_registered,
            vat_number: self.vat_number.as_deref(),
            authority_declared: self.authority_declared,
            terms_version: &self.accept_terms_version,
        };
        check_registration(rules, &programme.countries, &programme.terms_version)
    }
}

impl RegisterAccount {
    /// The registration, as it is stored.
    pub fn into_registration(self, declared_from: String) -> Result<Registration> {
        let vat_number = check_vat_number(
            self.country,
            self.vat_registered,
            self.vat_number.as_deref(),
        )?;
        Ok(Registration {
            company_name: self.company_name.trim().to_owned(),
            country: self.country,
            vat_registered: self.vat_registered,
            vat_number,
            street: self.address.street.trim().to_owned(),
            postal_code: self.address.postal_code.trim().to_owned(),
            city: self.address.city.trim().to_owned(),
            contact_name: self.contact.name.trim().to_owned(),
            contact_email: self.contact.email,
            contact_phone: self.contact.phone,
            legacy_cps_email: self.legacy_cps_email,
            language: self
                .language
                .as_deref()
                .map_or(Language::En, Language::from_tag),
            source: self.source,
            terms_version: self.accept_terms_version,
            declared_from,
        })
    }
}

/// Whose link is lost.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "asta@nordlys.example" }))]
pub struct ApplicantLinkRequest {
    pub email: Email,
}

impl Checked for ApplicantLinkRequest {}
