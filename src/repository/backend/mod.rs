//! Everything that differs between SQLite and PostgreSQL, and nothing else; how work gets its connection is in `pool`.

mod anew;
mod check;
mod db;
mod failure;
mod retry;

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::{Error, Result};

pub use db::Db;
pub use failure::is_duplicate;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Why the database cannot be opened.
pub type DbError = Box<dyn std::error::Error + Send + Sync>;

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum DbConn {
    Postgres(diesel::PgConnection),
    Sqlite(diesel::SqliteConnection),
}

/// Which database a URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    Sqlite,
}

impl Kind {
    fn of(url: &str) -> Self {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Kind::Postgres
        } else {
            Kind::Sqlite
        }
    }
}

fn sqlite_path(url: &str) -> &str {
    url.trim_start_matches("sqlite://")
}

/// The file that a SQLite database at `url` is kept in.
pub fn sqlite_file(url: &str) -> Option<&Path> {
    (Kind::of(url) == Kind::Sqlite).then(|| Path::new(sqlite_path(url)))
}

/// Copies the SQLite database in `from`, as it is at one moment and while it is used, to `to`, where nothing is yet.
pub fn copy_sqlite(from: &Path, to: &Path) -> Result<(), DbError> {
    let mut conn = diesel::SqliteConnection::establish(&from.to_string_lossy())?;
    conn.batch_execute("PRAGMA busy_timeout = 5000")?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(to.to_string_lossy().into_owned())
        .execute(&mut conn)?;
    Ok(())
}

/// What a PostgreSQL connection is opened with where its URL does not say otherwise: nobody waits for a server that does not answer, and a
/// server that is gone without a word is noticed.
const CONNECTION_DEFAULTS: [(&str, u32); 5] = [
    ("connect_timeout", 2),
    ("keepalives_idle", 10),
    ("keepalives_interval", 3),
    ("keepalives_count", 3),
    ("tcp_user_timeout", 10_000),
];

/// `lc_messages`, where it may be set, lets an error's text be recognised: Diesel does not tell its SQLSTATE.
const SESSION: &str = "SET statement_timeout = '15s'; SET lock_timeout = '4s'; SET TIME ZONE 'UTC';
    SET idle_in_transaction_session_timeout = '60s'; SET application_name = 'cps-api';
    DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false); EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";

fn postgres_url(url: &str) -> Cow<'_, str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let is_named = |name: &str| {
        query
            .split('&')
            .any(|one| one.split('=').next() == Some(name))
    };
    CONNECTION_DEFAULTS
        .iter()
        .filter(|(name, _)| !is_named(name))
        .fold(Cow::Borrowed(url), |url, (name, value)| {
            let joint = if url.contains('?') { '&' } else { '?' };
            Cow::Owned(format!("{url}{joint}{name}={value}"))
        })
}

