//! What staff do with an account that was approved: locking it, letting it go on, sending its first link again.

use serde_json::json;

use super::super::{Context, passwords};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountStatus;
use crate::domain::mail::Template;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::{DbConn, events, users};

/// Locks an account: its users can still look, but change nothing.
pub fn suspend(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    reason: &str,
) -> Result<Account> {
    let mut account = accounts::lock(conn, access)?;
    if !account.status.is_suspendable() {
        return Err(Code::AccountStateConflict.into());
    }
    account.suspended_from = Some(account.status);
    account.status = AccountStatus::Suspended;
    store(conn, context, access, &mut account, ("suspend", reason))?;
    Ok(account)
}

/// Lets a suspended account be what it was.
pub fn lift_suspension(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    reason: &str,
) -> Result<Account> {
    let mut account = accounts::lock(conn, access)?;
    let before = account.suspended_from.take();
    account.status = before.ok_or(Code::AccountStateConflict)?;
    store(conn, context, access, &mut account, ("reopen", reason))?;
    Ok(account)
}

fn store(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    account: &mut Account,
    (act, reason): (&str, &str),
) -> Result<()> {
    let (staff, now) = (access.staff().ok_or(Code::Forbidden)?, context.now);
    accounts::update(conn, account, now)?;
    let (kind, payload) = (
        format!("account.{}", account.status),
        json!({ "status": account.status }),
    );
    events::record(conn, account.id, &kind, payload, now)?;
    let action = format!("account.{act}");
    events::record_staff(conn, staff, &action, Some(account.id), Some(reason), now)
}

/// Mails a new first-password link while the account waits for its first password; the links before it end.
pub fn send_first_link(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<()> {
    let staff = access.staff().ok_or(Code::Forbidden)?;
    let account = accounts::lock(conn, access)?;
    if account.status != AccountStatus::Approved {
        return Err(Code::AccountStateConflict.into());
    }
    let user = users::lock_waiting(conn, access)?.ok_or(Code::AccountStateConflict)?;
    passwords::send_link(conn, context, &user, Template::FirstPassword)?;
    let (id, now) = (account.id, context.now);
    events::record_staff(
        conn,
        staff,
        "account.first_password_link",
        Some(id),
        None,
        now,
    )
}
