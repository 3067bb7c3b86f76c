//! What stands in a database, read past the service.

use cps_api::repository::DbConn;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A connection of the test's own.
pub struct Rows(DbConn);

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Rows {
    pub fn open(url: &str) -> Self {
        let Some(path) = url.strip_prefix("sqlite://") else {
            return Self(DbConn::Postgres(PgConnection::establish(url).unwrap()));
        };
        let mut rows = Self(DbConn::Sqlite(SqliteConnection::establish(path).unwrap()));
        rows.run("PRAGMA busy_timeout = 60000");
        rows
    }

    /// The column `line` of each row of a query.
    #[track_caller]
    pub fn lines(&mut self, sql: &str) -> Vec<String> {
        let loaded: QueryResult<Vec<Line>> =
            cps_api::each!(&mut self.0, c => diesel::sql_query(sql).load(c));
        let lines = loaded.unwrap_or_else(|error| panic!("{error}: {sql}"));
        lines.into_iter().map(|row| row.line).collect()
    }

    /// A number, as `what` says it of `from`.
    #[track_caller]
    pub fn number(&mut self, what: &str, from: &str) -> i64 {
        let sql = format!("SELECT CAST(COALESCE({what}, 0) AS TEXT) AS line FROM {from}");
        self.lines(&sql)[0].parse().unwrap()
    }

    #[track_caller]
    pub fn run(&mut self, sql: &str) {
        let done = cps_api::each!(&mut self.0, c => diesel::sql_query(sql).execute(c));
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
}
