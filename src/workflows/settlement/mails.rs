//! What is mailed once an invoice is paid, and where what had paid it went back.

use serde_json::{Value, json};

use crate::domain::mail::Template;
use crate::domain::money::Amount;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::accounts::Account;
use crate::repository::invoices::Invoice;
use crate::repository::payments::{self, Payment};
use crate::workflows::invoice_email::recipient;
use crate::workflows::mail::send;
use crate::workflows::{Context, collection};

/// An invoice is paid: which payments did it, in parts or whole. Nothing where no money was in it.
pub(super) fn received(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    invoice: &Invoice,
) -> Result<()> {
    let paid = payments::of_invoice(conn, invoice.id)?;
    if paid.is_empty() {
        return Ok(());
    }
    let values = json!({
        "invoice_number": invoice.number,
        "currency": invoice.currency,
        "payments": paid.iter().map(line).collect::<Vec<Value>>(),
        "action_url": context.links.page(&format!("invoices/{}", invoice.id)),
    });
    let to = recipient(conn, account)?;
    send(conn, context, &to, Template::PaymentReceived, values)
}

/// What of a payment is on the invoice, and the whole of it where that is more.
fn line((payment, cents): &(Payment, i64)) -> Value {
    let whole = Some(payment.amount_cents).filter(|whole| whole != cents);
    json!({
        "date": payment.received_date,
        "amount": Amount(*cents),
        "whole": whole.map(Amount),
    })
}

/// An invoice that was paid is open again: how much of it, and where to pay it.
pub(super) fn reversed(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    invoice: &Invoice,
) -> Result<()> {
    let values = collection::payable_values(context, invoice)?;
    let to = recipient(conn, account)?;
    send(conn, context, &to, Template::PaymentReversed, values)
}
