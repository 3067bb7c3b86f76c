//! Links that let a user set a password, and what happens when one is set.

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Context;
use super::mail::{self, Recipient, Terms};
use super::users::end_invitations;
use crate::domain::access::{Anonymous, UserId};
use crate::domain::account::AccountStatus;
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::domain::values::email_key;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::users::{self, OneTimeToken, TokenPurpose, User};
use crate::repository::{DbConn, Held, devices, events, reviews, sessions};
use crate::secrets::{random_token, sha256_hex};
use crate::types::Instant;

/// What the text of a one-time token begins with.
const PREFIX: &str = "cpt_";

/// When a link for a first password that is made now runs out.
pub fn first_link_ends(context: &Context) -> Instant {
    let hours = context.programme.passwords.first_link_hours;
    context.now.plus(TimeDelta::hours(hours.into()))
}

/// Mails a link and returns it; the links before it stay good until they run out.
pub fn send_link(
    conn: &mut DbConn,
    context: &Context,
    user: &User,
    template: Template,
) -> Result<String> {
    send_link_for(conn, context, user, template, false)
}

fn send_link_for(
    conn: &mut DbConn,
    context: &Context,
    user: &User,
    template: Template,
    for_stranger: bool,
) -> Result<String> {
    let rules = &context.programme.passwords;
    let (purpose, valid_hours) = match template {
        Template::PasswordReset => (TokenPurpose::PasswordReset, rules.reset_link_hours),
        _ => (TokenPurpose::FirstPassword, rules.first_link_hours),
    };
    let token = random_token(PREFIX)?;
    let row = OneTimeToken {
        token_hash: sha256_hex(token.expose_secret().as_bytes()),
        user_id: user.id,
        purpose,
        created_at: context.now,
        expires_at: context.now.plus(TimeDelta::hours(valid_hours.into())),
        ended_at: None,
    };
    users::insert_token(conn, &row)?;
    let action_url = context
        .links
        .with_token("set-password", token.expose_secret());
    let values = json!({ "action_url": action_url, "valid_hours": valid_hours });
    let (to, values) = addressed(conn, context, user, template, values)?;
    let terms = Terms {
        until: Some(row.expires_at),
        for_stranger,
    };
    mail::send_on(conn, context, &to, template, values, terms)?;
    Ok(action_url)
}

/// Whom a link goes to, and what its mail says. Before the first password the user is the contact of an application, whose mailbox may not be used yet.
fn addressed(
    conn: &mut DbConn,
    context: &Context,
    user: &User,
    template: Template,
    values: Value,
) -> Result<(Recipient, Value)> {
    let account = account_of(conn, user)?;
    if let (Template::FirstPassword, Some(account)) = (template, &account) {
        let values = mail::application(context, account, values);
        return Ok((Recipient::contact(account), values));
    }
    let company = account.map(|account| account.company_name);
    let company = company.as_ref().unwrap_or(&context.programme.name);
    Ok((Recipient::user(user, company), values))
}

/// The account that a user belongs to; staff have none.
fn account_of(conn: &mut DbConn, user: &User) -> Result<Option<Account>> {
    match user.account_id {
        Some(id) => accounts::find_by_id(conn, id),
        None => Ok(None),
    }
}

/// The name of the user's company; for staff, that of the programme.
pub fn company_name(conn: &mut DbConn, context: &Context, user: &User) -> Result<String> {
    Ok(account_of(conn, user)?.map_or_else(
        || context.programme.name.clone(),
        |account| account.company_name,
    ))
}

/// Answers somebody who forgot a password: a link, or how far the application is; nothing to a stranger.
pub fn answer_reset(conn: &mut DbConn, context: &Context, email: &str) -> Result<()> {
    let key = email_key(email);
    let asked = [
        Template::PasswordReset,
        Template::FirstPassword,
        Template::UserWelcome,
        Template::ResetBeforeApproval,
    ];
    if !mail::may_be_asked(conn, context, &key, &asked)? {
        return Ok(());
    }
    if let Some(user) = users::find_by_email(conn, &key)? {
        return send_asked_link(conn, context, user.id, &key);
    }
    let Some(account) = accounts::open_of_email(conn, &key, 1)?.pop() else {
        return Ok(());
    };
    let review = reviews::find(conn, account.id)?;
    let due = review.and_then(|review| review.due(account.status));
    let due_date = due.map(|due| context.programme.review.date_of(due));
    let values = json!({ "status": account.status, "review_due_date": due_date });
    let values = mail::application(context, &account, values);
    let to = Recipient::contact(&account);
    let terms = Terms {
        until: None,
        for_stranger: true,
    };
    mail::send_on(
        conn,
        context,
        &to,
        Template::ResetBeforeApproval,
        values,
        terms,
    )
}

