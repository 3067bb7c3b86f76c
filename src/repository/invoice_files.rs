//! The stored files of invoices and credit notes: where each is, and the hash by which it is known. Nothing of it changes.

use diesel::prelude::*;

use super::schema::invoice_files;
use super::{DbConn, MultiBackend};
use crate::domain::invoice::{InvoiceFileKind, InvoiceId};
use crate::each;
use crate::error::Result;
use crate::types::Instant;

/// One stored file.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = invoice_files, check_for_backend(MultiBackend))]
pub struct InvoiceFile {
    pub invoice_id: InvoiceId,
    pub kind: InvoiceFileKind,
    /// The version of what made it.
    pub renderer: String,
    /// Of its bytes, in lower-case hex.
    pub sha256: String,
    /// How many they are.
    pub bytes: i64,
    /// Where in the document store it is.
    pub file_key: String,
    pub created_at: Instant,
}

/// Stores files, but for those that are there: what was stored first stays.
pub fn insert(conn: &mut DbConn, files: &[InvoiceFile]) -> Result<()> {
    for file in files {
        each!(conn, c => diesel::insert_into(invoice_files::table)
            .values(file)
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}

/// The stored files of an invoice.
pub fn of(conn: &mut DbConn, invoice: InvoiceId) -> Result<Vec<InvoiceFile>> {
    Ok(invoice_files::table
        .filter(invoice_files::invoice_id.eq(invoice))
        .select(InvoiceFile::as_select())
        .load(conn)?)
}

/// One stored file of an invoice.
pub fn find(
    conn: &mut DbConn,
    invoice: InvoiceId,
    kind: InvoiceFileKind,
) -> Result<Option<InvoiceFile>> {
    let row = invoice_files::table
        .find((invoice, kind))
        .select(InvoiceFile::as_select());
    Ok(row.first(conn).optional()?)
}

/// The next stored files behind the key `after`, in the order of their keys.
pub fn after(conn: &mut DbConn, after: &str, limit: i64) -> Result<Vec<InvoiceFile>> {
    Ok(invoice_files::table
        .filter(invoice_files::file_key.gt(after))
        .select(InvoiceFile::as_select())
        .order(invoice_files::file_key)
        .limit(limit)
        .load(conn)?)
}
