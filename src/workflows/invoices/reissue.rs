//! Issuing an invoice again in the place of one that was credited.

use super::{draw_up, issued, render_later};
use crate::domain::actor::Stamp;
use crate::domain::invoice::InvoiceId;
use crate::error::Result;
use crate::repository::accounts::Account;
use crate::repository::invoices::{self, Invoice};
use crate::repository::{DbConn, Held, events, purchases};
use crate::workflows::{Context, collection};

/// Issues an invoice of the same purchase in the place of one that was credited, with what the account says today. It is due no earlier. Where the one before,
/// as it stood, was overdue, this one is from the same day on, and the steps against it go on.
pub(in crate::workflows) fn reissue(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (account, old): (&Held<Account>, &Invoice),
) -> Result<Option<Invoice>> {
    let purchase = match old.purchase_id {
        Some(id) => purchases::find_by_id(conn, id)?,
        None => None,
    };
    let Some(purchase) = purchase else {
        return Ok(None);
    };
    let new = (InvoiceId::new(context.now), old.due_date);
    let Some(drawn) = draw_up(conn, context, account, &purchase, new)? else {
        return Ok(None);
    };
    let collect_from = match old.is_overdue(drawn.issued_date) {
        true => old.collect_from,
        false => old.collect_from.max(drawn.due_date),
    };
    let invoice = Invoice {
        issue_no: old.issue_no + 1,
        replaces_id: Some(old.id),
        collect_from,
        paused_until: old.paused_until,
        payment_method: old.payment_method,
        ..drawn
    };
    invoices::insert(conn, &invoice)?;
    render_later(conn, invoice.id, context.now)?;
    events::record(conn, stamp, issued(&invoice).as_slice())?;
    collection::watch(conn, context, &invoice)?;
    Ok(Some(invoice))
}
