//! Working through the lines of a batch, some at a time: what they come to, their results and how far the batch is commit together.

use serde_json::Value;

use super::results::stored_faults;
use super::{begin_run, end};
use crate::domain::access::{PartnerAccess, ServiceAccess};
use crate::domain::json;
use crate::domain::registration::{Line, SentLine};
use crate::domain::registration_batch::{BatchId, BatchLineStatus, BatchStatus};
use crate::error::{Error, Partial, Refusal, Result};
use crate::repository::registration_batches::{self as batches, Batch, BatchLine};
use crate::repository::{DbConn, Held};
use crate::types::Json;
use crate::workflows::Context;
use crate::workflows::registrations::{self, Answered};

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    More,
    /// It is over, was stopped, or waits for its partner.
    Over,
}

/// Decides the next lines, at most `most` of them.
pub fn work(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    id: BatchId,
    most: i64,
) -> Result<Progress> {
    batches::plan_for_values(conn)?;
    let Some((mut batch, lines)) = next(conn, context, service, id, most)? else {
        return Ok(Progress::Over);
    };
    let partner = acting(service, &batch);
    let (read, mut results) = read_all(lines)?;
    let partials: Vec<Partial<Line>> = read.iter().map(|(_, line)| line.clone()).collect();
    let answers = registrations::take_in(conn, context, &partner, id, &partials)?;
    for ((line, _), answer) in read.into_iter().zip(answers) {
        results.push(answered(line, answer)?);
    }
    note(conn, &mut batch, &results)?;
    Ok(Progress::More)
}

/// A batch, held, with its next lines; none where it was stopped or waits for its partner, and none once it is over: then it ends.
pub(super) fn next(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    id: BatchId,
    most: i64,
) -> Result<Option<(Held<Batch>, Vec<BatchLine>)>> {
    let Some(batch) = begin_run(conn, id)? else {
        return Ok(None);
    };
    let lines = batches::pending(conn, id, most)?;
    if !lines.is_empty() {
        return Ok(Some((batch, lines)));
    }
    let stamp = service.stamp(context.now);
    end(conn, context, &stamp, batch, BatchStatus::Completed)?;
    Ok(None)
}

/// The partner as whoever sent the batch.
pub(super) fn acting(service: ServiceAccess, batch: &Batch) -> PartnerAccess {
    let sender = (batch.partner_id, batch.credential_id);
    service.on_batch(sender, batch.request_id.clone())
}

/// Writes results, and how far the batch is with them.
pub(super) fn note(
    conn: &mut DbConn,
    batch: &mut Held<Batch>,
    results: &[BatchLine],
) -> Result<()> {
    batches::store_results(conn, results)?;
    let mut counts = batch.counts()?;
    for line in results {
        *counts.entry(line.status).or_default() += 1;
    }
    batch.done += i64::try_from(results.len()).unwrap_or(0);
    batch.counts = Json::of(&counts)?;
    batches::store(conn, batch)
}

type Read = Vec<(BatchLine, Partial<Line>)>;

/// The lines as they are understood; the results of those that are no line at all.
pub(super) fn read_all(lines: Vec<BatchLine>) -> Result<(Read, Vec<BatchLine>)> {
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for line in lines {
        let sent: Value = serde_json::from_str(line.body.as_deref().unwrap_or_default())?;
        match json::read_body::<SentLine>(sent) {
            Ok((sent, faults)) => read.push((line, sent.understand(faults))),
            Err(Error::Refused(refusal)) => refused.push(refused_line(line, &refusal)?),
            Err(error) => return Err(error),
        }
    }
    Ok((read, refused))
}

/// A line with what came of it.
pub(super) fn answered(line: BatchLine, answer: Answered) -> Result<BatchLine> {
    let (status, registration) = match answer {
        Answered::Refused(refusal) => return refused_line(line, &refusal),
        Answered::Taken(registration) => (registration.status.into(), registration),
        Answered::Unchanged(registration) => (BatchLineStatus::Unchanged, registration),
    };
    Ok(BatchLine {
        status,
        code: registration.code.map(|code| code.to_string()),
        registration_id: Some(registration.id),
        ..line
    })
}

fn refused_line(line: BatchLine, refusal: &Refusal) -> Result<BatchLine> {
    Ok(BatchLine {
        status: BatchLineStatus::Refused,
        code: Some(refusal.code.as_str().to_owned()),
        errors: stored_faults(&refusal.faults)?,
        ..line
    })
}
