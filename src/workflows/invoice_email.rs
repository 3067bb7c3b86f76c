//! The address that mails about money go to instead of the contact's: asked for, and confirmed by the link that is mailed to it. Whoever had them before is told.

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde_json::json;

use super::Context;
use super::mail::{self, Recipient, Terms};
use crate::domain::access::{Anonymous, UserId};
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::domain::values::{Email, Field, email_key};
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::billing_profiles::{self, BillingProfile};
use crate::repository::{DbConn, Held, events, users};
use crate::secrets::{random_token, sha256_hex};
use crate::types::Instant;

/// What the text of a token begins with.
const PREFIX: &str = "cpi_";

/// Whom a mail about money goes to: the confirmed address for invoices, which is nobody's own, or the contact.
pub fn recipient(conn: &mut DbConn, account: &Account) -> Result<Recipient> {
    let profile = billing_profiles::find(conn, account.id)?;
    let confirmed = profile.and_then(|profile| profile.invoice_email);
    Ok(addressed(account, confirmed))
}

fn addressed(account: &Account, confirmed: Option<String>) -> Recipient {
    match confirmed {
        Some(address) => of_company(account, address),
        None => Recipient::contact(account),
    }
}

fn of_company(account: &Account, address: String) -> Recipient {
    Recipient {
        address,
        name: Some(account.company_name.clone()),
        company_name: Some(account.company_name.clone()),
        language: account.language,
    }
}

/// Changes the address of a held profile. Another one waits until its link is used, and the one in use stays so until then: invoices must not go
/// nowhere meanwhile. Null takes both away.
pub fn change(
    conn: &mut DbConn,
    context: &Context,
    asked_by: UserId,
    (account, profile): (&Held<Account>, &mut Held<BillingProfile>),
    sent: Field<Email>,
) -> Result<()> {
    match sent {
        Field::Absent | Field::Refused => Ok(()),
        Field::Null => {
            profile.take_waiting();
            let before = addressed(account, profile.invoice_email.take());
            profile.invoice_email_used_at = None;
            tell_former(conn, context, &before, &account.contact_email)
        }
        Field::Read(email) if is_same(profile.invoice_email.as_deref(), &email) => {
            profile.take_waiting();
            Ok(())
        }
        Field::Read(email) => ask(conn, context, asked_by, (account, profile), &email),
    }
}

fn is_same(known: Option<&str>, email: &Email) -> bool {
    known.map(email_key) == Some(email.key())
}

/// Has an address wait for the link that is mailed to it. The same one again gets another link while it may be mailed to.
fn ask(
    conn: &mut DbConn,
    context: &Context,
    asked_by: UserId,
    (account, profile): (&Held<Account>, &mut Held<BillingProfile>),
    email: &Email,
) -> Result<()> {
    let template = Template::InvoiceEmailConfirm;
    let is_asked = mail::may_be_asked(conn, context, &email.key(), &[template])?;
    if !is_asked && is_same(profile.invoice_email_waiting.as_deref(), email) {
        return Ok(());
    }
    let token = random_token(PREFIX)?;
    let hours = context.programme.mails.invoice_email_hours;
    let ends = context.now.plus(TimeDelta::hours(hours.into()));
    profile.invoice_email_waiting = Some(email.to_string());
    profile.invoice_email_token_hash = Some(sha256_hex(token.expose_secret().as_bytes()));
    profile.invoice_email_token_ends_at = Some(ends);
    profile.invoice_email_asked_by = Some(asked_by);
    if !is_asked {
        return Ok(());
    }
    let link = context
        .links
        .with_token("confirm-invoice-email", token.expose_secret());
    let values = json!({ "action_url": link, "valid_hours": hours });
    let to = of_company(account, email.to_string());
    let terms = Terms {
        until: Some(ends),
        for_stranger: true,
    };
    mail::send_on(conn, context, &to, template, values, terms)
}

/// Uses the token of a link up: mails about money go to its address from then on. 400 `token_invalid` for one that is not good, or not any more.
pub fn confirm(conn: &mut DbConn, context: &Context, who: &Anonymous, token: &str) -> Result<()> {
    let hash = sha256_hex(token.as_bytes());
    let known = billing_profiles::waiting(conn, &hash)?.ok_or(Code::TokenInvalid)?;
    let account = accounts::lock_many(conn, &[known.account_id])?.pop();
    let account = account.ok_or(Code::TokenInvalid)?;
    let mut profile = billing_profiles::lock(conn, &account, context.now)?;
    if !profile.waits_for(&hash, context.now) {
        return Err(Code::TokenInvalid.into());
    }
    let (email, asked_by) = profile.take_waiting().ok_or(Code::TokenInvalid)?;
    let before = addressed(&account, profile.invoice_email.replace(email.clone()));
    profile.invoice_email_used_at = Some(context.now);
    billing_profiles::store(conn, &mut profile, context.now)?;
    tell(conn, who, &account, (asked_by, context.now))?;
    tell_former(conn, context, &before, &email)
}

/// Tells whom mails about money went to before that they go to another address, whoever asked for it.
fn tell_former(
    conn: &mut DbConn,
    context: &Context,
    before: &Recipient,
    address: &str,
) -> Result<()> {
    if email_key(&before.address) == email_key(address) {
        return Ok(());
    }
    let template = Template::InvoiceEmailChanged;
    mail::send(conn, context, before, template, json!({}))
}

fn tell(
    conn: &mut DbConn,
    who: &Anonymous,
    account: &Account,
    (asked_by, now): (UserId, Instant),
) -> Result<()> {
    let user = users::find_by_id(conn, asked_by)?.ok_or(Code::TokenInvalid)?;
    let confirmed = Event::AccountInvoiceEmailConfirmed {
        account_id: account.id,
    };
    let stamp = who.as_owner(user.id, user.account_id, now);
    events::record(conn, &stamp, &[confirmed])
}
