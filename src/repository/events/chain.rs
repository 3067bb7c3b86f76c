//! The chain of hashes over all events, and its check: a row that was changed, taken out or put in is found and named.

use std::collections::HashMap;

use diesel::prelude::*;

use super::numbering::{Counter, POSITION, of_resource, of_stream};
use super::{EventReason, NumberedEvent, all};
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::schema::event_counters;
use crate::secrets::sha256_hex;

/// What stands for the hash before the first event.
pub(super) const FIRST: &str = "";

/// The hash of an event behind the hash of the one before it, in lower-case hex.
///
/// SHA-256 over ten parts in this order: the previous hash in lower-case hex (empty before the first event), position in decimal,
/// id (`evt_…`), stream, resource, type, data, actor, the hash of the reason in hex (empty without one), and the moment as
/// `2026-01-31T12:00:00.000000Z`. Each part is its length in bytes, as 8 bytes, the most significant first, and then its UTF-8.
pub(super) fn hash(previous: &str, event: &NumberedEvent) -> String {
    of_parts(&[
        previous,
        &event.position.to_string(),
        &event.id.to_string(),
        &event.stream,
        &event.resource,
        &event.r#type,
        &event.data,
        &event.actor,
        event.reason_hash.as_deref().unwrap_or_default(),
        &event.created_at.stored(),
    ])
}

/// The hash of a reason: SHA-256 over the salt in hex and the reason, as parts of the same form.
pub(super) fn reason_hash(reason: &EventReason) -> String {
    of_parts(&[&reason.salt, &reason.reason])
}

fn of_parts(parts: &[&str]) -> String {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    sha256_hex(&bytes)
}

/// The first row that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event at position {position}: {why}")]
pub struct FirstWrong {
    pub position: i64,
    /// What is wrong.
    pub why: &'static str,
}

/// How a check of the events ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong in so many events.
    Right {
        events: i64,
    },
    Wrong(FirstWrong),
}

/// How many rows are read at once.
const PAGE: i64 = 1000;

/// Recomputes the chain and every number from the first event on, and stops at the first wrong row. Erased reasons are right.
pub fn verify(conn: &mut DbConn) -> Result<Verdict> {
    let mut check = Check::default();
    loop {
        let page = all(conn, check.position(), PAGE)?;
        for (event, reason) in &page {
            if let Err(why) = check.take(event, reason.as_ref()) {
                let position = event.position;
                return Ok(Verdict::Wrong(FirstWrong { position, why }));
            }
        }
        if page.is_empty() {
            break;
        }
    }
    check.end(conn)
}

#[derive(Default)]
struct Check {
    last: HashMap<String, i64>,
    hash: String,
}

impl Check {
    fn position(&self) -> i64 {
        self.last.get(POSITION).copied().unwrap_or(0)
    }

    fn is_next(&mut self, name: String, number: i64) -> bool {
        let last = self.last.entry(name).or_insert(0);
        *last += 1;
        *last == number
    }

    fn take(
        &mut self,
        event: &NumberedEvent,
        reason: Option<&EventReason>,
    ) -> Result<(), &'static str> {
        let is_same = |one: &EventReason| Some(reason_hash(one)) == event.reason_hash;
        let right = [
            (
                self.is_next(POSITION.to_owned(), event.position),
                "an event before it is missing",
            ),
            (
                event.hash == hash(&self.hash, event),
                "the hash is not that of the event and the one before it",
            ),
            (
                self.is_next(of_stream(&event.stream), event.stream_seq),
                "the numbers of its stream have a gap",
            ),
            (
                self.is_next(of_resource(&event.resource), event.resource_seq),
                "the numbers of its resource have a gap",
            ),
            (
                reason.is_none_or(is_same),
                "the reason is not the one that was given",
            ),
        ];
        self.hash.clone_from(&event.hash);
        match right.into_iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err(why),
            None => Ok(()),
        }
    }

    /// What the counters say has to be what was met: rows at the end may be missing.
    fn end(self, conn: &mut DbConn) -> Result<Verdict> {
        let events = self.position();
        let mut after = String::new();
        let mut met = 0;
        loop {
            let page: Vec<Counter> = event_counters::table
                .filter(event_counters::name.gt(&after))
                .order(event_counters::name)
                .limit(PAGE)
                .select(Counter::as_select())
                .load(conn)?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.name);
            met += page.len();
            if page.iter().any(|counter| !self.agrees(counter)) {
                return Ok(missing(events));
            }
        }
        if met == self.last.len() {
            Ok(Verdict::Right { events })
        } else {
            Ok(missing(events))
        }
    }

    fn agrees(&self, counter: &Counter) -> bool {
        let hash = (counter.name == POSITION).then_some(&self.hash);
        self.last.get(&counter.name) == Some(&counter.last) && counter.hash.as_ref() == hash
    }
}

fn missing(last: i64) -> Verdict {
    Verdict::Wrong(FirstWrong {
        position: last,
        why: "it is the last one, and the counters say otherwise",
    })
}
