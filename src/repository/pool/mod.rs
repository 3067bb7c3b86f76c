//! The pool of connections and its queue of work: as many threads at work as there are connections, and none that waits for one. What a
//! connection of it is stands in `connection`, how work shares a transaction in `group`.

mod connection;
mod group;
mod job;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::r2d2::R2D2Connection;
use r2d2::PooledConnection;
use tokio::sync::oneshot;

use self::connection::{Manager, Signs};
use self::job::{Done, Job, Work};
use super::backend::{DbConn, DbError};
use crate::error::{Error, Result};

pub use job::{Patience, Transactions};

/// How long the first connection may take while the service starts.
const FIRST: Duration = Duration::from_secs(5);
/// A connection that could not be opened is tried again after half of this at the latest.
const REOPEN: Duration = Duration::from_millis(500);

/// Whoever waits for a job. When it goes before the job begins, because it has waited too long or was itself given up, the job goes too.
struct Caller<'a> {
    queue: &'a Queue,
    begun: Arc<AtomicBool>,
}

impl Caller<'_> {
    /// Gives the job up; false where it has begun.
    fn gives_up(&self) -> bool {
        let gives_up = !self.begun.swap(true, Ordering::AcqRel);
        if gives_up {
            self.queue.take_out_abandoned();
        }
        gives_up
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.gives_up();
    }
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Threads at work.
    threads: usize,
}

struct Queue {
    connections: r2d2::Pool<Manager>,
    most_threads: usize,
    waiting: Mutex<Waiting>,
    transactions: Transactions,
    signs: Arc<Signs>,
}

/// Connections of one kind. A thread that has done one job takes the next at once: when there is much to do, nobody is put to sleep and woken.
#[derive(Clone)]
pub struct Pool(Arc<Queue>);

impl Pool {
    /// A pool of `size` connections, of which the first is open.
    pub fn open(
        url: &str,
        size: u32,
        read_only: bool,
        transactions: Transactions,
    ) -> Result<Self, DbError> {
        let signs = Arc::new(Signs::new());
        // r2d2's own check asks the database before every use: a second round trip for every request.
        let connections = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(REOPEN)
            .build_unchecked(Manager::new(url, read_only, signs.clone()));
        connections.get_timeout(FIRST)?;
        Ok(Self(Arc::new(Queue {
            connections,
            most_threads: usize::try_from(size)?,
            waiting: Mutex::default(),
            transactions,
            signs,
        })))
    }

    /// A connection for work on the thread at hand, while nothing is served.
    pub fn connection(&self) -> Result<PooledConnection<Manager>, r2d2::Error> {
        self.0.connections.get_timeout(FIRST)
    }

    /// Closes every connection, those in use when they come back, and opens none again.
    pub fn close(&self) {
        self.0.signs.close();
        while self.0.connections.try_get().is_some() {}
    }

    /// Runs `work` on a connection; refused where none comes free in time.
    pub async fn run<T, F>(&self, patience: Patience, work: F) -> Result<T>
    where
        F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (tell, mut told) = oneshot::channel();
        let caller = Caller {
            queue: &self.0,
            begun: Arc::default(),
        };
        self.add(Job {
            begun: caller.begun.clone(),
            begin_by: patience.begin_by,
            work: Box::new(move |conn| {
                let done = conn.and_then(work);
                Done {
                    is_kept: done.is_ok(),
                    storage_full: match &done {
                        Err(Error::StorageFull(why)) => Some(why.clone()),
                        _ => None,
                    },
                    answer: Box::new(move |committed| {
                        // Nobody waits any more when the caller has hung up.
                        let _ = tell.send(committed.and(done));
                    }),
                }
            }),
        });
        let waited = tokio::time::timeout(left(patience.begin_by), &mut told).await;
        let done = match (waited, patience.silence) {
            (Ok(done), _) => done,
            (Err(_), _) if caller.gives_up() => return Err(self.0.not_begun()),
            (Err(_), None) => told.await,
            (Err(_), Some(silence)) => {
                let since = patience.since;
                self.0.unless_silent(since, silence, told).await?
            }
        };
        done.map_err(Error::internal("work on the database"))?
    }

    fn add(&self, job: Job) {
        if self.0.is_short_of_threads(job) {
            let queue = self.0.clone();
            tokio::task::spawn_blocking(move || queue.work());
        }
    }
}

