//! A batch on its way: its row, and its lines as they come. Once it is whole, it is queued.

use chrono::TimeDelta;

use crate::domain::access::PartnerAccess;
use crate::domain::registration_batch::{BatchId, BatchLineStatus, BatchStatus, Counts};
use crate::error::{Code, Result};
use crate::repository::DbConn;
use crate::repository::registration_batches::{self as batches, Batch, BatchLine};
use crate::types::Json;
use crate::workflows::Context;
use crate::workflows::tasks::{Task, enqueue};

/// How long the lines of a batch may be on their way.
const RECEIVED_WITHIN: TimeDelta = TimeDelta::hours(1);
/// A line that came in.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLine {
    pub number: i64,
    /// The partner's own id of it, where one can be read.
    pub external_id: Option<String>,
    /// What it says; the code of why nobody can tell.
    pub body: Result<String, Code>,
}

/// A batch whose lines may come; what never comes whole is forgotten after an hour.
pub fn begin(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    dry_run: bool,
) -> Result<BatchId> {
    let now = context.now;
    let id = BatchId::new(now);
    batches::insert(
        conn,
        &Batch {
            id,
            partner_id: partner.partner_id(),
            credential_id: partner.credential_id(),
            version: 1,
            status: BatchStatus::Receiving,
            dry_run,
            header: None,
            lines: 0,
            done: 0,
            counts: Json::of(&Counts::new())?,
            request_id: partner.stamp(now).request_id,
            created_at: now,
            queued_at: None,
            completed_at: None,
        },
    )?;
    let due = now.plus(RECEIVED_WITHIN);
    enqueue(conn, &Task::TidyBatch { batch_id: id, due }, due, now)?;
    Ok(id)
}

/// Stores lines of a batch that is on its way; those that nobody can read are refused already.
pub fn take_in(conn: &mut DbConn, id: BatchId, lines: &[NewLine]) -> Result<()> {
    let row = |line: &NewLine| {
        let (status, code) = match line.body {
            Ok(_) => (BatchLineStatus::Pending, None),
            Err(code) => (BatchLineStatus::Refused, Some(code.as_str().to_owned())),
        };
        BatchLine {
            batch_id: id,
            line: line.number,
            external_id: line.external_id.clone(),
            body: line.body.clone().ok(),
            status,
            code,
            errors: None,
            registration_id: None,
        }
    };
    let rows: Vec<BatchLine> = lines.iter().map(row).collect();
    batches::insert_lines(conn, &rows)
}

/// Forgets a batch that did not come whole.
pub fn forget_received(conn: &mut DbConn, id: BatchId) -> Result<()> {
    match batches::lock(conn, id)? {
        Some(batch) if batch.status == BatchStatus::Receiving => batches::forget(conn, batch),
        _ => Ok(()),
    }
}
