//! What happened, at rest: events wait in an inbox until they are numbered, and nothing changes them after. What can happen is in `domain::event`.

mod chain;
mod feed;
mod numbering;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::schema::{event_inbox, event_reasons, events};
use super::sweeping::{SweepText, sweep_text};
use super::{DbConn, MultiBackend, wakeups};
use crate::domain::actor::Stamp;
use crate::domain::event::{Event, EventId, VERSION};
use crate::each;
use crate::error::Result;
use crate::types::{Instant, SqlId, SqlInstant};

pub use chain::{FirstWrong, Verdict, verify};
pub use feed::{Asked, Found, FoundEvent, Stream, find, first_since, of_everybody, of_one};
pub use numbering::{MOST, number_batch};

/// An event that has its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = events, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
pub struct NumberedEvent {
    /// Its place among all events, from 1 without gaps.
    pub position: i64,
    pub id: EventId,
    /// Whose history it is part of: `acc_…` or `operator`.
    pub stream: String,
    /// Its place in the stream, from 1 without gaps.
    pub stream_seq: i64,
    /// What it happened to.
    pub resource: String,
    /// Its place among the events of the resource, from 1 without gaps.
    pub resource_seq: i64,
    /// The word of the list.
    pub r#type: String,
    pub version: i64,
    /// The payload, sent byte for byte.
    pub data: String,
    /// Who did it, as [`Actor`](crate::domain::actor::Actor) is stored.
    pub actor: String,
    /// Of the reason with its salt, in hex.
    pub reason_hash: Option<String>,
    pub request_id: Option<String>,
    pub created_at: Instant,
    /// Of this event and the hash of the one before it, in hex.
    pub hash: String,
}

/// Why somebody did what an event tells. It may name people, so it can be erased: the event keeps its hash alone.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = event_reasons, check_for_backend(MultiBackend))]
pub struct EventReason {
    pub event_id: EventId,
    /// Random, in hex.
    pub salt: String,
    pub reason: String,
}

/// An event as it waits for its numbers.
#[derive(Insertable)]
#[diesel(table_name = event_inbox, treat_none_as_default_value = false)]
struct Waiting {
    id: EventId,
    stream: String,
    resource: String,
    r#type: &'static str,
    version: i64,
    data: String,
    actor: String,
    reason: Option<String>,
    request_id: Option<String>,
    created_at: Instant,
}

const SWEEP_REASONS: SweepText = sweep_text!("event_reasons", "event_id", "event_id < $1");

/// Forgets at most `limit` reasons of events that happened before `before`; how many there were. The ids sort by time.
pub fn sweep_reasons(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    let text = SWEEP_REASONS.of(conn);
    let swept = each!(conn, c => diesel::sql_query(text)
        .bind::<SqlId, _>(EventId::first_at(before))
        .bind::<BigInt, _>(limit)
        .execute(c));
    Ok(swept?)
}

/// Records what happens in this transaction: one statement, no lock, no number. Without events it does nothing.
pub fn record(conn: &mut DbConn, stamp: &Stamp, happened: &[Event]) -> Result<()> {
    if happened.is_empty() {
        return Ok(());
    }
    let rows: Vec<Waiting> = happened
        .iter()
        .map(|event| waiting(event, stamp))
        .collect::<Result<_>>()?;
    match conn {
        DbConn::Postgres(conn) => record_postgres(conn, stamp, rows)?,
        DbConn::Sqlite(conn) => diesel::insert_into(event_inbox::table)
            .values(rows)
            .execute(conn)?,
    };
    wakeups::recorded();
    Ok(())
}

fn waiting(event: &Event, stamp: &Stamp) -> Result<Waiting> {
    Ok(Waiting {
        id: EventId::new(stamp.now),
        stream: event.stream().to_string(),
        resource: event.resource(),
        r#type: event.kind(),
        version: VERSION,
        data: event.data()?,
        actor: stamp.actor.to_string(),
        reason: stamp.reason.clone(),
        request_id: stamp.request_id.clone(),
        created_at: stamp.now,
    })
}

/// One text for any number of rows, so that the prepared statement is found again.
fn record_postgres(
    conn: &mut PgConnection,
    stamp: &Stamp,
    rows: Vec<Waiting>,
) -> QueryResult<usize> {
    const INSERT: &str = "INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, reason, request_id, created_at)
        SELECT e.id, e.stream, e.resource, e.type, $6, e.data, $7, $8, $9, $10
        FROM unnest($1, $2, $3, $4, $5) AS e (id, stream, resource, type, data)";
    let ids: Vec<EventId> = rows.iter().map(|row| row.id).collect();
    let column = |of: fn(&Waiting) -> &str| rows.iter().map(of).collect::<Vec<&str>>();
    sql_query(INSERT)
        .bind::<Array<SqlId>, _>(ids)
        .bind::<Array<Text>, _>(column(|row| &row.stream))
        .bind::<Array<Text>, _>(column(|row| &row.resource))
        .bind::<Array<Text>, _>(column(|row| row.r#type))
        .bind::<Array<Text>, _>(column(|row| &row.data))
        .bind::<BigInt, _>(VERSION)
        .bind::<Text, _>(stamp.actor.to_string())
        .bind::<Nullable<Text>, _>(&stamp.reason)
        .bind::<Nullable<Text>, _>(&stamp.request_id)
        .bind::<SqlInstant, _>(stamp.now)
        .execute(conn)
}

/// The events of a stream behind its number `after`, oldest first.
pub fn of_stream(
    conn: &mut DbConn,
    stream: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<NumberedEvent>> {
    Ok(events::table
        .filter(events::stream.eq(stream))
        .filter(events::stream_seq.gt(after))
        .order(events::stream_seq)
        .limit(limit)
        .select(NumberedEvent::as_select())
        .load(conn)?)
}

/// All events behind `after`, by position, each with its reason where there is one and it was not erased.
pub fn all(
    conn: &mut DbConn,
    after: i64,
    limit: i64,
) -> Result<Vec<(NumberedEvent, Option<EventReason>)>> {
    Ok(events::table
        .left_join(event_reasons::table.on(event_reasons::event_id.eq(events::id)))
        .filter(events::position.gt(after))
        .order(events::position)
        .limit(limit)
        .select((
            NumberedEvent::as_select(),
            Option::<EventReason>::as_select(),
        ))
        .load(conn)?)
}

/// When the event was recorded that has waited for its numbers the longest; none where none waits.
pub fn oldest_waiting(conn: &mut DbConn) -> Result<Option<Instant>> {
    Ok(event_inbox::table
        .order(event_inbox::number)
        .select(event_inbox::created_at)
        .first(conn)
        .optional()?)
}

/// Which event was recorded last of those that wait for their numbers: its place in the inbox, and its id.
pub fn newest_waiting(conn: &mut DbConn) -> Result<Option<(i64, EventId)>> {
    Ok(event_inbox::table
        .order(event_inbox::number.desc())
        .select((event_inbox::number, event_inbox::id))
        .first(conn)
        .optional()?)
}

/// Whether an event still waits. A place alone does not tell: SQLite gives those of an inbox that was empty anew.
pub fn waits(conn: &mut DbConn, (number, id): (i64, EventId)) -> Result<bool> {
    let found = event_inbox::table
        .filter(event_inbox::number.eq(number))
        .filter(event_inbox::id.eq(id));
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(conn)?)
}
