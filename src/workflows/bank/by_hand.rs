//! What finance decides on: lines that wait for somebody.

use std::collections::BTreeMap;

use super::placed::{self, Accounts};
use super::wanted::{Match, Placing, WantedMatch, check_amounts, judged};
use crate::domain::access::StaffAccess;
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::bank::{BankTransactionId, TransactionState};
use crate::domain::event::Event;
use crate::domain::invoice::{InvoiceId, PaymentId};
use crate::domain::money::Money;
use crate::error::{Code, Partial, Result};
use crate::repository::bank_lookups::{self as lookups, Payable};
use crate::repository::bank_transactions::{self as lines, BankTransaction};
use crate::repository::{DbConn, Held, events, payments};
use crate::workflows::settlement::{self, Origin, Received, Source};
use crate::workflows::{Context, refunds};

/// Makes payments of a line and places them on invoices, of one account or of several.
pub fn match_by_hand(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    (id, wanted): (BankTransactionId, Partial<WantedMatch>),
) -> Result<BankTransaction> {
    let ids = wanted.read.invoices();
    let named = lookups::payable(conn, &ids)?;
    let concerned = named.iter().map(|invoice| invoice.account_id);
    let accounts = Accounts::hold(conn, concerned.chain(wanted.read.account).collect())?;
    let invoices = lookups::payable(conn, &ids)?;
    let invoices: BTreeMap<InvoiceId, Payable> =
        invoices.into_iter().map(|one| (one.id, one)).collect();
    let new = judged(wanted, &accounts, &invoices)?;
    let mut line = lines::lock(conn, id)?;
    let cents = check_amounts(conn, (&line, &new), &invoices)?;
    let stamp = staff.stamp(context.now);
    let stamp = match &new.reason {
        Some(reason) => stamp.because(reason),
        None => stamp,
    };
    let mut made = Vec::new();
    for share in shares(&new, &invoices, cents) {
        made.push(make(conn, context, &stamp, (&accounts, &line), share)?);
    }
    line.state = TransactionState::Matched;
    line.reason = new.reason;
    lines::store(conn, &mut line)?;
    let matched = Event::BankTransactionMatched {
        bank_transaction_id: id,
        amount: Money::new(cents, line.currency),
        payments: made,
    };
    events::record(conn, &stamp, &[matched])?;
    Ok(line.into_row())
}

/// Makes the payment of one account of a line, and places it; its id.
fn make(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (accounts, line): (&Accounts, &BankTransaction),
    (owner, share): (AccountId, Share),
) -> Result<PaymentId> {
    let account = accounts.get(owner)?;
    let received = Received {
        origin: Origin::Line(line.id),
        amount_cents: share.cents,
        currency: line.currency,
        date: placed::received(context, line),
    };
    let payment = settlement::receive(conn, stamp, account, received)?;
    for one in share.placings {
        let placing = (one.invoice, Source::Received(&payment), one.amount.cents);
        settlement::place(conn, context, stamp, account, placing)?;
    }
    Ok(payment.id)
}

/// What one account gets of a line.
#[derive(Default)]
struct Share {
    cents: i64,
    placings: Vec<Placing>,
}

/// What each account gets: what is placed on its invoices, and the rest where it is the one that is named.
fn shares(
    new: &Match,
    invoices: &BTreeMap<InvoiceId, Payable>,
    cents: i64,
) -> BTreeMap<AccountId, Share> {
    let mut shares: BTreeMap<AccountId, Share> = BTreeMap::new();
    let mut left = cents;
    for one in &new.placings {
        if let Some(invoice) = invoices.get(&one.invoice) {
            let share = shares.entry(invoice.account_id).or_default();
            share.cents += one.amount.cents;
            share.placings.push(*one);
            left -= one.amount.cents;
        }
    }
    if let Some(account) = new.account.filter(|_| left > 0) {
        shares.entry(account).or_default().cents += left;
    }
    shares
}

/// Takes all back that was made of a line: it waits again.
pub fn take_match_back(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    (id, reason): (BankTransactionId, &str),
) -> Result<BankTransaction> {
    let concerned = placed::accounts_of(conn, id)?;
    let accounts = Accounts::hold(conn, concerned)?;
    let mut line = lines::lock(conn, id)?;
    if line.state != TransactionState::Matched {
        return Err(Code::TransactionNotOpen.into());
    }
    let stamp = staff.stamp(context.now).because(reason);
    let freed = placed::free(conn, context, &stamp, (&accounts, id))?;
    let mut taken: Vec<PaymentId> = Vec::new();
    for payment in freed {
        payments::take_back(conn, payment.id, context.now)?;
        refunds::nothing_left(conn, &stamp, payment.id)?;
        taken.push(payment.id);
    }
    line.reason = Some(reason.to_owned());
    let unmatched = Event::BankTransactionUnmatched {
        bank_transaction_id: id,
        payments: taken,
    };
    change(conn, &stamp, line, (TransactionState::Open, unmatched))
}

/// Puts a line aside that is for no invoice.
pub fn dismiss(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    (id, reason): (BankTransactionId, &str),
) -> Result<BankTransaction> {
    let mut line = lines::lock(conn, id)?;
    if line.state != TransactionState::Open {
        return Err(Code::TransactionNotOpen.into());
    }
    line.reason = Some(reason.to_owned());
    let dismissed = Event::BankTransactionDismissed {
        bank_transaction_id: id,
        state: TransactionState::Ignored,
    };
    let stamp = staff.stamp(context.now).because(reason);
    change(conn, &stamp, line, (TransactionState::Ignored, dismissed))
}

/// Has a line wait again that was put aside.
pub fn bring_back(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    id: BankTransactionId,
) -> Result<BankTransaction> {
    let line = lines::lock(conn, id)?;
    if line.state != TransactionState::Ignored {
        return Err(Code::TransactionNotOpen.into());
    }
    let back = Event::BankTransactionBroughtBack {
        bank_transaction_id: id,
        state: TransactionState::Open,
    };
    let stamp = staff.stamp(context.now);
    change(conn, &stamp, line, (TransactionState::Open, back))
}

fn change(
    conn: &mut DbConn,
    stamp: &Stamp,
    mut line: Held<BankTransaction>,
    (state, told): (TransactionState, Event),
) -> Result<BankTransaction> {
    line.state = state;
    lines::store(conn, &mut line)?;
    events::record(conn, stamp, &[told])?;
    Ok(line.into_row())
}
