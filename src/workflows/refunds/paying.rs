//! Refunds that were paid at the bank, as somebody says or a line of a statement shows, and one that came back. Asking for them is in the module above.

use chrono::NaiveDate;
use serde_json::json;

use super::happened;
use crate::domain::access::StaffAccess;
use crate::domain::actor::Stamp;
use crate::domain::bank::BankTransactionId;
use crate::domain::calendar::local_date;
use crate::domain::mail::Template;
use crate::domain::money::Amount;
use crate::domain::payment::{RefundId, RefundState, account_end, refund_reference};
use crate::domain::work_item::WorkItemKind;
use crate::error::{Code, Fault, FaultCode, Partial, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::refunds::{self, Owned, Refund};
use crate::repository::work_items::WorkItem;
use crate::repository::{DbConn, Held, events, payments, sessions};
use crate::workflows::invoice_email::recipient;
use crate::workflows::mail::send;
use crate::workflows::{Context, work_items};

/// Says on which day somebody paid a refund at the bank. Saying the same again changes nothing.
pub fn pay_out(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    id: RefundId,
    paid_date: Partial<Option<NaiveDate>>,
) -> Result<Owned> {
    let paid_date = judged(context, paid_date)?;
    let owner = refunds::account_of(conn, id)?;
    let account = accounts::lock_many(conn, &[owner])?.pop();
    let account = account.ok_or(Code::NotFound)?;
    sessions::confirm(conn, staff.actor())?;
    let mut refund = refunds::lock(conn, &account, id)?;
    match refund.state {
        RefundState::ToPay => {}
        RefundState::Succeeded if refund.paid_date == Some(paid_date) => {
            return Ok((refund.into_row(), account.id));
        }
        _ => return Err(Code::RefundNotToPay.into()),
    }
    let stamp = staff.stamp(context.now);
    paid(conn, context, &stamp, (&account, &mut refund), paid_date)?;
    Ok((refund.into_row(), account.id))
}

/// The day, where it is no later one than today; else all that is wrong with what was sent.
fn judged(context: &Context, paid_date: Partial<Option<NaiveDate>>) -> Result<NaiveDate> {
    let Partial { read, mut faults } = paid_date;
    let today = local_date(context.now, context.programme.seller.zone);
    if read.is_some_and(|day| day > today) {
        faults.push(Fault::new("#/paid_date", FaultCode::DateInFuture));
    }
    faults.judge(read)
}

/// Notes that a line of money out is a refund of a held account; paid on that day, where nobody said so before.
pub fn shown_by_line(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    account: &Held<Account>,
    (id, line, date): (RefundId, BankTransactionId, NaiveDate),
) -> Result<()> {
    let mut refund = refunds::lock(conn, account, id)?;
    refund.bank_transaction_id = Some(line);
    match refund.state {
        RefundState::ToPay => paid(conn, context, stamp, (account, &mut refund), date),
        _ => refunds::store(conn, &mut refund),
    }
}

/// Notes that a refund of a held account came back from the bank: its cents are open again, and finance has to look.
pub fn came_back(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    account: &Held<Account>,
    id: RefundId,
) -> Result<()> {
    let mut refund = refunds::lock(conn, account, id)?;
    refund.state = RefundState::Failed;
    refunds::store(conn, &mut refund)?;
    let payment = payments::lock(conn, account, refund.payment_id)?;
    let mut told = vec![happened(&refund, &payment)];
    let item = WorkItem {
        account_id: Some(account.id),
        ..work_items::matter(context, WorkItemKind::RefundFailed, payment.id)
    };
    told.extend(work_items::open(conn, &[item])?);
    events::record(conn, stamp, &told)
}

/// Notes that a refund was paid on a day, and mails it.
fn paid(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (account, refund): (&Held<Account>, &mut Held<Refund>),
    paid_date: NaiveDate,
) -> Result<()> {
    refund.state = RefundState::Succeeded;
    refund.paid_date = Some(paid_date);
    refunds::store(conn, refund)?;
    let payment = payments::lock(conn, account, refund.payment_id)?;
    events::record(conn, stamp, &[happened(refund, &payment)])?;
    tell(conn, context, account, refund)
}

fn tell(conn: &mut DbConn, context: &Context, account: &Account, refund: &Refund) -> Result<()> {
    let values = json!({
        "refunded": Amount(refund.amount_cents),
        "currency": refund.currency,
        "paid_date": refund.paid_date,
        "account_end": refund.payee_account.as_deref().map(account_end),
        "refund_reference": refund_reference(refund.id),
    });
    let to = recipient(conn, account)?;
    send(conn, context, &to, Template::RefundPaid, values)
}
