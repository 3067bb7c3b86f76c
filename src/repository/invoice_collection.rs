//! Invoices at rest as they are collected: which are overdue, and until when one is let be.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::accounts::Account;
use super::invoices::Invoice;
use super::schema::invoices;
use super::{DbConn, Held};
use crate::domain::invoice::{InvoiceKind, InvoiceStatus};
use crate::domain::money::Currency;
use crate::error::{Error, Result};

/// Stores until when a held invoice is not collected, as its next version.
pub fn store_paused(
    conn: &mut DbConn,
    invoice: &mut Held<Invoice>,
    paused_until: Option<NaiveDate>,
) -> Result<()> {
    let seen = invoices::table
        .find(invoice.id)
        .filter(invoices::version.eq(invoice.version));
    invoice.version += 1;
    invoice.paused_until = paused_until;
    let stored = diesel::update(seen).set((
        invoices::version.eq(invoice.version),
        invoices::paused_until.eq(paused_until),
    ));
    match stored.execute(conn)? {
        0 => Err(Error::Contended),
        _ => Ok(()),
    }
}

/// The invoices of a held account in a currency that should have been paid before `today`, longest first.
pub fn overdue(
    conn: &mut DbConn,
    account: &Held<Account>,
    (currency, today): (Currency, NaiveDate),
) -> Result<Vec<Invoice>> {
    let overdue = invoices::table
        .filter(invoices::account_id.eq(account.id))
        .filter(invoices::kind.eq(InvoiceKind::Invoice))
        .filter(invoices::status.eq(InvoiceStatus::Open))
        .filter(invoices::currency.eq(currency))
        .filter(invoices::collect_from.lt(today));
    let oldest = overdue.order((invoices::collect_from, invoices::id));
    Ok(oldest.select(Invoice::as_select()).load(conn)?)
}
