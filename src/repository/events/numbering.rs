//! Giving events their numbers: one transaction at a time moves what waits in the inbox, all of a batch or nothing.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel::upsert::excluded;

use super::chain::{self, FIRST};
use super::{EventReason, NumberedEvent};
use crate::domain::event::EventId;
use crate::each;
use crate::error::Result;
use crate::repository::schema::{event_counters, event_inbox, event_reasons, events};
use crate::repository::{DbConn, MultiBackend};
use crate::secrets;
use crate::types::Instant;

/// The most events of one batch.
pub const MOST: usize = 1000;

/// The counter of all events, which keeps the last hash too.
pub(super) const POSITION: &str = "position";

/// The counter of a stream.
pub(super) fn of_stream(stream: &str) -> String {
    format!("stream:{stream}")
}

/// The counter of a resource.
pub(super) fn of_resource(resource: &str) -> String {
    format!("resource:{resource}")
}

/// An event of the inbox.
#[derive(Queryable, Selectable)]
#[diesel(table_name = event_inbox, check_for_backend(MultiBackend))]
struct Waiting {
    number: i64,
    id: EventId,
    stream: String,
    resource: String,
    r#type: String,
    version: i64,
    data: String,
    actor: String,
    reason: Option<String>,
    request_id: Option<String>,
    created_at: Instant,
}

/// The last number that was given out.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = event_counters, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
pub(super) struct Counter {
    pub name: String,
    pub last: i64,
    pub hash: Option<String>,
}

/// Numbers the events that have waited the longest, at most [`MOST`]; how many, or none where another transaction is at it.
pub fn number_batch(conn: &mut DbConn) -> Result<Option<usize>> {
    if !is_alone(conn)? {
        return Ok(None);
    }
    let waiting = oldest(conn)?;
    if waiting.is_empty() {
        return Ok(Some(0));
    }
    let numbers: Vec<i64> = waiting.iter().map(|event| event.number).collect();
    let mut counters = Counters::load(conn, &waiting)?;
    let (mut numbered, mut reasons) = (Vec::new(), Vec::new());
    for event in waiting {
        let reason = salted(&event)?;
        numbered.push(counters.number(event, reason.as_ref()));
        reasons.extend(reason);
    }
    store(conn, &numbered, &reasons)?;
    counters.store(conn)?;
    // Exactly what was read: a smaller number may have been committed meanwhile.
    diesel::delete(event_inbox::table.filter(event_inbox::number.eq_any(&numbers)))
        .execute(conn)?;
    Ok(Some(numbers.len()))
}

/// Whether nobody else numbers until this transaction ends; SQLite's writer is alone already.
fn is_alone(conn: &mut DbConn) -> QueryResult<bool> {
    match conn {
        DbConn::Postgres(conn) => diesel::select(diesel::dsl::sql::<Bool>(
            "pg_try_advisory_xact_lock(720913, hashtext(current_schema()))",
        ))
        .get_result(conn),
        DbConn::Sqlite(_) => Ok(true),
    }
}

fn oldest(conn: &mut DbConn) -> QueryResult<Vec<Waiting>> {
    event_inbox::table
        .order(event_inbox::number)
        .limit(i64::try_from(MOST).unwrap_or(i64::MAX))
        .select(Waiting::as_select())
        .load(conn)
}

fn salted(event: &Waiting) -> Result<Option<EventReason>> {
    let Some(reason) = event.reason.clone() else {
        return Ok(None);
    };
    Ok(Some(EventReason {
        event_id: event.id,
        salt: secrets::hex(&secrets::random::<16>()?),
        reason,
    }))
}

fn store(
    conn: &mut DbConn,
    numbered: &[NumberedEvent],
    reasons: &[EventReason],
) -> QueryResult<()> {
    each!(conn, c => diesel::insert_into(events::table).values(numbered).execute(c))?;
    if !reasons.is_empty() {
        each!(conn, c => diesel::insert_into(event_reasons::table).values(reasons).execute(c))?;
    }
    Ok(())
}

/// The counters that a batch touches.
struct Counters {
    last: HashMap<String, i64>,
    hash: String,
}

impl Counters {
    fn load(conn: &mut DbConn, waiting: &[Waiting]) -> QueryResult<Self> {
        let names = waiting
            .iter()
            .flat_map(|event| [of_stream(&event.stream), of_resource(&event.resource)])
            .chain([POSITION.to_owned()]);
        let names: HashSet<String> = names.collect();
        let found: Vec<Counter> = event_counters::table
            .filter(event_counters::name.eq_any(names))
            .select(Counter::as_select())
            .load(conn)?;
        let hash = found.iter().find_map(|counter| counter.hash.clone());
        let last = found.into_iter().map(|one| (one.name, one.last));
        Ok(Self {
            last: last.collect(),
            hash: hash.unwrap_or_else(|| FIRST.to_owned()),
        })
    }

    fn next(&mut self, name: String) -> i64 {
        let last = self.last.entry(name).or_insert(0);
        *last += 1;
        *last
    }

    fn number(&mut self, event: Waiting, reason: Option<&EventReason>) -> NumberedEvent {
        let mut numbered = NumberedEvent {
            position: self.next(POSITION.to_owned()),
            id: event.id,
            stream_seq: self.next(of_stream(&event.stream)),
            stream: event.stream,
            resource_seq: self.next(of_resource(&event.resource)),
            resource: event.resource,
            r#type: event.r#type,
            version: event.version,
            data: event.data,
            actor: event.actor,
            reason_hash: reason.map(chain::reason_hash),
            request_id: event.request_id,
            created_at: event.created_at,
            hash: String::new(),
        };
        numbered.hash = chain::hash(&self.hash, &numbered);
        self.hash.clone_from(&numbered.hash);
        numbered
    }

    fn store(self, conn: &mut DbConn) -> QueryResult<()> {
        let hash = self.hash;
        let rows: Vec<Counter> = self
            .last
            .into_iter()
            .map(|(name, last)| Counter {
                hash: (name == POSITION).then(|| hash.clone()),
                name,
                last,
            })
            .collect();
        each!(conn, c => diesel::insert_into(event_counters::table)
            .values(rows)
            .on_conflict(event_counters::name)
            .do_update()
            .set((
                event_counters::last.eq(excluded(event_counters::last)),
                event_counters::hash.eq(excluded(event_counters::hash)),
            ))
            .execute(c))?;
        Ok(())
    }
}
