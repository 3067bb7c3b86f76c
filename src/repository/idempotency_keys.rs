//! The answers that were given to idempotency keys.

use diesel::prelude::*;

use super::schema::idempotency_keys;
use super::sweeping::{self, SweepText, sweep_text};
use super::{DbConn, MultiBackend};
use crate::each;
use crate::error::{Error, Result};
use crate::types::{Instant, Json};

/// What a key was answered with.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys, check_for_backend(MultiBackend))]
pub struct StoredAnswer {
    pub request_hash: String,
    pub answer: Json,
    pub sealed: Option<String>,
}

/// Whether the key of `scope` was used since `since`.
pub fn is_known(conn: &mut DbConn, scope: &str, since: Instant) -> Result<bool> {
    let known = idempotency_keys::table
        .filter(idempotency_keys::scope.eq(scope))
        .filter(idempotency_keys::created_at.ge(since));
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(conn)?)
}

const SWEEP: SweepText = sweep_text!("idempotency_keys", "scope", "created_at < $1");

/// Forgets at most `limit` keys that were used before `before`; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP, before, limit)
}

/// Takes the key for this transaction, or finds the answer of the one that took it; waits for one that is still running. A key that was used
/// before `before` is taken as a new one.
pub fn claim(
    conn: &mut DbConn,
    scope: &str,
    request_hash: &str,
    now: Instant,
    before: Instant,
) -> Result<Option<StoredAnswer>> {
    let fresh = (
        idempotency_keys::request_hash.eq(request_hash),
        idempotency_keys::answer.eq(Json(serde_json::Value::Null)),
        idempotency_keys::sealed.eq(None::<String>),
        idempotency_keys::created_at.eq(now),
    );
    let old = idempotency_keys::created_at.lt(before);
    let taken = each!(conn, c => diesel::query_dsl::methods::FilterDsl::filter(
        diesel::insert_into(idempotency_keys::table)
            .values((idempotency_keys::scope.eq(scope), fresh.clone()))
            .on_conflict(idempotency_keys::scope)
            .do_update()
            .set(fresh),
        old,
    )
    .execute(c))?;
    if taken == 1 {
        return Ok(None);
    }
    let found = idempotency_keys::table
        .find(scope)
        .select(StoredAnswer::as_select())
        .first(conn)
        .optional()?;
    // Nothing was taken and nothing is there: a sweep was in between.
    found.map(Some).ok_or(Error::Contended)
}

/// Stores the answer beside its effect.
pub fn keep(conn: &mut DbConn, scope: &str, sealed: &str) -> Result<()> {
    diesel::update(idempotency_keys::table.find(scope))
        .set(idempotency_keys::sealed.eq(sealed))
        .execute(conn)?;
    Ok(())
}
