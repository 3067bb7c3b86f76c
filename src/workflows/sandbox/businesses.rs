//! Seeding the businesses that every sandbox begins with, and the people who can sign in for them. Who they are is in `people`.

use chrono::TimeDelta;
use serde_json::json;

use super::people::{ACTIVE, Business, MEMBERS, OWING, SUSPENDED};
use super::{account_id, applications, fixed, seeding};
use crate::domain::access::UserId;
use crate::domain::account::{AccountId, AccountStatus, account_number};
use crate::domain::document::DocumentStatus;
use crate::domain::event::Event;
use crate::domain::language::Language;
use crate::domain::permissions::Role;
use crate::domain::values::{Country, email_key};
use crate::error::Result;
use crate::repository::accounts::{self, Account};
use crate::repository::users::{self, User};
use crate::repository::{DbConn, documents, events};
use crate::types::Json;
use crate::workflows::Context;

/// The sandbox when a business came to it: those that have not paid were there long before.
pub(super) fn since(context: &Context, business: u128) -> Context {
    let now = match OWING.contains(&business) {
        true => context.now.plus(TimeDelta::days(-200)),
        false => context.now,
    };
    Context {
        now,
        ..context.clone()
    }
}

/// Seeds the active businesses with a document each that was accepted, and their people.
pub fn seed(conn: &mut DbConn, context: &Context, password_hash: &str) -> Result<()> {
    for business in ACTIVE {
        let context = &since(context, business.n);
        let mut account = account(context, &business);
        account.status = AccountStatus::Active;
        account.approved_at = Some(context.now);
        account.legacy_cps_email = super::migration::old_address(business.n).map(str::to_owned);
        let mut happened = vec![Event::AccountActive {
            account_id: account.id,
            status: account.status,
        }];
        if business.n == SUSPENDED {
            account.suspended_from = Some(account.status);
            account.status = AccountStatus::Suspended;
            happened.push(Event::AccountSuspended {
                account_id: account.id,
                status: account.status,
            });
        }
        accounts::insert(conn, &account)?;
        events::record(conn, &seeding().stamp(context.now), &happened)?;
        let status = DocumentStatus::Accepted;
        let document = applications::document(context, 10 + business.n, account.id, status);
        documents::insert(conn, &document)?;
    }
    for member in MEMBERS {
        let account = Some(account_id(member.account));
        let names = (member.email, member.name);
        let mut user = user(context, member.n, account, names, member.role);
        user.password_hash = Some(password_hash.to_owned());
        users::insert(conn, &user)?;
    }
    Ok(())
}

/// The account number of the `n`-th business.
pub(super) fn number_of(n: u128) -> String {
    account_number(u64::try_from(n).unwrap_or(0).to_be_bytes())
}

/// The account of a business, not submitted yet.
pub fn account(context: &Context, business: &Business) -> Account {
    let (email, name) = business.contact;
    Account {
        id: account_id(business.n),
        account_number: number_of(business.n),
        status: AccountStatus::Draft,
        version: 1,
        company_name: business.company.to_owned(),
        company_key: business.company.to_lowercase(),
        country: Country::DK,
        vat_registered: true,
        vat_number: Some(business.vat_number.to_owned()),
        street: format!("Strandvejen {}", business.n),
        postal_code: business.postal_code.to_owned(),
        city: business.city.to_owned(),
        contact_name: name.to_owned(),
        contact_email: email.to_owned(),
        contact_email_key: email_key(email),
        contact_phone: None,
        legacy_cps_email: None,
        language: Language::Da,
        source: Some("sandbox".to_owned()),
        authority_declared_at: context.now,
        authority_declared_from: "127.0.0.1".to_owned(),
        terms_version: context.programme.terms_version.clone(),
        terms_accepted_at: context.now,
        applicant_token_hash: None,
        created_at: context.now,
        updated_at: context.now,
        approved_at: None,
        ended_at: None,
        suspended_from: None,
        mailbox_used_at: None,
        contact_email_proposed: None,
        contact_email_proposed_by: None,
    }
}

/// Somebody without a password.
pub fn user(
    context: &Context,
    n: u128,
    account_id: Option<AccountId>,
    (email, name): (&str, &str),
    role: Role,
) -> User {
    User {
        id: UserId::from(fixed(n)),
        version: 1,
        account_id,
        email: email.to_owned(),
        email_key: email_key(email),
        name: name.to_owned(),
        roles: Json(json!([role])),
        language: Language::Da,
        password_hash: None,
        session_version: 1,
        created_at: context.now,
        removed_at: None,
        invited_until: None,
    }
}
