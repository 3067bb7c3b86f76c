//! Users, of accounts and of the staff, and the tokens that let them set a password.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::accounts::Account;
use super::backend::is_duplicate;
use super::held::{Held, store, stored};
use super::schema::{one_time_tokens, users};
use super::sweeping::{self, SweepText, sweep_text};
use super::{DbConn, MultiBackend};
use crate::domain::access::{AccountAccess, UserId};
use crate::domain::account::AccountId;
use crate::domain::language::Language;
use crate::domain::permissions::Role;
use crate::error::{Code, Result};
use crate::types::{Instant, Json, text_enum};
use crate::{each, locked};

/// Somebody who can sign in, once they have a password.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct User {
    pub id: UserId,
    pub version: i64,
    /// None for staff.
    pub account_id: Option<AccountId>,
    pub email: String,
    pub email_key: String,
    pub name: String,
    pub roles: Json,
    pub language: Language,
    pub password_hash: Option<String>,
    pub session_version: i64,
    pub created_at: Instant,
    pub removed_at: Option<Instant>,
    /// Until when an invitation can be accepted, which makes a user of whoever was invited; none for a user.
    pub invited_until: Option<Instant>,
}

impl User {
    /// What the user may be.
    pub fn roles(&self) -> Result<Vec<Role>> {
        Ok(self.roles.decode()?)
    }
}

text_enum! {
    /// What a one-time token is for.
    pub enum TokenPurpose { FirstPassword = "first_password", PasswordReset = "password_reset" }
}

/// A token that lets a user set a password once, by its hash.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = one_time_tokens, check_for_backend(MultiBackend))]
pub struct OneTimeToken {
    pub token_hash: String,
    pub user_id: UserId,
    pub purpose: TokenPurpose,
    pub created_at: Instant,
    pub expires_at: Instant,
    /// When it, or another one of the user, was used.
    pub ended_at: Option<Instant>,
}

/// Stores a new user; a living one with the same e-mail is refused as `email_in_use`.
pub fn insert(conn: &mut DbConn, user: &User) -> Result<()> {
    match diesel::insert_into(users::table).values(user).execute(conn) {
        Ok(_) => Ok(()),
        Err(error) if is_duplicate(&error, "users", "email_key") => Err(Code::EmailInUse.into()),
        Err(error) => Err(error.into()),
    }
}

/// The living user of an e-mail address; whoever was only invited is none.
pub fn find_by_email(conn: &mut DbConn, email_key: &str) -> Result<Option<User>> {
    let found = users::table
        .filter(users::email_key.eq(email_key))
        .filter(users::removed_at.is_null())
        .filter(users::invited_until.is_null());
    Ok(found.select(User::as_select()).first(conn).optional()?)
}

/// The first user that an account ever had, who set its first password.
pub fn first_of(conn: &mut DbConn, account: AccountId) -> Result<Option<User>> {
    let first = users::table
        .filter(users::account_id.eq(account))
        .order(users::id.asc());
    Ok(first.select(User::as_select()).first(conn).optional()?)
}

/// Ends the invitations of an e-mail address, all of them or those to one account; which they were, and to which account.
pub fn end_invitations(
    conn: &mut DbConn,
    email_key: &str,
    of: Option<AccountId>,
    now: Instant,
) -> Result<Vec<(Option<AccountId>, UserId)>> {
    let mut open = users::table
        .filter(users::email_key.eq(email_key))
        .filter(users::removed_at.is_null())
        .filter(users::invited_until.is_not_null())
        .select(users::id)
        .into_boxed();
    if let Some(account) = of {
        open = open.filter(users::account_id.eq(account));
    }
    let ids: Vec<UserId> = open.load(conn)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // One that was accepted in between is none.
    let ended = each!(conn, c => diesel::update(
            users::table
                .filter(users::id.eq_any(&ids))
                .filter(users::removed_at.is_null())
                .filter(users::invited_until.is_not_null()),
        )
        .set(users::removed_at.eq(now))
        .returning((users::account_id, users::id))
        .get_results(c))?;
    Ok(ended)
}

/// The living user of an id.
pub fn find_by_id(conn: &mut DbConn, id: UserId) -> Result<Option<User>> {
    let found = users::table.find(id).filter(users::removed_at.is_null());
    Ok(found.select(User::as_select()).first(conn).optional()?)
}

/// A living user of an account.
pub fn find(conn: &mut DbConn, access: &AccountAccess, id: UserId) -> Result<User> {
    let found = find_by_id(conn, id)?.filter(|user| user.account_id == Some(access.account_id()));
    found.ok_or_else(|| Code::NotFound.into())
}

/// A living user, held against other writers until the transaction ends; where it is a user of an account, that is held already.
pub fn lock(conn: &mut DbConn, id: UserId) -> Result<Option<Held<User>>> {
    let living = users::table.find(id).filter(users::removed_at.is_null());
    let found: Option<User> = locked!(conn, living.select(User::as_select())).optional()?;
    Ok(found.map(Held::new))
}

