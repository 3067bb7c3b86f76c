//! The database, as handlers hold it: one lane of connections on PostgreSQL, one writer beside readers on SQLite.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::super::lane::Lane;
use super::{DbConn, DbError, Kind, sqlite_path};
use crate::error::{Error, Result};
use crate::private;

/// The WAL reset bug is mended from this SQLite on.
const SQLITE_AT_LEAST: (u32, u32, u32) = (3, 51, 3);

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
        private::folder(parent)?;
    }
    let file = private::file(Path::new(&format!("{path}.lock")))?;
    file.try_lock().map_err(|_| {
        format!("{path} is in use by another process: stop it first, or use PostgreSQL")
    })?;
    // What SQLite makes beside its file is as open as that is.
    private::file(Path::new(path))?;
    for beside in ["-wal", "-shm"] {
        private::narrow(Path::new(&format!("{path}{beside}")))?;
    }
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
