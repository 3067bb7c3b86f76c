//! The sequencer: gives the events that wait in the inbox their numbers, in the background of every instance. How that is done is in `repository::events`.

use std::time::Duration;

use tokio::sync::watch;
use tracing::warn;

use crate::clock::Clock;
use crate::error::Result;
use crate::repository::{Db, events};

/// How long an idle sequencer waits before it looks again: another instance may have recorded, or stopped halfway.
const IDLE: Duration = Duration::from_millis(250);
/// How long what is recorded after a turn may gather: under load one batch serves many writes.
const GATHER: Duration = Duration::from_millis(20);

/// Numbers events until it is stopped; of several instances whoever has the lock does it.
pub struct Sequencer {
    pub db: Db,
    pub clock: Clock,
}

impl Sequencer {
    /// Numbers what is recorded, on a wake-up after each commit of this process that recorded and every 250 ms. Wherever it is killed, a batch is
    /// numbered whole or not at all.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let wakeups = self.db.wakeups();
        while !*stop.borrow() {
            if let Err(cause) = self.turn().await {
                warn!(%cause, "events could not be numbered");
            }
            tokio::select! {
                () = tokio::time::sleep(GATHER) => {}
                _ = stop.changed() => {}
            }
            tokio::select! {
                () = wakeups.recorded.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Numbers until less than a whole batch is left. Looking costs one read, so that an empty inbox takes no lock.
    async fn turn(&self) -> Result<()> {
        if !self.db.is_migrated().await? {
            return Ok(());
        }
        while self.measure().await? {
            let numbered = self.db.write(events::number_batch).await?;
            if numbered.is_none_or(|count| count < events::MOST) {
                break;
            }
        }
        Ok(())
    }

    /// Tells how long the oldest event has waited; whether there is one.
    async fn measure(&self) -> Result<bool> {
        let oldest = self.db.fetch(events::oldest_waiting).await?;
        let age = oldest.map_or(0.0, |at| {
            self.clock.now().since(at).as_seconds_f64().max(0.0)
        });
        metrics::gauge!("events_inbox_age_seconds").set(age);
        Ok(oldest.is_some())
    }
}

/// Numbers all that waits by now, however many batches that takes; where another instance is at it, waits for it.
pub async fn number_all(db: &Db) -> Result<()> {
    let Some(newest) = db.fetch(events::newest_waiting).await? else {
        return Ok(());
    };
    while db.fetch(move |conn| events::waits(conn, newest)).await? {
        if db.write(events::number_batch).await?.is_none() {
            tokio::time::sleep(GATHER).await;
        }
    }
    Ok(())
}
