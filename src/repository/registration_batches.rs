//! Batches of partners and their lines at rest, with the result of each line.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::held::{Held, store, stored};
use super::schema::{registration_batches as batches, registration_lines as lines};
use super::sweeping::{self, SweepText};
use super::{DbConn, MOST_ROWS, MultiBackend};
use crate::domain::partner::{CredentialId, PartnerId};
use crate::domain::registration::RegistrationId;
use crate::domain::registration_batch::{BatchId, BatchLineStatus, BatchStatus, Counts};
use crate::error::{Code, Result};
use crate::types::{Instant, Json};
use crate::{each, locked};

/// One batch.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = batches, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Batch {
    pub id: BatchId,
    pub partner_id: PartnerId,
    /// The credential that sent it, and that its registrations are made by.
    pub credential_id: CredentialId,
    pub version: i64,
    pub status: BatchStatus,
    /// Says what would happen, and writes nothing but results.
    pub dry_run: bool,
    /// The names of its columns where it is a CSV file, in their order.
    pub header: Option<Json>,
    pub lines: i64,
    /// How many lines have their result.
    pub done: i64,
    /// [`Counts`] of the results.
    pub counts: Json,
    pub request_id: Option<String>,
    pub created_at: Instant,
    /// When its last line had come.
    pub queued_at: Option<Instant>,
    pub completed_at: Option<Instant>,
}

impl Batch {
    /// How many lines came to what.
    pub fn counts(&self) -> Result<Counts> {
        Ok(self.counts.decode()?)
    }
}

/// One line of a batch.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = lines, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
pub struct BatchLine {
    pub batch_id: BatchId,
    /// Which line of the file it is, from 1.
    pub line: i64,
    pub external_id: Option<String>,
    /// What was sent, as JSON; none where it could not be read, and once its time is over.
    pub body: Option<String>,
    pub status: BatchLineStatus,
    /// Of a refused line: the code of the problem. `confirmed` where the customer had the product before.
    pub code: Option<String>,
    /// Of a refused line: its faults, as a problem has them.
    pub errors: Option<Json>,
    pub registration_id: Option<RegistrationId>,
}

/// Has each statement of this transaction planned for the values it gets: PostgreSQL's plan for any list reads a young table row by row.
pub fn plan_for_values(conn: &mut DbConn) -> Result<()> {
    if let DbConn::Postgres(conn) = conn {
        conn.batch_execute("SET LOCAL plan_cache_mode = force_custom_plan")?;
    }
    Ok(())
}

/// Stores a new batch.
pub fn insert(conn: &mut DbConn, batch: &Batch) -> Result<()> {
    diesel::insert_into(batches::table)
        .values(batch)
        .execute(conn)?;
    Ok(())
}

