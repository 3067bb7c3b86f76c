//! The queue of jobs: inserted with their cause, held by a lease, finished only by who holds it. What is due is in `due`, what staff look at in `list`.

mod due;
mod list;

use std::collections::HashSet;

use chrono::TimeDelta;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::held::Held;
use super::schema::jobs;
use super::sweeping::{self, SweepText, sweep_text};
use super::{DbConn, MOST_ROWS, MultiBackend, wakeups};
use crate::domain::job::{JobError, JobId, JobKind, JobQueue, JobState};
use crate::error::{Error, Result};
use crate::types::{Instant, Json};
use crate::{each, locked};

pub use due::{
    QueueState, claim, due_queues, is_open, next_ready, queue_states, renew, return_expired,
};
pub use list::{Filter, dead_ids, list};

/// One job.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = jobs, check_for_backend(MultiBackend))]
pub struct Job {
    pub id: JobId,
    /// A word of [`JobKind`], or of a version that knows more of them.
    pub kind: String,
    /// Makes the job unique: the same cause never makes two.
    pub key: String,
    pub payload: Json,
    pub state: JobState,
    pub run_at: Instant,
    /// How often it was begun since it came, or was revived.
    pub attempts: i64,
    pub lease: Option<String>,
    /// By the time of the machine, not by the settable clock.
    pub leased_until: Option<Instant>,
    /// In the words of the cause, for whoever reads the database.
    pub last_error: Option<String>,
    pub created_at: Instant,
    pub finished_at: Option<Instant>,
    pub queue: JobQueue,
    pub error_class: Option<JobError>,
    /// When it was first begun since it came, or was revived.
    pub tried_since: Option<Instant>,
    /// Only instances whose programme knows this seller take it; any where there is none.
    pub seller_key: Option<String>,
}

/// A job to add.
pub struct NewJob {
    pub kind: JobKind,
    pub key: String,
    pub payload: Json,
    pub seller_key: Option<String>,
    pub run_at: Instant,
}

impl Job {
    /// How long it has been tried at `now`.
    pub fn tried_for(&self, now: Instant) -> TimeDelta {
        self.tried_since
            .map_or(TimeDelta::zero(), |since| now.since(since))
    }
}

/// Why a job failed: the class that staff see, and the cause.
#[derive(Debug, Clone)]
pub struct Failure {
    pub class: JobError,
    pub cause: String,
}

