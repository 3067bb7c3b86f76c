//! Money that came, at rest. What of it is open is moved by the database, with each allocation and refund.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::accounts::Account;
use super::schema::{accounts, allocations, bank_transactions, payments, refunds};
use super::{DbConn, Held, MultiBackend};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::bank::BankTransactionId;
use crate::domain::charge::ChargeId;
use crate::domain::invoice::{InvoiceId, PaymentId, PaymentMethod};
use crate::domain::money::Currency;
use crate::domain::payment::{RefundId, RefundKind, RefundState};
use crate::error::{Code, Error, Result};
use crate::locked;
use crate::repository::invoice_search::Owner;
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

impl Payment {
    /// What of it can go somewhere: what is open, and nothing where it is another account's after all.
    pub fn free_cents(&self) -> i64 {
        match self.taken_back_at {
            Some(_) => 0,
            None => self.open_cents,
        }
    }

    /// How it was paid.
    pub fn method(&self) -> PaymentMethod {
        match self.charge_id {
            Some(_) => PaymentMethod::Card,
            None => PaymentMethod::BankTransfer,
        }
    }
}

/// Stores new money; the caller holds the account's lock.
pub fn insert(conn: &mut DbConn, payment: &Payment) -> Result<()> {
    diesel::insert_into(payments::table)
        .values(payment)
        .execute(conn)?;
    Ok(())
}

/// A payment of a held account, held too.
pub fn lock(conn: &mut DbConn, account: &Held<Account>, id: PaymentId) -> Result<Held<Payment>> {
    let found: Option<Payment> = locked!(
        conn,
        payments::table
            .find(id)
            .filter(payments::account_id.eq(account.id))
            .select(Payment::as_select())
    )
    .optional()?;
    found.map(Held::new).ok_or_else(|| Code::NotFound.into())
}

/// The payments of an account, newest first, from before `before`.
pub fn list(
    conn: &mut DbConn,
    access: &AccountAccess,
    before: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<Payment>> {
    let mut query = payments::table
        .filter(payments::account_id.eq(access.account_id()))
        .select(Payment::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(payments::id.lt(before));
    }
    Ok(query.order(payments::id.desc()).limit(limit).load(conn)?)
}

/// Which payments of all accounts are asked for, by the day on which they came.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    /// Behind this one.
    pub after: Option<(NaiveDate, PaymentId)>,
    pub limit: i64,
}

/// The payments of those days with whose they are, in the order in which they came.
pub fn of_days(conn: &mut DbConn, days: Days) -> Result<Vec<(Payment, Owner)>> {
    let mut query = payments::table
        .inner_join(accounts::table)
        .select((Payment::as_select(), Owner::as_select()))
        .into_boxed();
    if let Some(first) = days.after.map(|(day, _)| day).or(days.from) {
        query = query.filter(payments::received_date.ge(first));
    }
    if let Some(last) = days.to {
        query = query.filter(payments::received_date.le(last));
    }
    if let Some((day, id)) = days.after {
        query = query.filter(payments::received_date.gt(day).or(payments::id.gt(id)));
    }
    let ordered = query.order((payments::received_date, payments::id));
    Ok(ordered.limit(days.limit).load(conn)?)
}

/// Who paid: name and account, as the line of the bank says; nothing where no bank was told of it.
pub fn payer(conn: &mut DbConn, payment: &Payment) -> Result<(Option<String>, Option<String>)> {
    let Some(line) = payment.bank_transaction_id else {
        return Ok((None, None));
    };
    let line = bank_transactions::table.find(line).select((
        bank_transactions::payer_name,
        bank_transactions::payer_account,
    ));
    Ok(line.first(conn)?)
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

/// What is open of a payment, as it stands.
pub fn open_cents(conn: &mut DbConn, id: PaymentId) -> Result<i64> {
    let row = payments::table.find(id).select(payments::open_cents);
    Ok(row.first(conn)?)
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

/// The payments that an invoice was paid with, in the order in which they came, and so many cents of each.
pub fn of_invoice(conn: &mut DbConn, invoice: InvoiceId) -> Result<Vec<(Payment, i64)>> {
    let placed = payments::table
        .inner_join(allocations::table)
        .filter(allocations::invoice_id.eq(invoice))
        .order((payments::received_date, payments::id))
        .select((Payment::as_select(), allocations::amount_cents));
    let mut paid: Vec<(Payment, i64)> = Vec::new();
    for (payment, cents) in placed.load::<(Payment, i64)>(conn)? {
        match paid.last_mut().filter(|(last, _)| last.id == payment.id) {
            Some((_, sum)) => *sum += cents,
            None => paid.push((payment, cents)),
        }
    }
    paid.retain(|(_, cents)| *cents > 0);
    Ok(paid)
}

/// Whether money of these payments went back, or is about to.
pub fn are_refunded(conn: &mut DbConn, ids: &[PaymentId]) -> Result<bool> {
    let refunded = refunds::table
        .filter(refunds::payment_id.eq_any(ids))
        .filter(refunds::state.ne(RefundState::Failed));
    Ok(diesel::select(diesel::dsl::exists(refunded)).get_result(conn)?)
}

/// Notes that the bank took a whole payment back, of which nothing is placed any more; the account is held. The refund by which it went.
pub fn reverse(
    conn: &mut DbConn,
    payment: &Payment,
    (reason, actor, now): (&str, &str, Instant),
) -> Result<RefundId> {
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
    Ok(id)
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
