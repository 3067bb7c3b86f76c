//! What a partner has used of its quotas on a day of UTC.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date};

use super::DbConn;
use super::schema::partner_days as days;
use crate::domain::partner::PartnerId;
use crate::domain::quota::Used;
use crate::each;
use crate::error::Result;
use crate::types::Instant;

/// The counters of a day, in the order in which they are read.
type Counters = (i64, i64, i64, i64);

const COUNTERS: (
    days::lines,
    days::dry_run_lines,
    days::unmatched,
    days::silent_matches,
) = (
    days::lines,
    days::dry_run_lines,
    days::unmatched,
    days::silent_matches,
);

fn used((lines, dry_run_lines, unmatched, silent_matches): Counters) -> Used {
    Used {
        lines,
        dry_run_lines,
        unmatched,
        silent_matches,
    }
}

/// What a partner has used of a day.
pub fn find(conn: &mut DbConn, partner: PartnerId, day: NaiveDate) -> Result<Used> {
    let found: Option<Counters> = days::table
        .find((partner, day))
        .select(COUNTERS)
        .first(conn)
        .optional()?;
    Ok(found.map(used).unwrap_or_default())
}

/// Adds to what a partner has used of a day; what it has used then. The row is held until the transaction ends.
pub fn add(conn: &mut DbConn, partner: PartnerId, day: NaiveDate, more: &Used) -> Result<Used> {
    let row = (
        days::partner_id.eq(partner),
        days::day.eq(day),
        days::lines.eq(more.lines),
        days::dry_run_lines.eq(more.dry_run_lines),
        days::unmatched.eq(more.unmatched),
        days::silent_matches.eq(more.silent_matches),
    );
    let sums = (
        days::lines.eq(days::lines + more.lines),
        days::dry_run_lines.eq(days::dry_run_lines + more.dry_run_lines),
        days::unmatched.eq(days::unmatched + more.unmatched),
        days::silent_matches.eq(days::silent_matches + more.silent_matches),
    );
    let after: Counters = each!(conn, c => diesel::insert_into(days::table)
        .values(row)
        .on_conflict((days::partner_id, days::day))
        .do_update()
        .set(sums)
        .returning(COUNTERS)
        .get_result(c))?;
    Ok(used(after))
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
