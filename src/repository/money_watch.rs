//! What of the money waits for somebody: how much of each, and what is left of payments.

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date};

use super::DbConn;
use super::schema::{memberships, payments};
use crate::domain::account::AccountId;
use crate::domain::invoice::PaymentId;
use crate::domain::membership::MembershipState;
use crate::each;
use crate::error::Result;

/// How many there are of what waits.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, QueryableByName)]
pub struct Counts {
    #[diesel(sql_type = BigInt)]
    pub open_invoices: i64,
    /// Of these.
    #[diesel(sql_type = BigInt)]
    pub overdue_invoices: i64,
    #[diesel(sql_type = BigInt)]
    pub refunds_to_pay: i64,
    /// Lines of bank statements that wait.
    #[diesel(sql_type = BigInt)]
    pub open_bank_lines: i64,
    #[diesel(sql_type = BigInt)]
    pub held_statements: i64,
    /// Payments of which something is neither on an invoice nor given back.
    #[diesel(sql_type = BigInt)]
    pub credit_left: i64,
}

const COUNTS: &str = "SELECT
    (SELECT COUNT(*) FROM invoices WHERE status = 'open' AND kind = 'invoice') AS open_invoices,
    (SELECT COUNT(*) FROM invoices WHERE status = 'open' AND kind = 'invoice' AND collect_from < $1) AS overdue_invoices,
    (SELECT COUNT(*) FROM refunds WHERE state = 'to_pay') AS refunds_to_pay,
    (SELECT COUNT(*) FROM bank_transactions WHERE state = 'open') AS open_bank_lines,
    (SELECT COUNT(*) FROM bank_statements WHERE state = 'held') AS held_statements,
    (SELECT COUNT(*) FROM payments WHERE open_cents > 0 AND taken_back_at IS NULL) AS credit_left";

/// How many there are on `today`.
pub fn count(conn: &mut DbConn, today: NaiveDate) -> Result<Counts> {
    let counted: QueryResult<Counts> =
        each!(conn, c => diesel::sql_query(COUNTS).bind::<Date, _>(today).get_result(c));
    Ok(counted?)
}

/// Payments behind `after` of which something is open, of accounts that are members no more: no invoice will take it. With whose they are.
pub fn left_over(
    conn: &mut DbConn,
    after: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<(PaymentId, AccountId)>> {
    let after = after.unwrap_or_else(|| PaymentId::from(uuid::Uuid::nil()));
    let running = memberships::table
        .filter(memberships::account_id.eq(payments::account_id))
        .filter(memberships::status.eq(MembershipState::Active));
    let left = payments::table
        // A literal: SQLite proves its partial index by nothing else.
        .filter(sql::<Bool>("open_cents > 0"))
        .filter(payments::taken_back_at.is_null())
        .filter(payments::id.gt(after))
        .filter(diesel::dsl::not(diesel::dsl::exists(running)));
    Ok(left
        .order(payments::id)
        .limit(limit)
        .select((payments::id, payments::account_id))
        .load(conn)?)
}
