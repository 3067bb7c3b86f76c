//! The moment that a case is promised by: who looks at it then. Deciding cases is in `reviews`.

use super::Context;
use super::tasks::{Task, enqueue};
use crate::domain::access::ServiceAccess;
use crate::domain::account::AccountId;
use crate::domain::event::Event;
use crate::error::Result;
use crate::repository::{DbConn, accounts, events, reviews};
use crate::types::Instant;

/// Has somebody look at the moment that a case is promised by.
pub fn watch(
    conn: &mut DbConn,
    context: &Context,
    account_id: AccountId,
    due: Instant,
) -> Result<()> {
    let task = Task::WatchReview { account_id, due };
    enqueue(conn, &task, due, context.now)
}

/// Tells that a case was not answered in its time, unless it was, or waits for the applicant.
pub fn tell_overdue(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    account_id: AccountId,
) -> Result<()> {
    let account = accounts::lock(conn, &service.on(account_id))?;
    let review = reviews::lock(conn, &account)?;
    let overdue = review.filter(|one| account.status.is_reviewable() && one.due_at <= context.now);
    let Some(review) = overdue else {
        return Ok(());
    };
    let event = Event::ReviewOverdue {
        account_id,
        due_at: review.due_at,
    };
    events::record(conn, &service.stamp(context.now), &[event])
}
