//! The merge patch of an account.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::account::check_company;
use crate::domain::country::Country;
use crate::domain::language::Language;
use crate::domain::values::Email;
use crate::error::Fault;
use crate::handlers::extract::{Checked, nullable};
use crate::programme::Programme;
use crate::repository::accounts::Account;
use crate::types::Instant;

/// A change of the address: what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AddressPatch {
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
        nullable = false
    )]
    street: Option<String>,
    #[schema(
        min_length = 1,
        max_length = 20,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
        nullable = false
    )]
    postal_code: Option<String>,
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
        nullable = false
    )]
    city: Option<String>,
}

/// A change of who speaks for the business: what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ContactPatch {
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
        nullable = false
    )]
    name: Option<String>,
    /// Mails go here; nobody's sign-in changes with it.
    #[schema(nullable = false)]
    email: Option<Email>,
    /// With the country's code; null deletes it.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>, pattern = r"^\+[0-9]{6,15}$")]
    phone: Option<Option<String>>,
}

/// A change of an account, as a JSON Merge Patch (RFC 7396): what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "contact": { "name": "Mette Fjord", "phone": "+4586120000" }, "language": "da" }))]
pub struct UpdateAccount {
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$",
        nullable = false
    )]
    company_name: Option<String>,
    /// One of the programme's countries.
    #[schema(nullable = false)]
    country: Option<Country>,
    /// Decides which documents prove the business.
    #[schema(nullable = false)]
    vat_registered: Option<bool>,
    /// Null deletes it, where the business is not registered for VAT.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>, max_length = 30)]
    vat_number: Option<Option<String>>,
    #[validate(nested)]
    #[schema(nullable = false)]
    address: Option<AddressPatch>,
    #[validate(nested)]
    #[schema(nullable = false)]
    contact: Option<ContactPatch>,
    /// The e-mail address of an old CPS account; null deletes it.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(schema_with = nullable::<Email>)]
    legacy_cps_email: Option<Option<Email>>,
    /// `da` or `en`, with or without a region; others fall back to English.
    #[schema(
        pattern = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$",
        max_length = 35,
        nullable = false
    )]
    language: Option<String>,
    /// The tag of the sign-up link; null deletes it.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(
        value_type = Option<String>,
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\x00-\x1f\x7f]+$"
    )]
    source: Option<Option<String>>,
}

/// What the patch alone can tell. The rest is checked with the account that it is merged into.
impl Checked for UpdateAccount {
    fn faults(&self, programme: &Programme, _: Instant) -> Vec<Fault> {
        let Some(country) = self.country else {
            return Vec::new();
        };
        let number = self.vat_number.as_ref().and_then(Option::as_deref);
        check_company(country, false, number, &programme.countries)
    }
}

impl UpdateAccount {
    /// Puts what was sent into `account`.
    pub fn merge(self, account: &mut Account) {
        put_trimmed(&mut account.company_name, self.company_name);
        put(&mut account.country, self.country);
        put(&mut account.vat_registered, self.vat_registered);
        put(&mut account.vat_number, self.vat_number);
        let legacy_cps_email = self.legacy_cps_email;
        put(
            &mut account.legacy_cps_email,
            legacy_cps_email.map(|email| email.map(|email| email.to_string())),
        );
        put(&mut account.source, self.source);
        let language = self.language.as_deref().map(Language::from_tag);
        put(&mut account.language, language);
        let address = self.address.unwrap_or_default();
        put_trimmed(&mut account.street, address.street);
        put_trimmed(&mut account.postal_code, address.postal_code);
        put_trimmed(&mut account.city, address.city);
        let contact = self.contact.unwrap_or_default();
        put_trimmed(&mut account.contact_name, contact.name);
        put(
            &mut account.contact_email,
            contact.email.map(|email| email.to_string()),
        );
        put(&mut account.contact_phone, contact.phone);
    }
}

fn put<T>(field: &mut T, sent: Option<T>) {
    if let Some(sent) = sent {
        *field = sent;
    }
}

fn put_trimmed(field: &mut String, sent: Option<String>) {
    put(field, sent.map(|text| text.trim().to_owned()));
}
