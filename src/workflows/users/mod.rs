//! Who may sign in: users with their roles, and staff. Setting their passwords is in `passwords`, what they do about themselves in `me`.

mod invitations;

use serde_json::json;

use super::mail::{self, Recipient};
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
use crate::texts::{Subject, Value, say};
use crate::types::{Instant, Json};

pub use invitations::{end_invitation, end_invitations, invite};

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

/// Tells the superusers that an account had what staff did with one of its users; what its own superusers do they know.
fn tell_of_staff(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    superusers: &[User],
    (user, template): (&User, Template),
) -> Result<()> {
    if access.staff().is_none() {
        return Ok(());
    }
    let company = passwords::company_name(conn, context, user)?;
    let roles = user.roles()?;
    let role = roles.first().ok_or(Code::InternalError)?;
    for superuser in superusers {
        let key = format!("roles.{role}");
        let role = say(Subject::Labels, &key, superuser.language, Value::UNDEFINED);
        let values = json!({ "user_name": user.name, "user_email": user.email, "role": role });
        let to = Recipient::user(superuser, &company);
        mail::send(conn, context, &to, template, values)?;
    }
    Ok(())
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
    keep_a_superuser(&users::superusers_of(conn, &account)?, &user)?;
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

/// Refuses to take the last one of the superusers who can sign in.
fn keep_a_superuser(superusers: &[User], user: &User) -> Result<()> {
    match superusers {
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
    let superusers = users::superusers_of(conn, &account)?;
    keep_a_superuser(&superusers, &user)?;
    let roles = vec![role];
    user.roles = Json::of(&roles)?;
    users::store(conn, &mut user)?;
    sessions::end_all(conn, id, context.now)?;
    let happened = role_changed(account.id, id, roles);
    events::record(conn, &access.stamp(context.now), &happened)?;
    tell_of_staff(
        conn,
        context,
        access,
        &superusers,
        (&user, Template::UserRoleChanged),
    )?;
    Ok(user.into_row())
}

fn role_changed(account_id: AccountId, user_id: UserId, roles: Vec<Role>) -> [Event; 2] {
    [
        Event::UserRoleChanged {
            account_id,
            user_id,
            roles,
        },
        Event::UserSessionsEnded {
            account_id,
            user_id,
        },
    ]
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
