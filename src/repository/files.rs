//! Files of the document store at rest: the row of each, which is there before its bytes are and until they are gone.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::schema::{documents, files, invoice_files};
use super::{DbConn, MultiBackend};
use crate::domain::account::AccountId;
use crate::domain::file::FileState;
use crate::error::Result;
use crate::types::Instant;

/// One file.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = files, check_for_backend(MultiBackend))]
pub struct StoredFile {
    /// Where its bytes are.
    pub key: String,
    pub account_id: AccountId,
    pub state: FileState,
    pub created_at: Instant,
    /// When its state changed last.
    pub changed_at: Instant,
}

/// Stores the row of a file.
pub fn insert(conn: &mut DbConn, file: &StoredFile) -> Result<()> {
    diesel::insert_into(files::table)
        .values(file)
        .execute(conn)?;
    Ok(())
}

/// Has the file of `key` in another state; whether it was in the state `from`.
pub fn change(
    conn: &mut DbConn,
    key: &str,
    [from, to]: [FileState; 2],
    now: Instant,
) -> Result<bool> {
    let file = files::table.find(key).filter(files::state.eq(from));
    let changed = diesel::update(file)
        .set((files::state.eq(to), files::changed_at.eq(now)))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Refuses at most `limit` files whose bytes were expected before `before`; how many there were.
pub fn refuse_abandoned(
    conn: &mut DbConn,
    before: Instant,
    limit: i64,
    now: Instant,
) -> Result<usize> {
    // Said in the text: only so SQLite proves the index of those that are on their way.
    let abandoned: Vec<String> = files::table
        .filter(files::state.eq(sql::<Text>("'receiving'")))
        .filter(files::created_at.lt(before))
        .select(files::key)
        .limit(limit)
        .load(conn)?;
    let still = files::table
        .filter(files::key.eq_any(abandoned))
        .filter(files::state.eq(FileState::Receiving));
    Ok(diesel::update(still)
        .set((
            files::state.eq(FileState::Refused),
            files::changed_at.eq(now),
        ))
        .execute(conn)?)
}

/// The keys of all files, before a sandbox begins again.
pub fn keys(conn: &mut DbConn) -> Result<Vec<String>> {
    let mut keys: Vec<String> = files::table.select(files::key).load(conn)?;
    let of_invoices = invoice_files::table.select(invoice_files::file_key);
    keys.extend(of_invoices.load::<String>(conn)?);
    Ok(keys)
}

const UNWANTED: [FileState; 2] = [FileState::Refused, FileState::Gone];

/// The keys of files that nobody wants any more, in order, from behind `after`.
pub fn unwanted(conn: &mut DbConn, after: &str, limit: i64) -> Result<Vec<String>> {
    Ok(files::table
        .filter(files::state.eq_any(UNWANTED))
        .filter(files::key.gt(after))
        .select(files::key)
        .order(files::key)
        .limit(limit)
        .load(conn)?)
}

/// Forgets files that nobody wants any more: their bytes are deleted.
pub fn forget(conn: &mut DbConn, keys: &[String]) -> Result<()> {
    let unwanted = files::table
        .filter(files::key.eq_any(keys))
        .filter(files::state.eq_any(UNWANTED));
    diesel::delete(unwanted).execute(conn)?;
    Ok(())
}

/// Which of `keys` no row names, that of a file, of a document or of an invoice's file.
pub fn unnamed(conn: &mut DbConn, mut keys: Vec<String>) -> Result<Vec<String>> {
    let of_files: Vec<String> = files::table
        .filter(files::key.eq_any(&keys))
        .select(files::key)
        .load(conn)?;
    let of_documents: Vec<Option<String>> = documents::table
        .filter(documents::file_key.eq_any(&keys))
        .select(documents::file_key)
        .load(conn)?;
    let of_invoices: Vec<String> = invoice_files::table
        .filter(invoice_files::file_key.eq_any(&keys))
        .select(invoice_files::file_key)
        .load(conn)?;
    let named: std::collections::BTreeSet<String> = of_files
        .into_iter()
        .chain(of_invoices)
        .chain(of_documents.into_iter().flatten())
        .collect();
    keys.retain(|key| !named.contains(key));
    Ok(keys)
}
