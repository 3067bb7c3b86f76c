//! The database, as handlers hold it: one pool of connections on PostgreSQL, one writer beside readers on SQLite.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::super::pool::{Patience, Pool, Transactions};
use super::super::wakeups::Wakeups;
use super::check::{check_language, check_sqlite};
use super::retry::{self, TRIED_FOR};
use super::{DbConn, DbError, Kind, sqlite_path};
use crate::error::{Error, Result};
use crate::private;

/// How long work waits for a connection, and a read for a database that has gone silent.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a write waits for a database that has gone silent: it may wait for locks meanwhile.
const WRITE_SILENCE: Duration = Duration::from_secs(20);

/// The database, as handlers hold it: work goes in as a closure and runs on a blocking thread.
#[derive(Clone)]
pub struct Db {
    kind: Kind,
    url: Arc<str>,
    reads: Pool,
    writes: Pool,
    /// For those who look whether the database is there: on PostgreSQL one connection, for which no work waits.
    probes: Pool,
    /// Set once every migration was seen to have run: that does not change any more.
    migrated: Arc<OnceLock<()>>,
    wakeups: Arc<Wakeups>,
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
        let wakeups = Arc::<Wakeups>::default();
        let open = |size, read_only| Pool::open(url, size, read_only, Transactions::ByTheWork);
        let (reads, writes, probes) = match kind {
            Kind::Postgres => {
                let pool = open(size, false)?;
                check_language(&mut pool.connection()?.conn)?;
                (pool.clone(), pool, open(1, false)?)
            }
            Kind::Sqlite => {
                let in_groups = Transactions::InGroups(wakeups.clone());
                let writes = Pool::open(url, 1, false, in_groups)?;
                check_sqlite(&mut writes.connection()?.conn)?;
                let reads = open(size, true)?;
                (reads.clone(), writes, reads)
            }
        };
        Ok(Self {
            kind,
            url: url.into(),
            reads,
            writes,
            probes,
            migrated: Arc::default(),
            wakeups,
            _file: file,
        })
    }

    /// Closes every connection: the last one to go leaves a SQLite database whole in its one file.
    pub fn close(&self) {
        for pool in [&self.probes, &self.reads, &self.writes] {
            pool.close();
        }
    }

    /// Which database this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Those who wait for what is committed through this handle or a copy of it.
    pub fn wakeups(&self) -> Arc<Wakeups> {
        self.wakeups.clone()
    }

    /// Brings the schema up to date; instances that start at once wait for each other.
    pub fn migrate(&self) -> Result<(), DbError> {
        match self.kind {
            Kind::Sqlite => self.writes.connection()?.conn.migrate(),
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
        let is_migrated = !self.probe(look).await?;
        if is_migrated {
            self.migrated.get_or_init(|| ());
        }
        Ok(is_migrated)
    }

    /// Runs ONE statement outside a transaction: its own snapshot, one round trip. A second one may look only at what does not change, or may
    /// be newer. Refused as `read` is.
    pub async fn fetch<T, F>(&self, work: F) -> Result<T>
    where
        F: Fn(&mut DbConn) -> Result<T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.fetch_from(&self.reads, work).await
    }

    /// Runs ONE statement as `fetch` does, whatever waits for connections: `Broken` where the database does not answer in time.
    pub async fn probe<T, F>(&self, work: F) -> Result<T>
    where
        F: Fn(&mut DbConn) -> Result<T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        match (self.fetch_from(&self.probes, work).await, self.kind) {
            (Err(Error::Busy), Kind::Postgres) => Err(Error::Broken(
                "those who asked before have no answer".to_owned(),
            )),
            (done, _) => done,
        }
    }

    async fn fetch_from<T, F>(&self, pool: &Pool, work: F) -> Result<T>
    where
        F: Fn(&mut DbConn) -> Result<T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let begin_by = Instant::now() + PATIENCE;
        let patience = self.patience(begin_by, PATIENCE);
        let [work, again] = repeatable(work);
        match pool.run(patience, work).await {
            Err(Error::Broken(_)) if Instant::now() < begin_by => pool.run(patience, again).await,
            done => done,
        }
    }

    /// Runs `work` on one snapshot. A read that met a broken connection is repeated once; `Busy` or `Broken` where there is no connection
    /// within the patience, `Broken` where the database has gone silent.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: Fn(&mut DbConn) -> Result<T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        self.fetch(in_snapshot(work)).await
    }

    /// Runs `work` on one snapshot, however long it takes: for commands that read everything.
    pub async fn read_all<T, F>(&self, work: F) -> Result<T>
    where
        F: Fn(&mut DbConn) -> Result<T> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let patience = Patience {
            silence: None,
            ..self.patience(Instant::now() + PATIENCE, PATIENCE)
        };
        self.reads.run(patience, in_snapshot(work)).await
    }

    /// Runs `work` in one transaction: all of it happens, or none. It is repeated a few times where another transaction was in the way, then
    /// `Contended`. `Broken`: the connection was lost, and it happened or did not; only an idempotency key tells.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut DbConn) -> Result<T> + Clone + Send + 'static,
        T: Send + 'static,
    {
        let begun = Instant::now();
        let mut attempts = 0;
        loop {
            let lock_wait = (attempts > 0).then(|| TRIED_FOR.saturating_sub(begun.elapsed()));
            let outcome = self.write_once(lock_wait, work.clone()).await;
            if !matches!(outcome, Err(Error::Contended)) {
                return outcome;
            }
            attempts += 1;
            match retry::pause(attempts, begun.elapsed())? {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return outcome,
            }
        }
    }

    async fn write_once<T, F>(&self, lock_wait: Option<Duration>, work: F) -> Result<T>
    where
        F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let patience = self.patience(Instant::now() + PATIENCE, WRITE_SILENCE);
        if self.kind == Kind::Sqlite {
            return self.writes.run(patience, work).await;
        }
        let wakeups = self.wakeups.clone();
        let transaction = move |conn: &mut DbConn| {
            let outcome = wakeups.around(|| {
                conn.begin_write(lock_wait)?;
                let outcome = work(conn);
                conn.finish(outcome)
            });
            conn.judge(outcome)
        };
        self.writes.run(patience, transaction).await
    }

    /// SQLite is a file: it does not go silent.
    fn patience(&self, begin_by: Instant, silence: Duration) -> Patience {
        Patience {
            begin_by,
            silence: (self.kind == Kind::Postgres).then_some(silence),
            since: Instant::now(),
        }
    }
}

