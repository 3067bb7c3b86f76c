//! When jobs begin: whatever is due, as soon as its queue has a free place; and what keeps the queues going.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::{Worker, kinds};
use crate::domain::job::JobQueue;
use crate::error::Result;
use crate::repository::jobs;
use crate::types::Instant;
use crate::workflows::money_watch;
use crate::workflows::tasks::{Task, enqueue};

/// How long an idle instance waits before it looks again.
const IDLE: Duration = Duration::from_millis(250);
/// After a commit so much more may be committed at once that is looked at together.
const GATHER: Duration = Duration::from_millis(10);
/// How long it waits when the queue could not be read.
const TROUBLE: Duration = Duration::from_secs(1);
/// How many jobs one claim takes at most.
const MOST_CLAIMED: usize = 16;
/// How often expired leases are given back and the queues are measured.
const ROUND: Duration = Duration::from_secs(15);
/// How long jobs at hand may take once the instance is to stop; the lease of one that takes longer runs out.
const LAST: Duration = Duration::from_secs(25);

/// The places of an instance, queue by queue.
struct Places(Vec<(JobQueue, Arc<Semaphore>)>);

impl Places {
    fn new() -> Self {
        let of = |queue: &JobQueue| Arc::new(Semaphore::new(kinds::rules(*queue).at_once));
        let places = JobQueue::ALL.iter().map(|queue| (*queue, of(queue)));
        Self(places.collect())
    }

    /// Those of `due` that have free places.
    fn free(&self, due: &[JobQueue]) -> impl Iterator<Item = (JobQueue, Arc<Semaphore>)> {
        let free = self
            .0
            .iter()
            .filter(|(queue, places)| due.contains(queue) && places.available_permits() > 0);
        free.cloned()
    }
}

impl Worker {
    /// Begins what is due until `stop` says so, then waits for what runs.
    pub(super) async fn dispatch(&self, mut stop: watch::Receiver<bool>) {
        let (places, mut running) = (Places::new(), JoinSet::new());
        let wakeups = self.db.wakeups();
        while !*stop.borrow() {
            let pause = match self.begin_due(&places, &mut running).await {
                Ok(()) => IDLE,
                Err(cause) => {
                    warn!(%cause, "the queue could not be read");
                    TROUBLE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = wakeups.enqueued.notified() => tokio::time::sleep(GATHER).await,
                Some(_) = running.join_next() => {}
                _ = stop.changed() => {}
            }
        }
        let rest = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST, rest).await.is_err() {
            warn!("jobs at hand are left to other instances");
        }
    }

    /// The queues in which something is due that this instance may take.
    pub(super) async fn due_queues(&self) -> Result<Vec<JobQueue>> {
        let (now, seller) = (self.clock.now(), self.programme.seller.key());
        self.db
            .fetch(move |conn| jobs::due_queues(conn, now, &seller))
            .await
    }

    async fn begin_due(&self, places: &Places, running: &mut JoinSet<()>) -> Result<()> {
        let due = self.due_queues().await?;
        for (queue, places) in places.free(&due) {
            let free = places.available_permits().min(MOST_CLAIMED);
            for claimed in self.claim(queue, free).await? {
                let (worker, place) = (self.clone(), places.clone().acquire_owned().await);
                running.spawn(async move {
                    worker.perform(claimed).await;
                    drop(place);
                });
            }
        }
        Ok(())
    }

    /// Gives back the leases of instances that have gone, plans what comes again and measures the queues, until `stop` says so.
    pub(super) async fn keep_going(&self, mut stop: watch::Receiver<bool>) {
        let mut planned = None;
        while !*stop.borrow() {
            if let Err(cause) = self.make_round(&mut planned).await {
                warn!(%cause, "the queues could not be looked after");
            }
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn make_round(&self, planned: &mut Option<Instant>) -> Result<()> {
        let now = self.clock.now();
        let returned = self
            .db
            .write(move |conn| jobs::return_expired(conn, now))
            .await?;
        if returned > 0 {
            info!(jobs = returned, "leases that ran out were given back");
        }
        let hour = now.hour();
        if *planned != Some(hour) {
            self.plan_recurring().await?;
            *planned = Some(hour);
        }
        self.measure().await
    }

    /// Has done what comes again in the day and the hour that it is, once, whichever instance asks.
    pub(super) async fn plan_recurring(&self) -> Result<()> {
        let (now, zone) = (self.clock.now(), self.programme.seller.zone);
        let plan = self.db.write(move |conn| {
            Task::recurring(now, zone)
                .iter()
                .try_for_each(|(task, run_at)| enqueue(conn, task, *run_at, now))
        });
        plan.await
    }

    async fn measure(&self) -> Result<()> {
        let now = self.clock.now();
        for state in self.db.fetch(jobs::queue_states).await? {
            let waits = state.oldest.map(|due| now.since(due).as_seconds_f64());
            let queue = state.queue.as_str();
            metrics::gauge!("jobs_oldest_due_seconds", "queue" => queue)
                .set(waits.unwrap_or(0.0).max(0.0));
            let fails = state.failing.map(|at| now.since(at).as_seconds_f64());
            metrics::gauge!("jobs_oldest_failing_seconds", "queue" => queue)
                .set(fails.unwrap_or(0.0).max(0.0));
            let dead = i32::try_from(state.dead).unwrap_or(i32::MAX);
            metrics::gauge!("jobs_dead", "queue" => queue).set(dead);
        }
        self.measure_money().await
    }

    /// Says what was counted of the money last, whichever instance did it.
    async fn measure_money(&self) -> Result<()> {
        for (what, count) in self.db.fetch(money_watch::counted).await? {
            let count = i32::try_from(count).unwrap_or(i32::MAX);
            metrics::gauge!("money_waiting", "what" => what).set(count);
        }
        Ok(())
    }
}
