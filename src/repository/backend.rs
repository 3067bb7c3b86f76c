//! Everything that differs between SQLite and PostgreSQL, and nothing else.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::lane::Lane;
use crate::error::{Error, Result};

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The WAL reset bug is mended from this SQLite on.
const SQLITE_AT_LEAST: (u32, u32, u32) = (3, 51, 3);

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

impl DbConn {
    /// A connection to the database at `url`.
    pub(super) fn open(url: &str, read_only: bool) -> ConnectionResult<Self> {
        match Kind::of(url) {
            Kind::Postgres => {
                let mut conn = PgConnection::establish(url)?;
                conn.batch_execute(
                    "SET statement_timeout = '15s'; SET lock_timeout = '4s'; SET TIME ZONE 'UTC';
                     SET idle_in_transaction_session_timeout = '60s'; SET application_name = 'cps-api'",
                )
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

    fn has_pending(&mut self) -> diesel::migration::Result<bool> {
        // Diesel makes its table where there is none, which a reader may not.
        let table = match self {
            DbConn::Postgres(_) => "to_regclass('__diesel_schema_migrations') IS NOT NULL",
            DbConn::Sqlite(_) => {
                "EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations')"
            }
        };
        if !diesel::select(sql::<Bool>(table)).get_result(self)? {
            return Ok(true);
        }
        match self {
            DbConn::Postgres(conn) => conn.has_pending_migration(POSTGRES_MIGRATIONS),
            DbConn::Sqlite(conn) => conn.has_pending_migration(SQLITE_MIGRATIONS),
        }
    }

    /// Starts a transaction that writes; SQLite takes its write lock now, so that writers queue instead of failing.
    fn begin_write(&mut self) -> QueryResult<()> {
        match self {
            DbConn::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn),
            DbConn::Sqlite(conn) => {
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

    fn finish<T>(&mut self, outcome: Result<T>) -> Result<T> {
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
pub fn hold(conn: &mut DbConn, word: &str) -> QueryResult<()> {
    if let DbConn::Postgres(conn) = conn {
        diesel::sql_query(
            "SELECT pg_advisory_xact_lock(720912, hashtext(current_schema() || ' ' || $1))",
        )
        .bind::<diesel::sql_types::Text, _>(word)
        .execute(conn)?;
    }
    Ok(())
}

/// The database, as handlers hold it: work goes in as a closure and runs on a blocking thread.
#[derive(Clone)]
pub struct Db {
    kind: Kind,
    url: Arc<str>,
    reads: Lane,
    writes: Lane,
    /// Set once every migration was seen to have run: that does not change any more.
    migrated: Arc<OnceLock<()>>,
    /// Held as long as the service lives: one process per SQLite file.
    _file: Option<Arc<File>>,
}

impl Db {
    /// Opens the database at `url` with `size` connections, without migrating it.
    pub fn open(url: &str, size: u32) -> Result<Self, DbError> {
        let kind = Kind::of(url);
        let file = match kind {
            Kind::Postgres => None,
            Kind::Sqlite => Some(Arc::new(lock_file(sqlite_path(url))?)),
        };
        let db = match kind {
            Kind::Postgres => {
                let lane = Lane::open(url, size, false)?;
                Self {
                    kind,
                    url: url.into(),
                    reads: lane.clone(),
                    writes: lane,
                    migrated: Arc::default(),
                    _file: file,
                }
            }
            Kind::Sqlite => {
                let writes = Lane::open(url, 1, false)?;
                let reads = Lane::open(url, size, true)?;
                Self {
                    kind,
                    url: url.into(),
                    reads,
                    writes,
                    migrated: Arc::default(),
                    _file: file,
                }
            }
        };
        if kind == Kind::Sqlite {
            check_sqlite(&mut *db.writes.connection()?)?;
        }
        Ok(db)
    }

    /// Which database this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Brings the schema up to date; instances that start at once wait for each other.
    pub fn migrate(&self) -> Result<(), DbError> {
        match self.kind {
            Kind::Sqlite => self.writes.connection()?.migrate(),
            // A connection of its own: what it sets for the session ends with it.
            Kind::Postgres => DbConn::open(&self.url, false)?.migrate(),
        }
    }

    /// Whether every migration has run.
    pub async fn is_migrated(&self) -> Result<bool> {
        if self.migrated.get().is_some() {
            return Ok(true);
        }
        let look = |conn: &mut DbConn| {
            conn.has_pending()
                .map_err(Error::internal("looking at migrations"))
        };
        let is_migrated = !self.reads.run(look).await?;
        if is_migrated {
            self.migrated.get_or_init(|| ());
        }
        Ok(is_migrated)
    }

    /// Runs ONE statement outside a transaction: it is its own snapshot, and costs one round trip.
    pub async fn fetch<T, F>(&self, work: F) -> Result<T>
    where
        F: Fn(&mut DbConn) -> Result<T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let work = Arc::new(work);
        let again = work.clone();
        match self.reads.run(move |conn| work(conn)).await {
            Err(Error::Unavailable(_)) => self.reads.run(move |conn| again(conn)).await,
            done => done,
        }
    }

    /// Runs `work` on one snapshot. A read that met a broken connection is repeated once.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: Fn(&mut DbConn) -> Result<T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.fetch(move |conn| {
            conn.begin_read()?;
            let outcome = work(conn);
            conn.finish(outcome)
        })
        .await
    }

    /// Runs `work` in one transaction: all of it happens, or none.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.writes
            .run(move |conn| {
                conn.begin_write()?;
                let outcome = work(conn);
                conn.finish(outcome)
            })
            .await
    }
}

fn lock_file(path: &str) -> Result<File, DbError> {
    let parent = Path::new(path)
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        std::fs::create_dir_all(parent)?;
    }
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(format!("{path}.lock"))?;
    file.try_lock().map_err(|_| {
        format!("{path} is in use by another process: stop it first, or use PostgreSQL")
    })?;
    Ok(file)
}

fn check_sqlite(conn: &mut DbConn) -> Result<(), DbError> {
    let version: String = diesel::select(sql::<Text>("sqlite_version()")).get_result(conn)?;
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    if (next(), next(), next()) < SQLITE_AT_LEAST {
        return Err(format!("SQLite {version} is too old: 3.51.3 or newer is needed").into());
    }
    Ok(())
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = &error else {
            return Error::Database(error);
        };
        let waited = ["lock timeout", "deadlock detected", "database is locked"];
        match kind {
            DatabaseErrorKind::ClosedConnection => Error::Unavailable(info.message().to_owned()),
            DatabaseErrorKind::SerializationFailure => Error::Contended,
            _ if waited.iter().any(|text| info.message().contains(text)) => Error::Contended,
            _ => Error::Database(error),
        }
    }
}

/// Whether `error` is a second row with the same `table.column` (the constraint `<table>_<column>_key`).
pub fn is_duplicate(error: &DieselError, table: &str, column: &str) -> bool {
    let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else {
        return false;
    };
    match info.constraint_name() {
        Some(name) => name == format!("{table}_{column}_key"),
        None => {
            let message = info.message();
            message.ends_with(&format!("{table}.{column}"))
                || message.ends_with(&format!("index '{table}_{column}_key'"))
        }
    }
}
