//! Lines that are refunds: money out that pays one, and money that came back of one. Whether a line is one is decided in `domain/bank`.

use std::collections::BTreeMap;

use super::clues::{self, Clues};
use super::matching::Desk;
use super::{placed, rows};
use crate::domain::account::AccountId;
use crate::domain::bank::{
    BankTransactionId, Decision, FoundRefund, References, TransactionState, references_in,
};
use crate::domain::event::Event;
use crate::domain::money::Money;
use crate::domain::payment::{RefundId, refund_reference};
use crate::error::{Error, Result};
use crate::repository::bank_transactions::{self as lines, BankTransaction};
use crate::repository::refunds::{self, Owned};
use crate::repository::{DbConn, Held};
use crate::types::Json;
use crate::workflows::refunds as back;

/// Refunds with whose they are, by their ids.
pub(super) type Refunds = BTreeMap<RefundId, Owned>;

/// The refunds that there are of these.
pub(super) fn find(conn: &mut DbConn, ids: &[RefundId]) -> Result<Refunds> {
    let found = match ids.is_empty() {
        true => Vec::new(),
        false => refunds::by_bank(conn, ids)?,
    };
    Ok(found.into_iter().map(|one| (one.0.id, one)).collect())
}

/// Those of them that a line names.
fn named<'r>(refunds: &'r Refunds, references: &References) -> Vec<&'r Owned> {
    let asked = references.refunds.iter();
    asked.filter_map(|id| refunds.get(id)).collect()
}

/// What the references of a line lead to among these.
pub(super) fn found(refunds: &Refunds, references: &References) -> FoundRefund {
    let named = named(refunds, references);
    let facts: Vec<_> = named.iter().map(|(refund, _)| refund.facts()).collect();
    FoundRefund::of(&facts)
}

/// The references of those that a line names, as they are told.
pub(super) fn told(refunds: &Refunds, references: &References) -> Vec<String> {
    let named = named(refunds, references);
    let told = named.iter().map(|(refund, _)| refund_reference(refund.id));
    told.collect()
}

/// Notes that a line is the money of the refund that it names.
pub(super) fn pay(
    conn: &mut DbConn,
    desk: &mut Desk<'_>,
    row: &mut Held<BankTransaction>,
    (references, decision): (&References, &Decision),
) -> Result<()> {
    let (id, owner) = match named(&desk.refunds, references).as_slice() {
        [(refund, owner)] => (refund.id, *owner),
        _ => return Err(Error::Contended),
    };
    row.state = TransactionState::Matched;
    let clues = Clues::default().and_refunds(told(&desk.refunds, references));
    row.evidence = Json::of(&clues::told(decision, (row, &clues), &[]))?;
    lines::store(conn, row)?;
    let paid = (id, row.id, placed::received(desk.context, row));
    let account = desk.accounts.get(owner)?;
    back::shown_by_line(conn, desk.context, &desk.stamp, account, paid)?;
    desk.told.push(Event::BankTransactionMatched {
        bank_transaction_id: row.id,
        amount: Money::new(row.amount_cents.unwrap_or_default(), row.currency),
        payments: Vec::new(),
    });
    desk.refunds.extend(find(conn, &[id])?);
    Ok(())
}

/// The lines of money out by which the refunds were paid that a line names.
pub(super) fn paid_by(conn: &mut DbConn, row: &BankTransaction) -> Result<Vec<BankTransactionId>> {
    let references = references_in(&rows::line(row)?, None);
    let named = find(conn, &references.refunds)?;
    let lines = named
        .values()
        .filter_map(|(one, _)| one.bank_transaction_id);
    Ok(lines.collect())
}

/// Whose refund a line of money out paid.
pub(super) fn owner(conn: &mut DbConn, line: BankTransactionId) -> Result<Option<AccountId>> {
    let paid = refunds::of_line(conn, line)?;
    Ok(paid.map(|(_, owner)| owner))
}

/// The bank took a line back: where a refund was paid by it, that came back. Whether one was.
pub(super) fn take_back(
    conn: &mut DbConn,
    desk: &mut Desk<'_>,
    line: BankTransactionId,
) -> Result<bool> {
    let Some((refund, owner)) = refunds::of_line(conn, line)? else {
        return Ok(false);
    };
    let account = desk.accounts.get(owner)?;
    let reason = line.to_string();
    let stamp = desk.stamp.clone().because(&reason);
    back::came_back(conn, desk.context, &stamp, account, refund.id)?;
    desk.refunds.extend(find(conn, &[refund.id])?);
    Ok(true)
}
