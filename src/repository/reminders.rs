//! Reminders of overdue invoices, at rest: at most one for each step of a round, held by the database.

use diesel::prelude::*;

use super::schema::reminders;
use super::{DbConn, MultiBackend};
use crate::domain::collection::{ReminderId, ReminderOutcome};
use crate::domain::invoice::InvoiceId;
use crate::error::Result;
use crate::types::Instant;

/// A step against an overdue invoice.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = reminders, check_for_backend(MultiBackend))]
pub struct Reminder {
    pub id: ReminderId,
    pub invoice_id: InvoiceId,
    /// From 1 on; the next one begins when the invoice is opened again.
    pub round: i64,
    /// From 1 on.
    pub step: i64,
    pub outcome: ReminderOutcome,
    pub sent_at: Instant,
}

/// Stores a step; the caller holds the invoice.
pub fn insert(conn: &mut DbConn, reminder: &Reminder) -> Result<()> {
    diesel::insert_into(reminders::table)
        .values(reminder)
        .execute(conn)?;
    Ok(())
}

/// All steps against these invoices, oldest first.
pub fn of_invoices(conn: &mut DbConn, invoices: &[InvoiceId]) -> Result<Vec<Reminder>> {
    Ok(reminders::table
        .filter(reminders::invoice_id.eq_any(invoices))
        .order((reminders::invoice_id, reminders::round, reminders::step))
        .select(Reminder::as_select())
        .load(conn)?)
}
