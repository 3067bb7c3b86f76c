//! The queue at work: which job is next, whose it is, when it is tried again. What each kind does is in `tasks`.

pub mod sequencer;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Mutex;
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::domain::access::ServiceAccess;
use crate::domain::actor::Cause;
use crate::domain::job::JobId;
use crate::error::{Error, Result};
use crate::integrations::document_store::DocumentStore;
use crate::integrations::mail::Mailer;
use crate::programme::Programme;
use crate::repository::jobs::{self, Job};
use crate::repository::{Db, settings};
use crate::secrets::{self, Sealer};
use crate::types::Instant;
use crate::workflows::tasks::Task;
use crate::workflows::{Context, Links};

/// A job that failed this often is dead; it is never deleted.
const MOST_ATTEMPTS: i64 = 12;
/// How long an idle worker waits before it looks again.
const IDLE: Duration = Duration::from_millis(250);
/// How often the lease of a running job is renewed.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Where the sandbox's clock is kept.
pub const CLOCK_SETTING: &str = "clock_offset_micros";

/// Runs jobs.
#[derive(Clone)]
pub struct Worker {
    pub db: Db,
    pub clock: Clock,
    pub programme: Arc<Programme>,
    pub sealer: Sealer,
    pub links: Arc<Links>,
    pub mailer: Mailer,
    pub store: DocumentStore,
    /// The clock is moved by one caller at a time.
    pub stepping: Arc<Mutex<()>>,
}

impl Worker {
    fn context(&self) -> Context {
        Context {
            now: self.clock.now(),
            programme: self.programme.clone(),
            sealer: self.sealer.clone(),
            links: self.links.clone(),
        }
    }

    /// Runs jobs until `stop` says so; the one at hand is finished first.
    pub async fn run(self, mut stop: tokio::sync::watch::Receiver<bool>) {
        while !*stop.borrow() {
            let worked = self.turn().await.unwrap_or_else(|cause| {
                warn!(%cause, "the queue could not be read");
                false
            });
            if !worked {
                tokio::select! {
                    () = tokio::time::sleep(IDLE) => {}
                    _ = stop.changed() => {}
                }
            }
        }
    }

    async fn turn(&self) -> Result<bool> {
        let now = self.clock.now();
        if self
            .db
            .fetch(move |conn| jobs::next_due(conn, now))
            .await?
            .is_none()
        {
            return Ok(false);
        }
        self.run_one().await
    }

    /// Runs the next job that is due; false where there is none, or others run them all.
    pub async fn run_one(&self) -> Result<bool> {
        let now = self.clock.now();
        let lease = secrets::hex(&secrets::random::<16>()?);
        let claimed = lease.clone();
        let Some(job) = self
            .db
            .write(move |conn| jobs::claim(conn, &claimed, now))
            .await?
        else {
            return Ok(false);
        };
        let outcome = self.with_heartbeat(&job, &lease).await;
        metrics::counter!("jobs_total", "kind" => job.kind.clone(), "outcome" => if outcome.is_ok() { "done" } else { "failed" }).increment(1);
        match outcome {
            Ok(()) => info!(job = %job.id, kind = %job.kind, "job done"),
            Err(cause) => self.put_back(&job, lease, &cause).await?,
        }
        Ok(true)
    }

    async fn with_heartbeat(&self, job: &Job, lease: &str) -> Result<()> {
        let task: Task = job.payload.decode()?;
        let work = tasks::run(self, task, job.id, lease.to_owned());
        tokio::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => return outcome,
                () = tokio::time::sleep(HEARTBEAT) => {
                    let (id, lease, now) = (job.id, lease.to_owned(), self.clock.now());
                    if !self.db.write(move |conn| jobs::renew(conn, id, &lease, now)).await? {
                        return Err(Error::Contended);
                    }
                }
            }
        }
    }

    async fn put_back(&self, job: &Job, lease: String, cause: &Error) -> Result<()> {
        let is_dead = job.attempts >= MOST_ATTEMPTS;
        if is_dead {
            error!(job = %job.id, kind = %job.kind, %cause, "job is dead");
        } else {
            warn!(job = %job.id, kind = %job.kind, attempts = job.attempts, %cause, "job failed");
        }
        let now = self.clock.now();
        let again = if is_dead {
            None
        } else {
            Some(now.plus(back_off(job.attempts)?))
        };
        let (id, why) = (job.id, cause.to_string());
        self.db
            .write(move |conn| jobs::fail(conn, id, &lease, &why, again, now))
            .await
    }

    /// Takes over the clock that another instance may have moved.
    pub async fn follow_clock(&self) -> Result<()> {
        // What was read before this instance moved the clock must not be set after it.
        let Ok(_nobody_moves_it) = self.stepping.try_lock() else {
            return Ok(());
        };
        let stored = self
            .db
            .fetch(|conn| settings::get(conn, CLOCK_SETTING))
            .await?;
        if let Some(offset) = stored.and_then(|text| text.parse().ok()) {
            self.clock.set_offset_micros(offset);
        }
        Ok(())
    }

    /// Moves the clock to `target`, from one due moment to the next; each job sees its own time. Returns when all is done.
    pub async fn step_to(&self, target: Instant) -> Result<()> {
        let _one_at_a_time = self.stepping.lock().await;
        while let Some(due) = self
            .db
            .fetch(move |conn| jobs::next_due(conn, target))
            .await?
        {
            if self.clock.now() < due {
                self.set_clock(due).await?;
            }
            if !self.run_one().await? {
                // Somebody else is at it.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        if self.clock.now() < target {
            self.set_clock(target).await
        } else {
            Ok(())
        }
    }

    async fn set_clock(&self, now: Instant) -> Result<()> {
        let offset = self.clock.offset_for(now);
        self.db
            .write(move |conn| settings::put(conn, CLOCK_SETTING, &offset.to_string()))
            .await?;
        self.clock.set_offset_micros(offset);
        Ok(())
    }
}

/// The proof of the service that does a job.
#[expect(clippy::disallowed_methods, reason = "a job acts as the service")]
fn proof(job: JobId) -> ServiceAccess {
    ServiceAccess::new(Cause::Job(job))
}

/// Two seconds, doubling to an hour, a quarter more or less, so that what failed together is not tried together.
fn back_off(attempts: i64) -> Result<TimeDelta> {
    let doubled = 2_i64
        .saturating_pow(u32::try_from(attempts).unwrap_or(0))
        .min(3600);
    let [jitter] = secrets::random::<1>()?;
    let milliseconds = doubled * 750 + doubled * 500 * i64::from(jitter) / 255;
    Ok(TimeDelta::milliseconds(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_waits_longer_each_time_and_never_much_over_an_hour() {
        let shortest = back_off(1).unwrap();
        assert!(
            shortest >= TimeDelta::milliseconds(1500) && shortest <= TimeDelta::milliseconds(2500)
        );
        assert!(back_off(5).unwrap() > shortest);
        assert!(back_off(40).unwrap() <= TimeDelta::minutes(75));
    }
}
