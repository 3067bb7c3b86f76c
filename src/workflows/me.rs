//! What users do about themselves: their name, language and password, and the sessions that they are signed in with.

use super::{Context, passwords};
use crate::domain::access::{SessionId, UserAccess, UserId};
use crate::domain::event::Event;
use crate::domain::language::Language;
use crate::error::{Code, Fault, FaultCode, Result};
use crate::repository::users::{self, User};
use crate::repository::{DbConn, events, sessions};
use crate::secrets::sha256_hex;

/// What users may change of themselves; nothing stays as it is.
#[derive(Debug, Clone)]
pub struct Own {
    pub name: Option<String>,
    pub language: Option<Language>,
}

/// Changes the name or the language of whoever asks; on a suspended account nobody changes anything.
pub fn change(
    conn: &mut DbConn,
    context: &Context,
    access: &UserAccess,
    own: Own,
    check: impl FnOnce(i64) -> Result<()>,
) -> Result<User> {
    let owner = passwords::lock_owner(conn, access.user_id())?;
    let (account, mut user) = owner.ok_or(Code::Unauthenticated)?;
    sessions::confirm(conn, access.actor())?;
    if let Some(account) = account {
        account.check_active()?;
    }
    check(user.version)?;
    let name = own.name.unwrap_or_else(|| user.name.clone());
    let language = own.language.unwrap_or(user.language);
    let touched = (name != user.name, language != user.language);
    if touched == (false, false) {
        return Ok(user.into_row());
    }
    (user.name, user.language) = (name, language);
    users::store(conn, &mut user)?;
    let changed = Event::user_changed(user.account_id, user.id, touched);
    events::record(conn, &access.stamp(context.now), &[changed])?;
    Ok(user.into_row())
}

/// Counts a try of the current password of whoever asks, like a sign-in; the user, and the company that a password may not name.
pub fn begin(conn: &mut DbConn, context: &Context, access: &UserAccess) -> Result<(User, String)> {
    let user = users::find_by_id(conn, access.user_id())?.ok_or(Code::Unauthenticated)?;
    super::sessions::count_try(conn, context, own_tries(user.id))?;
    let company = passwords::company_name(conn, context, &user)?;
    Ok((user, company))
}

/// Sets the password of whoever asks, who knew the one that `seen` had; every other session ends and the user is told.
pub fn change_password(
    conn: &mut DbConn,
    context: &Context,
    access: &UserAccess,
    seen: &User,
    password_hash: String,
) -> Result<()> {
    let (_, mut user) =
        passwords::lock_owner(conn, access.user_id())?.ok_or(Code::Unauthenticated)?;
    sessions::confirm(conn, access.actor())?;
    if user.password_hash != seen.password_hash {
        return Err(Fault::new("#/current_password", FaultCode::PasswordWrong).into());
    }
    passwords::replace(conn, context, &mut user, password_hash)?;
    sessions::end_others(conn, user.id, access.session_id(), context.now)?;
    sessions::clear_failures(conn, &own_tries(user.id))?;
    events::record(
        conn,
        &access.stamp(context.now),
        &passwords::told(&user, false),
    )?;
    passwords::tell_owner(conn, context, &user)
}

/// What tries of a user's current password are counted by: strangers who try the address keep nobody from changing theirs.
pub fn own_tries(user: UserId) -> String {
    sha256_hex(user.to_string().as_bytes())
}

/// Ends one of the sessions of whoever asks; another's, or one that has ended, is not there.
pub fn end_session(
    conn: &mut DbConn,
    context: &Context,
    access: &UserAccess,
    session: SessionId,
) -> Result<()> {
    let user = users::find_by_id(conn, access.user_id())?.ok_or(Code::Unauthenticated)?;
    sessions::confirm(conn, access.actor())?;
    if !sessions::end_of(conn, user.id, session, context.now)? {
        return Err(Code::NotFound.into());
    }
    let ended = Event::session_ended(user.account_id, user.id, session);
    events::record(conn, &access.stamp(context.now), &[ended])
}
