//! Collecting what is overdue, step by step: an invoice is watched from the day after its due date until it is settled. What comes next is decided in
//! `domain/collection`, what people are told is in `mails`.

mod ahead;
mod ending;
mod mails;
mod overdue;
mod owed;
mod sold;

use chrono::NaiveDate;
use chrono_tz::Tz;

pub use self::ahead::ahead;
use self::ending::end;
pub use self::mails::payable_values;
use self::overdue::{Overdue, load};
pub use self::owed::{owes, where_sold};
pub use self::sold::Sold;
use self::sold::terms;
use super::Context;
use super::tasks::{Task, enqueue};
use crate::domain::access::ServiceAccess;
use crate::domain::actor::Stamp;
use crate::domain::collection::{
    ReminderId, ReminderOutcome, Step, next_moment, next_step, past_due_moment, step_moment,
};
use crate::domain::event::Event;
use crate::domain::invoice::{InvoiceId, InvoiceStatus, PaymentMethod};
use crate::domain::membership::Standing;
use crate::error::Result;
use crate::repository::accounts::Account;
use crate::repository::invoices::Invoice;
use crate::repository::memberships;
use crate::repository::reminders::{self, Reminder};
use crate::repository::{DbConn, Held, events};
use crate::types::Instant;

/// Has an open invoice looked at once it is past due; one that is paid by card is not. One that is issued in the place of what was overdue is looked at when steps
/// are taken next.
pub fn watch(conn: &mut DbConn, context: &Context, invoice: &Invoice) -> Result<()> {
    let terms = terms(conn, context, invoice)?;
    let (zone, now) = (terms.seller.zone, context.now);
    match watched_from(invoice).filter(|day| past_due_moment(*day, zone) <= now) {
        Some(_) => {
            let next = next_moment(now, zone, &terms.overdue);
            look_again(conn, invoice.id, next, now)
        }
        None => watch_in(conn, zone, invoice, now),
    }
}

/// Has one looked at once it is past due, where the seller is in this zone.
pub(in crate::workflows) fn watch_in(
    conn: &mut DbConn,
    zone: Tz,
    invoice: &Invoice,
    now: Instant,
) -> Result<()> {
    match watched_from(invoice) {
        Some(day) => look_again(conn, invoice.id, past_due_moment(day, zone), now),
        None => Ok(()),
    }
}

/// The day from which an invoice is collected, where it is.
fn watched_from(invoice: &Invoice) -> Option<NaiveDate> {
    let is_open = invoice.status == InvoiceStatus::Open;
    let is_card = invoice.payment_method == PaymentMethod::Card;
    invoice.collect_from.filter(|_| is_open && !is_card)
}

fn look_again(conn: &mut DbConn, invoice_id: InvoiceId, due: Instant, now: Instant) -> Result<()> {
    enqueue(conn, &Task::WatchInvoice { invoice_id, due }, due, now)
}

/// Takes the step against an invoice that is due now, and has it looked at again.
pub fn step(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    id: InvoiceId,
) -> Result<()> {
    let Some(mut overdue) = load(conn, context, service, id)? else {
        return Ok(());
    };
    if overdue.today <= overdue.collect_from {
        return watch(conn, context, &overdue.invoice);
    }
    let stamp = service.stamp(context.now);
    past_due(conn, &stamp, &mut overdue)?;
    let taken = overdue.taken();
    let paused = overdue.invoice.paused_until;
    let facts = taken.as_facts(overdue.collect_from, paused, overdue.today);
    let next = next_step(facts, &overdue.terms.overdue);
    let goes_on = match next.step {
        Step::Wait => true,
        Step::Remind(nth) => remind(conn, context, &overdue, Some(nth))?,
        Step::Skip => remind(conn, context, &overdue, None)?,
        Step::Suspend => suspend(conn, context, &stamp, &mut overdue)?,
        Step::End => end(conn, context, &stamp, &mut overdue)?,
    };
    match next.again.filter(|_| goes_on) {
        Some(day) => {
            let zone = overdue.terms.seller.zone;
            let due = step_moment(day, zone, &overdue.terms.overdue);
            look_again(conn, id, due, context.now)
        }
        None => Ok(()),
    }
}

