//! The end of a membership's term. How it begins is in the module above.

use chrono::NaiveTime;

use crate::domain::access::ServiceAccess;
use crate::domain::calendar::{local_date, local_moment};
use crate::domain::event::Event;
use crate::domain::membership::{EndedReason, MembershipId, MembershipState};
use crate::error::Result;
use crate::repository::memberships::{self, Membership};
use crate::repository::{DbConn, accounts, events};
use crate::workflows::Context;
use crate::workflows::tasks::{Task, enqueue};

/// Has a membership looked at once its last day is over.
pub(super) fn watch_term(
    conn: &mut DbConn,
    context: &Context,
    membership: &Membership,
) -> Result<()> {
    let Some(after) = membership.ends_date.succ_opt() else {
        return Ok(());
    };
    let due = local_moment(after, NaiveTime::MIN, context.programme.seller.zone);
    let task = Task::EndMembership {
        membership_id: membership.id,
        due,
        seller_key: membership.seller_key.clone(),
    };
    enqueue(conn, &task, due, context.now)
}

/// Ends a membership whose last day is over, or looks again later.
pub fn end_term(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    id: MembershipId,
) -> Result<()> {
    let Some(found) = memberships::find_by_id(conn, id)? else {
        return Ok(());
    };
    let account = accounts::lock(conn, &service.on(found.account_id))?;
    let running = memberships::lock_active(conn, &account)?.filter(|one| one.id == id);
    let Some(mut membership) = running else {
        return Ok(());
    };
    context.check_seller(membership.seller_key.as_deref())?;
    if local_date(context.now, context.programme.seller.zone) <= membership.ends_date {
        return watch_term(conn, context, &membership);
    }
    membership.status = MembershipState::Ended;
    membership.ended_at = Some(context.now);
    (membership.standing, membership.suspended_at) = (None, None);
    membership.ended_reason = Some(EndedReason::Expired);
    memberships::store(conn, &mut membership)?;
    let ended = Event::MembershipEnded {
        account_id: account.id,
        membership_id: id,
        ends_date: membership.ends_date,
        reason: EndedReason::Expired,
    };
    events::record(conn, &service.stamp(context.now), &[ended])
}
