//! What waits for staff: one queue for matters of every kind, each opened and closed in the transaction of its cause.

use std::collections::HashSet;

use diesel::prelude::*;

use super::held::{Held, stored};
use super::schema::work_items;
use super::sweeping::{self, SweepText, sweep_text};
use super::{DbConn, MOST_ROWS, MultiBackend};
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::actor::Actor;
use crate::domain::partner::PartnerId;
use crate::domain::work_item::{WorkItemId, WorkItemKind};
use crate::error::Result;
use crate::types::{Instant, Json};
use crate::{each, locked};

/// One matter that waits, or waited. Of one kind and subject only one is open.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = work_items, check_for_backend(MultiBackend), treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct WorkItem {
    pub id: WorkItemId,
    pub kind: WorkItemKind,
    /// The id of what it is about, with its prefix.
    pub subject_id: String,
    /// Whose product it is about.
    pub account_id: Option<AccountId>,
    /// Whose systems it is about.
    pub partner_id: Option<PartnerId>,
    pub details: Option<Json>,
    pub due_at: Instant,
    pub claimed_by: Option<UserId>,
    pub claimed_until: Option<Instant>,
    pub opened_at: Instant,
    pub closed_at: Option<Instant>,
    /// The actor, as it is stored everywhere.
    pub closed_by: Option<String>,
}

impl WorkItem {
    /// A matter that nobody has claimed yet.
    pub fn opened(
        kind: WorkItemKind,
        subject: impl ToString,
        due_at: Instant,
        now: Instant,
    ) -> Self {
        Self {
            id: WorkItemId::new(now),
            kind,
            subject_id: subject.to_string(),
            account_id: None,
            partner_id: None,
            details: None,
            due_at,
            claimed_by: None,
            claimed_until: None,
            opened_at: now,
            closed_at: None,
            closed_by: None,
        }
    }
}

/// Opens matters; the ids of those that were not open already.
pub fn open(conn: &mut DbConn, items: &[WorkItem]) -> Result<HashSet<WorkItemId>> {
    let mut opened = HashSet::new();
    for some in items.chunks(MOST_ROWS) {
        let ids: Vec<WorkItemId> = some.iter().map(|item| item.id).collect();
        let rows = each!(conn, c => diesel::insert_into(work_items::table).values(some).on_conflict_do_nothing().execute(c))?;
        if rows == some.len() {
            opened.extend(ids);
        } else {
            let stored = work_items::table.filter(work_items::id.eq_any(ids));
            opened.extend(stored.select(work_items::id).load::<WorkItemId>(conn)?);
        }
    }
    Ok(opened)
}

const SWEEP: SweepText = sweep_text!(
    "work_items",
    "id",
    "closed_at IS NOT NULL AND closed_at < $1"
);

/// Forgets at most `limit` matters that were closed before `before`; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP, before, limit)
}

/// Closes the matters of this kind about these subjects; which were open.
pub fn close(
    conn: &mut DbConn,
    kind: WorkItemKind,
    subjects: &[String],
    (by, now): (Actor, Instant),
) -> Result<Vec<WorkItemId>> {
    let mut closed = Vec::new();
    for some in subjects.chunks(MOST_ROWS) {
        let open = work_items::table
            .filter(work_items::kind.eq(kind))
            .filter(work_items::subject_id.eq_any(some))
            .filter(work_items::closed_at.is_null());
        let change = (
            work_items::closed_at.eq(now),
            work_items::closed_by.eq(by.to_string()),
        );
        let ids: Vec<WorkItemId> = each!(conn, c => diesel::update(open)
            .set(change)
            .returning(work_items::id)
            .get_results(c))?;
        closed.extend(ids);
    }
    Ok(closed)
}

/// A matter, held.
pub fn lock(conn: &mut DbConn, id: WorkItemId) -> Result<Option<Held<WorkItem>>> {
    let found: Option<WorkItem> = locked!(
        conn,
        work_items::table.find(id).select(WorkItem::as_select())
    )
    .optional()?;
    Ok(found.map(Held::new))
}

/// Stores a matter that was open when it was locked.
pub fn store(conn: &mut DbConn, item: &Held<WorkItem>) -> Result<()> {
    let row = work_items::table
        .find(item.id)
        .filter(work_items::closed_at.is_null());
    stored(diesel::update(row).set(&**item).execute(conn))
}

/// Which open matters are listed.
#[derive(Debug, Clone)]
pub struct Queue {
    pub kinds: Vec<WorkItemKind>,
    /// Only those that this user has claimed, at this moment.
    pub claimed_by: Option<(UserId, Instant)>,
    /// Only those due before this moment.
    pub due_before: Option<Instant>,
    /// Behind this one, which was due then.
    pub after: Option<(Instant, WorkItemId)>,
    pub limit: i64,
}

/// The open matters that match, soonest due first.
pub fn queue(conn: &mut DbConn, queue: &Queue) -> Result<Vec<WorkItem>> {
    let mut query = work_items::table
        .filter(work_items::closed_at.is_null())
        .filter(work_items::kind.eq_any(&queue.kinds))
        .select(WorkItem::as_select())
        .into_boxed();
    if let Some((user, now)) = queue.claimed_by {
        query = query
            .filter(work_items::claimed_by.eq(user))
            .filter(work_items::claimed_until.gt(now));
    }
    if let Some(before) = queue.due_before {
        query = query.filter(work_items::due_at.lt(before));
    }
    if let Some((due_at, id)) = queue.after {
        let same = work_items::due_at.eq(due_at).and(work_items::id.gt(id));
        query = query.filter(work_items::due_at.gt(due_at).or(same));
    }
    Ok(query
        .order((work_items::due_at, work_items::id))
        .limit(queue.limit)
        .load(conn)?)
}
