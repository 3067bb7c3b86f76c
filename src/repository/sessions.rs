//! Sessions, their refresh tokens, and failed sign-ins.

use std::collections::BTreeSet;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::backend::advisory_lock;
use super::schema::{refresh_tokens, sessions, sign_in_failures, users};
use super::sweeping::{self, sweep_text};
use super::{DbConn, MultiBackend};
use crate::domain::access::{SessionId, UserId};
use crate::domain::actor::Actor;
use crate::error::{Code, Result};
use crate::types::Instant;
use crate::{each, locked};

/// One signed-in session: a family of refresh tokens.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, check_for_backend(MultiBackend))]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Instant,
    pub ended_at: Option<Instant>,
}

/// One refresh token, by its hash.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens, check_for_backend(MultiBackend))]
pub struct RefreshToken {
    pub token_hash: String,
    pub session_id: SessionId,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
}

/// The failed sign-ins of one address, known or not.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sign_in_failures, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct SignInFailures {
    pub email_hash: String,
    pub failures: i64,
    pub last_at: Instant,
    pub blocked_until: Option<Instant>,
}

/// The version that tokens of a living session carry; none when the session or its user has ended.
pub fn live_version(conn: &mut DbConn, session: SessionId) -> Result<Option<i64>> {
    let live = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(session))
        .filter(sessions::ended_at.is_null())
        .filter(users::removed_at.is_null());
    Ok(live.select(users::session_version).first(conn).optional()?)
}

/// Refuses whoever acts with a session that has ended, whatever is remembered of it. Writes that give power ask this in their own
/// transaction, behind the account's lock; the session cannot end before that does.
pub fn confirm(conn: &mut DbConn, actor: Actor) -> Result<()> {
    let Some(session) = actor.session() else {
        return Ok(());
    };
    macro_rules! live {
        () => {
            sessions::table
                .inner_join(users::table)
                .filter(sessions::id.eq(session))
                .filter(sessions::ended_at.is_null())
                .filter(users::removed_at.is_null())
                .select(sessions::id)
        };
    }
    let found: Option<SessionId> = match conn {
        DbConn::Postgres(conn) => live!().for_share().first(conn).optional()?,
        DbConn::Sqlite(conn) => live!().first(conn).optional()?,
    };
    found.map(drop).ok_or_else(|| Code::Unauthenticated.into())
}

/// Stores a new session.
pub fn insert(conn: &mut DbConn, session: &Session) -> Result<()> {
    diesel::insert_into(sessions::table)
        .values(session)
        .execute(conn)?;
    Ok(())
}

/// Ends a session; its tokens end with it.
pub fn end(conn: &mut DbConn, session: SessionId, now: Instant) -> Result<()> {
    let living = sessions::table
        .find(session)
        .filter(sessions::ended_at.is_null());
    diesel::update(living)
        .set(sessions::ended_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Ends every session of a user.
pub fn end_all(conn: &mut DbConn, user: UserId, now: Instant) -> Result<()> {
    let living = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null());
    diesel::update(living)
        .set(sessions::ended_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Stores a new refresh token.
pub fn insert_refresh_token(conn: &mut DbConn, token: &RefreshToken) -> Result<()> {
    diesel::insert_into(refresh_tokens::table)
        .values(token)
        .execute(conn)?;
    Ok(())
}

/// A refresh token with its session, held against other writers.
pub fn lock_refresh_token(
    conn: &mut DbConn,
    token_hash: &str,
) -> Result<Option<(RefreshToken, Session)>> {
    let token: Option<RefreshToken> = locked!(
        conn,
        refresh_tokens::table
            .find(token_hash)
            .select(RefreshToken::as_select())
    )
    .optional()?;
    let Some(token) = token else {
        return Ok(None);
    };
    let session = sessions::table
        .find(token.session_id)
        .select(Session::as_select())
        .first(conn)?;
    Ok(Some((token, session)))
}

/// Marks a refresh token as used.
pub fn use_refresh_token(conn: &mut DbConn, token_hash: &str, now: Instant) -> Result<()> {
    diesel::update(refresh_tokens::table.find(token_hash))
        .set(refresh_tokens::used_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Forgets at most `limit` refresh tokens that ran out before `before`, and the sessions that have none left; how many tokens there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    let old: Vec<(String, SessionId)> = refresh_tokens::table
        .filter(refresh_tokens::expires_at.lt(before))
        .select((refresh_tokens::token_hash, refresh_tokens::session_id))
        .limit(limit)
        .load(conn)?;
    let (hashes, of): (Vec<_>, BTreeSet<_>) = old.into_iter().unzip();
    let gone =
        diesel::delete(refresh_tokens::table.filter(refresh_tokens::token_hash.eq_any(hashes)))
            .execute(conn)?;
    let left = refresh_tokens::table.filter(refresh_tokens::session_id.eq(sessions::id));
    let over = sessions::table
        .filter(sessions::id.eq_any(of))
        .filter(not(exists(left)));
    diesel::delete(over).execute(conn)?;
    Ok(gone)
}

const SWEEP_FAILURES: &str = sweep_text!("sign_in_failures", "email_hash", "last_at < $1");

/// Forgets the failed sign-ins of at most `limit` addresses of which the last was before `before`; how many there were.
pub fn sweep_failures(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, SWEEP_FAILURES, before, limit)
}

/// The failed sign-ins of an address, held against other tries also where there were none yet.
pub fn failures(conn: &mut DbConn, email_hash: &str) -> Result<Option<SignInFailures>> {
    advisory_lock(conn, email_hash)?;
    Ok(locked!(
        conn,
        sign_in_failures::table
            .find(email_hash)
            .select(SignInFailures::as_select())
    )
    .optional()?)
}

/// Stores the failed sign-ins of an address.
pub fn put_failures(conn: &mut DbConn, failures: &SignInFailures) -> Result<()> {
    each!(conn, c => diesel::insert_into(sign_in_failures::table)
        .values(failures)
        .on_conflict(sign_in_failures::email_hash)
        .do_update()
        .set(failures)
        .execute(c))?;
    Ok(())
}

/// Forgets the failed sign-ins of an address.
pub fn clear_failures(conn: &mut DbConn, email_hash: &str) -> Result<()> {
    diesel::delete(sign_in_failures::table.find(email_hash)).execute(conn)?;
    Ok(())
}
