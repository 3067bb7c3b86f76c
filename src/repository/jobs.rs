//! The queue of jobs: inserted with their cause, claimed with a lease, finished only by who holds it.

use chrono::TimeDelta;
use diesel::prelude::*;

use super::schema::jobs;
use super::{DbConn, MultiBackend, wakeups};
use crate::domain::job::JobId;
use crate::each;
use crate::error::{Error, Result};
use crate::types::{Instant, Json, text_enum};

text_enum! {
    /// Where a job stands.
    pub enum JobState { Ready = "ready", Running = "running", Done = "done", Dead = "dead" }
}

/// One job.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs, check_for_backend(MultiBackend))]
pub struct Job {
    pub id: JobId,
    pub kind: String,
    /// Makes the job unique: the same cause never makes two.
    pub key: String,
    pub payload: Json,
    pub state: JobState,
    pub run_at: Instant,
    pub attempts: i64,
    pub lease: Option<String>,
    pub leased_until: Option<Instant>,
    pub last_error: Option<String>,
    pub created_at: Instant,
    pub finished_at: Option<Instant>,
}

/// How long a job belongs to who claimed it.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Adds a job that runs at `run_at`; one with the same key is already there or done.
pub fn enqueue(
    conn: &mut DbConn,
    kind: &str,
    key: &str,
    payload: Json,
    run_at: Instant,
    now: Instant,
) -> Result<()> {
    let job = Job {
        id: JobId::new(now),
        kind: kind.to_owned(),
        key: key.to_owned(),
        payload,
        state: JobState::Ready,
        run_at,
        attempts: 0,
        lease: None,
        leased_until: None,
        last_error: None,
        created_at: now,
        finished_at: None,
    };
    each!(conn, c => diesel::insert_into(jobs::table).values(&job).on_conflict_do_nothing().execute(c))?;
    wakeups::enqueued();
    Ok(())
}

/// Takes the next job that is due at `now`, or whose holder has gone.
pub fn claim(conn: &mut DbConn, lease: &str, now: Instant) -> Result<Option<Job>> {
    macro_rules! due {
        () => {
            jobs::table
                .filter(jobs::run_at.le(now))
                .filter(
                    jobs::state.eq(JobState::Ready).or(jobs::state
                        .eq(JobState::Running)
                        .and(jobs::leased_until.lt(now).assume_not_null())),
                )
                .order((jobs::run_at, jobs::id))
                .select(Job::as_select())
        };
    }
    let found: Option<Job> = match conn {
        DbConn::Postgres(c) => due!().for_update().skip_locked().first(c).optional()?,
        DbConn::Sqlite(c) => due!().first(c).optional()?,
    };
    let Some(mut job) = found else {
        return Ok(None);
    };
    job.attempts += 1;
    diesel::update(jobs::table.find(job.id))
        .set((
            jobs::state.eq(JobState::Running),
            jobs::attempts.eq(job.attempts),
            jobs::lease.eq(lease),
            jobs::leased_until.eq(now.plus(LEASE)),
        ))
        .execute(conn)?;
    Ok(Some(job))
}

/// Holds a job for longer; false where somebody else has it by now.
pub fn renew(conn: &mut DbConn, id: JobId, lease: &str, now: Instant) -> Result<bool> {
    let mine = jobs::table
        .find(id)
        .filter(jobs::lease.eq(lease))
        .filter(jobs::state.eq(JobState::Running));
    Ok(diesel::update(mine)
        .set(jobs::leased_until.eq(now.plus(LEASE)))
        .execute(conn)?
        == 1)
}

/// Marks a job as done; refused where the lease is no longer held, so that its effects are rolled back.
pub fn finish(conn: &mut DbConn, id: JobId, lease: &str, now: Instant) -> Result<()> {
    let mine = jobs::table
        .find(id)
        .filter(jobs::lease.eq(lease))
        .filter(jobs::state.eq(JobState::Running));
    let done = diesel::update(mine)
        .set((jobs::state.eq(JobState::Done), jobs::finished_at.eq(now)))
        .execute(conn)?;
    if done == 1 {
        Ok(())
    } else {
        Err(Error::Contended)
    }
}

/// Puts a job back for `run_at`, or buries it.
pub fn fail(
    conn: &mut DbConn,
    id: JobId,
    lease: &str,
    why: &str,
    run_at: Option<Instant>,
    now: Instant,
) -> Result<()> {
    let mine = jobs::table
        .find(id)
        .filter(jobs::lease.eq(lease))
        .filter(jobs::state.eq(JobState::Running));
    let state = if run_at.is_some() {
        JobState::Ready
    } else {
        JobState::Dead
    };
    diesel::update(mine)
        .set((
            jobs::state.eq(state),
            jobs::run_at.eq(run_at.unwrap_or(now)),
            jobs::last_error.eq(why),
            jobs::finished_at.eq(run_at.is_none().then_some(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// When the next job falls due at or before `until`, whether it runs already or not.
pub fn next_due(conn: &mut DbConn, until: Instant) -> Result<Option<Instant>> {
    let open = jobs::table
        .filter(jobs::state.eq_any([JobState::Ready, JobState::Running]))
        .filter(jobs::run_at.le(until));
    Ok(open
        .order((jobs::run_at, jobs::id))
        .select(jobs::run_at)
        .first(conn)
        .optional()?)
}

/// How long the oldest job that is due has waited, as the moment it fell due; and how many are dead.
pub fn lag(conn: &mut DbConn, now: Instant) -> Result<(Option<Instant>, i64)> {
    let waiting = jobs::table
        .filter(jobs::state.eq(JobState::Ready))
        .filter(jobs::run_at.le(now));
    let oldest = waiting
        .order((jobs::run_at, jobs::id))
        .select(jobs::run_at)
        .first(conn)
        .optional()?;
    let dead = jobs::table
        .filter(jobs::state.eq(JobState::Dead))
        .count()
        .get_result(conn)?;
    Ok((oldest, dead))
}

/// Forgets at most `limit` jobs that were done before `before`; dead ones stay.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    let old: Vec<JobId> = jobs::table
        .filter(jobs::state.eq(JobState::Done))
        .filter(jobs::finished_at.lt(before))
        .select(jobs::id)
        .limit(limit)
        .load(conn)?;
    Ok(diesel::delete(jobs::table.filter(jobs::id.eq_any(old))).execute(conn)?)
}
