//! Reversals: a later line takes an earlier one back, and what was paid with it is owed again.

use super::matching::Desk;
use super::{placed, refunding, rows};
use crate::domain::account::AccountId;
use crate::domain::bank::{
    BankEvidence, BankTransactionId, Clue, Known, TransactionState, may_take_back,
};
use crate::domain::event::Event;
use crate::domain::invoice::PaymentId;
use crate::error::Result;
use crate::repository::bank_lookups as lookups;
use crate::repository::bank_transactions::{self as lines, BankTransaction};
use crate::repository::{DbConn, Held, payments};
use crate::types::Json;
use crate::workflows::{Context, refunds};

/// The most payments of a line.
const MOST: i64 = 1000;

/// The earlier lines that a reversal may take back: those of its amount with its reference, and those by which the refunds that it names were paid.
fn earlier_of(
    conn: &mut DbConn,
    context: &Context,
    row: &BankTransaction,
) -> Result<Vec<BankTransactionId>> {
    let Some(cents) = row.amount_cents.and_then(i64::checked_neg) else {
        return Ok(Vec::new());
    };
    let (line, creditor) = (rows::line(row)?, creditor(context));
    let paid = refunding::paid_by(conn, row)?;
    let mut found = Vec::new();
    for earlier in lookups::standing(conn, &row.account, cents)? {
        let is_it = may_take_back(&line, &rows::line(&earlier)?, creditor);
        if is_it || paid.contains(&earlier.id) {
            found.push(earlier.id);
        }
    }
    found.sort();
    Ok(found)
}

fn creditor(context: &Context) -> Option<&str> {
    context.programme.seller.fi_creditor.as_deref()
}

/// The accounts of the money that a reversal may take back.
pub fn concerned(
    conn: &mut DbConn,
    context: &Context,
    row: &BankTransaction,
) -> Result<Vec<AccountId>> {
    let mut accounts = Vec::new();
    for earlier in earlier_of(conn, context, row)? {
        accounts.extend(placed::accounts_of(conn, earlier)?);
        accounts.extend(refunding::owner(conn, earlier)?);
    }
    Ok(accounts)
}

/// The earlier lines that a reversal may take back, held. One that was taken back before is none, although its payment stays on record.
fn hold_earlier(
    conn: &mut DbConn,
    context: &Context,
    row: &BankTransaction,
) -> Result<Vec<Held<BankTransaction>>> {
    let ids = earlier_of(conn, context, row)?;
    let mut held = lines::lock_many(conn, &ids)?;
    let stands = [TransactionState::Open, TransactionState::Matched];
    held.retain(|earlier| stands.contains(&earlier.state));
    Ok(held)
}

/// Takes back the one earlier line that a reversal is of; whether the reversal is over. One whose money went back by another way waits for somebody.
pub(super) fn take_back(
    conn: &mut DbConn,
    desk: &mut Desk<'_>,
    row: &mut Held<BankTransaction>,
) -> Result<bool> {
    let mut held = hold_earlier(conn, desk.context, row)?;
    let (Some(mut earlier), None) = (held.pop(), held.pop()) else {
        return Ok(false);
    };
    let id = earlier.id;
    let clue = Clue {
        code: BankEvidence::ReversalOf,
        value: Some(id.to_string()),
    };
    row.evidence = Json::of(&Known::new(vec![clue], Vec::new()))?;
    let made = payments::of_line(conn, id, MOST)?;
    let ids: Vec<PaymentId> = made.iter().map(|payment| payment.id).collect();
    if payments::are_refunded(conn, &ids)? {
        lines::store(conn, row)?;
        return Ok(true);
    }
    send_back(conn, desk, id)?;
    for one in [&mut earlier, row] {
        one.state = TransactionState::Reversed;
        lines::store(conn, one)?;
    }
    desk.taken_back.push(id);
    desk.told.push(Event::BankTransactionReversed {
        bank_transaction_id: id,
        reversal_id: row.id,
    });
    Ok(true)
}

/// What the payments of a line settled is owed again, and the bank has their money; or what it paid out is back.
fn send_back(conn: &mut DbConn, desk: &mut Desk<'_>, line: BankTransactionId) -> Result<()> {
    if refunding::take_back(conn, desk, line)? {
        return Ok(());
    }
    let reason = line.to_string();
    let place = (&desk.accounts, line);
    let stamp = desk.stamp.clone().because(&reason);
    for payment in placed::free(conn, desk.context, &stamp, place)? {
        refunds::reversed(conn, &stamp, &payment, &reason)?;
    }
    Ok(())
}
