//! The daily look at the money: what waits is counted, and what is left of a payment that no invoice will take becomes work for finance.

use std::collections::BTreeMap;

use super::Context;
use super::work_items::{close, matter, open};
use crate::domain::access::ServiceAccess;
use crate::domain::calendar::local_date;
use crate::domain::event::Event;
use crate::domain::invoice::PaymentId;
use crate::domain::work_item::WorkItemKind;
use crate::error::Result;
use crate::repository::work_items::{self, Queue, WorkItem};
use crate::repository::{DbConn, events, money_watch, settings};

/// So many are looked at together.
const PAGE: i64 = 500;

/// Counts what waits, opens what is left over and closes what was left over and is not any more.
pub fn look(conn: &mut DbConn, context: &Context, service: ServiceAccess) -> Result<()> {
    let today = local_date(context.now, context.programme.seller.zone);
    let counts = money_watch::count(conn, today)?;
    settings::put(conn, settings::MONEY, &serde_json::to_string(&counts)?)?;
    let stamp = service.stamp(context.now);
    let used = used_up(conn)?;
    let mut told = close(conn, &stamp, WorkItemKind::CreditLeft, &used)?;
    told.extend(open_left_over(conn, context)?);
    events::record(conn, &stamp, &told)
}

/// What was counted last, by its name; nothing where the money was not looked at yet.
pub fn counted(conn: &mut DbConn) -> Result<BTreeMap<String, i64>> {
    let text = settings::get(conn, settings::MONEY)?;
    Ok(match text {
        Some(text) => serde_json::from_str(&text)?,
        None => BTreeMap::new(),
    })
}

fn open_left_over(conn: &mut DbConn, context: &Context) -> Result<Vec<Event>> {
    let (mut told, mut after) = (Vec::new(), None);
    loop {
        let left = money_watch::left_over(conn, after, PAGE)?;
        let items = left.iter().map(|(payment, account)| WorkItem {
            account_id: Some(*account),
            ..matter(context, WorkItemKind::CreditLeft, payment)
        });
        told.extend(open(conn, &items.collect::<Vec<_>>())?);
        match left.last() {
            Some((last, _)) => after = Some(*last),
            None => return Ok(told),
        }
    }
}

/// What waits as left over although nothing of it is open any more: an invoice took it.
fn used_up(conn: &mut DbConn) -> Result<Vec<String>> {
    let mut page = Queue {
        kinds: vec![WorkItemKind::CreditLeft],
        claimed_by: None,
        due_before: None,
        after: None,
        limit: PAGE,
    };
    let mut used = Vec::new();
    loop {
        let waiting = work_items::queue(conn, &page)?;
        let subjects = waiting
            .iter()
            .filter_map(|item| item.subject_id.parse().ok());
        let payments: Vec<PaymentId> = subjects.collect();
        let gone = money_watch::used_up(conn, &payments)?;
        used.extend(gone.iter().map(ToString::to_string));
        match waiting.last() {
            Some(last) => page.after = Some((last.due_at, last.id)),
            None => return Ok(used),
        }
    }
}
