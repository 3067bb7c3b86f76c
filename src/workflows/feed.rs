//! The feed of events: whose it is, how far a page reaches, and what is too old to be in it.

use super::Context;
use crate::domain::access::AnywhereAccess;
use crate::domain::event::{EventId, Stream as Of};
use crate::error::{Code, Result};
use crate::repository::DbConn;
use crate::repository::events::{self, Asked, FoundEvent, Stream};

/// So many events are looked at for one page where only some types are wanted.
const LOOKED_AT: i64 = 5000;

/// Which page is asked for.
#[derive(Debug, Clone)]
pub struct PageAsked {
    /// None: the oldest first.
    pub after: Option<i64>,
    pub types: Option<Vec<&'static str>>,
    pub resource: Option<String>,
    pub limit: i64,
}

/// A page of a feed.
#[derive(Debug)]
pub struct Page {
    pub events: Vec<FoundEvent>,
    /// The last number that was looked at: the next page is behind it.
    pub next: i64,
    /// The last number of all.
    pub last: i64,
}

/// A page of the caller's feed; 410 where what follows `after` is older than what is promised.
pub fn page(
    conn: &mut DbConn,
    context: &Context,
    access: &AnywhereAccess,
    page: &PageAsked,
) -> Result<Page> {
    let mut asked = asked(page);
    let Some(stream) = stream_of(access) else {
        let found = events::of_everybody(conn, &asked)?;
        return Ok(cut(page, &asked, found, |event| event.event.position));
    };
    let mut found = events::of_one(conn, &stream, &asked)?;
    let since = context.programme.events.since(context.now);
    let is_old = |found: &FoundEvent| found.event.created_at < since;
    if found.1.first().is_some_and(is_old) {
        let oldest = events::first_since(conn, &stream.name, since, found.0)?;
        let is_behind = asked.after > 0 && asked.after + 1 < oldest;
        if is_behind && page.resource.is_none() {
            return Err(Code::EventsExpired.with("oldest", oldest).into());
        }
        asked = self::asked(&PageAsked {
            after: Some(asked.after.max(oldest - 1)),
            ..page.clone()
        });
        found = events::of_one(conn, &stream, &asked)?;
    }
    Ok(cut(page, &asked, found, |event| event.event.stream_seq))
}

fn asked(page: &PageAsked) -> Asked {
    let after = page.after.unwrap_or(0);
    let reach = match page.types {
        Some(_) => LOOKED_AT,
        None => page.limit,
    };
    Asked {
        after,
        until: after.saturating_add(reach),
        resource: page.resource.clone(),
        types: page.types.clone(),
        // One more: the event right behind `after` may be none that is wanted.
        limit: page.limit + 1,
    }
}

fn cut(
    page: &PageAsked,
    asked: &Asked,
    (last, mut events): events::Found,
    number: impl Fn(&FoundEvent) -> i64,
) -> Page {
    let is_wanted = |word: &str| {
        page.types
            .as_ref()
            .is_none_or(|types| types.contains(&word))
    };
    events.retain(|found| is_wanted(&found.event.r#type));
    let limit = usize::try_from(page.limit).unwrap_or(0);
    let is_full = events.len() >= limit;
    events.truncate(limit);
    let end = match page.resource {
        Some(_) => last,
        None => asked.until.min(last),
    };
    let next = match events.last() {
        Some(found) if is_full => number(found),
        _ => end.max(asked.after),
    };
    Page { events, next, last }
}

fn stream_of(access: &AnywhereAccess) -> Option<Stream> {
    let (of, account) = match access {
        AnywhereAccess::Staff(_) => return None,
        AnywhereAccess::Account(access) => {
            let account = access.account_id();
            (Of::Account(account), Some(account))
        }
        AnywhereAccess::Partner(access) => (Of::Partner(access.partner_id()), None),
    };
    Some(Stream {
        name: of.to_string(),
        account,
    })
}

/// One event of the caller's feed.
pub fn find(conn: &mut DbConn, access: &AnywhereAccess, id: EventId) -> Result<FoundEvent> {
    let stream = stream_of(access);
    let found = events::find(conn, stream.as_ref(), id)?;
    found.ok_or_else(|| Code::NotFound.into())
}
