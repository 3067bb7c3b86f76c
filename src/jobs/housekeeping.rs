//! Forgetting what is over: rows whose time has ended, in small transactions until none is left, and files that have no row.

use chrono::{TimeDelta, Utc};

use super::Worker;
use crate::error::Result;
use crate::programme::Programme;
use crate::repository::{DbConn, applicant_tokens, documents, idempotency_keys, jobs, sessions};
use crate::types::Instant;

/// How many rows one transaction takes at most.
const ROWS: usize = 1000;

/// Forgets at most so many rows that ended before a moment, and says how many.
type Sweep = fn(&mut DbConn, Instant, i64) -> Result<usize>;

/// What is swept, and how long it is kept: after its end, or after it was made where the programme sets its time.
fn sweeps(programme: &Programme) -> [(Sweep, TimeDelta); 4] {
    let token_days = TimeDelta::days(programme.application.token_days.into());
    [
        (idempotency_keys::sweep, TimeDelta::hours(24)),
        (sessions::sweep_refresh_tokens, TimeDelta::days(30)),
        (applicant_tokens::sweep, token_days),
        (jobs::sweep, TimeDelta::days(7)),
    ]
}

/// Forgets all rows whose time is over.
pub async fn sweep_rows(worker: &Worker) -> Result<()> {
    let now = worker.clock.now();
    let most = i64::try_from(ROWS).unwrap_or(i64::MAX);
    for (sweep, kept) in sweeps(&worker.programme) {
        let before = now.plus(-kept);
        while worker
            .db
            .write(move |conn| sweep(conn, before, most))
            .await?
            == ROWS
        {}
    }
    Ok(())
}

/// Files that are this old and have no row are left over from an upload that was refused or broke off.
const ORPHAN_AGE: TimeDelta = TimeDelta::days(1);
/// How many files one sweep looks at.
const FILES: usize = 1000;

/// Deletes files that have no row.
pub async fn sweep_files(worker: &Worker) -> Result<()> {
    // The store dates its files by the machine's time, whatever the sandbox's clock shows.
    let before = Instant::from_utc(Utc::now()).plus(-ORPHAN_AGE);
    let keys = worker.store.keys_before(before, FILES).await?;
    let orphans = worker
        .db
        .fetch(move |conn| documents::orphans(conn, keys.clone()))
        .await?;
    for key in orphans {
        worker.store.delete(&key).await?;
    }
    Ok(())
}
