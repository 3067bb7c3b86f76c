//! A batch of a partner from its first line to its last result. Working through its lines is in `chunks`; what one line comes to is in
//! `workflows::registrations`.

mod chunks;
mod receiving;
mod rehearsal;
mod results;

use chrono::TimeDelta;

use super::Context;
use super::partners;
use super::tasks::{Task, enqueue};
use crate::domain::access::PartnerAccess;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::partner::{PartnerId, PartnerStatus};
use crate::domain::quota::Used;
use crate::domain::registration_batch::{BatchId, BatchLineStatus, BatchStatus, Counts};
use crate::error::{Code, Refusal, Result};
use crate::repository::registration_batches::{self as batches, Batch};
use crate::repository::{DbConn, Held, events, partner_days, partners as rows};
use crate::types::Json;

pub use chunks::{Progress, work};
pub use receiving::{NewLine, begin, forget_received, take_in};
pub use rehearsal::{Rehearsal, note_rehearsed, rehearse};
pub use results::{ResultFormat, faults_of, file};

/// Seconds in which one of a partner's batches may well be over.
const COME_BACK: u64 = 60;
/// How long what was sent in lines is kept once their batch is over.
const LINES_KEPT: TimeDelta = TimeDelta::days(30);

/// What is known of a batch that came whole.
#[derive(Debug, Clone)]
pub struct Received {
    pub columns: Option<Vec<String>>,
    pub lines: i64,
}

/// Has a batch that came whole wait for its turn: 429 where it is too much for the partner, and then nothing is stored.
pub fn queue(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    id: BatchId,
    received: &Received,
) -> Result<Batch> {
    let batch = batches::lock(conn, id)?.filter(|it| it.status == BatchStatus::Receiving);
    let mut batch = batch.ok_or(Code::Overloaded)?;
    let is_first = check_open(conn, context, partner)?;
    check_quota(conn, context, &batch, received.lines)?;
    let refused = batches::count_lines(conn, id, BatchLineStatus::Refused)?;
    let counts = Counts::from([(BatchLineStatus::Refused, refused)]);
    batch.status = BatchStatus::Queued;
    batch.header = received.columns.as_ref().map(Json::of).transpose()?;
    batch.lines = received.lines;
    batch.done = refused;
    batch.counts = Json::of(&counts)?;
    batch.queued_at = Some(context.now);
    batches::store(conn, &mut batch)?;
    if is_first {
        enqueue_run(conn, context, &batch)?;
    }
    let queued = Event::BatchQueued {
        partner_id: batch.partner_id,
        batch_id: id,
        lines: batch.lines,
        dry_run: batch.dry_run,
    };
    events::record(conn, &partner.stamp(context.now), &[queued])?;
    Ok(batch.into_row())
}

/// Counts the lines against the partner's day: 429 where they are too many for it.
fn check_quota(conn: &mut DbConn, context: &Context, batch: &Batch, lines: i64) -> Result<()> {
    let quotas = partners::quotas(conn, context, batch.partner_id)?;
    let mut more = Used::default();
    match batch.dry_run {
        true => more.dry_run_lines = lines,
        false => more.lines = lines,
    }
    let day = context.now.utc().date_naive();
    let used = partner_days::add(conn, batch.partner_id, day, &more)?;
    // Who may no longer be looked for is told line by line.
    let used = Used {
        unmatched: 0,
        ..used
    };
    Ok(quotas.check(&used, context.now)?)
}

/// Whether no other batch of the partner waits or runs; 429 where too many do. The partner's row is held, so that two do not both say so.
fn check_open(conn: &mut DbConn, context: &Context, partner: &PartnerAccess) -> Result<bool> {
    rows::lock(conn, partner.partner_id())?;
    let open = batches::count_open(conn, partner.partner_id())?;
    match open < context.programme.dealers.open_batches {
        true => Ok(open == 0),
        false => Err(Refusal::from(Code::QuotaExceeded)
            .retry_after(COME_BACK)
            .into()),
    }
}

/// Has the lines of a batch worked through. It may be asked for again: with another version it is another job.
fn enqueue_run(conn: &mut DbConn, context: &Context, batch: &Batch) -> Result<()> {
    let task = Task::RunBatch {
        batch_id: batch.id,
        version: batch.version,
    };
    enqueue(conn, &task, context.now, context.now)
}

