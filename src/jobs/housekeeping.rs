//! Forgetting what is over: rows whose time has ended, in small transactions until none is left. Files are in `files`.

use chrono::TimeDelta;

use super::Worker;
use crate::error::Result;
use crate::programme::Programme;
use crate::repository::{
    DbConn, applicant_tokens, idempotency_keys, jobs, request_counts, sessions,
};
use crate::types::Instant;

/// How many rows one transaction takes at most.
const ROWS: usize = 1000;

/// Forgets at most so many rows that ended before a moment, and says how many.
type Sweep = fn(&mut DbConn, Instant, i64) -> Result<usize>;

/// What is swept, and how long it is kept: after its end, or after it was made where the programme sets its time.
fn sweeps(programme: &Programme) -> [(Sweep, TimeDelta); 5] {
    let token_days = TimeDelta::days(programme.application.token_days.into());
    [
        (idempotency_keys::sweep, TimeDelta::hours(24)),
        (sessions::sweep_refresh_tokens, TimeDelta::days(30)),
        (applicant_tokens::sweep, token_days),
        (request_counts::sweep, TimeDelta::days(2)),
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
            >= ROWS
        {}
    }
    Ok(())
}
