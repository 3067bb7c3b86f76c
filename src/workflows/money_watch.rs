//! The daily look at the money: what waits is counted, and what is left of a payment that no invoice will take becomes work for finance.

use std::collections::BTreeMap;

use super::Context;
use super::work_items::{matter, open};
use crate::domain::access::ServiceAccess;
use crate::domain::calendar::local_date;
use crate::domain::event::Event;
use crate::domain::work_item::WorkItemKind;
use crate::error::Result;
use crate::repository::work_items::WorkItem;
use crate::repository::{DbConn, events, money_watch, settings};

/// So many are looked at together.
const PAGE: i64 = 500;

/// Counts what waits and opens what is left over; whoever places what was left over closes it.
pub fn look(conn: &mut DbConn, context: &Context, service: ServiceAccess) -> Result<()> {
    let today = local_date(context.now, context.programme.seller.zone);
    let counts = money_watch::count(conn, today)?;
    settings::put(conn, settings::MONEY, &serde_json::to_string(&counts)?)?;
    let stamp = service.stamp(context.now);
    let told = open_left_over(conn, context)?;
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
