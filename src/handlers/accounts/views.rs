//! What callers see of an account.

use serde::Serialize;
use utoipa::ToSchema;

use super::bodies::Address;
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::document::{Requirements, requirements};
use crate::domain::language::Language;
use crate::domain::values::Country;
use crate::error::Result;
use crate::repository::accounts::Account;
use crate::repository::{DbConn, documents, reviews};
use crate::texts::word;
use crate::types::Instant;

/// An address as it is stored.
#[derive(Debug, Clone, Serialize)]
pub struct AddressView {
    street: String,
    postal_code: String,
    city: String,
}

/// Who speaks for the business.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContactView {
    pub name: String,
    pub email: String,
    /// Another address that staff ask for; it waits until an administrator accepts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub email_proposed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub phone: Option<String>,
}

/// An account with the application that it came from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountView {
    pub id: AccountId,
    /// For people: 10 digits, of which the last two are check digits.
    #[schema(example = "4711081597")]
    pub account_number: String,
    pub status: AccountStatus,
    /// Counts the changes; also the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    pub company_name: String,
    pub country: Country,
    pub vat_registered: bool,
    /// Without separators and the country's prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vat_number: Option<String>,
    #[schema(value_type = Address)]
    pub address: AddressView,
    pub contact: ContactView,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub legacy_cps_email: Option<String>,
    pub language: Language,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub source: Option<String>,
    pub accepted_terms_version: String,
    pub requirements: Requirements,
    /// When staff will have answered; once it was submitted, and not while they wait for the applicant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub review_due_at: Option<Instant>,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// What registering answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RegisteredView {
    pub account: AccountView,
    /// The bearer token of this one application; shown once.
    #[schema(example = "cpa_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E")]
    pub applicant_token: String,
}

/// What is still needed, with each error as a sentence in `language`.
fn in_words(mut requirements: Requirements, language: Language) -> Requirements {
    for error in &mut requirements.errors {
        let word = |vocabulary| word(vocabulary, &error.code, language);
        error.message = word("revisions").or_else(|| word("rejections"));
    }
    requirements
}

/// The view of `account`, with what its documents and its review add; `language` is the reader's.
pub fn load_view(conn: &mut DbConn, account: Account, language: Language) -> Result<AccountView> {
    let facts = documents::facts(conn, account.id)?;
    let review = reviews::find(conn, account.id)?;
    Ok(AccountView {
        requirements: in_words(requirements(account.vat_registered, &facts), language),
        review_due_at: review.and_then(|review| review.due(account.status)),
        id: account.id,
        account_number: account.account_number,
        status: account.status,
        version: account.version,
        company_name: account.company_name,
        country: account.country,
        vat_registered: account.vat_registered,
        vat_number: account.vat_number,
        address: AddressView {
            street: account.street,
            postal_code: account.postal_code,
            city: account.city,
        },
        contact: ContactView {
            name: account.contact_name,
            email: account.contact_email,
            email_proposed: account.contact_email_proposed,
            phone: account.contact_phone,
        },
        legacy_cps_email: account.legacy_cps_email,
        language: account.language,
        source: account.source,
        accepted_terms_version: account.terms_version,
        created_at: account.created_at,
        updated_at: account.updated_at,
    })
}

/// An account in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountSummary {
    pub id: AccountId,
    /// For people: 10 digits, of which the last two are check digits.
    #[schema(example = "4711081597")]
    pub account_number: String,
    pub status: AccountStatus,
    pub company_name: String,
    pub country: Country,
    /// Without separators and the country's prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub vat_number: Option<String>,
    pub contact: ContactView,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl AccountSummary {
    /// The summary of an account.
    pub fn of(account: Account) -> Self {
        Self {
            id: account.id,
            account_number: account.account_number,
            status: account.status,
            company_name: account.company_name,
            country: account.country,
            vat_number: account.vat_number,
            contact: ContactView {
                name: account.contact_name,
                email: account.contact_email,
                email_proposed: account.contact_email_proposed,
                phone: account.contact_phone,
            },
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
pub struct AccountPage {
    pub items: Vec<AccountSummary>,
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}
