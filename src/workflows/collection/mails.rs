//! What is mailed about overdue invoices. When it is mailed is decided in the module above.

use serde_json::{Value, json};

use super::overdue::Overdue;
use crate::domain::invoice::grouped;
use crate::domain::mail::Template;
use crate::domain::money::Amount;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::accounts::Account;
use crate::repository::invoices::Invoice;
use crate::repository::memberships::Membership;
use crate::workflows::Context;
use crate::workflows::invoice_email::recipient;
use crate::workflows::mail::send;
use crate::workflows::membership::level_name;

/// What every mail says of an invoice that is to be paid by transfer.
pub fn payable_values(context: &Context, invoice: &Invoice) -> Result<Value> {
    let payment = invoice.said()?.payment;
    let reference = payment.reference.as_deref().map(grouped);
    Ok(json!({
        "invoice_number": invoice.number,
        "open": Amount(invoice.open_cents),
        "currency": invoice.currency,
        "due_date": invoice.due_date,
        "iban": grouped(&payment.iban),
        "bic": payment.bic,
        "payment_reference": reference,
        "action_url": context.links.page(&format!("invoices/{}", invoice.id)),
    }))
}

fn with(mut values: Value, more: Value) -> Value {
    if let (Some(values), Value::Object(more)) = (values.as_object_mut(), more) {
        values.extend(more);
    }
    values
}

/// The reminder of that number.
pub(super) fn reminder(
    conn: &mut DbConn,
    context: &Context,
    overdue: &Overdue,
    nth: usize,
) -> Result<()> {
    let is_last = nth >= overdue.terms.overdue.reminder_days.len();
    let values = with(
        payable_values(context, &overdue.invoice)?,
        json!({
            "nth": nth,
            "is_last": is_last,
            "benefits_stop": overdue.membership.is_some(),
        }),
    );
    let to = recipient(conn, &overdue.account)?;
    send(conn, context, &to, Template::Reminder, values)
}

/// The benefits stopped.
pub(super) fn suspended(conn: &mut DbConn, context: &Context, overdue: &Overdue) -> Result<()> {
    let values = payable_values(context, &overdue.invoice)?;
    let to = recipient(conn, &overdue.account)?;
    send(conn, context, &to, Template::MembershipSuspended, values)
}

/// The membership ended since it was not paid; whether something is left to be paid before there can be another.
pub(super) fn ended_unpaid(
    conn: &mut DbConn,
    context: &Context,
    (overdue, owes): (&Overdue, bool),
) -> Result<()> {
    let values = with(
        payable_values(context, &overdue.invoice)?,
        json!({ "owes": owes }),
    );
    let to = recipient(conn, &overdue.account)?;
    send(conn, context, &to, Template::MembershipEndedUnpaid, values)
}

/// The benefits are back; whether since money came.
pub(super) fn restored(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    (membership, is_paid): (&Membership, bool),
) -> Result<()> {
    let values = json!({
        "is_paid": is_paid,
        "level": level_name(&context.programme.levels, &membership.level),
        "member_number": membership.member_number,
        "ends_date": membership.ends_date,
        "action_url": context.links.page("membership"),
    });
    let to = recipient(conn, account)?;
    send(conn, context, &to, Template::MembershipRestored, values)
}
