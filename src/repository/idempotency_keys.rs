//! The answers that were given to idempotency keys.

use diesel::prelude::*;

use super::schema::idempotency_keys;
use super::sweeping::{self, sweep_text};
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

/// Forgets the key of `scope` if it was used before `before`.
pub fn forget_before(conn: &mut DbConn, scope: &str, before: Instant) -> Result<()> {
    let old = idempotency_keys::table
        .filter(idempotency_keys::scope.eq(scope))
        .filter(idempotency_keys::created_at.lt(before));
    diesel::delete(old).execute(conn)?;
    Ok(())
}

const SWEEP: &str = sweep_text!("idempotency_keys", "scope", "created_at < $1");

/// Forgets at most `limit` keys that were used before `before`; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, SWEEP, before, limit)
}

/// Takes the key for this transaction, or finds the answer of the one that took it; waits for one that is still running.
pub fn claim(
    conn: &mut DbConn,
    scope: &str,
    request_hash: &str,
    now: Instant,
) -> Result<Option<StoredAnswer>> {
    let row = (
        idempotency_keys::scope.eq(scope),
        idempotency_keys::request_hash.eq(request_hash),
        idempotency_keys::answer.eq(Json(serde_json::Value::Null)),
        idempotency_keys::created_at.eq(now),
    );
    let taken = each!(conn, c => diesel::insert_into(idempotency_keys::table).values(row).on_conflict_do_nothing().execute(c))?;
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
