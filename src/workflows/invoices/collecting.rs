//! Pausing what is done about an invoice that is not paid. The steps themselves are in `domain/collection`.

use chrono::NaiveDate;

use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::invoice::{InvoiceId, InvoiceKind, issued};
use crate::error::{Code, Fault, FaultCode, Result};
use crate::repository::invoices::{self, Invoice};
use crate::repository::{DbConn, accounts, events, invoice_collection, sessions};
use crate::workflows::Context;

/// Until when nothing is collected.
#[derive(Debug, Clone)]
pub struct Pause {
    /// None goes on at once.
    pub until: Option<NaiveDate>,
    pub reason: String,
}

/// Pauses collecting an invoice, or goes on; the invoice as it stands then. The same again changes nothing.
pub fn pause(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: InvoiceId,
    wanted: &Pause,
) -> Result<Invoice> {
    let (today, _) = issued(context.now, context.programme.seller.zone);
    check(wanted, today)?;
    let account = accounts::lock(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let mut invoice = invoices::lock(conn, &account, id)?;
    if invoice.kind != InvoiceKind::Invoice {
        return Err(Code::NotFound.into());
    }
    if invoice.paused_until == wanted.until {
        return Ok(invoice.into_row());
    }
    invoice_collection::store_paused(conn, &mut invoice, wanted.until)?;
    let (account_id, invoice_id) = (account.id, invoice.id);
    let number = invoice.number.clone();
    let told = match wanted.until {
        Some(paused_until) => Event::InvoiceCollectionPaused {
            account_id,
            invoice_id,
            number,
            paused_until,
        },
        None => Event::InvoiceCollectionResumed {
            account_id,
            invoice_id,
            number,
        },
    };
    let stamp = access.stamp(context.now).because(&wanted.reason);
    events::record(conn, &stamp, &[told])?;
    Ok(invoice.into_row())
}

fn check(wanted: &Pause, today: NaiveDate) -> Result<()> {
    match wanted.until.filter(|until| *until <= today) {
        None => Ok(()),
        Some(_) => {
            let tomorrow = today.succ_opt().unwrap_or(today);
            let fault = Fault::new("#/paused_until", FaultCode::TooSmall);
            Err(fault.with("min", tomorrow).into())
        }
    }
}
