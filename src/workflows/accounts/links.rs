//! The links that lead an applicant back to an application: asked for by anybody, mailed to the contact alone.

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde_json::json;

use super::super::Context;
use super::super::mail::{self, Recipient, Terms, send_on};
use crate::domain::access::{APPLICANT_PREFIX, AccountAccess};
use crate::domain::account::AccountId;
use crate::domain::mail::Template;
use crate::domain::values::email_key;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::{DbConn, Held, applicant_tokens};
use crate::secrets::{random_token, sha256_hex};
use crate::types::Instant;

/// Mails the links of the open applications of an address, one mail for all; nothing where there is none. What anybody can ask
/// for changes nothing of an application: the tokens before it stay good.
pub fn send_links(conn: &mut DbConn, context: &Context, email: &str) -> Result<()> {
    let (key, template) = (email_key(email), Template::ApplicantLink);
    let limit = i64::from(context.programme.application.open_per_email);
    let open = lock_open(conn, &key, limit)?;
    let Some(first) = open.first() else {
        return Ok(());
    };
    if !mail::may_be_asked(conn, context, &key, &[template])? {
        return Ok(());
    }
    let mut links = Vec::new();
    for account in &open {
        let url = fresh_link(conn, context, account.id)?;
        links.push(mail::application(context, account, json!({ "url": url })));
    }
    let action_url = links.first().map(|link| link["url"].clone());
    let values = json!({ "action_url": action_url, "links": links });
    let terms = Terms {
        until: Some(link_ends(context)),
        for_stranger: true,
    };
    send_on(
        conn,
        context,
        &Recipient::contact(first),
        template,
        values,
        terms,
    )
}

/// The open applications of an address, held: none moves to another address, or is decided, while a token is made for this one.
fn lock_open(conn: &mut DbConn, email_key: &str, limit: i64) -> Result<Vec<Held<Account>>> {
    let seen = accounts::open_of_email(conn, email_key, limit)?;
    let ids: Vec<AccountId> = seen.iter().map(|account| account.id).collect();
    let mut held = accounts::lock_many(conn, &ids)?;
    held.retain(|one| one.contact_email_key == email_key && one.status.is_open_application());
    held.sort_by_key(|one| ids.iter().position(|id| *id == one.id));
    Ok(held)
}

/// When a link that is made now runs out.
pub fn link_ends(context: &Context) -> Instant {
    let days = context.programme.application.token_days;
    context.now.plus(TimeDelta::days(days.into()))
}

/// A link with a fresh token, for a mail to the contact.
pub fn fresh_link(conn: &mut DbConn, context: &Context, account: AccountId) -> Result<String> {
    let token = random_token(APPLICANT_PREFIX)?;
    let hash = sha256_hex(token.expose_secret().as_bytes());
    applicant_tokens::insert(conn, account, &hash, context.now)?;
    Ok(context
        .links
        .with_token("application", token.expose_secret()))
}

/// Whether whoever acts has the contact's mailbox: the token came by mail.
pub fn has_mailbox(access: &AccountAccess) -> bool {
    let token = access.applicant_token();
    token.is_some_and(|token| token.is_mailed)
}

/// Marks the contact's mailbox as used where a mailed token writes. Whoever typed the address need not own it: the token that
/// registering returned ends then. The write that would make one more open application of the mailbox than it may have is refused.
pub fn use_mailbox(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    account: &mut Held<Account>,
) -> Result<()> {
    if !has_mailbox(access) || account.mailbox_used_at.is_some() {
        return Ok(());
    }
    accounts::lock_email(conn, &account.contact_email_key)?;
    let most = i64::from(context.programme.application.open_per_email);
    if accounts::count_used_of_email(conn, &account.contact_email_key)? >= most {
        return Err(Code::TooManyOpenApplications.into());
    }
    account.mailbox_used_at = Some(context.now);
    account.applicant_token_hash = None;
    Ok(())
}
