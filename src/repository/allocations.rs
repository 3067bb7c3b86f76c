//! Cents placed on invoices, at rest: nothing changes a row, another one takes it back. The database moves what is open on both sides.

use diesel::prelude::*;

use super::schema::{allocations, invoices};
use super::{DbConn, MultiBackend};
use crate::domain::invoice::{InvoiceId, PaymentId};
use crate::domain::payment::AllocationId;
use crate::error::Result;
use crate::types::Instant;

/// Cents placed on an invoice: of a payment, of a credit note, or written off.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = allocations, check_for_backend(MultiBackend))]
pub struct Allocation {
    pub id: AllocationId,
    pub invoice_id: InvoiceId,
    pub payment_id: Option<PaymentId>,
    pub credit_note_id: Option<InvoiceId>,
    pub written_off: bool,
    /// Negative where it takes another one back.
    pub amount_cents: i64,
    pub reverses_id: Option<AllocationId>,
    pub reason: Option<String>,
    /// Who placed it.
    pub actor: String,
    pub created_at: Instant,
}

/// Places cents; the caller holds the account, then the invoice, then the payment.
pub fn insert(conn: &mut DbConn, allocation: &Allocation) -> Result<()> {
    diesel::insert_into(allocations::table)
        .values(allocation)
        .execute(conn)?;
    Ok(())
}

/// All that was placed on an invoice and taken back from it, oldest first.
pub fn of_invoice(conn: &mut DbConn, invoice: InvoiceId, limit: i64) -> Result<Vec<Allocation>> {
    Ok(allocations::table
        .filter(allocations::invoice_id.eq(invoice))
        .order(allocations::id)
        .limit(limit)
        .select(Allocation::as_select())
        .load(conn)?)
}

/// All that was placed on these invoices and taken back from them, oldest first.
pub fn of_invoices(conn: &mut DbConn, invoices: &[InvoiceId]) -> Result<Vec<Allocation>> {
    Ok(allocations::table
        .filter(allocations::invoice_id.eq_any(invoices))
        .order(allocations::id)
        .select(Allocation::as_select())
        .load(conn)?)
}

/// All that was placed of a payment and taken back, oldest first.
pub fn of_payment(conn: &mut DbConn, payment: PaymentId, limit: i64) -> Result<Vec<Allocation>> {
    Ok(allocations::table
        .filter(allocations::payment_id.eq(payment))
        .order(allocations::id)
        .limit(limit)
        .select(Allocation::as_select())
        .load(conn)?)
}

/// All that was placed of these payments and taken back, oldest first, each with the number of its invoice.
pub fn of_payments(conn: &mut DbConn, payments: &[PaymentId]) -> Result<Vec<(Allocation, String)>> {
    let of = allocations::table
        .inner_join(invoices::table.on(allocations::invoice_id.eq(invoices::id)))
        .filter(allocations::payment_id.eq_any(payments));
    let rows = of.order(allocations::id);
    Ok(rows
        .select((Allocation::as_select(), invoices::number))
        .load(conn)?)
}

/// Of these, what still stands: neither taken back nor taking something back.
pub fn standing(all: Vec<Allocation>) -> Vec<Allocation> {
    let reversed: Vec<AllocationId> = all.iter().filter_map(|one| one.reverses_id).collect();
    let stands = |one: &Allocation| one.reverses_id.is_none() && !reversed.contains(&one.id);
    all.into_iter().filter(stands).collect()
}
