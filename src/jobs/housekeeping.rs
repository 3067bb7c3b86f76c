//! Forgetting what is over: rows whose time has ended, in small transactions until none is left. Files are in `files`.

use super::Worker;
use crate::domain::personal_data::Sweep;
use crate::error::Result;
use crate::repository::{
    DbConn, applicant_tokens, devices, events, idempotency_keys, jobs, legacy_migration, mails,
    partner_days, registration_batches, request_counts, sessions, users, work_items,
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
        Sweep::Devices => devices::sweep,
        Sweep::SignInFailures => sessions::sweep_failures,
        Sweep::RequestCounts => request_counts::sweep,
        Sweep::Mails => mails::sweep,
        Sweep::DoneJobs => jobs::sweep,
        Sweep::ClosedWorkItems => work_items::sweep,
        Sweep::UnprovenAddresses => legacy_migration::sweep_proofs,
        Sweep::EventReasons => events::sweep_reasons,
        Sweep::PartnerDays => partner_days::sweep,
        Sweep::RegistrationLines => registration_batches::sweep,
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
