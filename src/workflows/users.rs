//! Who may sign in: users that are invited and removed, and staff. Setting their passwords is in `passwords`.

use super::tasks::{Task, enqueue};
use super::{Context, passwords};
use crate::domain::access::{AccountAccess, ServiceAccess, UserId};
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::language::Language;
use crate::domain::mail::Template;
use crate::domain::permissions::Role;
use crate::domain::values::Email;
use crate::error::{Code, Result};
use crate::repository::accounts::Account;
use crate::repository::users::{self, User};
use crate::repository::{DbConn, Held, accounts, devices, events, sessions};
use crate::types::{Instant, Json};

/// Who is to be a user.
#[derive(Debug, Clone)]
pub struct Newcomer {
    pub email: Email,
    pub name: String,
    /// One role for a user of an account, one or more for staff.
    pub roles: Vec<Role>,
    /// Without one, that of the account.
    pub language: Option<Language>,
}

fn user(
    context: &Context,
    account_id: Option<AccountId>,
    new: Newcomer,
    (language, invited_until): (Language, Option<Instant>),
) -> Result<User> {
    Ok(User {
        id: UserId::new(context.now),
        version: 1,
        account_id,
        email_key: new.email.key(),
        email: new.email.to_string(),
        name: new.name,
        roles: Json::of(&new.roles)?,
        language: new.language.unwrap_or(language),
        password_hash: None,
        session_version: 1,
        created_at: context.now,
        removed_at: None,
        invited_until,
    })
}

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
    let task = Task::EndInvitation {
        account_id,
        user_id,
    };
    enqueue(conn, &task, until, context.now)?;
    Ok(user)
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

/// Removes a user, never the last superuser who can sign in: the account is held, so that of two at once the second sees the first. Their sessions
/// and links end, and the address is free again.
pub fn remove(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: UserId,
    check: impl FnOnce(i64) -> Result<()>,
) -> Result<()> {
    let account = accounts::lock_active(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let mut user = users::lock_of(conn, &account, id)?;
    check(user.version)?;
    keep_a_superuser(conn, &account, &user)?;
    user.removed_at = Some(context.now);
    user.session_version += 1;
    users::store(conn, &mut user)?;
    sessions::end_all(conn, user.id, context.now)?;
    users::end_tokens(conn, user.id, context.now)?;
    devices::end_all(conn, user.id)?;
    let (account_id, user_id) = (account.id, id);
    let happened = [
        Event::UserRemoved {
            account_id,
            user_id,
        },
        Event::UserSessionsEnded {
            account_id,
            user_id,
        },
    ];
    events::record(conn, &access.stamp(context.now), &happened)
}

/// Refuses to take the last superuser who can sign in from a held account.
fn keep_a_superuser(conn: &mut DbConn, account: &Held<Account>, user: &Held<User>) -> Result<()> {
    let superusers = users::superusers_of(conn, account)?;
    match superusers.as_slice() {
        [last] if last.id == user.id => Err(Code::LastSuperuser.into()),
        _ => Ok(()),
    }
}

/// Gives a user another role, never the last superuser who can sign in. Their sessions end: the role stands in their tokens.
pub fn change_role(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    (id, role): (UserId, Option<Role>),
    check: impl FnOnce(i64) -> Result<()>,
) -> Result<User> {
    let account = accounts::lock_active(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let mut user = users::lock_of(conn, &account, id)?;
    check(user.version)?;
    let Some(role) = role.filter(|role| user.roles().is_ok_and(|now| now != [*role])) else {
        return Ok(user.into_row());
    };
    keep_a_superuser(conn, &account, &user)?;
    let (account_id, user_id, roles) = (account.id, id, vec![role]);
    user.roles = Json::of(&roles)?;
    users::store(conn, &mut user)?;
    sessions::end_all(conn, id, context.now)?;
    let happened = [
        Event::UserRoleChanged {
            account_id,
            user_id,
            roles,
        },
        Event::UserSessionsEnded {
            account_id,
            user_id,
        },
    ];
    events::record(conn, &access.stamp(context.now), &happened)?;
    Ok(user.into_row())
}

/// Has those users of a held account whose mails spoke its language follow it to another one; who chose their own keeps it.
pub fn follow_language(
    conn: &mut DbConn,
    stamp: &Stamp,
    account: &Held<Account>,
    before: Language,
) -> Result<()> {
    if account.language == before {
        return Ok(());
    }
    let following = users::follow_language(conn, account, before)?.into_iter();
    let changed = following.map(|id| Event::user_changed(Some(account.id), id, (false, true)));
    events::record(conn, stamp, &changed.collect::<Vec<_>>())
}

/// Adds a member of staff and mails the link for the first password; returns it too, for the administrator at the terminal.
pub fn create_staff(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    new: Newcomer,
) -> Result<String> {
    let roles = new.roles.clone();
    let user = user(context, None, new, (Language::En, None))?;
    users::insert(conn, &user)?;
    let created = Event::StaffCreated {
        user_id: user.id,
        roles,
    };
    events::record(conn, &service.stamp(context.now), &[created])?;
    passwords::send_link(conn, context, &user, Template::UserWelcome)
}
