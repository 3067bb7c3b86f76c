//! What callers send about an account.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::account::{Company, check_authority, check_company, check_place, check_terms};
use crate::domain::language::Language;
use crate::domain::values::{
    Country, Email, Field, LanguageTag, Line, Phone, TypedPhone, VatNumber,
};
use crate::error::{Faults, Result};
use crate::handlers::extract::{Input, Plain};
use crate::programme::Programme;
use crate::workflows::accounts::Registration;

/// Where a business is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    street: Line<200>,
    postal_code: Line<20>,
    city: Line<100>,
}

/// Who speaks for a business.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    pub name: Line<100>,
    /// Mails go here.
    pub email: Email,
    #[schema(nullable = false)]
    pub phone: Option<TypedPhone>,
}

/// A business that registers.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "company_name": "Nordlys Foto ApS", "country": "DK", "vat_registered": true, "vat_number": "13585628",
    "address": { "street": "Havnegade 1", "postal_code": "1058", "city": "København K" },
    "contact": { "name": "Asta Holm", "email": "asta@nordlys.example", "phone": "+4533110000" },
    "legacy_cps_email": "foto@nordlys.example", "language": "da", "source": "itcg",
    "authority_declared": true, "accept_terms_version": "2026-01"
}))]
pub struct RegisterAccount {
    #[schema(value_type = Line<200>)]
    company_name: Field<Line<200>>,
    /// One of the programme's countries.
    #[schema(value_type = Country)]
    country: Field<Country>,
    /// Whether the business is registered for VAT; decides which documents prove it.
    #[schema(value_type = bool)]
    vat_registered: Field<bool>,
    /// Required of who is registered for VAT; separators and the country's prefix are dropped.
    #[schema(value_type = Option<String>, max_length = 30, nullable = false)]
    vat_number: Field<String>,
    #[schema(value_type = Address)]
    address: Field<Address>,
    #[schema(value_type = Contact)]
    contact: Field<Contact>,
    /// The e-mail address of an old CPS account, to take over its products.
    #[schema(value_type = Option<Email>, nullable = false)]
    legacy_cps_email: Field<Email>,
    #[schema(value_type = Option<LanguageTag>, nullable = false)]
    language: Field<LanguageTag>,
    /// The tag of the sign-up link.
    #[schema(value_type = Option<Line<64>>, nullable = false)]
    source: Field<Line<64>>,
    /// The person may bind the business and hand over its documents.
    #[schema(value_type = bool)]
    authority_declared: Field<bool>,
    /// The current `terms_version` of the programme.
    #[schema(value_type = String, min_length = 1, max_length = 32)]
    accept_terms_version: Field<String>,
}

impl Input for RegisterAccount {
    /// Without the address that the authority was declared from.
    type Parsed = Registration;

    fn parse(self, programme: &Programme, mut faults: Faults) -> Result<Registration> {
        let company = Company {
            country: self.country.value(),
            vat_registered: self.vat_registered.value(),
            vat_number: self
                .vat_number
                .as_ref()
                .optional()
                .map(|number| number.map(String::as_str)),
        };
        let vat_number = faults.note(check_company(company, &programme.countries));
        let phone = self
            .contact
            .as_ref()
            .value()
            .and_then(|it| it.phone.as_ref());
        let phone = phone.map(|typed| typed.read(self.country.value(), &programme.phones));
        let phone = phone.and_then(|read| faults.note(read).flatten());
        if let (Some(country), Field::Read(address)) = (self.country.value(), &self.address) {
            let postal_code = address.postal_code.to_string();
            let territories = &programme.vat.territories;
            faults.note(check_place(country, &postal_code, territories));
        }
        if let Field::Read(declared) = self.authority_declared {
            faults.note(check_authority(declared));
        }
        if let Field::Read(terms) = &self.accept_terms_version {
            faults.note(check_terms(terms, &programme.terms_version));
        }
        faults.judge(vat_number.and_then(|number| self.registration(number, phone)))
    }
}

impl RegisterAccount {
    /// The registration, if all of it could be read.
    fn registration(
        self,
        vat_number: Option<VatNumber>,
        contact_phone: Option<Phone>,
    ) -> Option<Registration> {
        let (address, contact) = (self.address.value()?, self.contact.value()?);
        let language = self.language.optional()?;
        Some(Registration {
            company_name: self.company_name.value()?.into(),
            country: self.country.value()?,
            vat_registered: self.vat_registered.value()?,
            vat_number,
            street: address.street.into(),
            postal_code: address.postal_code.into(),
            city: address.city.into(),
            contact_name: contact.name.into(),
            contact_email: contact.email,
            contact_phone,
            legacy_cps_email: self.legacy_cps_email.optional()?,
            language: language.map_or(Language::En, LanguageTag::language),
            source: self.source.optional()?.map(String::from),
            terms_version: self.accept_terms_version.value()?,
            declared_from: String::new(),
        })
    }
}

/// Whose link is lost.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "asta@nordlys.example" }))]
pub struct ApplicantLinkRequest {
    pub email: Email,
}

impl Plain for ApplicantLinkRequest {}