/// A batch; of this partner alone where one asks.
pub fn find(conn: &mut DbConn, partner: Option<PartnerId>, id: BatchId) -> Result<Batch> {
    let mut query = batches::table
        .find(id)
        .select(Batch::as_select())
        .into_boxed();
    if let Some(partner) = partner {
        query = query.filter(batches::partner_id.eq(partner));
    }
    let found = query.first(conn).optional()?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// A batch, held.
pub fn lock(conn: &mut DbConn, id: BatchId) -> Result<Option<Held<Batch>>> {
    let found: Option<Batch> =
        locked!(conn, batches::table.find(id).select(Batch::as_select())).optional()?;
    Ok(found.map(Held::new))
}

/// Stores a batch as its next version.
pub fn store(conn: &mut DbConn, batch: &mut Held<Batch>) -> Result<()> {
    stored(store!(conn, batches, batch))
}

/// The batches that match, newest first, from before `before`.
pub fn list(
    conn: &mut DbConn,
    partner: Option<PartnerId>,
    before: Option<BatchId>,
    limit: i64,
) -> Result<Vec<Batch>> {
    let mut query = batches::table.select(Batch::as_select()).into_boxed();
    if let Some(partner) = partner {
        query = query.filter(batches::partner_id.eq(partner));
    }
    if let Some(before) = before {
        query = query.filter(batches::id.lt(before));
    }
    Ok(query.order(batches::id.desc()).limit(limit).load(conn)?)
}

/// How many batches of a partner wait or run.
pub fn count_open(conn: &mut DbConn, partner: PartnerId) -> Result<i64> {
    let open = batches::table
        .filter(batches::partner_id.eq(partner))
        .filter(batches::status.eq_any([BatchStatus::Queued, BatchStatus::Running]));
    Ok(open.count().get_result(conn)?)
}

fn is_any_running(conn: &mut DbConn, partner: PartnerId) -> Result<bool> {
    let running = batches::table
        .filter(batches::partner_id.eq(partner))
        .filter(batches::status.eq(BatchStatus::Running));
    let running: i64 = running.count().get_result(conn)?;
    Ok(running > 0)
}

/// The batch of a partner that has waited longest; none while another is worked on.
pub fn next_queued(conn: &mut DbConn, partner: PartnerId) -> Result<Option<Batch>> {
    if is_any_running(conn, partner)? {
        return Ok(None);
    }
    let queued = batches::table
        .filter(batches::partner_id.eq(partner))
        .filter(batches::status.eq(BatchStatus::Queued))
        .order((batches::queued_at, batches::id));
    Ok(queued.select(Batch::as_select()).first(conn).optional()?)
}

/// Stores lines that came in.
pub fn insert_lines(conn: &mut DbConn, new: &[BatchLine]) -> Result<()> {
    for some in new.chunks(MOST_ROWS) {
        each!(conn, c => diesel::insert_into(lines::table).values(some).execute(c))?;
    }
    Ok(())
}

/// The lines that wait for their turn, in their order.
pub fn pending(conn: &mut DbConn, batch: BatchId, limit: i64) -> Result<Vec<BatchLine>> {
    Ok(lines::table
        .filter(lines::batch_id.eq(batch))
        .filter(lines::status.eq(BatchLineStatus::Pending))
        .order(lines::line)
        .limit(limit)
        .select(BatchLine::as_select())
        .load(conn)?)
}

/// Writes the results of lines: one statement for some hundred.
pub fn store_results(conn: &mut DbConn, results: &[BatchLine]) -> Result<()> {
    for some in results.chunks(MOST_ROWS) {
        each!(conn, c => diesel::insert_into(lines::table)
            .values(some)
            .on_conflict((lines::batch_id, lines::line))
            .do_update()
            .set((
                lines::status.eq(excluded(lines::status)),
                lines::code.eq(excluded(lines::code)),
                lines::errors.eq(excluded(lines::errors)),
                lines::registration_id.eq(excluded(lines::registration_id)),
            ))
            .execute(c))?;
    }
    Ok(())
}

/// How many lines of a batch stand so.
pub fn count_lines(conn: &mut DbConn, batch: BatchId, status: BatchLineStatus) -> Result<i64> {
    let counted = lines::table
        .filter(lines::batch_id.eq(batch))
        .filter(lines::status.eq(status));
    Ok(counted.count().get_result(conn)?)
}

/// Cancels the lines that are left; how many there were.
pub fn cancel_pending(conn: &mut DbConn, batch: BatchId) -> Result<i64> {
    let pending = lines::table
        .filter(lines::batch_id.eq(batch))
        .filter(lines::status.eq(BatchLineStatus::Pending));
    let cancelled = diesel::update(pending)
        .set(lines::status.eq(BatchLineStatus::Cancelled))
        .execute(conn)?;
    Ok(i64::try_from(cancelled).unwrap_or(i64::MAX))
}

/// Which lines of a batch are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct LineListing {
    /// None: all.
    pub status: Option<BatchLineStatus>,
    /// Behind this line.
    pub after: i64,
    pub limit: i64,
}

/// The lines that match, in their order.
pub fn list_lines(
    conn: &mut DbConn,
    batch: BatchId,
    listing: LineListing,
) -> Result<Vec<BatchLine>> {
    let mut query = lines::table
        .filter(lines::batch_id.eq(batch))
        .filter(lines::line.gt(listing.after))
        .select(BatchLine::as_select())
        .into_boxed();
    if let Some(status) = listing.status {
        query = query.filter(lines::status.eq(status));
    }
    Ok(query.order(lines::line).limit(listing.limit).load(conn)?)
}

/// Forgets a batch whose lines never all came, with those that did.
pub fn forget(conn: &mut DbConn, batch: Held<Batch>) -> Result<()> {
    let of_batch = lines::table.filter(lines::batch_id.eq(batch.id));
    diesel::delete(of_batch).execute(conn)?;
    diesel::delete(batches::table.find(batch.id)).execute(conn)?;
    Ok(())
}

/// Empties what was sent in the lines of a batch.
pub fn empty_lines(conn: &mut DbConn, batch: BatchId) -> Result<()> {
    let filled = lines::table
        .filter(lines::batch_id.eq(batch))
        .filter(lines::body.is_not_null());
    diesel::update(filled)
        .set(lines::body.eq(None::<String>))
        .execute(conn)?;
    Ok(())
}

const SWEEP: SweepText = SweepText::of_both(
    "DELETE FROM registration_lines WHERE (batch_id, line) IN
    (SELECT l.batch_id, l.line FROM registration_batches b JOIN registration_lines l ON l.batch_id = b.id
     WHERE b.completed_at < $1 LIMIT $2)",
);

/// Forgets at most `limit` lines of batches that were over before `before`; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP, before, limit)
}
