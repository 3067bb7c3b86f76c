//! Work that shares a transaction: each piece in a savepoint of its own, one commit, then the answers. Which work waits is in the pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use diesel::connection::{Connection, SimpleConnection, TransactionManager};
use diesel::result::{Error as DieselError, QueryResult};

use super::job::{Answer, Work};
use crate::error::{Error, Result};
use crate::repository::DbConn;
use crate::repository::wakeups::{Made, Wakeups, noted};

type Transactions = <DbConn as Connection>::TransactionManager;

/// More pieces than this share no transaction.
const MOST: usize = 64;
/// No further piece begins after the first has waited for its commit as long as this.
const LONGEST: Duration = Duration::from_millis(20);

/// Pieces of work that were done and are not committed yet.
#[derive(Default)]
struct Group {
    answers: Vec<Answer>,
    made: Made,
    /// Whether a piece broke off in its midst: the connection is not used again.
    has_panicked: bool,
    /// Why nothing of this can be committed.
    failure: Option<Error>,
}

/// Does `first` and what `next` brings in one transaction, and answers all of it once that is committed; whether the connection can be used
/// again. Where a piece fails, nothing of it is left and the others stay; where the commit fails, so has each of them.
pub(super) fn run(
    conn: &mut DbConn,
    first: Work,
    next: impl FnMut() -> Option<Work>,
    wakeups: &Wakeups,
) -> bool {
    if let Err(error) = conn.begin_write(None) {
        (first(Err(error.into())).answer)(Ok(()));
        return true;
    }
    let mut group = Group::default();
    group.take(conn, first, next);
    let committed = match group.failure {
        None => conn.finish(Ok(())),
        Some(failure) => {
            conn.give_up_transaction();
            Err(failure)
        }
    };
    if committed.is_ok() {
        wakeups.wake(group.made);
    }
    for answer in group.answers {
        answer(committed.as_ref().copied().map_err(repeated));
    }
    !group.has_panicked
}

impl Group {
    fn take(&mut self, conn: &mut DbConn, first: Work, mut next: impl FnMut() -> Option<Work>) {
        let begun = Instant::now();
        let mut waiting = Some(first);
        while let Some(work) = waiting {
            if let Err(error) = self.perform(conn, work) {
                self.failure = Some(error);
            }
            let is_full = self.answers.len() >= MOST || begun.elapsed() >= LONGEST;
            let goes_on = !is_full && !self.has_panicked && self.failure.is_none();
            waiting = if goes_on { next() } else { None };
        }
    }

    /// Does one piece in its savepoint; an error where the transaction around it is lost.
    fn perform(&mut self, conn: &mut DbConn, work: Work) -> Result<()> {
        let before = depth(conn)?;
        Transactions::begin_transaction(conn)?;
        let work = AssertUnwindSafe(|| work(Ok(conn)));
        let (done, made) = noted(|| catch_unwind(work));
        // Whoever began what panics is told by the answer that went with it.
        let Ok(done) = done else {
            self.has_panicked = true;
            return Ok(undo(conn, before)?);
        };
        self.answers.push(done.answer);
        if done.is_kept {
            self.made.add(made);
            return Ok(Transactions::commit_transaction(conn)?);
        }
        undo(conn, before).map_err(|error| match done.storage_full {
            Some(why) => Error::StorageFull(why),
            None => error.into(),
        })
    }
}

/// Takes back what was done since the depth was `before`; an error where SQLite has ended the whole transaction by itself, as it does when
/// its disk is full, say: there is no such savepoint any more then.
fn undo(conn: &mut DbConn, before: u32) -> QueryResult<()> {
    // What broke off in its midst has left savepoints of its own open.
    while depth(conn)? > before + 1 {
        Transactions::rollback_transaction(conn)?;
    }
    Transactions::rollback_transaction(conn)?;
    conn.batch_execute(&format!("RELEASE SAVEPOINT diesel_savepoint_{before}"))
}

