//! What staff do with an account that was approved: locking it, letting it go on, sending its first link again.

use super::super::{Context, passwords};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountStatus;
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::{DbConn, Held, events, sessions, users};

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
    let suspended = Event::AccountSuspended {
        account_id: account.id,
        status: account.status,
    };
    store(conn, context, access, account, (suspended, reason))
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
    let reopened = Event::AccountReopened {
        account_id: account.id,
        status: account.status,
    };
    store(conn, context, access, account, (reopened, reason))
}

fn store(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    mut account: Held<Account>,
    (event, reason): (Event, &str),
) -> Result<Account> {
    sessions::confirm(conn, access.actor())?;
    accounts::store(conn, &mut account, context.now)?;
    let stamp = access.stamp(context.now).because(reason);
    events::record(conn, &stamp, &[event])?;
    Ok(account.into_row())
}

/// Mails a new first-password link while the account waits for its first password; the links before it stay good.
pub fn send_first_link(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<()> {
    let account = accounts::lock(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    if account.status != AccountStatus::Approved {
        return Err(Code::AccountStateConflict.into());
    }
    let user = users::lock_waiting(conn, &account)?.ok_or(Code::AccountStateConflict)?;
    passwords::send_link(conn, context, &user, Template::FirstPassword)?;
    let sent = Event::AccountLinkSent {
        account_id: account.id,
        user_id: user.id,
    };
    events::record(conn, &access.stamp(context.now), &[sent])
}