fn left(moment: Instant) -> Duration {
    moment.saturating_duration_since(Instant::now())
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why work has not begun in time.
    fn not_begun(&self) -> Error {
        match self.connections.state().connections {
            0 => Error::Broken("no connection could be opened".to_owned()),
            _ => Error::Busy,
        }
    }

    /// What `told` brings, unless no connection gets any answer for as long as `silence`.
    async fn unless_silent<T>(
        &self,
        since: Instant,
        silence: Duration,
        mut told: oneshot::Receiver<T>,
    ) -> Result<Result<T, oneshot::error::RecvError>> {
        loop {
            let heard = self.signs.heard().max(since);
            match tokio::time::timeout(left(heard + silence), &mut told).await {
                Ok(done) => return Ok(done),
                Err(_) if self.signs.heard() <= heard => {
                    return Err(Error::Broken("the database has gone silent".to_owned()));
                }
                Err(_) => {}
            }
        }
    }

    /// Puts `job` into the queue; whether one more thread is to come, which is counted from now on.
    fn is_short_of_threads(&self, job: Job) -> bool {
        let mut waiting = self.waiting();
        waiting.jobs.push_back(job);
        let is_short = waiting.threads < self.most_threads;
        waiting.threads += usize::from(is_short);
        is_short
    }

    /// Takes out of the queue what nobody waits for any more, with all that it holds.
    fn take_out_abandoned(&self) {
        let mut waiting = self.waiting();
        let jobs = std::mem::take(&mut waiting.jobs);
        let (abandoned, wanted): (Vec<Job>, _) = jobs
            .into_iter()
            .partition(|job| job.begun.load(Ordering::Acquire));
        waiting.jobs = wanted.into();
        // What the jobs hold goes where nobody waits for the lock.
        drop(waiting);
        drop(abandoned);
    }

    /// Does what waits, on one connection, until nothing does.
    fn work(&self) {
        let mut kept = None;
        while let Some(job) = self.next() {
            kept = self.perform(job, kept.take());
        }
    }

    /// The next job. Whoever finds none lets others go first and looks again: to sleep and be woken costs more than that.
    fn next(&self) -> Option<Job> {
        let next = self.waiting().jobs.pop_front();
        if next.is_some() {
            return next;
        }
        std::thread::yield_now();
        let mut waiting = self.waiting();
        let next = waiting.jobs.pop_front();
        waiting.threads -= usize::from(next.is_none());
        next
    }

    /// Does one job; the connection, where it can be used again.
    fn perform(
        &self,
        job: Job,
        kept: Option<PooledConnection<Manager>>,
    ) -> Option<PooledConnection<Manager>> {
        if job.begun.load(Ordering::Acquire) {
            return kept;
        }
        let mut pooled = match self.checkout(kept, job.begin_by) {
            Ok(pooled) => pooled,
            Err(error) => {
                if job.begin() {
                    ((job.work)(Err(error)).answer)(Ok(()));
                }
                return None;
            }
        };
        if !job.begin() {
            return Some(pooled);
        }
        let conn = &mut pooled.conn;
        let is_whole = match &self.transactions {
            Transactions::ByTheWork => job::run_alone(conn, job.work, &self.signs),
            Transactions::InGroups(wakeups) => {
                group::run(conn, job.work, || self.next_begun(), wakeups)
            }
        };
        (is_whole && !pooled.conn.is_broken()).then_some(pooled)
    }

    /// Work that waits and has begun with this.
    fn next_begun(&self) -> Option<Work> {
        loop {
            let job = self.waiting().jobs.pop_front()?;
            if job.begin() {
                return Some(job.work);
            }
        }
    }

    /// A connection that works as far as is known: `kept`, or one that is free by `begin_by`.
    fn checkout(
        &self,
        mut kept: Option<PooledConnection<Manager>>,
        begin_by: Instant,
    ) -> Result<PooledConnection<Manager>> {
        loop {
            let found = match kept.take() {
                Some(pooled) => Ok(pooled),
                None => self.connections.get_timeout(left(begin_by)),
            };
            let mut pooled = found.map_err(|error| Error::Broken(error.to_string()))?;
            if pooled.is_sound(&self.signs) {
                return Ok(pooled);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    fn pool() -> (tempfile::TempDir, Pool) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        (
            folder,
            Pool::open(&url, 2, false, Transactions::ByTheWork).unwrap(),
        )
    }

    fn patience(wait: Duration) -> Patience {
        Patience {
            begin_by: Instant::now() + wait,
            silence: None,
            since: Instant::now(),
        }
    }

    #[tokio::test]
    async fn work_that_panics_takes_no_place_with_it() {
        let (_folder, pool) = pool();
        for _ in 0..20 {
            let panics = |_: &mut DbConn| -> Result<()> { panic!("on purpose") };
            let failed = pool.run(patience(Duration::from_secs(20)), panics).await;
            assert!(matches!(failed, Err(Error::Internal { .. })));
        }
        let both = Arc::new(std::sync::Barrier::new(2));
        let meet = || {
            let both = both.clone();
            pool.run(patience(Duration::from_secs(20)), move |_| {
                both.wait();
                Ok(())
            })
        };
        let met = tokio::join!(meet(), meet());
        assert!(met.0.is_ok() && met.1.is_ok());
    }

    #[tokio::test]
    async fn work_that_was_given_up_is_not_done_later() {
        let (_folder, pool) = pool();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let hold = || {
            let held = held.clone();
            pool.run(patience(Duration::from_secs(20)), move |_| {
                let _ = held.lock().unwrap().recv();
                Ok(())
            })
        };
        let done = Arc::new(AtomicU32::new(0));
        let counted = done.clone();
        let late = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let late = pool.run(patience(Duration::from_millis(100)), move |_| {
                Ok(counted.fetch_add(1, Ordering::AcqRel))
            });
            let refused = late.await;
            drop(release);
            refused
        };
        let (_, _, refused) = tokio::join!(hold(), hold(), late);
        assert!(matches!(refused, Err(Error::Busy)));
        let after = pool.run(patience(Duration::from_secs(20)), |_| Ok(()));
        assert!(after.await.is_ok());
        assert_eq!(done.load(Ordering::Acquire), 0);
    }

    #[tokio::test]
    async fn work_that_was_given_up_is_kept_nowhere() {
        let (_folder, pool) = pool();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let hold = || {
            let held = held.clone();
            pool.run(patience(Duration::from_secs(20)), move |_| {
                let _ = held.lock().unwrap().recv();
                Ok(())
            })
        };
        let payload = Arc::new(());
        let late = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            for nth in 0..40 {
                let kept = payload.clone();
                let wait = Duration::from_millis(if nth % 2 == 0 { 1 } else { 20_000 });
                let late = pool.run(patience(wait), move |_| {
                    drop(kept);
                    Ok(())
                });
                // One waits too long, the next is itself given up.
                let given_up = tokio::time::timeout(Duration::from_millis(20), late).await;
                assert!(!matches!(given_up, Ok(Ok(()))));
            }
            let kept = Arc::strong_count(&payload) - 1;
            drop(release);
            kept
        };
        let (_, _, kept) = tokio::join!(hold(), hold(), late);
        assert_eq!(kept, 0);
    }
}
