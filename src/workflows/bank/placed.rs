//! What was placed of a line: the accounts that have to be held for it, and taking all of it back.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::bank::BankTransactionId;
use crate::domain::calendar::local_date;
use crate::domain::invoice::{InvoiceId, PaymentId};
use crate::error::{Code, Error, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::allocations::{self, Allocation};
use crate::repository::bank_transactions::BankTransaction;
use crate::repository::payments::{self, Payment};
use crate::repository::{DbConn, Held, refunds};
use crate::workflows::collection::Sold;
use crate::workflows::{Context, settlement};

/// The most payments of a line, and the most that was ever placed of one or on an invoice.
const MOST: i64 = 10_000;

/// Accounts that are held.
pub struct Accounts(BTreeMap<AccountId, Held<Account>>);

impl Accounts {
    /// Holds these.
    pub fn hold(conn: &mut DbConn, mut ids: Vec<AccountId>) -> Result<Self> {
        ids.sort();
        ids.dedup();
        let held = match ids.is_empty() {
            true => Vec::new(),
            false => accounts::lock_many(conn, &ids)?,
        };
        Ok(Self(held.into_iter().map(|one| (one.id, one)).collect()))
    }

    /// One of them; where it is not held, somebody was faster than who looked for it.
    pub fn get(&self, id: AccountId) -> Result<&Held<Account>> {
        self.0.get(&id).ok_or(Error::Contended)
    }

    /// Whether it is one of them.
    pub fn has(&self, id: AccountId) -> bool {
        self.0.contains_key(&id)
    }
}

/// The day on which the money of a line came.
pub fn received(context: &Context, row: &BankTransaction) -> NaiveDate {
    let said = row.booking_date.or(row.value_date);
    said.unwrap_or_else(|| local_date(context.now, context.programme.seller.zone))
}

/// Why the rest of an invoice was written off: its payment was short by no more than the programme lets pass.
pub fn short_of(line: BankTransactionId) -> String {
    format!("{line}")
}

/// The accounts that the payments of a line are of.
pub fn accounts_of(conn: &mut DbConn, line: BankTransactionId) -> Result<Vec<AccountId>> {
    let made = payments::of_line(conn, line, MOST)?;
    Ok(made.iter().map(|payment| payment.account_id).collect())
}

/// Takes back what was placed of the payments of a line, and what was written off with it, for the reason of the stamp; the payments, which are open in
/// full then. Refused where money of them went back, and for a line by which it did.
pub fn free(
    conn: &mut DbConn,
    context: &Context,
    stamp: &Stamp,
    (accounts, line): (&Accounts, BankTransactionId),
) -> Result<Vec<Payment>> {
    let made = payments::of_line(conn, line, MOST)?;
    let ids: Vec<PaymentId> = made.iter().map(|payment| payment.id).collect();
    let paid = refunds::of_line(conn, line)?;
    if paid.is_some() || payments::are_refunded(conn, &ids)? {
        return Err(Code::PaymentRefunded.into());
    }
    let mut standing = Vec::new();
    for payment in &made {
        let account = accounts.get(payment.account_id)?;
        let placed = allocations::of_payment(conn, payment.id, MOST)?;
        let mut by_invoice: BTreeMap<InvoiceId, Vec<Allocation>> = BTreeMap::new();
        for allocation in allocations::standing(placed) {
            let of_invoice = by_invoice.entry(allocation.invoice_id).or_default();
            of_invoice.push(allocation);
        }
        standing.extend(by_invoice.into_iter().map(|of| (account, of)));
    }
    let ids: Vec<InvoiceId> = standing.iter().map(|(_, (invoice, _))| *invoice).collect();
    let sold = Sold::of(conn, context, &ids)?;
    for (account, (invoice, mut placed)) in standing {
        let zone = sold.zone(invoice)?;
        placed.extend(written_off_with(conn, invoice, line)?);
        settlement::take_back(conn, (context, zone), stamp, account, (invoice, &placed))?;
    }
    Ok(made)
}

/// What was written off of an invoice since the payment of this line was short.
fn written_off_with(
    conn: &mut DbConn,
    invoice: InvoiceId,
    line: BankTransactionId,
) -> Result<Vec<Allocation>> {
    let (placed, why) = (
        allocations::of_invoice(conn, invoice, MOST)?,
        short_of(line),
    );
    let is_of_line =
        |one: &Allocation| one.written_off && one.reason.as_deref() == Some(why.as_str());
    let standing = allocations::standing(placed);
    Ok(standing.into_iter().filter(is_of_line).collect())
}
