//! Requests of one caller in one day, for limits that several instances share. What is allowed is the programme's matter.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date};

use super::DbConn;
use super::schema::request_counts;
use crate::each;
use crate::error::Result;
use crate::types::Instant;

/// Whose requests of which day are counted.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = request_counts)]
pub struct Counted {
    pub policy: &'static str,
    /// Keyed: who reads the database does not learn the address.
    pub caller_hash: String,
    pub day: NaiveDate,
}

/// Counts one more request; how many there are now.
pub fn count(conn: &mut DbConn, counted: &Counted) -> Result<i64> {
    let first = (counted, request_counts::requests.eq(1));
    let more = request_counts::requests.eq(request_counts::requests + 1);
    let key = (
        request_counts::policy,
        request_counts::caller_hash,
        request_counts::day,
    );
    let count = each!(conn, c => diesel::insert_into(request_counts::table)
        .values(first)
        .on_conflict(key)
        .do_update()
        .set(more)
        .returning(request_counts::requests)
        .get_result(c))?;
    Ok(count)
}

const SWEEP: &str = "DELETE FROM request_counts WHERE (policy, caller_hash, day) IN
    (SELECT policy, caller_hash, day FROM request_counts WHERE day < $1 LIMIT $2)";

/// Forgets at most `limit` counts of days that were over before `before`; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    let day = before.utc().date_naive();
    let swept = each!(conn, c => diesel::sql_query(SWEEP)
        .bind::<Date, _>(day)
        .bind::<BigInt, _>(limit)
        .execute(c));
    Ok(swept?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::Db;

    #[tokio::test]
    async fn each_caller_and_day_is_counted_on_its_own_until_it_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let db = Db::open(&url, 1).unwrap();
        db.migrate().unwrap();
        let count = async |hash: &str, day: &str| {
            let counted = Counted {
                policy: "register",
                caller_hash: hash.to_owned(),
                day: day.parse().unwrap(),
            };
            let counted = db.write(move |conn| count(conn, &counted));
            counted.await.unwrap()
        };
        assert_eq!(count("a", "2026-06-01").await, 1);
        assert_eq!(count("a", "2026-06-01").await, 2);
        assert_eq!(count("b", "2026-06-01").await, 1);
        assert_eq!(count("a", "2026-06-02").await, 1);
        let before = "2026-06-02T00:00:00Z".parse().unwrap();
        let swept = db.write(move |conn| sweep(conn, before, 100));
        assert_eq!(swept.await.unwrap(), 2);
        assert_eq!(count("a", "2026-06-02").await, 2);
        assert_eq!(count("a", "2026-06-01").await, 1);
    }
}
