//! What waits for staff: opened and closed by its cause, claimed for a while, and closed by hand where nothing else does that.

use std::collections::BTreeMap;

use super::Context;
use crate::domain::access::{StaffAccess, UserId};
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::review::{Lease, claim as claim_until};
use crate::domain::work_item::{WorkItemId, WorkItemKind};
use crate::error::{Code, Error, Result};
use crate::repository::products::Product;
use crate::repository::work_items::{self, WorkItem};
use crate::repository::{DbConn, Held, events, sessions};

/// A matter of this kind about `subject`, due when the programme says.
pub fn matter(context: &Context, kind: WorkItemKind, subject: impl ToString) -> WorkItem {
    let due_at = kind.due_at(&context.programme.work_items, context.now);
    WorkItem::opened(kind, subject, due_at, context.now)
}

/// A matter about a product.
pub fn about_product(context: &Context, kind: WorkItemKind, product: &Product) -> WorkItem {
    WorkItem {
        account_id: Some(product.account_id),
        ..matter(context, kind, product.id)
    }
}

/// Opens matters; what there is to tell of those that were not open already.
pub fn open(conn: &mut DbConn, items: &[WorkItem]) -> Result<Vec<Event>> {
    let opened = work_items::open(conn, items)?;
    let fresh = items.iter().filter(|item| opened.contains(&item.id));
    let told = fresh.map(|item| Event::WorkItemOpened {
        work_item_id: item.id,
        kind: item.kind.to_string(),
        about: item.subject_id.clone(),
    });
    Ok(told.collect())
}

/// Closes the matters of a kind about these subjects; what there is to tell of those that were open.
pub fn close(
    conn: &mut DbConn,
    stamp: &Stamp,
    kind: WorkItemKind,
    subjects: &[String],
) -> Result<Vec<Event>> {
    let closed = work_items::close(conn, kind, subjects, (stamp.actor, stamp.now))?;
    let told = closed
        .into_iter()
        .map(|work_item_id| Event::WorkItemClosed {
            work_item_id,
            kind: kind.to_string(),
        });
    Ok(told.collect())
}

/// What products wait for, each for one thing at most: matters that are not among the wanted ones close, the wanted ones open.
#[derive(Default)]
pub struct Waiting {
    wanted: BTreeMap<String, Option<WorkItem>>,
}

/// What a product may wait for.
const OF_PRODUCTS: [WorkItemKind; 2] = [WorkItemKind::StolenSerial, WorkItemKind::SerialCheck];

impl Waiting {
    /// From now on a product waits for this, or for nothing.
    pub fn set(&mut self, product: &Product, wanted: Option<WorkItem>) {
        self.wanted.insert(product.id.to_string(), wanted);
    }

    /// Opens and closes what has to be; what there is to tell of it.
    pub fn flush(self, conn: &mut DbConn, stamp: &Stamp) -> Result<Vec<Event>> {
        let mut told = Vec::new();
        for kind in OF_PRODUCTS {
            let is_other = |wanted: &Option<WorkItem>| {
                wanted.as_ref().is_none_or(|wanted| wanted.kind != kind)
            };
            let others = self.wanted.iter().filter(|(_, wanted)| is_other(wanted));
            let others: Vec<String> = others.map(|(subject, _)| subject.clone()).collect();
            told.extend(close(conn, stamp, kind, &others)?);
        }
        let wanted: Vec<WorkItem> = self.wanted.into_values().flatten().collect();
        told.extend(open(conn, &wanted)?);
        Ok(told)
    }
}

/// An open matter of a kind that the member of staff works at, held.
fn open_item(
    conn: &mut DbConn,
    staff: &StaffAccess,
    id: WorkItemId,
) -> Result<(Held<WorkItem>, UserId)> {
    let user = staff.actor().user().ok_or(Code::Forbidden)?;
    let item = work_items::lock(conn, id)?.filter(|item| staff.may(item.kind.action()));
    let item = item.ok_or(Code::NotFound)?;
    match item.closed_at {
        Some(_) => Err(Code::WorkItemClosed.into()),
        None => Ok((item, user)),
    }
}

fn lease(item: &WorkItem, user: UserId) -> Option<Lease> {
    Some(Lease {
        mine: item.claimed_by == Some(user),
        until: item.claimed_until?,
    })
}

fn taken(item: &WorkItem, code: Code) -> Error {
    let until = item.claimed_until.map(|until| until.to_string());
    code.with("until", until.unwrap_or_default()).into()
}

/// Takes a matter for a while, or for longer.
pub fn claim(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    id: WorkItemId,
) -> Result<WorkItem> {
    let (mut item, user) = open_item(conn, staff, id)?;
    let minutes = context.programme.work_items.lease_minutes;
    let until = claim_until(lease(&item, user), context.now, minutes);
    let until = until.map_err(|code| taken(&item, code))?;
    item.claimed_by = Some(user);
    item.claimed_until = Some(until);
    work_items::store(conn, &item)?;
    let claimed = Event::WorkItemClaimed {
        work_item_id: item.id,
        kind: item.kind.to_string(),
        claimed_until: until,
    };
    events::record(conn, &staff.stamp(context.now), &[claimed])?;
    Ok(item.into_row())
}

/// Gives a matter back that the member of staff has claimed; one that nobody holds stays as it is.
pub fn release(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    id: WorkItemId,
) -> Result<()> {
    let (mut item, user) = open_item(conn, staff, id)?;
    match lease(&item, user).filter(|lease| lease.until > context.now) {
        None => return Ok(()),
        Some(lease) if !lease.mine => return Err(taken(&item, Code::ClaimedByAnother)),
        Some(_) => {}
    }
    item.claimed_by = None;
    item.claimed_until = None;
    work_items::store(conn, &item)?;
    let released = Event::WorkItemReleased {
        work_item_id: item.id,
        kind: item.kind.to_string(),
    };
    events::record(conn, &staff.stamp(context.now), &[released])
}

/// Closes what nothing else closes.
pub fn complete(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    (id, reason): (WorkItemId, &str),
) -> Result<WorkItem> {
    let (mut item, _) = open_item(conn, staff, id)?;
    sessions::confirm(conn, staff.actor())?;
    if !item.kind.is_closed_by_hand() {
        return Err(Code::WorkItemClosesItself.into());
    }
    item.closed_at = Some(context.now);
    item.closed_by = Some(staff.actor().to_string());
    work_items::store(conn, &item)?;
    let closed = Event::WorkItemClosed {
        work_item_id: item.id,
        kind: item.kind.to_string(),
    };
    let stamp = staff.stamp(context.now).because(reason);
    events::record(conn, &stamp, &[closed])?;
    Ok(item.into_row())
}
