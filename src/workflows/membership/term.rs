//! The end of a membership's term, and what comes before it. How it begins is in the module above.

use chrono::NaiveTime;

use crate::domain::access::ServiceAccess;
use crate::domain::calendar::{local_date, local_moment};
use crate::domain::collection::Consequence;
use crate::domain::event::Event;
use crate::domain::membership::{EndedReason, MembershipId, MembershipState, MembershipStep};
use crate::error::Result;
use crate::repository::memberships::{self, Membership};
use crate::repository::{DbConn, accounts, events};
use crate::types::Instant;
use crate::workflows::tasks::{Task, enqueue};
use crate::workflows::{Context, collection};

/// When the last day of a membership is over.
fn over_at(context: &Context, membership: &Membership) -> Option<Instant> {
    let after = membership.ends_date.succ_opt()?;
    let zone = context.programme.seller.zone;
    Some(local_moment(after, NaiveTime::MIN, zone))
}

/// What comes next of a membership if nothing is paid and nothing else is chosen, and when; nothing of one that is over.
pub fn next_step(
    conn: &mut DbConn,
    context: &Context,
    membership: &Membership,
) -> Result<Option<(MembershipStep, Instant)>> {
    if membership.status != MembershipState::Active {
        return Ok(None);
    }
    let of_debt = collection::ahead(conn, context, membership)?.map(|(what, at)| match what {
        Consequence::Suspended => (MembershipStep::Suspended, at),
        Consequence::Ended => (MembershipStep::EndedUnpaid, at),
    });
    let of_term = over_at(context, membership).map(|at| (MembershipStep::Ends, at));
    Ok(of_debt.into_iter().chain(of_term).min_by_key(|(_, at)| *at))
}

/// Has a membership looked at once its last day is over.
pub(super) fn watch_term(
    conn: &mut DbConn,
    context: &Context,
    membership: &Membership,
) -> Result<()> {
    let Some(due) = over_at(context, membership) else {
        return Ok(());
    };
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