fn depth(conn: &mut DbConn) -> QueryResult<u32> {
    let status = Transactions::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.map_or(0, u32::from))
}

/// The failure once more, for each of those whose work failed together.
fn repeated(failure: &Error) -> Error {
    match failure {
        Error::Contended => Error::Contended,
        Error::Broken(why) => Error::Broken(why.clone()),
        Error::StorageFull(why) => Error::StorageFull(why.clone()),
        Error::Database(DieselError::DatabaseError(kind, info)) => Error::Database(
            DieselError::DatabaseError(*kind, Box::new(info.message().to_owned())),
        ),
        other => Error::internal("a transaction that was shared")(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use diesel::connection::InstrumentationEvent;
    use diesel::prelude::*;
    use diesel::sql_types::BigInt;
    use tokio::task::JoinHandle;

    use crate::error::{Code, Error, Result};
    use crate::repository::{Db, DbConn, Kind};

    /// A database whose writer is at work until it is released, so that what is written meanwhile shares a transaction.
    struct Held {
        db: Db,
        commits: Arc<AtomicUsize>,
        release: mpsc::Sender<()>,
        first: JoinHandle<Result<()>>,
        _folder: tempfile::TempDir,
    }

    fn insert(conn: &mut DbConn, n: i64) -> Result<()> {
        Ok(sql(conn, &format!("INSERT INTO written VALUES ({n}, 1)"))?)
    }

    fn sql(conn: &mut DbConn, statement: &str) -> QueryResult<()> {
        use diesel::connection::SimpleConnection;
        conn.batch_execute(statement)
    }

    impl Held {
        async fn open() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}", folder.path().join("test.db").display());
            let db = Db::open(&url, 2).unwrap();
            assert_eq!(db.kind(), Kind::Sqlite);
            let made = db.write(|conn| {
                let tables = "CREATE TABLE kinds (id INTEGER PRIMARY KEY); INSERT INTO kinds VALUES (1);
                     CREATE TABLE written (n INTEGER PRIMARY KEY, kind INTEGER NOT NULL REFERENCES kinds (id))";
                Ok(sql(conn, tables)?)
            });
            made.await.unwrap();
            let (release, released) = mpsc::channel::<()>();
            let released = Arc::new(std::sync::Mutex::new(released));
            let commits = Arc::new(AtomicUsize::new(0));
            let (held, counted) = (db.clone(), commits.clone());
            let first = tokio::spawn(async move {
                let hold = held.write(move |conn| {
                    let counted = counted.clone();
                    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                        if let InstrumentationEvent::CommitTransaction { depth, .. } = event {
                            counted.fetch_add(usize::from(depth.get() == 1), Ordering::AcqRel);
                        }
                    });
                    let _ = released.lock().unwrap().recv();
                    Ok(())
                });
                hold.await
            });
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            Self {
                db,
                commits,
                release,
                first,
                _folder: folder,
            }
        }

        fn write<F>(&self, work: F) -> JoinHandle<Result<()>>
        where
            F: FnOnce(&mut DbConn) -> Result<()> + Clone + Send + 'static,
        {
            let db = self.db.clone();
            tokio::spawn(async move { db.write(work).await })
        }

        /// Lets the writer go on once everything waits for it.
        async fn release(&self) {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            self.release.send(()).unwrap();
        }

        async fn written(&self) -> Vec<i64> {
            #[derive(QueryableByName)]
            struct Row {
                #[diesel(sql_type = BigInt)]
                n: i64,
            }
            let read = self.db.read(|conn| {
                let query = diesel::sql_query("SELECT n FROM written ORDER BY n");
                let rows: Vec<Row> = crate::each!(conn, c => query.load(c))?;
                Ok(rows.into_iter().map(|row| row.n).collect())
            });
            read.await.unwrap()
        }
    }

    #[tokio::test]
    async fn what_waits_is_committed_together_and_a_failing_piece_leaves_the_others() {
        let held = Held::open().await;
        let good = [1, 2, 3].map(|n| held.write(move |conn| insert(conn, n)));
        let refused = held.write(|conn| {
            insert(conn, 4)?;
            conn.transaction(|conn| insert(conn, 5))?;
            Err(Code::NotFound.into())
        });
        let broken = held.write(|conn| insert(conn, 6).and_then(|()| insert(conn, 6)));
        held.release().await;
        for one in good {
            one.await.unwrap().unwrap();
        }
        assert!(matches!(refused.await.unwrap(), Err(Error::Refused(_))));
        assert!(matches!(broken.await.unwrap(), Err(Error::Database(_))));
        assert_eq!(held.written().await, [1, 2, 3]);
        // The one that held the writer has its own: more than 20 ms of work, nobody joins it.
        assert_eq!(held.commits.load(Ordering::Acquire), 2);
    }

    #[tokio::test]
    async fn a_panic_in_one_piece_leaves_the_others() {
        let held = Held::open().await;
        let before = held.write(|conn| insert(conn, 1));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let panics = held.write(|conn| {
            insert(conn, 2)?;
            conn.transaction(|_| -> Result<()> { panic!("on purpose") })
        });
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let after = held.write(|conn| insert(conn, 3));
        held.release().await;
        before.await.unwrap().unwrap();
        let failed = panics.await.unwrap();
        assert!(matches!(failed, Err(Error::Internal { .. })), "{failed:?}");
        after.await.unwrap().unwrap();
        assert_eq!(held.written().await, [1, 3]);
    }

    #[tokio::test]
    async fn nobody_is_answered_before_the_commit() {
        let held = Held::open().await;
        let done = held.write(|conn| insert(conn, 1));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let (end, ended) = mpsc::channel::<()>();
        let ended = Arc::new(std::sync::Mutex::new(ended));
        let slow = held.write(move |_| {
            let _ = ended.lock().unwrap().recv();
            Ok(())
        });
        held.release().await;
        held.first.await.unwrap().unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert!(!done.is_finished());
        let seen = held.db.read(|conn| {
            let query = diesel::sql_query("SELECT n FROM written WHERE n = 1");
            Ok(crate::each!(conn, c => query.execute(c))?)
        });
        assert_eq!(seen.await.unwrap(), 0);
        end.send(()).unwrap();
        done.await.unwrap().unwrap();
        slow.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn where_the_commit_fails_each_of_them_has_failed() {
        let held = Held::open().await;
        let good = held.write(|conn| insert(conn, 1));
        let refused = held.write(|_| Err(Code::NotFound.into()));
        let spoils = held.write(|conn| {
            sql(conn, "PRAGMA defer_foreign_keys = ON")?;
            Ok(sql(conn, "INSERT INTO written VALUES (2, 99)")?)
        });
        held.release().await;
        for one in [good, refused, spoils] {
            let failed = one.await.unwrap();
            assert!(matches!(failed, Err(Error::Database(_))), "{failed:?}");
        }
        assert!(held.written().await.is_empty());
        held.write(|conn| insert(conn, 3)).await.unwrap().unwrap();
        assert_eq!(held.written().await, [3]);
    }

    #[tokio::test]
    async fn where_the_transaction_is_lost_nothing_is_kept_by_accident() {
        let held = Held::open().await;
        let before = held.write(|conn| insert(conn, 1));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        // As SQLite does by itself when a disk is full.
        let loses = held.write(|conn| {
            sql(conn, "ROLLBACK")?;
            Err(Code::NotFound.into())
        });
        held.release().await;
        assert!(before.await.unwrap().is_err());
        assert!(matches!(loses.await.unwrap(), Err(Error::Database(_))));
        held.write(|conn| insert(conn, 3)).await.unwrap().unwrap();
        assert_eq!(held.written().await, [3]);
    }
}
