//! Pausing what is done about an invoice that is not paid. The steps themselves are in `domain/collection`.

use chrono::NaiveDate;

use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::invoice::{InvoiceId, InvoiceKind, issued};
use crate::error::{Code, Fault, FaultCode, Partial, Result};
use crate::repository::invoices::{self, Invoice};
use crate::repository::{DbConn, accounts, events, invoice_collection, sessions};
use crate::workflows::Context;

/// Until when nothing is collected, and why; each is nothing where it could not be read.
#[derive(Debug, Clone)]
pub struct WantedPause {
    /// No day goes on at once.
    pub until: Option<Option<NaiveDate>>,
    pub reason: Option<String>,
}

/// Pauses collecting an invoice, or goes on; the invoice as it stands then. The same again changes nothing.
pub fn pause(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: InvoiceId,
    wanted: Partial<WantedPause>,
) -> Result<Invoice> {
    let (today, _) = issued(context.now, context.programme.seller.zone);
    let (until, reason) = judged(wanted, today)?;
    let account = accounts::lock(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let mut invoice = invoices::lock(conn, &account, id)?;
    if invoice.kind != InvoiceKind::Invoice {
        return Err(Code::NotFound.into());
    }
    if invoice.paused_until == until {
        return Ok(invoice.into_row());
    }
    invoice_collection::store_paused(conn, &mut invoice, until)?;
    let (account_id, invoice_id) = (account.id, invoice.id);
    let number = invoice.number.clone();
    let told = match until {
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
    let stamp = access.stamp(context.now).because(reason);
    events::record(conn, &stamp, &[told])?;
    Ok(invoice.into_row())
}

/// The day, which is after today, and why; else all that is wrong with what was sent.
fn judged(wanted: Partial<WantedPause>, today: NaiveDate) -> Result<(Option<NaiveDate>, String)> {
    let Partial { read, mut faults } = wanted;
    if read.until.flatten().is_some_and(|until| until <= today) {
        let tomorrow = today.succ_opt().unwrap_or(today);
        let fault = Fault::new("#/paused_until", FaultCode::TooSmall);
        faults.push(fault.with("min", tomorrow));
    }
    faults.judge(read.until.zip(read.reason))
}
