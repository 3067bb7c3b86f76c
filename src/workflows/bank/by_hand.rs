//! What finance decides on: lines that wait for somebody.

use std::collections::BTreeMap;

use super::placed::{self, Accounts};
use crate::domain::access::StaffAccess;
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::bank::{BankTransactionId, StatementState, TransactionState};
use crate::domain::event::Event;
use crate::domain::invoice::{InvoiceId, PaymentId};
use crate::domain::money::Money;
use crate::error::{Code, Error, Fault, FaultCode, Result};
use crate::repository::bank_lookups::{self as lookups, Payable};
use crate::repository::bank_statements as statements;
use crate::repository::bank_transactions::{self as lines, BankTransaction};
use crate::repository::{DbConn, Held, events, payments};
use crate::workflows::settlement::{self, Origin, Received, Source};
use crate::workflows::{Context, refunds};

/// So much of a line is for this invoice.
#[derive(Debug, Clone, Copy)]
pub struct Placing {
    pub invoice: InvoiceId,
    pub amount: Money,
}

/// Whose a line is.
#[derive(Debug, Clone, Default)]
pub struct NewMatch {
    pub placings: Vec<Placing>,
    /// Whose the rest is; that of nobody where there is none.
    pub account: Option<AccountId>,
    pub reason: Option<String>,
}

/// Makes payments of a line and places them on invoices, of one account or of several.
pub fn match_by_hand(
    conn: &mut DbConn,
    context: &Context,
    staff: &StaffAccess,
    (id, new): (BankTransactionId, &NewMatch),
) -> Result<BankTransaction> {
    let ids: Vec<InvoiceId> = new.placings.iter().map(|one| one.invoice).collect();
    let named = lookups::payable(conn, &ids)?;
    let concerned = named.iter().map(|invoice| invoice.account_id);
    let accounts = Accounts::hold(conn, concerned.chain(new.account).collect())?;
    let invoices = lookups::payable(conn, &ids)?;
    let invoices: BTreeMap<InvoiceId, Payable> =
        invoices.into_iter().map(|one| (one.id, one)).collect();
    check_named(new, &accounts, &invoices)?;
    let mut line = lines::lock(conn, id)?;
    let cents = check_amounts(conn, (&line, new), &invoices)?;
    let stamp = staff.stamp(context.now);
    let stamp = match &new.reason {
        Some(reason) => stamp.because(reason),
        None => stamp,
    };
    let mut made = Vec::new();
    for share in shares(new, &invoices, cents) {
        made.push(make(conn, context, &stamp, (&accounts, &line), share)?);
    }
    line.state = TransactionState::Matched;
    line.reason = new.reason.clone();
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

/// Refuses a match that names what is not there, the same invoice twice, or nothing at all.
fn check_named(
    new: &NewMatch,
    accounts: &Accounts,
    invoices: &BTreeMap<InvoiceId, Payable>,
) -> Result<()> {
    let mut faults = Vec::new();
    for (at, one) in new.placings.iter().enumerate() {
        let fault = |field: &str, code| Fault::new(format!("#/allocations/{at}/{field}"), code);
        let before = new.placings.iter().take(at);
        if before.into_iter().any(|other| other.invoice == one.invoice) {
            faults.push(fault("invoice_id", FaultCode::NotUnique));
        }
        if !invoices.contains_key(&one.invoice) {
            faults.push(fault("invoice_id", FaultCode::ReferenceUnknown));
        }
        if one.amount.cents <= 0 {
            faults.push(fault("amount", FaultCode::TooSmall).with("min", "0.01"));
        }
    }
    match new.account {
        None if new.placings.is_empty() => {
            faults.push(Fault::new("#/allocations", FaultCode::Required));
        }
        Some(account) if !accounts.has(account) => {
            faults.push(Fault::new("#/account_id", FaultCode::ReferenceUnknown));
        }
        _ => {}
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Error::invalid(faults)),
    }
}

/// The cents of a line that waits, where a match fits it and what its invoices have open.
fn check_amounts(
    conn: &mut DbConn,
    (line, new): (&BankTransaction, &NewMatch),
    invoices: &BTreeMap<InvoiceId, Payable>,
) -> Result<i64> {
    let statement = statements::find(conn, line.statement_id)?;
    let is_ours = !matches!(
        statement.state,
        StatementState::Foreign | StatementState::Receiving
    );
    let cents = line.amount_cents.filter(|cents| *cents > 0);
    let waits = line.state == TransactionState::Open && is_ours;
    let cents = cents.filter(|_| waits).ok_or(Code::TransactionNotOpen)?;
    let mut left = i128::from(cents);
    for one in &new.placings {
        left -= i128::from(one.amount.cents);
        let Some(invoice) = invoices.get(&one.invoice) else {
            continue;
        };
        if one.amount.currency != line.currency || invoice.currency != line.currency {
            return Err(Code::CurrencyMismatch.into());
        }
        if one.amount.cents > invoice.open_cents {
            return Err(Code::AmountExceedsInvoice.into());
        }
    }
    match left < 0 {
        true => Err(Code::AmountExceedsTransaction.into()),
        false => Ok(cents),
    }
}

/// What one account gets of a line.
#[derive(Default)]
struct Share {
    cents: i64,
    placings: Vec<Placing>,
}

/// What each account gets: what is placed on its invoices, and the rest where it is the one that is named.
fn shares(
    new: &NewMatch,
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
