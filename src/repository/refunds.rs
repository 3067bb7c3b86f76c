//! Money that goes back, at rest. What of its payment is open is moved by the database, when it is stored and where it fails.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::accounts::Account;
use super::held::{Held, store, stored};
use super::schema::{payments, refunds};
use super::{DbConn, MultiBackend};
use crate::domain::account::AccountId;
use crate::domain::bank::{BankTransactionId, RefundFacts};
use crate::domain::invoice::{InvoiceId, PaymentId};
use crate::domain::money::Currency;
use crate::domain::payment::{RefundId, RefundKind, RefundState};
use crate::error::{Code, Result};
use crate::locked;
use crate::types::Instant;

/// Money that goes back, of one payment.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = refunds, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Refund {
    pub id: RefundId,
    pub payment_id: PaymentId,
    pub version: i64,
    pub kind: RefundKind,
    pub amount_cents: i64,
    pub currency: Currency,
    pub state: RefundState,
    pub reason: String,
    /// The credit note that freed it.
    pub credit_note_id: Option<InvoiceId>,
    pub provider_id: Option<String>,
    pub idempotency_key: String,
    pub payee_name: Option<String>,
    pub payee_account: Option<String>,
    pub paid_date: Option<NaiveDate>,
    /// The line of money out that paid it.
    pub bank_transaction_id: Option<BankTransactionId>,
    /// Who had it go back.
    pub actor: String,
    pub created_at: Instant,
}

impl Refund {
    /// What a line of money out needs of it.
    pub fn facts(&self) -> RefundFacts {
        let is_shown = self.bank_transaction_id.is_some();
        RefundFacts {
            waits: match self.state {
                RefundState::ToPay => true,
                RefundState::Succeeded => !is_shown,
                RefundState::Sending | RefundState::Unknown | RefundState::Failed => false,
            },
            amount_cents: self.amount_cents,
            currency: self.currency,
        }
    }
}

/// A refund, and whose payment it is of.
pub type Owned = (Refund, AccountId);

/// Stores a new one; the caller holds the account, then the payment.
pub fn insert(conn: &mut DbConn, refund: &Refund) -> Result<()> {
    diesel::insert_into(refunds::table)
        .values(refund)
        .execute(conn)?;
    Ok(())
}

/// All of these payments, oldest first.
pub fn of_payments(conn: &mut DbConn, payments: &[PaymentId]) -> Result<Vec<Refund>> {
    let of = refunds::table.filter(refunds::payment_id.eq_any(payments));
    let rows = of.order(refunds::id).select(Refund::as_select());
    Ok(rows.load(conn)?)
}

/// Those of these that go back by bank.
pub fn by_bank(conn: &mut DbConn, ids: &[RefundId]) -> Result<Vec<Owned>> {
    let by_bank = refunds::table
        .inner_join(payments::table)
        .filter(refunds::id.eq_any(ids))
        .filter(refunds::kind.eq(RefundKind::BankTransfer))
        .order(refunds::id);
    let rows = by_bank.select((Refund::as_select(), payments::account_id));
    Ok(rows.load(conn)?)
}

/// The one that a line of money out paid.
pub fn of_line(conn: &mut DbConn, line: BankTransactionId) -> Result<Option<Owned>> {
    let of_line = refunds::table
        .inner_join(payments::table)
        .filter(refunds::bank_transaction_id.eq(line));
    let row = of_line.select((Refund::as_select(), payments::account_id));
    Ok(row.first(conn).optional()?)
}

/// Those in a state, or all, newest first, from before `before`.
pub fn list(
    conn: &mut DbConn,
    state: Option<RefundState>,
    before: Option<RefundId>,
    limit: i64,
) -> Result<Vec<Owned>> {
    let mut query = refunds::table
        .inner_join(payments::table)
        .select((Refund::as_select(), payments::account_id))
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(refunds::state.eq(state));
    }
    if let Some(before) = before {
        query = query.filter(refunds::id.lt(before));
    }
    Ok(query.order(refunds::id.desc()).limit(limit).load(conn)?)
}

/// Whose payment a refund is of.
pub fn account_of(conn: &mut DbConn, id: RefundId) -> Result<AccountId> {
    let owner = refunds::table
        .find(id)
        .inner_join(payments::table)
        .select(payments::account_id)
        .first(conn)
        .optional()?;
    owner.ok_or_else(|| Code::NotFound.into())
}

/// A refund of a held account, held too.
pub fn lock(conn: &mut DbConn, account: &Held<Account>, id: RefundId) -> Result<Held<Refund>> {
    if account_of(conn, id)? != account.id {
        return Err(Code::NotFound.into());
    }
    let row: Refund = locked!(conn, refunds::table.find(id).select(Refund::as_select()))?;
    Ok(Held::new(row))
}

/// Stores it as its next version.
pub fn store(conn: &mut DbConn, refund: &mut Held<Refund>) -> Result<()> {
    stored(store!(conn, refunds, refund))
}
