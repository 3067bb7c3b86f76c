//! Sessions, their refresh tokens, and failed sign-ins.

use std::collections::BTreeSet;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::backend::advisory_lock;
use super::schema::{refresh_tokens, sessions, sign_in_failures, users};
use super::sweeping::{self, SweepText, sweep_text};
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

/// The passwords that did not match, by the hash of what they are counted by: an address, known or not, a device of a user's, or a user who is signed in.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sign_in_failures, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct SignInFailures {
    pub counted_hash: String,
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

/// A session that goes on.
#[derive(Debug, Clone)]
pub struct LiveSession {
    pub session: Session,
    /// When it got its newest tokens.
    pub refreshed_at: Instant,
    /// When it ends if it is not used until then.
    pub expires_at: Instant,
}

/// The sessions of a user that go on at `now`, newest first, from before `before`: those with a refresh token that can be used.
pub fn list_live(
    conn: &mut DbConn,
    user: UserId,
    now: Instant,
    before: Option<SessionId>,
    limit: i64,
) -> Result<Vec<LiveSession>> {
    let usable = refresh_tokens::used_at
        .is_null()
        .and(refresh_tokens::expires_at.gt(now));
    let own = refresh_tokens::table.filter(refresh_tokens::session_id.eq(sessions::id));
    let mut query = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null())
        .filter(exists(own.filter(usable)))
        .select(Session::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(sessions::id.lt(before));
    }
    let live: Vec<Session> = query.order(sessions::id.desc()).limit(limit).load(conn)?;
    let ids = live.iter().map(|session| session.id);
    let tokens: Vec<RefreshToken> = refresh_tokens::table
        .filter(refresh_tokens::session_id.eq_any(ids.collect::<Vec<_>>()))
        .filter(usable)
        .select(RefreshToken::as_select())
        .load(conn)?;
    let with_tokens = live.into_iter().filter_map(|session| {
        let own = tokens.iter().filter(|token| token.session_id == session.id);
        let newest = own.max_by_key(|token| token.created_at)?;
        Some(LiveSession {
            refreshed_at: newest.created_at,
            expires_at: newest.expires_at,
            session,
        })
    });
    Ok(with_tokens.collect())
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

/// Ends a session of a user; whether there was one that had not ended.
pub fn end_of(conn: &mut DbConn, user: UserId, session: SessionId, now: Instant) -> Result<bool> {
    let living = sessions::table
        .find(session)
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null());
    let ended = diesel::update(living)
        .set(sessions::ended_at.eq(now))
        .execute(conn)?;
    Ok(ended > 0)
}

/// Ends every session of a user but one.
pub fn end_others(conn: &mut DbConn, user: UserId, kept: SessionId, now: Instant) -> Result<()> {
    let others = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::id.ne(kept));
    diesel::update(others)
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

const SWEEP_FAILURES: SweepText = sweep_text!("sign_in_failures", "counted_hash", "last_at < $1");

/// Forgets the failures of at most `limit` counters of which the last was before `before`; how many there were.
pub fn sweep_failures(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP_FAILURES, before, limit)
}

/// What was counted, held against other tries also where there was nothing yet.
pub fn failures(conn: &mut DbConn, counted_hash: &str) -> Result<Option<SignInFailures>> {
    advisory_lock(conn, counted_hash)?;
    Ok(locked!(
        conn,
        sign_in_failures::table
            .find(counted_hash)
            .select(SignInFailures::as_select())
    )
    .optional()?)
}

/// Stores what was counted.
pub fn put_failures(conn: &mut DbConn, failures: &SignInFailures) -> Result<()> {
    each!(conn, c => diesel::insert_into(sign_in_failures::table)
        .values(failures)
        .on_conflict(sign_in_failures::counted_hash)
        .do_update()
        .set(failures)
        .execute(c))?;
    Ok(())
}

/// Forgets what was counted.
pub fn clear_failures(conn: &mut DbConn, counted_hash: &str) -> Result<()> {
    diesel::delete(sign_in_failures::table.find(counted_hash)).execute(conn)?;
    Ok(())
}
