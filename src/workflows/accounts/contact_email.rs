//! Another e-mail address of the contact: what it means, and the one that staff ask for and a second of them decides on.

use super::super::Context;
use super::{confirm, known_address, links, receipts};
use crate::domain::access::AccountAccess;
use crate::domain::account::{AccountStatus, check_second};
use crate::domain::event::Event;
use crate::domain::values::email_key;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::{DbConn, Held, applicant_tokens, events, users};

/// Before the first password, whoever changes the address takes the account: what staff put there waits for a second one of them. What
/// a colleague asked for already stays the colleague's.
pub fn propose(access: &AccountAccess, before: &Account, after: &mut Account) {
    let asked = email_key(&after.contact_email);
    let Some(staff) = access.staff() else {
        return;
    };
    if before.is_in_use() || asked == before.contact_email_key {
        return;
    }
    let asked_before = before.contact_email_proposed.as_deref().map(email_key);
    let email = std::mem::replace(&mut after.contact_email, before.contact_email.clone());
    if asked_before != Some(asked) {
        after.contact_email_proposed = Some(email);
        after.contact_email_proposed_by = Some(staff);
    }
}

/// The account, held, with the address that waits, which is forgotten. Whoever asked for it decides nothing.
fn take(conn: &mut DbConn, access: &AccountAccess) -> Result<(Held<Account>, String)> {
    let mut account = accounts::lock(conn, access)?;
    confirm(conn, access, &account)?;
    let proposed = account.take_proposed_email();
    let (email, asked_by) = proposed.ok_or(Code::AccountStateConflict)?;
    check_second(asked_by, access.staff())?;
    Ok((account, email))
}

/// Gives the contact the address that waits.
pub fn accept(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<Account> {
    let (mut after, email) = take(conn, access)?;
    let before = Account::clone(&after);
    after.contact_email = email;
    settle(conn, context, access, &before, &mut after)?;
    accounts::store(conn, &mut after, context.now)?;
    if after.status.is_open_application() {
        known_address::tell_later(conn, context, &after)?;
        receipts::begin_later(conn, context, &after)?;
    }
    let account_id = after.id;
    let changed = Event::AccountChanged {
        account_id,
        company: false,
        contact: true,
    };
    let happened = [Event::AccountContactEmailAccepted { account_id }, changed];
    events::record(conn, &access.stamp(context.now), &happened)?;
    Ok(after.into_row())
}

/// Leaves the contact the address that it has.
pub fn refuse(conn: &mut DbConn, context: &Context, access: &AccountAccess) -> Result<Account> {
    let (mut account, _) = take(conn, access)?;
    accounts::store(conn, &mut account, context.now)?;
    let account_id = account.id;
    let refused = Event::AccountContactEmailRefused { account_id };
    events::record(conn, &access.stamp(context.now), &[refused])?;
    Ok(account.into_row())
}

/// What another address of the contact means. Its mailbox is not used yet, and what was mailed to the one before ends. While nobody has
/// set a password, the contact is the first user, who would otherwise wait for ever for a link that went astray; later a user's sign-in
/// is the user's own, and stays.
pub fn settle(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    before: &Account,
    after: &mut Held<Account>,
) -> Result<()> {
    after.contact_email_key = email_key(&after.contact_email);
    if after.contact_email_key == before.contact_email_key {
        return links::use_mailbox(conn, context, access, after);
    }
    if links::has_mailbox(access) {
        after.applicant_token_hash = None;
    }
    receipts::tell_old_address(conn, context, access, before)?;
    after.take_proposed_email();
    after.mailbox_used_at = None;
    applicant_tokens::end_mailed(conn, after)?;
    let waits = [Some(after.status), after.suspended_from].contains(&Some(AccountStatus::Approved));
    if waits && let Some(mut user) = users::lock_waiting(conn, after)? {
        user.email.clone_from(&after.contact_email);
        user.email_key.clone_from(&after.contact_email_key);
        users::store(conn, &mut user)?;
        users::end_tokens(conn, user.id, context.now)?;
    }
    Ok(())
}
