//! What comes of overdue invoices if nobody pays them, for who asks. What is done about them is in the module above.

use super::overdue::{Taken, steps_against};
use super::owed;
use crate::domain::calendar::local_date;
use crate::domain::collection::{Consequence, forecast};
use crate::error::Result;
use crate::programme::SellerTerms;
use crate::repository::DbConn;
use crate::repository::invoices::Invoice;
use crate::repository::memberships::Membership;
use crate::repository::reminders::Reminder;
use crate::types::Instant;
use crate::workflows::Context;

/// What comes next of what a membership owes, and when; nothing where nothing is overdue.
pub fn ahead(
    conn: &mut DbConn,
    context: &Context,
    membership: &Membership,
) -> Result<Option<(Consequence, Instant)>> {
    let (overdue, sold) = owed::of_membership(conn, context, membership.id)?;
    let mut soonest: Option<(Consequence, Instant)> = None;
    for invoice in &overdue {
        let its = steps_against(conn, invoice)?;
        let terms = sold.terms(invoice.id)?;
        let next = of_invoice((invoice, terms), &its, membership, context.now);
        soonest = soonest.into_iter().chain(next).min_by_key(|(_, at)| *at);
    }
    Ok(soonest)
}

fn of_invoice(
    (invoice, terms): (&Invoice, &SellerTerms),
    reminders: &[Reminder],
    membership: &Membership,
    now: Instant,
) -> Option<(Consequence, Instant)> {
    let zone = terms.seller.zone;
    let collect_from = invoice.collect_from?;
    let today = local_date(now, zone).max(invoice.paused_until.unwrap_or(collect_from));
    let taken = Taken::of(reminders, (zone, collect_from), membership.suspended_at);
    let facts = taken.as_facts(collect_from, invoice.paused_until, today);
    forecast(facts, (now, zone), &terms.overdue)
}