/// A living user of a held account, held too.
pub fn lock_of(conn: &mut DbConn, account: &Held<Account>, id: UserId) -> Result<Held<User>> {
    let found = lock(conn, id)?.filter(|user| user.account_id == Some(account.id));
    found.ok_or_else(|| Code::NotFound.into())
}

/// The user of an account that was approved who has not set a password yet, held against other writers.
pub fn lock_waiting(conn: &mut DbConn, account: &Held<Account>) -> Result<Option<Held<User>>> {
    let waiting = users::table
        .filter(users::account_id.eq(account.id))
        .filter(users::removed_at.is_null())
        .filter(users::password_hash.is_null())
        .order(users::id.asc());
    let found: Option<User> = locked!(conn, waiting.select(User::as_select())).optional()?;
    Ok(found.map(Held::new))
}

/// The superusers of a held account who can sign in: those who were only invited cannot.
pub fn superusers_of(conn: &mut DbConn, account: &Held<Account>) -> Result<Vec<User>> {
    let superusers = users::table
        .filter(users::account_id.eq(account.id))
        .filter(users::removed_at.is_null())
        .filter(users::password_hash.is_not_null())
        .filter(users::roles.eq(Json::of(&[Role::Superuser])?));
    Ok(superusers
        .select(User::as_select())
        .order(users::id.asc())
        .load(conn)?)
}

/// Has the users of a held account who had the account's language `before` follow it to the one that it has; who they are.
pub fn follow_language(
    conn: &mut DbConn,
    account: &Held<Account>,
    before: Language,
) -> Result<Vec<UserId>> {
    let following = || {
        users::table
            .filter(users::account_id.eq(account.id))
            .filter(users::removed_at.is_null())
            .filter(users::language.eq(before))
    };
    let after = users::language.eq(account.language);
    let next = (after, users::version.eq(users::version + 1));
    Ok(each!(conn, c => diesel::update(following()).set(next).returning(users::id).get_results(c))?)
}

/// The living users of an account, newest first, from before `before`.
pub fn list(
    conn: &mut DbConn,
    access: &AccountAccess,
    before: Option<UserId>,
    limit: i64,
) -> Result<Vec<User>> {
    let mut query = users::table
        .filter(users::account_id.eq(access.account_id()))
        .filter(users::removed_at.is_null())
        .select(User::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(users::id.lt(before));
    }
    Ok(query.order(users::id.desc()).limit(limit).load(conn)?)
}

/// Which of these are users of the account, removed ones included.
pub fn own_of(
    conn: &mut DbConn,
    access: &AccountAccess,
    ids: &[UserId],
) -> Result<BTreeSet<UserId>> {
    let own: Vec<UserId> = users::table
        .filter(users::account_id.eq(access.account_id()))
        .filter(users::id.eq_any(ids))
        .select(users::id)
        .load(conn)?;
    Ok(own.into_iter().collect())
}

/// Stores the user as its next version; an e-mail that another living one has is refused as `email_in_use`.
pub fn store(conn: &mut DbConn, user: &mut Held<User>) -> Result<()> {
    match store!(conn, users, user) {
        Err(error) if is_duplicate(&error, "users", "email_key") => Err(Code::EmailInUse.into()),
        rows => stored(rows),
    }
}

/// Stores a token; those before it stay good until they run out, since strangers can ask for one.
pub fn insert_token(conn: &mut DbConn, token: &OneTimeToken) -> Result<()> {
    diesel::insert_into(one_time_tokens::table)
        .values(token)
        .execute(conn)?;
    Ok(())
}

/// Voids every token of a user.
pub fn end_tokens(conn: &mut DbConn, user: UserId, now: Instant) -> Result<()> {
    let living = one_time_tokens::table
        .filter(one_time_tokens::user_id.eq(user))
        .filter(one_time_tokens::ended_at.is_null());
    diesel::update(living)
        .set(one_time_tokens::ended_at.eq(now))
        .execute(conn)?;
    Ok(())
}

const SWEEP_TOKENS: SweepText = sweep_text!("one_time_tokens", "token_hash", "expires_at < $1");

/// Forgets at most `limit` tokens that ran out before `before`; how many there were.
pub fn sweep_tokens(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP_TOKENS, before, limit)
}

/// The token of a hash while it can be used at `now`.
pub fn find_token(
    conn: &mut DbConn,
    token_hash: &str,
    now: Instant,
) -> Result<Option<OneTimeToken>> {
    let found: Option<OneTimeToken> = one_time_tokens::table
        .find(token_hash)
        .select(OneTimeToken::as_select())
        .first(conn)
        .optional()?;
    Ok(found.filter(|token| token.ended_at.is_none() && token.expires_at > now))
}

/// The token of a hash while it can be used at `now`, held against other writers.
pub fn lock_token(
    conn: &mut DbConn,
    token_hash: &str,
    now: Instant,
) -> Result<Option<OneTimeToken>> {
    let found: Option<OneTimeToken> = locked!(
        conn,
        one_time_tokens::table
            .find(token_hash)
            .select(OneTimeToken::as_select())
    )
    .optional()?;
    Ok(found.filter(|token| token.ended_at.is_none() && token.expires_at > now))
}
