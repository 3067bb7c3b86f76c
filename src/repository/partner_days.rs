//! What a partner has used of its quotas on a day of UTC.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date};

use super::DbConn;
use crate::each;
use crate::error::Result;
use crate::types::Instant;

const SWEEP: &str = "DELETE FROM partner_days WHERE (partner_id, day) IN
    (SELECT partner_id, day FROM partner_days WHERE day < $1 LIMIT $2)";

/// Forgets at most `limit` days that were over before `before`; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    let day = before.utc().date_naive();
    let swept = each!(conn, c => diesel::sql_query(SWEEP)
        .bind::<Date, _>(day)
        .bind::<BigInt, _>(limit)
        .execute(c));
    Ok(swept?)
}
