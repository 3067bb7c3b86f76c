//! The sandbox's clock, moved from one due moment to the next; all instances share it.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Worker, kinds, sequencer};
use crate::error::Result;
use crate::repository::{DbConn, jobs, settings};
use crate::types::Instant;

/// How often the clock looks for new work before it goes on: a job makes another, which makes a mail.
const ROUNDS: usize = 4;

impl Worker {
    /// Takes over the clock that another instance may have moved.
    pub async fn follow_clock(&self) -> Result<()> {
        // What was read before this instance moved the clock must not be set after it.
        let Ok(_nobody_moves_it) = self.stepping.try_lock() else {
            return Ok(());
        };
        let stored = self
            .db
            .fetch(|conn| settings::get(conn, settings::CLOCK))
            .await?;
        if let Some(offset) = stored.and_then(|text| text.parse().ok()) {
            self.clock.set_offset_micros(offset);
        }
        Ok(())
    }

    /// Moves the clock to `target`, from one due moment to the next; each job sees its own time. What comes again is done once,
    /// at the end. Returns when all is done and numbered.
    pub async fn step_to(&self, target: Instant) -> Result<()> {
        let _one_at_a_time = self.stepping.lock().await;
        sequencer::number_all(&self.db).await?;
        self.work_until(target).await?;
        self.set_clock(target).await?;
        self.plan_recurring().await?;
        self.work_until(self.clock.now()).await?;
        sequencer::number_all(&self.db).await
    }

    /// Does what falls due until `target`, and what that makes. Others may go on making work at each moment that the clock stands at: what
    /// they make after [`ROUNDS`] is left to the queue.
    async fn work_until(&self, target: Instant) -> Result<()> {
        let mut rounds = 0;
        loop {
            let now = self.clock.now();
            self.finish(now.min(target)).await?;
            rounds += 1;
            let after = if rounds < ROUNDS {
                now
            } else {
                self.clock.now()
            };
            let seller = self.programme.seller.key();
            let next = move |conn: &mut DbConn| jobs::next_ready(conn, (after, target), &seller);
            let Some(due) = self.db.fetch(next).await? else {
                return Ok(());
            };
            if self.clock.now() < due {
                self.let_running_end().await?;
                self.set_clock(due).await?;
                rounds = 0;
            }
        }
    }

    /// Has all done that fell due until a moment that has come.
    async fn finish(&self, until: Instant) -> Result<()> {
        let seller = self.programme.seller.key();
        let is_open = move |conn: &mut DbConn| jobs::is_open(conn, until, &seller);
        while self.db.fetch(is_open.clone()).await? {
            if !self.run_due().await? {
                // Somebody else is at it.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }

    /// Waits for what somebody else has begun, which is to see the time that it began at; not for what begins meanwhile, which may never end.
    async fn let_running_end(&self) -> Result<()> {
        let mut begun = self.db.fetch(jobs::running).await?;
        while !begun.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let running = self.db.fetch(jobs::running).await?;
            begun.retain(|id| running.contains(id));
        }
        Ok(())
    }

    /// Runs what is due, as much of each queue as an instance runs at once; false where there is nothing.
    async fn run_due(&self) -> Result<bool> {
        let mut claimed = Vec::new();
        for queue in self.due_queues().await? {
            claimed.extend(self.claim(queue, kinds::rules(queue).at_once).await?);
        }
        let is_any = !claimed.is_empty();
        join_all(claimed.into_iter().map(|job| self.perform(job))).await;
        Ok(is_any)
    }

    /// Has the clock show at least `now`: another instance may have moved it further meanwhile.
    async fn set_clock(&self, now: Instant) -> Result<()> {
        let offset = self.clock.offset_for(now);
        let raised = self
            .db
            .write(move |conn| settings::raise(conn, settings::CLOCK, offset))
            .await?;
        self.clock.set_offset_micros(raised);
        Ok(())
    }
}
