//! Reading what happened, a page at a time: numbers have no gap, so that a page is a range of them, and one statement reads it.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::numbering::{POSITION, of_stream};
use super::{EventReason, NumberedEvent};
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::event::EventId;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::schema::{event_counters, event_reasons, events, users};
use crate::types::Instant;

/// Whether a user did it, as an actor is stored.
const IS_ACTOR: &str = "events.actor = 'user:usr_' || replace(CAST(users.id AS TEXT), '-', '')";

/// What is asked of a feed.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Behind this number.
    pub after: i64,
    /// Up to this one; where one resource is asked for, all of it counts.
    pub until: i64,
    /// Only what happened to this.
    pub resource: Option<String>,
    /// Only these words. The event right behind `after` comes in any case: by its age the reader sees whether others are missing.
    pub types: Option<Vec<&'static str>>,
    pub limit: i64,
}

/// Whose feed an account or a partner reads.
#[derive(Debug, Clone)]
pub struct Stream {
    pub name: String,
    /// Whose users are its own.
    pub account: Option<AccountId>,
}

/// An event with what stands beside it.
#[derive(Debug, Clone)]
pub struct FoundEvent {
    pub event: NumberedEvent,
    pub reason: Option<String>,
    /// The user who acted, where it is one of the account's own.
    pub own_user: Option<UserId>,
}

/// The last number that was given out, and what was found.
pub type Found = (i64, Vec<FoundEvent>);

/// A row of a feed: the last number, an event, and what `B` says beside it.
type Row<B> = (i64, Option<NumberedEvent>, B);

/// Adds the words, the order and the limit to a feed that is numbered by `$number`.
macro_rules! narrowed {
    ($rows:expr, $number:expr, $asked:expr) => {{
        let mut query = $rows.into_boxed();
        if let Some(types) = &$asked.types {
            let is_none = events::id.nullable().is_null();
            let is_wanted = events::r#type.nullable().eq_any(types);
            let is_next = $number.nullable().eq($asked.after + 1);
            query = query.filter(is_none.or(is_wanted).or(is_next));
        }
        query.order($number.nullable()).limit($asked.limit)
    }};
}

/// What happened in a stream, by its numbers.
pub fn of_one(conn: &mut DbConn, stream: &Stream, asked: &Asked) -> Result<Found> {
    macro_rules! rows {
        ($on:expr) => {{
            let own = users::account_id
                .eq(stream.account)
                .and(sql::<Bool>(IS_ACTOR));
            let rows = event_counters::table
                .left_join(events::table.on($on))
                .left_join(users::table.on(own))
                .filter(event_counters::name.eq(of_stream(&stream.name)))
                .select((
                    event_counters::last,
                    Option::<NumberedEvent>::as_select(),
                    users::id.nullable(),
                ));
            narrowed!(rows, events::stream_seq, asked).load::<Row<Option<UserId>>>(conn)?
        }};
    }
    let rows = match &asked.resource {
        // Computed, so that the index of resources is taken.
        Some(resource) => rows!(
            events::resource
                .eq(resource)
                .and(events::resource_seq.gt(0))
                .and(events::stream.eq(&stream.name))
                .and((events::stream_seq + 0).gt(asked.after))
        ),
        None => rows!(
            events::stream
                .eq(&stream.name)
                .and(events::stream_seq.gt(asked.after))
                .and(events::stream_seq.le(asked.until))
        ),
    };
    let name = of_stream(&stream.name);
    found(conn, &name, rows, |own_user| (None, own_user))
}

/// What happened to all, by position, with the reasons.
pub fn of_everybody(conn: &mut DbConn, asked: &Asked) -> Result<Found> {
    macro_rules! rows {
        ($on:expr) => {{
            let reason = event_reasons::event_id.nullable().eq(events::id.nullable());
            let rows = event_counters::table
                .left_join(events::table.on($on))
                .left_join(event_reasons::table.on(reason))
                .filter(event_counters::name.eq(POSITION))
                .select((
                    event_counters::last,
                    Option::<NumberedEvent>::as_select(),
                    Option::<EventReason>::as_select(),
                ));
            narrowed!(rows, events::position, asked).load::<Row<Option<EventReason>>>(conn)?
        }};
    }
    let rows = match &asked.resource {
        Some(resource) => rows!(
            events::resource
                .eq(resource)
                .and(events::resource_seq.gt(0))
                .and((events::position + 0).gt(asked.after))
        ),
        None => rows!(
            events::position
                .gt(asked.after)
                .and(events::position.le(asked.until))
        ),
    };
    found(conn, POSITION, rows, |reason: Option<EventReason>| {
        (reason.map(|reason| reason.reason), None)
    })
}

/// What rows say, each with its reason and its own user; the counter is asked where there are none.
fn found<B>(
    conn: &mut DbConn,
    counter: &str,
    rows: Vec<Row<B>>,
    beside: impl Fn(B) -> (Option<String>, Option<UserId>),
) -> Result<Found> {
    let last = match rows.first() {
        Some((last, ..)) => *last,
        None => last(conn, counter)?,
    };
    let found = rows.into_iter().filter_map(|(_, event, other)| {
        let (reason, own_user) = beside(other);
        Some(FoundEvent {
            event: event?,
            reason,
            own_user,
        })
    });
    Ok((last, found.collect()))
}

/// The last number that a counter gave out; 0 before the first.
fn last(conn: &mut DbConn, name: &str) -> Result<i64> {
    let last: Option<i64> = event_counters::table
        .find(name)
        .select(event_counters::last)
        .first(conn)
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// The number of the first event of a stream that did not happen before `since`; behind `last` where all did. Numbers rise with time, so
/// that halving finds it.
pub fn first_since(conn: &mut DbConn, stream: &str, since: Instant, last: i64) -> Result<i64> {
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<Instant> = events::table
            .filter(events::stream.eq(stream))
            .filter(events::stream_seq.eq(middle))
            .select(events::created_at)
            .first(conn)
            .optional()?;
        match at {
            Some(at) if at < since => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// One event of a stream, or of all.
pub fn find(conn: &mut DbConn, stream: Option<&Stream>, id: EventId) -> Result<Option<FoundEvent>> {
    let account = stream.and_then(|stream| stream.account);
    let found: Option<(NumberedEvent, Option<EventReason>, Option<UserId>)> = events::table
        .left_join(event_reasons::table.on(event_reasons::event_id.eq(events::id)))
        .left_join(users::table.on(users::account_id.eq(account).and(sql::<Bool>(IS_ACTOR))))
        .filter(events::id.eq(id))
        .select((
            NumberedEvent::as_select(),
            Option::<EventReason>::as_select(),
            users::id.nullable(),
        ))
        .first(conn)
        .optional()?;
    let found = found.map(|(event, reason, own_user)| FoundEvent {
        event,
        reason: reason.map(|reason| reason.reason),
        own_user,
    });
    let is_theirs = |found: &FoundEvent| stream.is_none_or(|one| one.name == found.event.stream);
    Ok(found.filter(is_theirs))
}
