//! An application's way: registering, its link, its quiet end. Deciding it is in `reviews`.

mod change;
mod contact_email;
mod known_address;
mod links;
mod proof;
mod receipts;
mod suspension;

use secrecy::{ExposeSecret, SecretString};

use super::Context;
use super::tasks::{Task, enqueue};
use crate::domain::access::{APPLICANT_PREFIX, AccountAccess, Anonymous, ServiceAccess};
use crate::domain::account::{self, AccountId, AccountStatus};
use crate::domain::event::Event;
use crate::domain::language::Language;
use crate::domain::values::{Country, Email, Phone, VatNumber};
use crate::error::{Code, Error, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::{DbConn, Held, applicant_tokens, events, sessions};
use crate::secrets::{random, random_token, sha256_hex};

pub use change::{Patched, Unread, change};
pub use contact_email::{accept as accept_contact_email, refuse as refuse_contact_email};
pub use known_address::tell as tell_known_address;
pub use links::{fresh_link, link_ends, send_links, use_mailbox};
pub use proof::Given;
pub use receipts::{send_started, send_submitted};
pub use suspension::{lift_suspension, send_first_link, suspend};

/// What a business says of itself when it registers; checked.
#[derive(Debug, Clone)]
pub struct Registration {
    pub company_name: String,
    pub country: Country,
    pub vat_registered: bool,
    pub vat_number: Option<VatNumber>,
    pub street: String,
    pub postal_code: String,
    pub city: String,
    pub contact_name: String,
    pub contact_email: Email,
    pub contact_phone: Option<Phone>,
    pub legacy_cps_email: Option<Email>,
    pub language: Language,
    pub source: Option<String>,
    pub terms_version: String,
    /// The address that the authority was declared from.
    pub declared_from: String,
}

/// Opens a draft. It answers the same whether the address or the VAT number is known or not: who is known is told by mail, later.
pub fn register(
    conn: &mut DbConn,
    context: &Context,
    who: Anonymous,
    new: Registration,
) -> Result<(Account, SecretString)> {
    let token = random_token(APPLICANT_PREFIX)?;
    let account = draft(context, new, free_number(conn)?, &token);
    accounts::insert(conn, &account)?;
    let access = who.as_applicant(account.id);
    let registered = Event::AccountRegistered {
        account_id: account.id,
        status: account.status,
    };
    events::record(conn, &access.stamp(context.now), &[registered])?;
    known_address::tell_later(conn, context, &account)?;
    receipts::begin_later(conn, context, &account)?;
    watch_draft(conn, context, account.id)?;
    Ok((account, token))
}

/// Looks again, behind the account's lock, whether whoever acts still may: a session may have ended, an applicant's token may have been
/// replaced, and a decided application is changed by no token.
pub fn confirm(conn: &mut DbConn, access: &AccountAccess, account: &Held<Account>) -> Result<()> {
    sessions::confirm(conn, access.actor())?;
    let Some(token) = access.applicant_token() else {
        return Ok(());
    };
    if !account.status.is_open_application() {
        return Err(Code::ApplicationNotEditable.into());
    }
    let registered = account.applicant_token_hash.as_deref() == Some(&token.hash);
    if registered || applicant_tokens::is_mailed(conn, account, &token.hash)? {
        Ok(())
    } else {
        Err(Code::Unauthenticated.into())
    }
}

fn draft(context: &Context, new: Registration, number: String, token: &SecretString) -> Account {
    Account {
        id: AccountId::new(context.now),
        account_number: number,
        status: AccountStatus::Draft,
        version: 1,
        company_key: new.company_name.to_lowercase(),
        company_name: new.company_name,
        country: new.country,
        vat_registered: new.vat_registered,
        vat_number: new.vat_number.map(String::from),
        street: new.street,
        postal_code: new.postal_code,
        city: new.city,
        contact_name: new.contact_name,
        contact_email: new.contact_email.to_string(),
        contact_email_key: new.contact_email.key(),
        contact_phone: new.contact_phone.map(|phone| phone.to_string()),
        legacy_cps_email: new.legacy_cps_email.map(|email| email.to_string()),
        language: new.language,
        source: new.source,
        authority_declared_at: context.now,
        authority_declared_from: new.declared_from,
        terms_version: new.terms_version,
        terms_accepted_at: context.now,
        applicant_token_hash: Some(sha256_hex(token.expose_secret().as_bytes())),
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

/// An account number that is not in use.
fn free_number(conn: &mut DbConn) -> Result<String> {
    for _ in 0..20 {
        let number = account::account_number(random()?);
        if !accounts::is_number_taken(conn, &number)? {
            return Ok(number);
        }
    }
    Err(Error::internal("drawing an account number")("none is free"))
}

fn watch_draft(conn: &mut DbConn, context: &Context, account_id: AccountId) -> Result<()> {
    let due = account::draft_expires(context.now, context.programme.application.draft_days);
    enqueue(
        conn,
        &Task::ExpireDraft { account_id, due },
        due,
        context.now,
    )
}

/// Ends a draft that nobody touched for its time, or looks again later.
pub fn expire_draft(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    account_id: AccountId,
) -> Result<()> {
    let mut account = accounts::lock(conn, &service.on(account_id))?;
    if account.status != AccountStatus::Draft {
        return Ok(());
    }
    let due = account::draft_expires(account.updated_at, context.programme.application.draft_days);
    if due > context.now {
        return enqueue(
            conn,
            &Task::ExpireDraft { account_id, due },
            due,
            context.now,
        );
    }
    account.status = AccountStatus::Expired;
    let expired = Event::AccountExpired {
        account_id,
        status: account.status,
    };
    events::record(conn, &service.stamp(context.now), &[expired])?;
    end(conn, context, &mut account)
}

/// Stores an application that ended without an account; its files die later.
pub fn end(conn: &mut DbConn, context: &Context, account: &mut Held<Account>) -> Result<()> {
    account.ended_at = Some(context.now);
    account.take_proposed_email();
    accounts::store(conn, account, context.now)?;
    let gone = account::files_deleted(context.now, false, &context.programme.application);
    enqueue(
        conn,
        &Task::DeleteApplicationFiles {
            account_id: account.id,
        },
        gone,
        context.now,
    )
}