/// A membership that was current is past due as soon as one of its invoices is.
fn past_due(conn: &mut DbConn, stamp: &Stamp, overdue: &mut Overdue) -> Result<()> {
    let (invoice_id, open) = (overdue.invoice.id, overdue.invoice.open_cents);
    let Some(membership) = overdue.membership.as_mut() else {
        return Ok(());
    };
    let standing = membership.standing.map(|was| was.with_overdue(open));
    if standing == membership.standing {
        return Ok(());
    }
    membership.standing = standing;
    memberships::store(conn, membership)?;
    let event = Event::MembershipPastDue {
        account_id: membership.account_id,
        membership_id: membership.id,
        invoice_id,
    };
    events::record(conn, stamp, &[event])
}

/// Stores the step of a reminder and mails it; one that is skipped has no number.
fn remind(
    conn: &mut DbConn,
    context: &Context,
    overdue: &Overdue,
    nth: Option<usize>,
) -> Result<bool> {
    let latest = overdue.of_round().map(|one| (one.round, one.step)).max();
    let (round, step) = match latest {
        Some((round, step)) => (round, step + 1),
        None => (
            overdue
                .reminders
                .iter()
                .map(|one| one.round)
                .max()
                .unwrap_or(0)
                + 1,
            1,
        ),
    };
    let outcome = match nth {
        Some(_) => ReminderOutcome::Sent,
        None => ReminderOutcome::Skipped,
    };
    let reminder = Reminder {
        id: ReminderId::new(context.now),
        invoice_id: overdue.invoice.id,
        round,
        step,
        outcome,
        sent_at: context.now,
    };
    reminders::insert(conn, &reminder)?;
    if let Some(nth) = nth {
        mails::reminder(conn, context, overdue, nth)?;
    }
    Ok(true)
}

/// The benefits stop until nothing is overdue; nothing to stop where the membership is over.
fn suspend(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    overdue: &mut Overdue,
) -> Result<bool> {
    let invoice_id = overdue.invoice.id;
    let Some(membership) = overdue.membership.as_mut() else {
        return Ok(false);
    };
    membership.standing = Some(Standing::Suspended);
    membership.suspended_at = Some(context.now);
    memberships::store(conn, membership)?;
    let event = Event::MembershipSuspended {
        account_id: membership.account_id,
        membership_id: membership.id,
        invoice_id,
    };
    events::record(conn, stamp, &[event])?;
    mails::suspended(conn, context, overdue)?;
    Ok(true)
}

/// Gives the membership of a held account its benefits back, where nothing of it is overdue any more; whether that is since money came.
pub fn restore(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    account: &Held<Account>,
    is_paid: bool,
) -> Result<()> {
    let Some(mut membership) = memberships::lock_active(conn, account)? else {
        return Ok(());
    };
    let was = membership.standing;
    if was == Some(Standing::Current) {
        return Ok(());
    }
    let (overdue, _) = owed::of_membership(conn, context, membership.id)?;
    let cents = overdue.iter().map(|invoice| invoice.open_cents).sum();
    let standing = was.map(|was| was.with_overdue(cents));
    if standing != Some(Standing::Current) {
        return Ok(());
    }
    membership.standing = standing;
    membership.suspended_at = None;
    memberships::store(conn, &mut membership)?;
    let event = Event::MembershipRestored {
        account_id: account.id,
        membership_id: membership.id,
    };
    events::record(conn, stamp, &[event])?;
    match was {
        Some(Standing::Suspended) => {
            mails::restored(conn, context, account, (&membership, is_paid))
        }
        _ => Ok(()),
    }
}
