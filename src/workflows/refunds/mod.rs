//! Giving money back by bank: asked for by staff, listed, and paid by hand to the account that it came from. That it was paid is noted in `paying`.

mod paying;

pub use paying::{came_back, pay_out, shown_by_line};

use super::{Context, work_items};
use crate::domain::access::AccountAccess;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::invoice::PaymentId;
use crate::domain::money::{Amount, Money};
use crate::domain::payment::{
    RefundId, RefundKind, RefundState, Refundable, check_refund, refund_reference,
};
use crate::domain::work_item::WorkItemKind;
use crate::error::{Code, Fault, FaultCode, Partial, Result};
use crate::repository::payments::{self, Payment};
use crate::repository::refunds::{self, Owned, Refund};
use crate::repository::{DbConn, accounts, events, sessions};

/// What goes back of a payment, and why; each is nothing where it could not be read.
#[derive(Debug, Clone)]
pub struct WantedRefund {
    pub amount: Option<Money>,
    pub reason: Option<String>,
}

/// Has some of a payment go back: it is to be paid to the account that it came from, and to no other.
pub fn ask(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: PaymentId,
    wanted: Partial<WantedRefund>,
) -> Result<Owned> {
    let account = accounts::lock(conn, access)?;
    sessions::confirm(conn, access.actor())?;
    let payment = payments::lock(conn, &account, id)?;
    let (amount, reason) = judged(&payment, wanted)?;
    check(&payment, amount)?;
    let stamp = access.stamp(context.now).because(&reason);
    let refund = to_pay(conn, &stamp, &payment, (amount.cents, reason))?;
    refunds::insert(conn, &refund)?;
    events::record(conn, &stamp, &[happened(&refund, &payment)])?;
    if refund.amount_cents == payment.open_cents {
        nothing_left(conn, &stamp, payment.id)?;
    }
    Ok((refund, account.id))
}

/// A refund that somebody has to pay to the account that the payment came from: 409 `paying_account_unknown` where nobody knows it.
fn to_pay(
    conn: &mut DbConn,
    stamp: &Stamp,
    payment: &Payment,
    (amount_cents, reason): (i64, String),
) -> Result<Refund> {
    let (payee_name, payee_account) = payments::payer(conn, payment)?;
    if payee_account.is_none() {
        return Err(Code::PayingAccountUnknown.into());
    }
    let id = RefundId::new(stamp.now);
    Ok(Refund {
        id,
        payment_id: payment.id,
        version: 1,
        kind: RefundKind::BankTransfer,
        amount_cents,
        currency: payment.currency,
        state: RefundState::ToPay,
        reason,
        credit_note_id: None,
        provider_id: None,
        idempotency_key: refund_reference(id),
        payee_name,
        payee_account,
        paid_date: None,
        bank_transaction_id: None,
        actor: stamp.actor.to_string(),
        created_at: stamp.now,
    })
}

/// How much goes back, and why; else all that is wrong with what was sent, another currency than the payment's included.
fn judged(payment: &Payment, wanted: Partial<WantedRefund>) -> Result<(Money, String)> {
    let Partial { read, mut faults } = wanted;
    let other = read.amount.filter(|one| one.currency != payment.currency);
    if other.is_some() {
        let fault = Fault::new("#/amount/currency", FaultCode::NotAccepted);
        faults.push(fault.with("allowed", payment.currency.as_str()));
    }
    faults.judge(read.amount.zip(read.reason))
}

fn check(payment: &Payment, amount: Money) -> Result<()> {
    let refundable = Refundable {
        open_cents: payment.free_cents(),
        is_disputed: payment.disputed_at.is_some(),
    };
    check_refund(amount.cents, refundable).map_err(|code| {
        let currency = payment.currency.as_str();
        let open = format!("{} {currency}", Amount(payment.free_cents()));
        match code {
            Code::RefundExceedsPayment => code.with("open", open).into(),
            code => code.into(),
        }
    })
}

fn happened(refund: &Refund, payment: &Payment) -> Event {
    Event::PaymentRefunded {
        account_id: payment.account_id,
        payment_id: payment.id,
        refund_id: refund.id,
        state: refund.state,
        amount: Money::new(refund.amount_cents, refund.currency),
    }
}

/// Notes that the bank took a whole payment back of which nothing is placed any more, for a reason.
pub fn reversed(conn: &mut DbConn, stamp: &Stamp, payment: &Payment, reason: &str) -> Result<()> {
    let actor = stamp.actor.to_string();
    let refund_id = payments::reverse(conn, payment, (reason, &actor, stamp.now))?;
    let told = Event::PaymentRefunded {
        account_id: payment.account_id,
        payment_id: payment.id,
        refund_id,
        state: RefundState::Succeeded,
        amount: Money::new(payment.amount_cents, payment.currency),
    };
    events::record(conn, stamp, &[told])?;
    nothing_left(conn, stamp, payment.id)
}

/// Nothing of a payment is left over any more: what waited for it is done.
pub fn nothing_left(conn: &mut DbConn, stamp: &Stamp, payment: PaymentId) -> Result<()> {
    let subject = [payment.to_string()];
    for kind in [WorkItemKind::CreditLeft, WorkItemKind::RefundFailed] {
        let told = work_items::close(conn, stamp, kind, &subject)?;
        events::record(conn, stamp, &told)?;
    }
    Ok(())
}