/// A link for the user of an address, held with the account: neither moves to another address, nor sets a password, while a token is made.
fn send_asked_link(
    conn: &mut DbConn,
    context: &Context,
    id: UserId,
    email_key: &str,
) -> Result<()> {
    let Some((account, user)) = lock_owner(conn, id)? else {
        return Ok(());
    };
    if user.email_key != email_key {
        return Ok(());
    }
    let template = match (&user.password_hash, account.map(|account| account.status)) {
        (Some(_), _) => Template::PasswordReset,
        (None, Some(AccountStatus::Approved)) => Template::FirstPassword,
        (None, _) => Template::UserWelcome,
    };
    send_link_for(conn, context, &user, template, true).map(drop)
}

/// Whose password a token sets, and the company that the password may not name.
pub fn owner_of(conn: &mut DbConn, context: &Context, token: &str) -> Result<(User, String)> {
    let token = users::find_token(conn, &sha256_hex(token.as_bytes()), context.now)?
        .ok_or(Code::TokenInvalid)?;
    let user = users::find_by_id(conn, token.user_id)?.ok_or(Code::TokenInvalid)?;
    let company = company_name(conn, context, &user)?;
    Ok((user, company))
}

/// Uses the token up, sets the password, ends every other session and tells the user. The first one makes the account active.
pub fn set(
    conn: &mut DbConn,
    context: &Context,
    who: &Anonymous,
    token: &str,
    password_hash: String,
) -> Result<UserId> {
    let hash = sha256_hex(token.as_bytes());
    let known = users::find_token(conn, &hash, context.now)?.ok_or(Code::TokenInvalid)?;
    let owner = lock_owner(conn, known.user_id)?;
    let (account, mut user) = owner.ok_or(Code::TokenInvalid)?;
    let is_first = user.password_hash.is_none();
    users::lock_token(conn, &hash, context.now)?.ok_or(Code::TokenInvalid)?;
    user.session_version += 1;
    user.invited_until = None;
    replace(conn, context, &mut user, password_hash)?;
    sessions::end_all(conn, user.id, context.now)?;
    let mut happened = told(&user, is_first);
    if let Some(account) = account {
        happened.extend(activate(conn, context, account)?);
    }
    let stamp = who.as_owner(user.id, user.account_id, context.now);
    events::record(conn, &stamp, &happened)?;
    end_invitations(conn, &stamp, &user.email_key, None)?;
    tell_owner(conn, context, &user)?;
    Ok(user.id)
}

/// Stores another password. What was sent to set one ends, what was counted against the one before, and what is known of devices.
pub fn replace(
    conn: &mut DbConn,
    context: &Context,
    user: &mut Held<User>,
    password_hash: String,
) -> Result<()> {
    users::end_tokens(conn, user.id, context.now)?;
    user.password_hash = Some(password_hash);
    users::store(conn, user)?;
    devices::end_all(conn, user.id)?;
    sessions::clear_failures(conn, &sha256_hex(user.email_key.as_bytes()))
}

/// Tells a user of the new password.
pub fn tell_owner(conn: &mut DbConn, context: &Context, user: &User) -> Result<()> {
    let to = Recipient::user(user, &company_name(conn, context, user)?);
    mail::send(conn, context, &to, Template::PasswordChanged, json!({}))
}

/// What happened to a user who has another password, or the first one.
pub fn told(user: &User, is_first: bool) -> Vec<Event> {
    let (account, id) = (user.account_id, user.id);
    match is_first {
        true => vec![Event::user_activated(account, id)],
        false => vec![
            Event::password_changed(account, id),
            Event::sessions_ended(account, id),
        ],
    }
}

/// A user with the account that they belong to, both held; staff have none.
pub type Owner = (Option<Held<Account>>, Held<User>);

/// A user, held, behind the account; none where nobody of that id is left.
pub fn lock_owner(conn: &mut DbConn, id: UserId) -> Result<Option<Owner>> {
    let Some(user) = users::find_by_id(conn, id)? else {
        return Ok(None);
    };
    let account = match user.account_id {
        Some(id) => accounts::lock_many(conn, &[id])?.pop(),
        None => None,
    };
    let user = users::lock(conn, id)?;
    Ok(user.map(|user| (account, user)))
}

/// The first password makes an approved account active; one that is suspended will be when it goes on.
fn activate(
    conn: &mut DbConn,
    context: &Context,
    mut account: Held<Account>,
) -> Result<Option<Event>> {
    let is_suspended = account.suspended_from == Some(AccountStatus::Approved);
    if is_suspended {
        account.suspended_from = Some(AccountStatus::Active);
    } else if account.status == AccountStatus::Approved {
        account.status = AccountStatus::Active;
    } else {
        return Ok(None);
    }
    account.applicant_token_hash = None;
    account.take_proposed_email();
    account.mailbox_used_at = account.mailbox_used_at.or(Some(context.now));
    accounts::store(conn, &mut account, context.now)?;
    Ok((!is_suspended).then_some(Event::AccountActive {
        account_id: account.id,
        status: account.status,
    }))
}
