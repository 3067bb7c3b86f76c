//! Forgetting what is over: rows whose time has ended, in small transactions until none is left, and files that have no row.

use chrono::{TimeDelta, Utc};

use super::Worker;
use crate::domain::personal_data::Sweep;
use crate::error::Result;
use crate::repository::{
    DbConn, applicant_tokens, documents, events, idempotency_keys, jobs, legacy_migration, mails,
    request_counts, sessions, users, work_items,
};
use crate::types::Instant;

/// How many rows one transaction takes at most.
const ROWS: usize = 1000;

/// Forgets at most so many rows that ended before a moment, and says how many.
type Forget = fn(&mut DbConn, Instant, i64) -> Result<usize>;

/// How a sweep is done. How long what it sweeps is kept stands in the list of what is stored.
const fn forget(sweep: Sweep) -> Forget {
    match sweep {
        Sweep::IdempotencyKeys => idempotency_keys::sweep,
        Sweep::RefreshTokens => sessions::sweep,
        Sweep::ApplicantTokens => applicant_tokens::sweep,
        Sweep::OneTimeTokens => users::sweep_tokens,
        Sweep::SignInFailures => sessions::sweep_failures,
        Sweep::RequestCounts => request_counts::sweep,
        Sweep::Mails => mails::sweep,
        Sweep::DoneJobs => jobs::sweep,
        Sweep::ClosedWorkItems => work_items::sweep,
        Sweep::UnprovenAddresses => legacy_migration::sweep_proofs,
        Sweep::EventReasons => events::sweep_reasons,
    }
}

/// Forgets all rows whose time is over.
pub async fn sweep_rows(worker: &Worker) -> Result<()> {
    let now = worker.clock.now();
    let most = i64::try_from(ROWS).unwrap_or(i64::MAX);
    for sweep in Sweep::ALL {
        let forget = forget(sweep);
        let before = now.plus(-sweep.kept(&worker.programme.application));
        while worker
            .db
            .write(move |conn| forget(conn, before, most))
            .await?
            >= ROWS
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
