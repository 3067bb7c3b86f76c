//! How rows whose time is over are deleted: some at a time, in one statement, so that a transaction stays small. Which ones is said beside their table.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::DbConn;
use crate::each;
use crate::error::Result;
use crate::types::{Instant, SqlInstant};

/// The text of a sweep: rows of a table, by their key, that are over at `$1`; at most `$2`. What changed while it waited is looked at again.
macro_rules! sweep_text {
    ($table:literal, $key:literal, $over:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ",
            $key,
            " IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $over,
            " LIMIT $2) AND ",
            $over
        )
    };
}
pub(super) use sweep_text;

/// Deletes at most `limit` rows that were over before `before`; how many there were.
pub(super) fn sweep(
    conn: &mut DbConn,
    text: &'static str,
    before: Instant,
    limit: i64,
) -> Result<usize> {
    let swept = each!(conn, c => diesel::sql_query(text)
        .bind::<SqlInstant, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(c));
    Ok(swept?)
}
