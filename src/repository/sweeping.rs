//! How rows whose time is over are deleted: some at a time, in one statement, so that a transaction stays small. Which ones is said beside their table.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::DbConn;
use crate::each;
use crate::error::Result;
use crate::types::{Instant, SqlInstant};

/// The text of a sweep on each database.
pub(super) struct SweepText {
    pub postgres: &'static str,
    pub sqlite: &'static str,
}

impl SweepText {
    /// One text for both.
    pub const fn of_both(text: &'static str) -> Self {
        Self {
            postgres: text,
            sqlite: text,
        }
    }

    /// The text for the database of `conn`.
    pub fn of(&self, conn: &DbConn) -> &'static str {
        match conn {
            DbConn::Postgres(_) => self.postgres,
            DbConn::Sqlite(_) => self.sqlite,
        }
    }
}

/// The text of a sweep: rows of a table, by their key, that are over at `$1`; at most `$2`. What somebody else is changing is left for the next
/// time. The condition stands within the inner select alone: said again outside, it has PostgreSQL compare each row with each other where its
/// statistics know of no row that is over.
macro_rules! sweep_text {
    ($table:literal, $key:literal, $over:literal) => {
        $crate::repository::sweeping::SweepText {
            postgres: sweep_text!($table, $key, $over, " FOR UPDATE SKIP LOCKED"),
            sqlite: sweep_text!($table, $key, $over, ""),
        }
    };
    ($table:literal, $key:literal, $over:literal, $lock:literal) => {
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
            " LIMIT $2",
            $lock,
            ")"
        )
    };
}
pub(super) use sweep_text;

/// Deletes at most `limit` rows that were over before `before`; how many there were.
pub(super) fn sweep(
    conn: &mut DbConn,
    text: &SweepText,
    before: Instant,
    limit: i64,
) -> Result<usize> {
    let text = text.of(conn);
    let swept = each!(conn, c => diesel::sql_query(text)
        .bind::<SqlInstant, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(c));
    Ok(swept?)
}
