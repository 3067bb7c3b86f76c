//! A transaction beside the service that holds what others want, on PostgreSQL.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::plans::unheard;
use crate::support::Database;

/// Holds what its statement locks for as long as it lives.
pub struct Holder(PgConnection);

impl Holder {
    pub fn of(database: &Database, statement: &str) -> Self {
        let mut conn = unheard(PgConnection::establish(&database.url()).unwrap());
        conn.batch_execute(&format!("BEGIN; {statement}")).unwrap();
        Self(conn)
    }

    pub fn execute(&mut self, statements: &str) {
        self.0.batch_execute(statements).unwrap();
    }

    /// How many transactions on this schema wait for a lock.
    pub fn waiting(&mut self) -> i64 {
        let query = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN (
            SELECT pid FROM pg_locks JOIN pg_class ON pg_class.oid = relation
            WHERE relnamespace = current_schema()::regnamespace)";
        let count = diesel::select(sql::<BigInt>(&format!("({query})")));
        count.get_result(&mut self.0).unwrap()
    }

    pub async fn until_waiting(&mut self, at_least: i64) {
        let begun = Instant::now();
        while self.waiting() < at_least {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody waits");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