/// `work` in a transaction that only reads.
fn in_snapshot<T>(work: impl Fn(&mut DbConn) -> Result<T>) -> impl Fn(&mut DbConn) -> Result<T> {
    move |conn| {
        conn.begin_read()?;
        let outcome = work(conn);
        conn.finish(outcome)
    }
}

/// `work` to be run, and once more.
fn repeatable<T, F: Fn(&mut DbConn) -> Result<T>>(
    work: F,
) -> [impl FnOnce(&mut DbConn) -> Result<T>; 2] {
    let work = Arc::new(work);
    [work.clone(), work].map(|work| {
        move |conn: &mut DbConn| {
            let outcome = work(conn);
            conn.judge(outcome)
        }
    })
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use diesel::connection::SimpleConnection;

    use super::*;

    fn sqlite() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        (folder, Db::open(&url, 2).unwrap())
    }

    #[tokio::test]
    async fn a_write_that_met_contention_is_repeated_and_not_for_ever() {
        let (_folder, db) = sqlite();
        let tries = Arc::new(AtomicU32::new(0));
        let met = |times: u32| {
            let tries = tries.clone();
            move |_: &mut DbConn| match tries.fetch_add(1, Ordering::AcqRel) + 1 {
                tried if tried <= times => Err(Error::Contended),
                tried => Ok(tried),
            }
        };
        assert_eq!(db.write(met(3)).await.unwrap(), 4);
        tries.store(0, Ordering::Release);
        let given_up = db.write(met(u32::MAX)).await;
        assert!(matches!(given_up, Err(Error::Contended)));
        assert!((3..20).contains(&tries.load(Ordering::Acquire)));
    }

    #[tokio::test]
    async fn a_standby_is_left_for_another_connection() {
        let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
            return;
        };
        let db = Db::open(&url, 1).unwrap();
        let demoted =
            db.fetch(|conn| Ok(conn.batch_execute("SET default_transaction_read_only = on")?));
        demoted.await.unwrap();
        let write = |conn: &mut DbConn| {
            conn.batch_execute("CREATE TEMPORARY TABLE written (n INT); DROP TABLE written")?;
            Ok(conn.batch_execute("CREATE SCHEMA written; DROP SCHEMA written")?)
        };
        let refused = db.write(write).await;
        assert!(matches!(refused, Err(Error::Broken(_))), "{refused:?}");
        db.write(write).await.unwrap();
    }

    #[tokio::test]
    async fn a_long_read_is_told_from_a_silent_database() {
        let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
            return;
        };
        let db = Db::open(&url, 1).unwrap();
        let sleeps = |times: u32, seconds: &'static str| {
            move |conn: &mut DbConn| {
                for _ in 0..times {
                    conn.batch_execute(&format!("SELECT pg_sleep({seconds})"))?;
                }
                Ok(())
            }
        };
        db.read(sleeps(6, "0.5")).await.unwrap();
        db.read_all(sleeps(1, "3")).await.unwrap();
        let silent = db.read(sleeps(1, "6")).await;
        assert!(matches!(silent, Err(Error::Broken(_))), "{silent:?}");
    }
}
