//! What a partner has used of its quotas on a day of UTC.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date};

use super::DbConn;
use super::schema::partner_days;
use crate::domain::partner::PartnerId;
use crate::each;
use crate::error::Result;
use crate::types::Instant;

/// How many customers of a partner were not found on the day of `now`.
pub fn unmatched(conn: &mut DbConn, partner: PartnerId, now: Instant) -> Result<i64> {
    let day = now.utc().date_naive();
    let found: Option<i64> = partner_days::table
        .find((partner, day))
        .select(partner_days::unmatched)
        .first(conn)
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// Counts customers who were not found; how many there are that day by then.
pub fn add_unmatched(
    conn: &mut DbConn,
    partner: PartnerId,
    count: i64,
    now: Instant,
) -> Result<i64> {
    let day = now.utc().date_naive();
    let row = (
        partner_days::partner_id.eq(partner),
        partner_days::day.eq(day),
        partner_days::lines.eq(0),
        partner_days::dry_run_lines.eq(0),
        partner_days::unmatched.eq(count),
        partner_days::silent_matches.eq(0),
    );
    Ok(each!(conn, c => diesel::insert_into(partner_days::table)
        .values(row)
        .on_conflict((partner_days::partner_id, partner_days::day))
        .do_update()
        .set(partner_days::unmatched.eq(partner_days::unmatched + count))
        .returning(partner_days::unmatched)
        .get_result(c))?)
}

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
