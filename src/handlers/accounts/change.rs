//! The merge patch of an account.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::account::{Company, check_company};
use crate::domain::document::DocumentId;
use crate::domain::values::{Country, Email, Field, LanguageTag, Line, Text, TypedPhone};
use crate::error::{Faults, Partial, Result};
use crate::handlers::extract::{Input, MERGE_PATCH, nullable};
use crate::programme::Programme;
use crate::repository::accounts::Account;
use crate::workflows::accounts::{Given, Patched, Unread};

/// A change of the address: what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressPatch {
    #[schema(nullable = false)]
    street: Option<Line<200>>,
    #[schema(nullable = false)]
    postal_code: Option<Line<20>>,
    #[schema(nullable = false)]
    city: Option<Line<100>>,
}

/// A change of who speaks for the business: what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactPatch {
    #[schema(nullable = false)]
    name: Option<Line<100>>,
    /// Mails go here; nobody's sign-in changes with it. Before the first password is set, one that staff ask for waits as `email_proposed` until an
    /// administrator accepts it; the address before is told of the change.
    #[schema(nullable = false)]
    email: Option<Email>,
    #[serde(default)]
    #[schema(schema_with = nullable::<TypedPhone>)]
    phone: Field<TypedPhone>,
}

/// A change of an account, as a JSON Merge Patch (RFC 7396): what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "contact": { "name": "Mette Fjord", "phone": "+4586120000" }, "language": "da" }))]
pub struct UpdateAccount {
    #[serde(default)]
    #[schema(value_type = Option<Line<200>>, nullable = false)]
    company_name: Field<Line<200>>,
    /// One of the programme's countries.
    #[serde(default)]
    #[schema(value_type = Option<Country>, nullable = false)]
    country: Field<Country>,
    /// Decides which documents prove the business.
    #[serde(default)]
    #[schema(value_type = Option<bool>, nullable = false)]
    vat_registered: Field<bool>,
    /// Null deletes it, where the business is not registered for VAT.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 30)]
    vat_number: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<AddressPatch>, nullable = false)]
    address: Field<AddressPatch>,
    #[serde(default)]
    #[schema(value_type = Option<ContactPatch>, nullable = false)]
    contact: Field<ContactPatch>,
    /// The e-mail address of an old CPS account; null deletes it.
    #[serde(default)]
    #[schema(schema_with = nullable::<Email>)]
    legacy_cps_email: Field<Email>,
    #[serde(default)]
    #[schema(value_type = Option<LanguageTag>, nullable = false)]
    language: Field<LanguageTag>,
    /// The tag of the sign-up link; null deletes it.
    #[serde(default)]
    #[schema(schema_with = nullable::<Line<64>>)]
    source: Field<Line<64>>,
    /// Why support changes an active account's `company_name` or `vat_number`.
    #[serde(default)]
    #[schema(value_type = Option<Text<1000>>, nullable = false)]
    reason: Field<Text<1000>>,
    /// The accepted document of the account that proves that change.
    #[serde(default)]
    #[schema(value_type = Option<DocumentId>, nullable = false)]
    document_id: Field<DocumentId>,
}

impl Input for UpdateAccount {
    type Parsed = Partial<Self>;
    const MEDIA_TYPES: &'static [&'static str] = &MERGE_PATCH;

    /// What the patch alone can tell. The rest is judged with the account that it is merged into.
    fn parse(mut self, programme: &Programme, mut faults: Faults) -> Result<Self::Parsed> {
        let number = self.vat_number.as_ref().value();
        let company = Company {
            country: self.country.value(),
            vat_registered: Some(false),
            vat_number: number.map(|number| Some(number.as_str())),
        };
        faults.note(check_company(company, &programme.countries));
        let country = self.country.value();
        if country.is_some_and(|country| !programme.countries.contains(&country)) {
            // Its fault is told; the account's own number is not held against it.
            self.country = Field::Refused;
        }
        let read = self;
        Ok(Partial { read, faults })
    }
}

impl UpdateAccount {
    /// Puts what was sent into `account`, as far as it could be read; VAT number and phone as typed: the account's country reads them.
    pub fn merge(self, account: &mut Account) -> Patched {
        let unread = Unread {
            country: self.country.is_refused(),
            vat_registered: self.vat_registered.is_refused(),
            vat_number: self.vat_number.is_refused(),
        };
        let given = Given {
            reason: self.reason.value().map(|reason| reason.to_string()),
            document_id: self.document_id.value(),
        };
        put_line(&mut account.company_name, self.company_name.value());
        put(&mut account.country, self.country.value());
        put(&mut account.vat_registered, self.vat_registered.value());
        put_or_delete(&mut account.vat_number, self.vat_number);
        let legacy_cps_email = self.legacy_cps_email.map(|email| email.to_string());
        put_or_delete(&mut account.legacy_cps_email, legacy_cps_email);
        put_or_delete(&mut account.source, self.source.map(String::from));
        let language = self.language.map(LanguageTag::language);
        put(&mut account.language, language.value());
        let address = self.address.value().unwrap_or_default();
        put_line(&mut account.street, address.street);
        put_line(&mut account.postal_code, address.postal_code);
        put_line(&mut account.city, address.city);
        let contact = self.contact.value().unwrap_or_default();
        put_line(&mut account.contact_name, contact.name);
        let email = contact.email.map(|email| email.to_string());
        put(&mut account.contact_email, email);
        let phone = contact.phone.map(String::from);
        put_or_delete(&mut account.contact_phone, phone);
        Patched { unread, given }
    }
}

fn put<T>(field: &mut T, sent: Option<T>) {
    if let Some(sent) = sent {
        *field = sent;
    }
}

fn put_line<const MOST: usize>(field: &mut String, sent: Option<Line<MOST>>) {
    put(field, sent.map(String::from));
}

fn put_or_delete<T>(field: &mut Option<T>, sent: Field<T>) {
    match sent {
        Field::Read(value) => *field = Some(value),
        Field::Null => *field = None,
        Field::Absent | Field::Refused => {}
    }
}
