//! The queue at work: who runs a job, and what becomes of one that fails. What each kind does is in `tasks`, when it begins in `dispatch`.

pub mod bank;
mod batches;
pub mod command;
mod dispatch;
mod failure;
mod files;
mod housekeeping;
pub mod invoice_files;
mod kinds;
mod mails;
pub mod sandbox;
pub mod sequencer;
mod stepping;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::domain::access::ServiceAccess;
use crate::domain::actor::Cause;
use crate::domain::job::{JobId, JobQueue, with_jitter};
use crate::error::{Error, Result};
use crate::integrations::document_store::DocumentStore;
use crate::integrations::mail::Mailer;
use crate::programme::Programme;
use crate::repository::Db;
use crate::repository::catalogue::CatalogueCache;
use crate::repository::jobs::{self, Failure, Job};
use crate::secrets::{self, Sealer};
use crate::workflows::tasks::Task;
use crate::workflows::{self, Context, Links};

/// How often the lease of a running job is renewed, in real time.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Runs jobs.
#[derive(Clone)]
pub struct Worker {
    pub db: Db,
    pub clock: Clock,
    pub programme: Arc<Programme>,
    pub sealer: Sealer,
    pub links: Arc<Links>,
    pub catalogue: CatalogueCache,
    pub mailer: Mailer,
    pub store: DocumentStore,
    /// The clock is moved by one caller at a time.
    pub stepping: Arc<Mutex<()>>,
}

/// A job that this instance runs.
struct Claimed {
    job: Job,
    lease: String,
}

impl Worker {
    fn context(&self) -> Context {
        Context {
            now: self.clock.now(),
            clock: self.clock.clone(),
            programme: self.programme.clone(),
            sealer: self.sealer.clone(),
            links: self.links.clone(),
            catalogue: self.catalogue.clone(),
        }
    }

    /// Runs jobs until `stop` says so; those at hand are finished first.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        tokio::join!(self.dispatch(stop.clone()), self.keep_going(stop));
    }

    /// Takes at most `most` jobs of a queue that are due.
    async fn claim(&self, queue: JobQueue, most: usize) -> Result<Vec<Claimed>> {
        let now = self.clock.now();
        let most = i64::try_from(most).unwrap_or(1);
        let lease = secrets::hex(&secrets::random::<16>()?);
        let (token, seller) = (lease.clone(), self.programme.seller.key());
        let jobs = self
            .db
            .write(move |conn| jobs::claim(conn, (queue, &seller), &token, now, most))
            .await?;
        let claimed = jobs.into_iter().map(|job| Claimed {
            job,
            lease: lease.clone(),
        });
        Ok(claimed.collect())
    }

    /// Runs one job to its end, well or not.
    async fn perform(&self, claimed: Claimed) {
        let Claimed { job, lease } = claimed;
        let rules = kinds::rules(job.queue);
        // The tries before this one count too where they took their instance with them, and nobody could write that down.
        let tried_for = job.tried_for(self.clock.now());
        let outcome = match rules.retries.wait(job.attempts - 1, tried_for) {
            Some(_) => failure::guarded(self.with_heartbeat(&job, &lease), rules.limit).await,
            None => Err(failure::crashed("no try came to an end")),
        };
        let told = if outcome.is_ok() { "done" } else { "failed" };
        metrics::counter!("jobs_total", "kind" => job.kind.clone(), "outcome" => told).increment(1);
        match outcome {
            Ok(()) => info!(job = %job.id, kind = %job.kind, "job done"),
            Err(failure) => {
                if let Err(cause) = self.put_back(&job, lease, failure).await {
                    warn!(job = %job.id, %cause, "a job that failed keeps its lease until that is over");
                }
            }
        }
    }

    async fn with_heartbeat(&self, job: &Job, lease: &str) -> Result<()> {
        let task: Task = job.payload.decode()?;
        let work = tasks::run(self, task, job.id, lease.to_owned());
        tokio::pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => return outcome,
                () = tokio::time::sleep(HEARTBEAT) => {
                    let (id, lease) = (job.id, lease.to_owned());
                    if !self.db.write(move |conn| jobs::renew(conn, id, &lease)).await? {
                        return Err(Error::LeaseLost);
                    }
                }
            }
        }
    }

    /// Has a job that failed tried again later, or buries it and tells staff.
    async fn put_back(&self, job: &Job, lease: String, failure: Failure) -> Result<()> {
        let (context, job) = (self.context(), job.clone());
        let tried_for = job.tried_for(context.now);
        let wait = kinds::rules(job.queue)
            .retries
            .wait(job.attempts, tried_for);
        let Some(wait) = wait else {
            error!(job = %job.id, kind = %job.kind, cause = %failure.cause, "job is dead");
            return self
                .db
                .write(move |conn| {
                    let stamp = proof(job.id).stamp(context.now);
                    if jobs::bury(conn, job.id, &lease, &failure, context.now)? {
                        workflows::jobs::record_dead(conn, &context, &stamp, &job)?;
                    }
                    Ok(())
                })
                .await;
        };
        warn!(job = %job.id, kind = %job.kind, attempts = job.attempts, cause = %failure.cause, "job failed");
        let [share] = secrets::random::<1>()?;
        let again = context.now.plus(with_jitter(wait, share));
        let put = self
            .db
            .write(move |conn| jobs::put_back(conn, job.id, &lease, &failure, again));
        put.await.map(drop)
    }
}

/// The proof of the service that brings its database up to date.
#[expect(clippy::disallowed_methods, reason = "migrating acts as the service")]
pub fn migrating() -> ServiceAccess {
    ServiceAccess::new(Cause::Command("migrate"))
}

/// The proof of the service that does a job.
#[expect(clippy::disallowed_methods, reason = "a job acts as the service")]
fn proof(job: JobId) -> ServiceAccess {
    ServiceAccess::new(Cause::Job(job))
}
