//! What waits for staff: one queue for matters of every kind, each opened and closed in the transaction of its cause.

use diesel::prelude::*;

use super::schema::work_items;
use super::sweeping::{self, sweep_text};
use super::{DbConn, MultiBackend, Stored};
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::actor::Actor;
use crate::domain::work_item::{WorkItemId, WorkItemKind};
use crate::each;
use crate::error::Result;
use crate::types::{Instant, Json};

/// One matter that waits, or waited. Of one kind and subject only one is open.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = work_items, check_for_backend(MultiBackend))]
pub struct WorkItem {
    pub id: WorkItemId,
    pub kind: WorkItemKind,
    /// The id of what it is about, with its prefix.
    pub subject_id: String,
    pub account_id: Option<AccountId>,
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

/// Opens a matter; taken where it is open already.
pub fn open(conn: &mut DbConn, item: &WorkItem) -> Result<Stored> {
    let opened = each!(conn, c => diesel::insert_into(work_items::table).values(item).on_conflict_do_nothing().execute(c))?;
    Ok(Stored::one_of(opened))
}

const SWEEP: &str = sweep_text!(
    "work_items",
    "id",
    "closed_at IS NOT NULL AND closed_at < $1"
);

/// Forgets at most `limit` matters that were closed before `before`; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, SWEEP, before, limit)
}

/// Closes the matter of this kind and subject; which it was, if one was open.
pub fn close(
    conn: &mut DbConn,
    kind: WorkItemKind,
    subject: impl ToString,
    by: Actor,
    now: Instant,
) -> Result<Option<WorkItemId>> {
    let open = work_items::table
        .filter(work_items::kind.eq(kind))
        .filter(work_items::subject_id.eq(subject.to_string()))
        .filter(work_items::closed_at.is_null());
    let closed = (
        work_items::closed_at.eq(now),
        work_items::closed_by.eq(by.to_string()),
    );
    Ok(each!(conn, c => diesel::update(open)
        .set(closed)
        .returning(work_items::id)
        .get_result(c)
        .optional())?)
}
