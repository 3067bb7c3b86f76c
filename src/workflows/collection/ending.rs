//! The end of what was not paid: its membership, and credit for the days that it does not run any more.

use super::mails;
use super::overdue::Overdue;
use super::owed::owes;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::invoice::CreditCause;
use crate::domain::invoice::v2::Content;
use crate::domain::membership::{EndedReason, MembershipState, rest_cents};
use crate::domain::money::Money;
use crate::error::Result;
use crate::repository::invoices::{self, Invoice};
use crate::repository::{DbConn, events, memberships};
use crate::texts::{Subject, context, render};
use crate::workflows::Context;
use crate::workflows::credit_notes::{self, Credit};

/// What the invoice bought is over: its membership ends, unpaid. Nothing is looked at again.
pub(super) fn end(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    overdue: &mut Overdue,
) -> Result<bool> {
    let Some(membership) = overdue.membership.as_mut() else {
        return Ok(false);
    };
    membership.status = MembershipState::Ended;
    membership.ended_at = Some(context.now);
    (membership.standing, membership.suspended_at) = (None, None);
    membership.ended_reason = Some(EndedReason::Unpaid);
    memberships::store(conn, membership)?;
    let event = Event::MembershipEnded {
        account_id: membership.account_id,
        membership_id: membership.id,
        ends_date: membership.ends_date,
        reason: EndedReason::Unpaid,
    };
    let membership = membership.id;
    events::record(conn, stamp, &[event])?;
    for invoice in invoices::of_membership(conn, membership)? {
        credit_rest(conn, context, stamp, (overdue, &invoice))?;
    }
    let owes = owes(conn, context, overdue.account.id)?;
    mails::ended_unpaid(conn, context, (overdue, owes))?;
    Ok(false)
}

/// Credits what an invoice charges for the days after today.
fn credit_rest(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (overdue, invoice): (&Overdue, &Invoice),
) -> Result<()> {
    let said = invoice.said()?;
    let left = credit_notes::left(conn, invoice)?;
    let net = rest(&said, overdue).min(left.net);
    if net <= 0 {
        return Ok(());
    }
    let values = context! { ended => overdue.today.to_string() };
    let wanted = Credit {
        net: Some(Money::new(net, invoice.currency)),
        cause: CreditCause::EndedUnpaid,
        note: render(Subject::Invoices, "ended_unpaid", said.language, values)?,
        reissue: false,
    };
    let of = (&overdue.account, invoice.id);
    let credited = credit_notes::credit_invoice(conn, context, stamp, of, &wanted)?;
    let freed = (&overdue.account, None);
    let left = credit_notes::place_freed(conn, context, stamp, freed, &credited)?;
    credit_notes::tell(
        conn,
        context,
        &overdue.account,
        (&credited, &wanted.note),
        left,
    )
}

/// What the days after today cost, without VAT.
fn rest(said: &Content, overdue: &Overdue) -> i64 {
    let lines = said.lines.iter().filter_map(|line| {
        let (starts, ends) = (line.starts?, line.ends?);
        Some(rest_cents(line.net_cents, starts, ends, overdue.today))
    });
    lines.sum()
}