/// Has the partner's next batch run, if one waits and none runs. The partner's row is held: a batch that comes meanwhile is seen here, or sees that
/// none runs.
pub fn run_next(conn: &mut DbConn, context: &Context, partner: PartnerId) -> Result<()> {
    rows::lock(conn, partner)?;
    match batches::next_queued(conn, partner)? {
        Some(batch) => enqueue_run(conn, context, &batch),
        None => Ok(()),
    }
}

/// Stops a batch: what was done stays, the lines that are left are cancelled.
pub fn cancel(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    id: BatchId,
) -> Result<Batch> {
    let own = |batch: &Held<Batch>| batch.partner_id == partner.partner_id();
    let batch = batches::lock(conn, id)?.filter(own);
    let mut batch = batch.ok_or(Code::NotFound)?;
    batch.status.check_cancellable()?;
    let cancelled = batches::cancel_pending(conn, id)?;
    let mut counts = batch.counts()?;
    *counts.entry(BatchLineStatus::Cancelled).or_default() += cancelled;
    batch.counts = Json::of(&counts)?;
    let stamp = partner.stamp(context.now);
    end(conn, context, &stamp, batch, BatchStatus::Cancelled)
}

/// Ends a batch, and begins the partner's next one.
fn end(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    mut batch: Held<Batch>,
    status: BatchStatus,
) -> Result<Batch> {
    batch.status = status;
    batch.completed_at = Some(context.now);
    batches::store(conn, &mut batch)?;
    let due = context.now.plus(LINES_KEPT);
    let tidy = Task::TidyBatch {
        batch_id: batch.id,
        due,
    };
    enqueue(conn, &tidy, due, context.now)?;
    events::record(conn, stamp, &[told(&batch)?])?;
    run_next(conn, context, batch.partner_id)?;
    Ok(batch.into_row())
}

/// What is told of a batch that ended: counts only.
fn told(batch: &Batch) -> Result<Event> {
    let (partner_id, batch_id) = (batch.partner_id, batch.id);
    let counts = batch.counts()?;
    Ok(match batch.status {
        BatchStatus::Cancelled => Event::BatchCancelled {
            partner_id,
            batch_id,
            counts,
        },
        BatchStatus::Failed => Event::BatchFailed {
            partner_id,
            batch_id,
            counts,
        },
        _ => Event::BatchCompleted {
            partner_id,
            batch_id,
            counts,
        },
    })
}

/// A batch whose lines are to be worked on, held; none where it was stopped, is over, or its partner is suspended: then it waits.
fn begin_run(conn: &mut DbConn, id: BatchId) -> Result<Option<Held<Batch>>> {
    let is_due =
        |batch: &Held<Batch>| matches!(batch.status, BatchStatus::Queued | BatchStatus::Running);
    let Some(mut batch) = batches::lock(conn, id)?.filter(is_due) else {
        return Ok(None);
    };
    let partner = rows::find_by_id(conn, batch.partner_id)?;
    if partner.is_some_and(|partner| partner.status == PartnerStatus::Suspended) {
        batch.status = BatchStatus::Queued;
        batches::store(conn, &mut batch)?;
        return Ok(None);
    }
    batch.status = BatchStatus::Running;
    Ok(Some(batch))
}

/// The job of a batch failed for good: staff are told of it, and the partner's next batch begins.
pub fn fail(conn: &mut DbConn, context: &Context, stamp: &Stamp, id: BatchId) -> Result<()> {
    let is_open = |batch: &Held<Batch>| batch.status.is_open();
    let Some(mut batch) = batches::lock(conn, id)?.filter(is_open) else {
        return Ok(());
    };
    batch.status = BatchStatus::Failed;
    batches::store(conn, &mut batch)?;
    events::record(conn, stamp, &[told(&batch)?])?;
    run_next(conn, context, batch.partner_id)
}

/// Staff have the job of a failed batch tried again: it goes on where it stood.
pub fn revive(conn: &mut DbConn, id: BatchId) -> Result<()> {
    let has_failed = |batch: &Held<Batch>| batch.status == BatchStatus::Failed;
    let Some(mut batch) = batches::lock(conn, id)?.filter(has_failed) else {
        return Ok(());
    };
    batch.status = BatchStatus::Queued;
    batches::store(conn, &mut batch)
}

/// Forgets a batch that never came whole, or empties what was sent in the lines of one that is over.
pub fn tidy(conn: &mut DbConn, id: BatchId) -> Result<()> {
    match batches::lock(conn, id)? {
        Some(batch) if batch.status == BatchStatus::Receiving => batches::forget(conn, batch),
        Some(batch) if batch.status.is_over() => batches::empty_lines(conn, id),
        _ => Ok(()),
    }
}
