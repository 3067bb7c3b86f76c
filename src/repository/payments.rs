//! Money that came, at rest. What of it is open is moved by the database, with each allocation and refund.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::accounts::Account;
use super::schema::{payments, refunds};
use super::{DbConn, Held, MultiBackend};
use crate::domain::account::AccountId;
use crate::domain::bank::BankTransactionId;
use crate::domain::charge::ChargeId;
use crate::domain::invoice::PaymentId;
use crate::domain::money::Currency;
use crate::domain::payment::{RefundId, RefundKind, RefundState};
use crate::error::{Error, Result};
use crate::types::Instant;

/// Money that came for an account: of one charge, or of a line of a bank statement.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = payments, check_for_backend(MultiBackend))]
pub struct Payment {
    pub id: PaymentId,
    pub account_id: AccountId,
    pub charge_id: Option<ChargeId>,
    pub bank_transaction_id: Option<BankTransactionId>,
    pub amount_cents: i64,
    /// Neither on an invoice nor given back.
    pub open_cents: i64,
    pub currency: Currency,
    pub received_date: NaiveDate,
    pub disputed_at: Option<Instant>,
    /// Since when it is not this account's after all.
    pub taken_back_at: Option<Instant>,
    /// Who booked it.
    pub actor: String,
    pub created_at: Instant,
}

/// Stores new money; the caller holds the account's lock.
pub fn insert(conn: &mut DbConn, payment: &Payment) -> Result<()> {
    diesel::insert_into(payments::table)
        .values(payment)
        .execute(conn)?;
    Ok(())
}

/// The money of a held account in a currency that is open, oldest first.
pub fn open(
    conn: &mut DbConn,
    account: &Held<Account>,
    currency: Currency,
    limit: i64,
) -> Result<Vec<Payment>> {
    let open = payments::table
        .filter(payments::account_id.eq(account.id))
        .filter(payments::currency.eq(currency))
        .filter(payments::open_cents.gt(0))
        .filter(payments::taken_back_at.is_null());
    Ok(open
        .order(payments::id)
        .limit(limit)
        .select(Payment::as_select())
        .load(conn)?)
}

/// The payments that were made of a line and not taken back.
pub fn of_line(conn: &mut DbConn, line: BankTransactionId, limit: i64) -> Result<Vec<Payment>> {
    let made = payments::table
        .filter(payments::bank_transaction_id.eq(line))
        .filter(payments::taken_back_at.is_null());
    Ok(made
        .order(payments::id)
        .limit(limit)
        .select(Payment::as_select())
        .load(conn)?)
}

/// Whether money of these payments went back, or is about to.
pub fn are_refunded(conn: &mut DbConn, ids: &[PaymentId]) -> Result<bool> {
    let refunded = refunds::table
        .filter(refunds::payment_id.eq_any(ids))
        .filter(refunds::state.ne(RefundState::Failed));
    Ok(diesel::select(diesel::dsl::exists(refunded)).get_result(conn)?)
}

/// Notes that the bank took a whole payment back, of which nothing is placed any more; the account is held.
pub fn reverse(
    conn: &mut DbConn,
    payment: &Payment,
    (reason, actor, now): (&str, &str, Instant),
) -> Result<()> {
    let id = RefundId::new(now);
    diesel::insert_into(refunds::table)
        .values((
            refunds::id.eq(id),
            refunds::payment_id.eq(payment.id),
            refunds::version.eq(1),
            refunds::kind.eq(RefundKind::BankReversal),
            refunds::amount_cents.eq(payment.amount_cents),
            refunds::currency.eq(payment.currency),
            refunds::state.eq(RefundState::Succeeded),
            refunds::reason.eq(reason),
            refunds::idempotency_key.eq(format!("cps-{id}")),
            refunds::actor.eq(actor),
            refunds::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Takes a payment of a line back, of which nothing is placed or given back any more; the account is held.
pub fn take_back(conn: &mut DbConn, id: PaymentId, now: Instant) -> Result<()> {
    let whole = payments::table
        .find(id)
        .filter(payments::open_cents.eq(payments::amount_cents))
        .filter(payments::taken_back_at.is_null());
    let taken = diesel::update(whole)
        .set(payments::taken_back_at.eq(now))
        .execute(conn)?;
    match taken {
        0 => Err(Error::Contended),
        _ => Ok(()),
    }
}