impl DbConn {
    /// A connection to the database at `url`.
    pub(super) fn open(url: &str, read_only: bool) -> ConnectionResult<Self> {
        match Kind::of(url) {
            Kind::Postgres => {
                let mut conn = PgConnection::establish(&postgres_url(url))?;
                conn.batch_execute(SESSION)
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(DbConn::Postgres(conn))
            }
            Kind::Sqlite => {
                let mut conn = SqliteConnection::establish(sqlite_path(url))?;
                let query_only = if read_only { "ON" } else { "OFF" };
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                     PRAGMA foreign_keys = ON; PRAGMA query_only = {query_only}"
                ))
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(DbConn::Sqlite(conn))
            }
        }
    }

    fn migrate(&mut self) -> diesel::migration::Result<()> {
        match self {
            DbConn::Postgres(conn) => {
                // Several instances may start at once; the lock is that of this schema alone.
                conn.batch_execute(
                    "SET statement_timeout = 0; SET lock_timeout = 0;
                     SELECT pg_advisory_lock(720911, hashtext(current_schema()))",
                )?;
                let done = conn.run_pending_migrations(POSTGRES_MIGRATIONS).map(drop);
                conn.batch_execute(
                    "SELECT pg_advisory_unlock(720911, hashtext(current_schema()))",
                )?;
                done
            }
            DbConn::Sqlite(conn) => conn.run_pending_migrations(SQLITE_MIGRATIONS).map(drop),
        }
    }

    /// Whether there is a table of this name.
    pub fn has_table(&mut self, name: &str) -> QueryResult<bool> {
        let look = match self {
            DbConn::Postgres(_) => sql::<Bool>("to_regclass("),
            DbConn::Sqlite(_) => sql::<Bool>("(SELECT rootpage FROM sqlite_master WHERE name = "),
        };
        diesel::select(look.bind::<Text, _>(name.to_owned()).sql(") IS NOT NULL")).get_result(self)
    }

    fn has_pending(&mut self) -> diesel::migration::Result<bool> {
        // Diesel makes its table where there is none, which a reader may not.
        if !self.has_table("__diesel_schema_migrations")? {
            return Ok(true);
        }
        match self {
            DbConn::Postgres(conn) => conn.has_pending_migration(POSTGRES_MIGRATIONS),
            DbConn::Sqlite(conn) => conn.has_pending_migration(SQLITE_MIGRATIONS),
        }
    }

    /// Starts a transaction that writes; SQLite takes its write lock now, so that writers queue instead of failing. `lock_wait`: how long
    /// it may wait for a lock, where that is less than usual.
    pub(super) fn begin_write(&mut self, lock_wait: Option<Duration>) -> QueryResult<()> {
        match (self, lock_wait) {
            (DbConn::Postgres(conn), None) => AnsiTransactionManager::begin_transaction(conn),
            (DbConn::Postgres(conn), Some(wait)) => {
                let milliseconds = wait.as_millis().max(1);
                AnsiTransactionManager::begin_transaction_sql(
                    conn,
                    &format!("BEGIN; SET LOCAL lock_timeout = '{milliseconds}ms'"),
                )
            }
            (DbConn::Sqlite(conn), _) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
            }
        }
    }

    /// Starts a transaction that sees one snapshot.
    fn begin_read(&mut self) -> QueryResult<()> {
        match self {
            DbConn::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(
                conn,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            ),
            DbConn::Sqlite(conn) => {
                AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN DEFERRED")
            }
        }
    }

    pub(super) fn finish<T>(&mut self, outcome: Result<T>) -> Result<T> {
        type Transaction = <DbConn as Connection>::TransactionManager;
        match outcome {
            Ok(value) => Transaction::commit_transaction(self)
                .map(|()| value)
                .map_err(Error::from),
            Err(error) => {
                // The first error says why; that of a rollback on a broken connection would hide it.
                let _ = Transaction::rollback_transaction(self);
                Err(error)
            }
        }
    }

    /// What came of work; where the connection is lost, that is the reason, whatever was told of it.
    fn judge<T>(&mut self, outcome: Result<T>) -> Result<T> {
        match outcome {
            Err(error) if self.is_lost(&error) => {
                self.give_up();
                Err(match error {
                    full @ Error::StorageFull(_) => full,
                    error => Error::Broken(error.to_string()),
                })
            }
            outcome => outcome,
        }
    }

    fn is_lost(&mut self, error: &Error) -> bool {
        match error {
            Error::Refused(_) => false,
            Error::Broken(_) => true,
            _ => self.is_broken() || self.ping().is_err(),
        }
    }

    /// Ends a transaction of which nothing may be kept, and the connection with it.
    pub(super) fn give_up_transaction(&mut self) {
        // What is rolled back here is rolled back at the latest when the connection closes.
        let _ = <Self as Connection>::TransactionManager::rollback_transaction(self);
        self.give_up();
    }

    /// Sees to it that this connection is not used again.
    pub(super) fn give_up(&mut self) {
        <Self as Connection>::TransactionManager::transaction_manager_status_mut(self)
            .set_in_error();
    }
}

/// Compiles one query for each database: for the statements `MultiConnection` does not carry.
#[macro_export]
macro_rules! each {
    ($conn:expr, $c:ident => $query:expr) => {
        match $conn {
            $crate::repository::DbConn::Postgres($c) => $query,
            $crate::repository::DbConn::Sqlite($c) => $query,
        }
    };
}

/// Loads one row and holds it until the transaction ends; on SQLite the writer already holds everything.
#[macro_export]
macro_rules! locked {
    ($conn:expr, $query:expr) => {
        match $conn {
            $crate::repository::DbConn::Postgres(c) => $query.for_update().first(c),
            $crate::repository::DbConn::Sqlite(c) => $query.first(c),
        }
    };
}

/// Holds `word` against other transactions until this one ends; on SQLite the writer already holds everything.
pub fn advisory_lock(conn: &mut DbConn, word: &str) -> QueryResult<()> {
    if let DbConn::Postgres(conn) = conn {
        diesel::sql_query(
            "SELECT pg_advisory_xact_lock(720912, hashtext(current_schema() || ' ' || $1))",
        )
        .bind::<diesel::sql_types::Text, _>(word)
        .execute(conn)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_says_itself_stays() {
        let bare = postgres_url("postgres://h1:5432,h2:5433/cps");
        assert!(bare.starts_with("postgres://h1:5432,h2:5433/cps?connect_timeout=2&"));
        let own =
            postgres_url("postgres://h/cps?connect_timeout=9&target_session_attrs=read-write");
        assert!(own.contains("connect_timeout=9&target_session_attrs=read-write&keepalives_idle="));
        assert_eq!(own.matches("connect_timeout=").count(), 1);
    }

    #[test]
    fn several_hosts_are_postgres_too() {
        let url = "postgresql://h1:5432,h2:5433/cps?target_session_attrs=read-write";
        assert_eq!(Kind::of(url), Kind::Postgres);
    }
}
