//! A pool of connections and the queue of work for it: as many threads at work as there are connections, and none that waits for one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::r2d2::R2D2Connection;
use r2d2::{ManageConnection, Pool, PooledConnection};
use tokio::sync::oneshot;

use super::backend::{DbConn, DbError};
use crate::error::{Error, Result};

/// How long work waits for a free connection before it is refused.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens connections for r2d2.
pub struct Manager {
    url: String,
    read_only: bool,
}

impl ManageConnection for Manager {
    type Connection = DbConn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<DbConn, Self::Error> {
        DbConn::open(&self.url, self.read_only).map_err(diesel::r2d2::Error::ConnectionError)
    }

    fn is_valid(&self, conn: &mut DbConn) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut DbConn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

/// What is done with a connection, or told why there is none.
type Work = Box<dyn FnOnce(Result<&mut DbConn>) + Send>;

/// One piece of work. Whoever sets `begun` first has it: a thread that does it, or its caller who has waited too long.
struct Job {
    begun: Arc<AtomicBool>,
    work: Work,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Threads at work.
    threads: usize,
}

struct Queue {
    pool: Pool<Manager>,
    most_threads: usize,
    waiting: Mutex<Waiting>,
}

/// Connections of one kind. A thread that has done one job takes the next at once: when there is much to do, nobody is put to sleep and woken.
#[derive(Clone)]
pub struct Lane(Arc<Queue>);

impl Lane {
    /// A lane of `size` connections.
    pub fn open(url: &str, size: u32, read_only: bool) -> Result<Self, DbError> {
        // r2d2's own check asks the database before every use: a second round trip for every request.
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(PATIENCE)
            .build(Manager {
                url: url.to_owned(),
                read_only,
            })?;
        Ok(Self(Arc::new(Queue {
            pool,
            most_threads: usize::try_from(size)?,
            waiting: Mutex::default(),
        })))
    }

    /// A connection for work on the thread at hand, while nothing is served.
    pub fn connection(&self) -> Result<PooledConnection<Manager>, r2d2::Error> {
        self.0.pool.get()
    }

    /// Runs `work` on a connection; refused where none comes free in time.
    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (tell, mut told) = oneshot::channel();
        let begun = Arc::new(AtomicBool::new(false));
        self.add(Job {
            begun: begun.clone(),
            work: Box::new(move |conn| {
                // Nobody waits any more when the caller has hung up.
                let _ = tell.send(conn.and_then(work));
            }),
        });
        let done = match tokio::time::timeout(PATIENCE, &mut told).await {
            Ok(done) => done,
            Err(_) if !begun.swap(true, Ordering::AcqRel) => {
                return Err(Error::Unavailable("every connection is busy".to_owned()));
            }
            Err(_) => told.await,
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

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `job` into the queue; whether one more thread is to come, which is counted from now on.
    fn is_short_of_threads(&self, job: Job) -> bool {
        let mut waiting = self.waiting();
        waiting.jobs.push_back(job);
        let is_short = waiting.threads < self.most_threads;
        waiting.threads += usize::from(is_short);
        is_short
    }

    /// Does what waits, on one connection, until nothing does.
    fn work(&self) {
        let mut kept = None;
        while let Some(job) = self.next() {
            if !job.begun.swap(true, Ordering::AcqRel) {
                kept = self.perform(job, kept.take());
            }
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
        let found = kept.map_or_else(|| self.pool.get(), Ok);
        match found {
            Ok(mut conn) => {
                let work = AssertUnwindSafe(|| (job.work)(Ok(&mut conn)));
                let is_whole = catch_unwind(work).is_ok() && !conn.is_broken();
                is_whole.then_some(conn)
            }
            Err(error) => {
                (job.work)(Err(Error::Unavailable(error.to_string())));
                None
            }
        }
    }
}
