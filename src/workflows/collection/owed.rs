//! What is overdue on the day that it is where its seller is, whatever the day of the programme. What is done about it is in the module above.

use super::sold::Sold;
use crate::domain::account::AccountId;
use crate::domain::calendar::{latest_day, local_date};
use crate::domain::invoice::InvoiceId;
use crate::domain::membership::{EndedReason, MembershipId};
use crate::error::Result;
use crate::repository::invoices::{self, Invoice};
use crate::repository::{DbConn, memberships};
use crate::workflows::Context;

/// Those of these invoices that are overdue where their sellers are, with what they were sold under.
pub fn where_sold(
    conn: &mut DbConn,
    context: &Context,
    found: Vec<Invoice>,
) -> Result<(Vec<Invoice>, Sold)> {
    let ids: Vec<InvoiceId> = found.iter().map(|invoice| invoice.id).collect();
    let sold = Sold::of(conn, context, &ids)?;
    let mut overdue = Vec::new();
    for invoice in found {
        let today = local_date(context.now, sold.zone(invoice.id)?);
        if invoice.is_overdue(today) {
            overdue.push(invoice);
        }
    }
    Ok((overdue, sold))
}

/// The invoices of a membership that are paid by transfer and overdue, with what they were sold under.
pub(super) fn of_membership(
    conn: &mut DbConn,
    context: &Context,
    membership: MembershipId,
) -> Result<(Vec<Invoice>, Sold)> {
    let found = invoices::overdue(conn, membership, latest_day(context.now))?;
    where_sold(conn, context, found)
}

/// Whether an account has an invoice that is paid by transfer and overdue, or one that is open from a membership that ended unpaid.
pub fn owes(conn: &mut DbConn, context: &Context, account: AccountId) -> Result<bool> {
    let unpaid = memberships::unpaid(conn, account, latest_day(context.now))?;
    let is_left = |reason: &Option<EndedReason>| *reason == Some(EndedReason::Unpaid);
    if unpaid.iter().any(|(_, reason)| is_left(reason)) {
        return Ok(true);
    }
    let found = unpaid.into_iter().map(|(invoice, _)| invoice).collect();
    Ok(!where_sold(conn, context, found)?.0.is_empty())
}
