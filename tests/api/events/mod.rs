//! What happened is recorded, numbered and kept: what the tests of it share.

mod contract;
mod feed;
mod history;
mod many;
mod migrating;
mod numbering;
pub mod writes;

use cps_api::domain::account::AccountId;
use cps_api::domain::actor::{Acting, Actor, Cause, Stamp};
use cps_api::domain::event::Event;
use cps_api::domain::points::EntryId;
use cps_api::repository::{DbConn, events};
use cps_api::types::Instant;

/// A moment, the `n`-th microsecond of a day.
pub fn moment(n: i64) -> Instant {
    let day: Instant = "2026-03-01T12:00:00Z".parse().unwrap();
    day.plus(chrono::TimeDelta::microseconds(n))
}

/// The service acts by itself.
#[expect(clippy::disallowed_methods)]
pub fn stamp(reason: Option<&str>) -> Stamp {
    Stamp {
        now: moment(0),
        actor: Actor::new(Acting::Service { cause: Cause::Seed }),
        request_id: Some("a-request".to_owned()),
        reason: reason.map(str::to_owned),
    }
}

/// An event of `account` that can be told from others by `amount`.
pub fn event(account: AccountId, amount: i64) -> Event {
    Event::PointsAdjusted {
        account_id: account,
        entry_id: EntryId::new(moment(amount)),
        amount,
        balance: 0,
    }
}

/// The amount of such an event.
pub fn amount(data: &str) -> i64 {
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    data["amount"].as_i64().unwrap()
}

/// Numbers all that waits.
pub fn number(conn: &mut DbConn) {
    use diesel::Connection;
    while conn.transaction(events::number_batch).unwrap() != Some(0) {}
}
