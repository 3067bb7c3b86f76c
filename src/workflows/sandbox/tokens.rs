//! The secrets that every sandbox begins with, as published as its passwords: whoever tries an operation as the contract shows it has one that holds.

use chrono::TimeDelta;
use serde_json::json;

use super::applications::set_password_url;
use super::fixed;
use crate::domain::access::{SessionId, UserId};
use crate::domain::mail::Template;
use crate::domain::session::refresh_ends;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::accounts::Account;
use crate::repository::mails::{self, Mail};
use crate::repository::sessions::{self, RefreshToken, Session};
use crate::repository::users::{self, OneTimeToken, TokenPurpose, User};
use crate::secrets::sha256_hex;
use crate::workflows::{Context, mail, passwords};

/// Lets the contact of the approved application set a password.
pub const FIRST_PASSWORD: &str = "cpt_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E";
/// Goes on with the session of the first member.
const REFRESH: &str = "cpr_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E";
/// The code that was mailed to an old address.
pub const MIGRATION_CODE: &str = "12345678";
/// How long that code holds: longer than others, so that it is found good.
pub const MIGRATION_CODE_DAYS: i64 = 365;

/// A session of the first member that waits to be gone on with.
pub fn seed_session(conn: &mut DbConn, context: &Context) -> Result<()> {
    let session = Session {
        id: SessionId::from(fixed(1)),
        user_id: UserId::from(fixed(111)),
        created_at: context.now,
        ended_at: None,
    };
    sessions::insert(conn, &session)?;
    let rules = &context.programme.sessions;
    let token = RefreshToken {
        token_hash: sha256_hex(REFRESH.as_bytes()),
        session_id: session.id,
        created_at: context.now,
        expires_at: refresh_ends(context.now, context.now, false, rules),
        used_at: None,
    };
    sessions::insert_refresh_token(conn, &token)
}

/// The link of an approved application, in the mail that has arrived.
pub fn seed_first_password(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    user: &User,
) -> Result<()> {
    let token = OneTimeToken {
        token_hash: sha256_hex(FIRST_PASSWORD.as_bytes()),
        user_id: user.id,
        purpose: TokenPurpose::FirstPassword,
        created_at: context.now,
        expires_at: passwords::first_link_ends(context),
        ended_at: None,
    };
    users::insert_token(conn, &token)?;
    let url = set_password_url(&context.links);
    let hours = context.programme.passwords.first_link_hours;
    let values = json!({ "action_url": url, "valid_hours": hours });
    let values = mail::application(context, account, values);
    let to = mail::Recipient::contact(account);
    arrived(conn, context, &to, Template::FirstPassword, values)
}

/// The code of an old address, in the mail that has arrived there.
pub fn seed_migration_code(
    conn: &mut DbConn,
    context: &Context,
    to: &mail::Recipient,
) -> Result<()> {
    let minutes = TimeDelta::days(MIGRATION_CODE_DAYS).num_minutes();
    let values = json!({ "code": MIGRATION_CODE, "valid_minutes": minutes });
    arrived(conn, context, to, Template::MigrationProof, values)
}

/// A mail that the mailbox has from the start, whatever becomes of those that are sent.
fn arrived(
    conn: &mut DbConn,
    context: &Context,
    to: &mail::Recipient,
    template: Template,
    values: serde_json::Value,
) -> Result<()> {
    let mail = mail::sealed(context, to, template, values, mail::Terms::default())?;
    let mail = Mail {
        sent_at: Some(context.now),
        ..mail
    };
    mails::insert(conn, &mail)
}
