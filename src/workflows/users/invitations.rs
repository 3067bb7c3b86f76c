//! Invitations: no user until they are accepted, which setting the first password does.

use super::super::tasks::{Task, enqueue};
use super::super::{Context, passwords};
use super::{Newcomer, tell_of_staff, user};
use crate::domain::access::{AccountAccess, ServiceAccess, UserId};
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::mail::Template;
use crate::error::{Code, Result};
use crate::repository::users::{self, User};
use crate::repository::{DbConn, Held, accounts, events, sessions};
use crate::types::Instant;

/// Invites somebody to be a user of an account and mails the link for the first password. An invitation is no user until it is accepted: it
/// keeps nobody from being invited elsewhere, or from an account of their own, and ends with its link. Inviting again sends a new one.
///
/// An address that has a user already is refused as `email_in_use`. That tells the caller that it is known, and is meant to: a
/// superuser is no stranger but signed in for a business that was verified, counted by the rate limit and named in the log, and
/// somebody who is added but never gets in would be no answer. Whoever is not signed in never comes this far.
pub fn invite(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    new: Newcomer,
) -> Result<User> {
    let account = accounts::lock_active(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let (roles, key) = (new.roles.clone(), new.email.key());
    if users::find_by_email(conn, &key)?.is_some() {
        return Err(Code::EmailInUse.into());
    }
    let stamp = access.stamp(context.now);
    end_invitations(conn, &stamp, &key, Some(account.id))?;
    let until = passwords::first_link_ends(context);
    let terms = (account.language, Some(until));
    let user = user(context, Some(account.id), new, terms)?;
    users::insert(conn, &user)?;
    let (account_id, user_id) = (account.id, user.id);
    let invited = Event::UserInvited {
        account_id,
        user_id,
        roles,
    };
    events::record(conn, &stamp, &[invited])?;
    passwords::send_link(conn, context, &user, Template::UserWelcome)?;
    let superusers = users::superusers_of(conn, &account)?;
    tell_of_staff(
        conn,
        context,
        access,
        &superusers,
        (&user, Template::UserAdded),
    )?;
    watch_invitation(conn, context, (account_id, user_id), until)?;
    Ok(user)
}

fn watch_invitation(
    conn: &mut DbConn,
    context: &Context,
    (account_id, user_id): (AccountId, UserId),
    until: Instant,
) -> Result<()> {
    let task = Task::EndInvitation {
        account_id,
        user_id,
    };
    enqueue(conn, &task, until, context.now)
}

/// Ends the invitations of an address: whoever it belongs to is a user, or is invited anew.
pub fn end_invitations(
    conn: &mut DbConn,
    stamp: &Stamp,
    email_key: &str,
    of: Option<AccountId>,
) -> Result<()> {
    let ended = users::end_invitations(conn, email_key, of, stamp.now)?;
    for (_, user_id) in &ended {
        users::end_tokens(conn, *user_id, stamp.now)?;
    }
    let removed = ended.into_iter().filter_map(|(account_id, user_id)| {
        Some(Event::UserRemoved {
            account_id: account_id?,
            user_id,
        })
    });
    events::record(conn, stamp, &removed.collect::<Vec<_>>())
}

/// Ends an invitation that nobody accepted.
pub fn end_invitation(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    account_id: AccountId,
    user_id: UserId,
) -> Result<()> {
    accounts::lock(conn, &service.on(account_id))?;
    let is_over = |user: &Held<User>| user.invited_until.is_some_and(|until| until <= context.now);
    let Some(mut user) = users::lock(conn, user_id)?.filter(is_over) else {
        return Ok(());
    };
    user.removed_at = Some(context.now);
    users::store(conn, &mut user)?;
    users::end_tokens(conn, user.id, context.now)?;
    let removed = Event::UserRemoved {
        account_id,
        user_id,
    };
    events::record(conn, &service.stamp(context.now), &[removed])
}
