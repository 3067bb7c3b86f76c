//! Settling invoices: money that came is booked, and cents are placed; taking them back is in `taking_back`. Which cents go where is decided in
//! `domain/allocation`; what is open is moved by the database.

mod mails;
mod taking_back;

use chrono::NaiveDate;

pub use self::taking_back::{Freed, free, take_back};
use super::{Context, collection, refunds};
use crate::domain::actor::Stamp;
use crate::domain::bank::BankTransactionId;
use crate::domain::charge::ChargeId;
use crate::domain::event::Event;
use crate::domain::invoice::{InvoiceId, InvoiceStatus, PaymentId};
use crate::domain::money::{Currency, Money};
use crate::domain::payment::AllocationId;
use crate::error::Result;
use crate::repository::accounts::Account;
use crate::repository::allocations::{self, Allocation};
use crate::repository::invoices::{self, Invoice};
use crate::repository::payments::{self, Payment};
use crate::repository::{DbConn, Held, events};

/// What brought money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A card was charged.
    Charge(ChargeId),
    /// A line of a bank statement.
    Line(BankTransactionId),
}

/// Money that came.
#[derive(Debug, Clone, Copy)]
pub struct Received {
    pub origin: Origin,
    pub amount_cents: i64,
    pub currency: Currency,
    /// The day on which the bank or the provider had it.
    pub date: NaiveDate,
}

/// Books money for a held account; all of it is open.
pub fn receive(
    conn: &mut DbConn,
    stamp: &Stamp,
    account: &Held<Account>,
    received: Received,
) -> Result<Payment> {
    let (charge_id, bank_transaction_id) = match received.origin {
        Origin::Charge(charge) => (Some(charge), None),
        Origin::Line(line) => (None, Some(line)),
    };
    let payment = Payment {
        id: PaymentId::new(stamp.now),
        account_id: account.id,
        charge_id,
        bank_transaction_id,
        amount_cents: received.amount_cents,
        open_cents: received.amount_cents,
        currency: received.currency,
        received_date: received.date,
        disputed_at: None,
        taken_back_at: None,
        actor: stamp.actor.to_string(),
        created_at: stamp.now,
    };
    payments::insert(conn, &payment)?;
    let event = Event::PaymentReceived {
        account_id: account.id,
        payment_id: payment.id,
        amount: Money::new(payment.amount_cents, payment.currency),
        received_date: payment.received_date,
    };
    events::record(conn, stamp, &[event])?;
    Ok(payment)
}

/// What settles cents of an invoice.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Money that has just come: nothing waits for what is left of it.
    Received(&'a Payment),
    /// Money that came before.
    Payment(&'a Payment),
    /// What was given back on paper; `credit` places it.
    CreditNote(&'a Invoice),
    /// Nobody pays them.
    WrittenOff,
}

/// So many cents of a source for an invoice.
pub type Placing<'a> = (InvoiceId, Source<'a>, i64);

/// Places cents on an invoice of a held account; no more than is open of either, or the database refuses. Whose invoice it is hears of it once money has paid
/// it. The invoice as it stands then.
pub fn place(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    account: &Held<Account>,
    placing: Placing<'_>,
) -> Result<Invoice> {
    let invoice = set_off(conn, context, stamp, account, placing)?;
    if invoice.status == InvoiceStatus::Paid {
        mails::received(conn, context, account, &invoice)?;
    }
    Ok(invoice)
}

/// The same for an invoice that is being issued: its own mail tells what is taken off it.
pub fn set_off(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    account: &Held<Account>,
    placing: Placing<'_>,
) -> Result<Invoice> {
    let invoice = put(conn, stamp, account, placing)?;
    if let Some(settled) = settled(&invoice) {
        events::record(conn, stamp, &[settled])?;
        // What is short of a payment that has just come is written off with it.
        let is_paid = matches!(placing.1, Source::Received(_) | Source::WrittenOff);
        collection::restore(conn, context, stamp, account, is_paid)?;
    }
    Ok(invoice)
}

/// Places a credit note whole on its invoice, which stood so before there was room for the note. Its own mail tells what it settles, and whoever credits says
/// what comes of the membership. The invoice as it stands then.
pub fn credit(
    conn: &mut DbConn,
    stamp: &Stamp,
    account: &Held<Account>,
    (before, note): (&Invoice, &Invoice),
) -> Result<Invoice> {
    let placing = (before.id, Source::CreditNote(note), note.gross_cents);
    let invoice = put(conn, stamp, account, placing)?;
    if invoice.status != before.status {
        events::record(conn, stamp, settled(&invoice).as_slice())?;
    }
    Ok(invoice)
}

fn put(
    conn: &mut DbConn,
    stamp: &Stamp,
    account: &Held<Account>,
    (invoice, source, cents): Placing<'_>,
) -> Result<Invoice> {
    let mut invoice = invoices::lock(conn, account, invoice)?;
    let (payment_id, credit_note_id) = match source {
        Source::Received(payment) | Source::Payment(payment) => (Some(payment.id), None),
        Source::CreditNote(note) => (None, Some(note.id)),
        Source::WrittenOff => (None, None),
    };
    let placed = Allocation {
        id: AllocationId::new(stamp.now),
        invoice_id: invoice.id,
        payment_id,
        credit_note_id,
        written_off: matches!(source, Source::WrittenOff),
        amount_cents: cents,
        reverses_id: None,
        reason: stamp.reason.clone(),
        actor: stamp.actor.to_string(),
        created_at: stamp.now,
    };
    allocations::insert(conn, &placed)?;
    let collect_from = invoice.collect_from;
    invoices::store_moved(conn, &mut invoice, collect_from)?;
    if let Source::Payment(payment) = source {
        used_up(conn, stamp, payment.id)?;
    }
    Ok(invoice.into_row())
}

/// Whatever waited for what is left of a payment is done, where nothing of it is left.
fn used_up(conn: &mut DbConn, stamp: &Stamp, payment: PaymentId) -> Result<()> {
    match payments::open_cents(conn, payment)? {
        0 => refunds::nothing_left(conn, stamp, payment),
        _ => Ok(()),
    }
}

/// What is told where nothing is open any more.
fn settled(invoice: &Invoice) -> Option<Event> {
    let (account_id, invoice_id) = (invoice.account_id, invoice.id);
    let number = invoice.number.clone();
    match invoice.status {
        InvoiceStatus::Open => None,
        InvoiceStatus::Paid => Some(Event::InvoicePaid {
            account_id,
            invoice_id,
            number,
        }),
        InvoiceStatus::Credited => Some(Event::InvoiceCredited {
            account_id,
            invoice_id,
            number,
        }),
    }
}