/// Which of these keys are those of jobs that nobody has begun.
pub fn ready_keys(conn: &mut DbConn, keys: &[String]) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    for some in keys.chunks(MOST_ROWS) {
        let ready = jobs::table
            .filter(jobs::key.eq_any(some))
            .filter(jobs::state.eq(JobState::Ready));
        let rows: Vec<String> = ready.select(jobs::key).load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The jobs that are being done, by whichever instance.
pub fn running(conn: &mut DbConn) -> Result<Vec<JobId>> {
    let running = jobs::table.filter(sql::<Bool>("state = 'running'"));
    Ok(running.select(jobs::id).load(conn)?)
}

/// Adds a job; one with the same key is already there or done.
pub fn enqueue(conn: &mut DbConn, new: NewJob, now: Instant) -> Result<()> {
    let job = Job {
        id: JobId::new(now),
        kind: new.kind.to_string(),
        key: new.key,
        payload: new.payload,
        state: JobState::Ready,
        run_at: new.run_at,
        attempts: 0,
        lease: None,
        leased_until: None,
        last_error: None,
        created_at: now,
        finished_at: None,
        queue: new.kind.queue(),
        error_class: None,
        tried_since: None,
        seller_key: new.seller_key,
    };
    each!(conn, c => diesel::insert_into(jobs::table).values(&job).on_conflict_do_nothing().execute(c))?;
    wakeups::enqueued();
    Ok(())
}

/// A job, held against other writers.
pub fn lock(conn: &mut DbConn, id: JobId) -> Result<Option<Held<Job>>> {
    let found: Option<Job> =
        locked!(conn, jobs::table.find(id).select(Job::as_select())).optional()?;
    Ok(found.map(Held::new))
}

/// The job, while it runs under this lease.
macro_rules! leased {
    ($id:expr, $lease:expr) => {
        jobs::table
            .find($id)
            .filter(jobs::lease.eq($lease))
            .filter(jobs::state.eq(JobState::Running))
    };
}

/// Marks a job as done; `LeaseLost` where that is so, so that its effects are rolled back.
pub fn finish(conn: &mut DbConn, id: JobId, lease: &str, now: Instant) -> Result<()> {
    let done = diesel::update(leased!(id, lease))
        .set((
            jobs::state.eq(JobState::Done),
            jobs::finished_at.eq(now),
            jobs::lease.eq(None::<String>),
            jobs::leased_until.eq(None::<Instant>),
        ))
        .execute(conn)?;
    if done == 1 {
        Ok(())
    } else {
        Err(Error::LeaseLost)
    }
}

/// Has a job that failed tried again at `run_at`; false where somebody else has it by now.
pub fn put_back(
    conn: &mut DbConn,
    id: JobId,
    lease: &str,
    why: &Failure,
    run_at: Instant,
) -> Result<bool> {
    let put = diesel::update(leased!(id, lease))
        .set((
            jobs::state.eq(JobState::Ready),
            jobs::run_at.eq(run_at),
            jobs::last_error.eq(&why.cause),
            jobs::error_class.eq(why.class),
            jobs::lease.eq(None::<String>),
            jobs::leased_until.eq(None::<Instant>),
        ))
        .execute(conn)?;
    Ok(put == 1)
}

/// Has a job that failed for good lie until staff revive it; false where somebody else has it by now.
pub fn bury(
    conn: &mut DbConn,
    id: JobId,
    lease: &str,
    why: &Failure,
    now: Instant,
) -> Result<bool> {
    let buried = diesel::update(leased!(id, lease))
        .set((
            jobs::state.eq(JobState::Dead),
            jobs::finished_at.eq(now),
            jobs::last_error.eq(&why.cause),
            jobs::error_class.eq(why.class),
            jobs::lease.eq(None::<String>),
            jobs::leased_until.eq(None::<Instant>),
        ))
        .execute(conn)?;
    Ok(buried == 1)
}

/// Has a dead job begin anew, with all its tries.
pub fn revive(conn: &mut DbConn, job: &mut Held<Job>, now: Instant) -> Result<()> {
    job.state = JobState::Ready;
    job.run_at = now;
    job.attempts = 0;
    job.finished_at = None;
    job.tried_since = None;
    diesel::update(jobs::table.find(job.id))
        .set((
            jobs::state.eq(job.state),
            jobs::run_at.eq(job.run_at),
            jobs::attempts.eq(job.attempts),
            jobs::finished_at.eq(None::<Instant>),
            jobs::tried_since.eq(None::<Instant>),
        ))
        .execute(conn)?;
    wakeups::enqueued();
    Ok(())
}

const SWEEP: SweepText = sweep_text!("jobs", "id", "state = 'done' AND finished_at < $1");

/// Forgets at most `limit` jobs that were done before `before`, and says how many; dead ones stay.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP, before, limit)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::clock::Clock;
    use crate::repository::testing::migrated;

    #[tokio::test]
    async fn who_has_lost_the_lease_is_told_at_once() {
        let (_folder, db) = migrated();
        let tries = Arc::new(AtomicU32::new(0));
        let (counted, now) = (tries.clone(), Clock::default().now());
        let finished = db.write(move |conn| {
            counted.fetch_add(1, Ordering::AcqRel);
            finish(conn, JobId::new(now), "lost", now)
        });
        assert!(matches!(finished.await, Err(Error::LeaseLost)));
        assert_eq!(tries.load(Ordering::Acquire), 1);
    }
}
