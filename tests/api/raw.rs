//! SQL of the tests' own, beside the service or instead of it.

use cps_api::repository::{Db, DbConn, Kind};
use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::plans::unheard;
use crate::support::Database;

/// The jobs `j` that send the mails `m` with which an application begins.
pub const LINK_JOBS: &str = "jobs j JOIN mails m
    ON j.key = 'send_mail:mai_' || replace(CAST(m.id AS TEXT), '-', '') AND m.template = 'application_started'";

/// A connection past the service.
pub struct Raw(pub DbConn);

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Raw {
    /// A connection to `database`, as it is.
    pub fn open(database: &Database) -> Self {
        let url = database.url();
        Self(match url.strip_prefix("sqlite://") {
            Some(path) => {
                let mut conn = unheard(SqliteConnection::establish(path).unwrap());
                diesel::sql_query("PRAGMA busy_timeout = 10000")
                    .execute(&mut conn)
                    .unwrap();
                DbConn::Sqlite(conn)
            }
            None => DbConn::Postgres(unheard(PgConnection::establish(&url).unwrap())),
        })
    }

    /// A connection to `database` with every migration run and nothing in it.
    pub fn migrated(database: &Database) -> Self {
        Db::open(&database.url(), 1).unwrap().migrate().unwrap();
        let mut raw = Self::open(database);
        if raw.kind() == Kind::Sqlite {
            raw.run("PRAGMA foreign_keys = ON").unwrap();
        }
        raw
    }

    pub fn kind(&self) -> Kind {
        match &self.0 {
            DbConn::Postgres(_) => Kind::Postgres,
            DbConn::Sqlite(_) => Kind::Sqlite,
        }
    }

    /// The column `line` of each row of a query.
    #[track_caller]
    pub fn lines(&mut self, sql: &str) -> Vec<String> {
        let loaded: QueryResult<Vec<Line>> =
            cps_api::each!(&mut self.0, c => diesel::sql_query(sql).load(c));
        let lines = loaded.unwrap_or_else(|error| panic!("{error}: {sql}"));
        lines.into_iter().map(|row| row.line).collect()
    }

    /// Runs one statement; how many rows it touched.
    pub fn run(&mut self, sql: &str) -> QueryResult<usize> {
        cps_api::each!(&mut self.0, c => diesel::sql_query(sql).execute(c))
    }
}
