//! Databases for the tests of this folder: a new one, and one to look at plans with 200,000 jobs that are done and few that are not.

use diesel::prelude::*;
use diesel::sql_types::Text;
use tempfile::TempDir;

use super::{Db, DbConn, Kind};
use crate::each;

/// A database whose plans can be read.
pub struct Explained {
    db: Db,
    /// Goes away with it.
    _folder: TempDir,
}

#[derive(QueryableByName)]
struct Postgres {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

#[derive(QueryableByName)]
struct Sqlite {
    #[diesel(sql_type = Text)]
    detail: String,
}

const FILL_SQLITE: &str = "
    INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, finished_at, queue)
    WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200000)
    SELECT printf('%08x-0000-7000-8000-000000000000', n), 'send_mail', 'k' || n, '{}',
        CASE WHEN n % 20000 = 0 THEN 'dead' WHEN n % 5000 = 0 THEN 'ready' ELSE 'done' END,
        '2026-01-01T00:00:00.000000Z', 1, '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', 'mail' FROM c";
const FILL_POSTGRES: &str = "
    INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, finished_at, queue)
    SELECT gen_random_uuid(), 'send_mail', 'k' || n, '{}',
        CASE WHEN n % 20000 = 0 THEN 'dead' WHEN n % 5000 = 0 THEN 'ready' ELSE 'done' END,
        '2026-01-01', 1, '2026-01-01', '2026-01-01', 'mail' FROM generate_series(1, 200000) AS n";
/// Many wait in one queue, and none of them in another in which most is done: what PostgreSQL counts of states and of queues says nothing of both.
const CROWD_POSTGRES: &str = "
    INSERT INTO jobs (id, kind, key, payload, state, run_at, attempts, created_at, queue)
    SELECT gen_random_uuid(), 'issue_invoice', 'i' || n, '{}', 'ready', '2026-01-01', 0, '2026-01-01', 'invoices' FROM generate_series(1, 20000) AS n";

/// A new database with all its tables, SQLite, or PostgreSQL where `TEST_DATABASE_URL` names one; it goes away with the folder.
pub fn migrated() -> (TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let url = match std::env::var("TEST_DATABASE_URL") {
        Ok(base) => {
            let schema = format!("test_{}", uuid::Uuid::new_v4().simple());
            let mut conn = PgConnection::establish(&base).unwrap();
            let made = diesel::sql_query(format!("CREATE SCHEMA {schema}"));
            made.execute(&mut conn).unwrap();
            format!("{base}?options=-csearch_path%3D{schema}")
        }
        Err(_) => folder.path().join("test.db").to_str().unwrap().to_owned(),
    };
    let db = Db::open(&url, 1).unwrap();
    db.migrate().unwrap();
    (folder, db)
}

impl Explained {
    pub async fn with_jobs() -> Self {
        let (folder, db) = migrated();
        // PostgreSQL counts its rows by itself, SQLite never does.
        let fill: &[&str] = match db.kind() {
            Kind::Postgres => &[FILL_POSTGRES, CROWD_POSTGRES, "ANALYZE jobs"],
            Kind::Sqlite => &[FILL_SQLITE],
        };
        for statement in fill.iter().copied() {
            let run = db.write(move |conn| {
                each!(conn, c => diesel::sql_query(statement).execute(c))?;
                Ok(())
            });
            run.await.unwrap();
        }
        Self {
            db,
            _folder: folder,
        }
    }

    pub fn is_postgres(&self) -> bool {
        self.db.kind() == Kind::Postgres
    }

    /// How the database would go about a statement, a line for each step.
    pub async fn explain(&self, statement: &str) -> String {
        let statement = statement.to_owned();
        let read = self.db.write(move |conn| {
            Ok(match conn {
                DbConn::Postgres(c) => {
                    let plan = diesel::sql_query(format!("EXPLAIN {statement}"));
                    let plan: Vec<Postgres> = plan.load(c)?;
                    plan.into_iter().map(|row| row.line).collect::<Vec<_>>()
                }
                DbConn::Sqlite(c) => {
                    let plan = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
                    let plan: Vec<Sqlite> = plan.load(c)?;
                    plan.into_iter().map(|row| row.detail).collect()
                }
            })
        });
        read.await.unwrap().join("\n")
    }
}
