//! Bank statements at rest: one row for each page that a bank wrote. Their lines are in `bank_transactions`.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::held::{Held, store, stored};
use super::schema::{bank_statements as statements, bank_transactions as lines};
use super::{DbConn, MultiBackend, Stored};
use crate::domain::bank::{BankStatementId, StatementFormat, StatementState, StatementWhy};
use crate::error::{Code, Result};
use crate::types::Instant;
use crate::{each, locked};

/// One page of a statement.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = statements, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct BankStatement {
    pub id: BankStatementId,
    pub version: i64,
    /// Of the file that it came in first.
    pub file_sha256: String,
    pub format: StatementFormat,
    pub message_id: String,
    pub statement_ref: String,
    pub sequence: String,
    pub page: i64,
    pub last_page: bool,
    pub account: String,
    pub currency: String,
    pub from_date: String,
    pub to_date: String,
    pub opening: String,
    pub closing: String,
    pub state: StatementState,
    pub why: Option<StatementWhy>,
    pub reversals_inverted: bool,
    /// What its booked entries come to.
    pub booked_sum: String,
    /// What those of them come to that take an earlier one back.
    pub reversed_sum: String,
    pub lines_new: i64,
    pub lines_seen: i64,
    pub lines_pending: i64,
    /// Who sent it.
    pub imported_by: String,
    pub created_at: Instant,
}

/// Stores a new page; taken where the very same one is there, or another one of its account is on its way.
pub fn insert(conn: &mut DbConn, statement: &BankStatement) -> Result<Stored> {
    let inserted = each!(conn, c => diesel::insert_into(statements::table)
        .values(statement)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(Stored::one_of(inserted))
}

/// The stored page that `like` says again.
pub fn same(conn: &mut DbConn, like: &BankStatement) -> Result<Option<BankStatement>> {
    let same = statements::table
        .filter(statements::account.eq(&like.account))
        .filter(statements::statement_ref.eq(&like.statement_ref))
        .filter(statements::sequence.eq(&like.sequence))
        .filter(statements::from_date.eq(&like.from_date))
        .filter(statements::page.eq(like.page))
        .filter(statements::opening.eq(&like.opening))
        .filter(statements::closing.eq(&like.closing));
    Ok(same
        .select(BankStatement::as_select())
        .first(conn)
        .optional()?)
}

/// The page of an account that is on its way: there is one at most.
pub fn on_its_way(conn: &mut DbConn, account: &str) -> Result<Option<BankStatementId>> {
    let receiving = statements::table
        .filter(statements::account.eq(account))
        .filter(sql::<Bool>("state = 'receiving'"));
    Ok(receiving.select(statements::id).first(conn).optional()?)
}

/// The pages that came first in a file, in the order in which they stand in it.
pub fn of_file(conn: &mut DbConn, file_sha256: &str) -> Result<Vec<BankStatement>> {
    Ok(statements::table
        .filter(statements::file_sha256.eq(file_sha256))
        .order(statements::id)
        .select(BankStatement::as_select())
        .load(conn)?)
}

/// The other pages of a statement, which are stored whole; one that is its first page and its last has none, whatever else leaves its names out. Those of
/// the same message go first; where it lacks one, that of a message before it stands in, for a bank gives each download another name.
pub fn other_pages(conn: &mut DbConn, page: &BankStatement) -> Result<Vec<BankStatement>> {
    if page.page == 1 && page.last_page {
        return Ok(Vec::new());
    }
    let is_one_of_several = statements::page.gt(1).or(statements::last_page.eq(false));
    let others = statements::table
        .filter(is_one_of_several)
        .filter(statements::account.eq(&page.account))
        .filter(statements::statement_ref.eq(&page.statement_ref))
        .filter(statements::sequence.eq(&page.sequence))
        .filter(statements::from_date.eq(&page.from_date))
        .filter(statements::id.ne(page.id))
        .filter(statements::state.ne(StatementState::Receiving));
    let mut others: Vec<BankStatement> = others
        .order((statements::page, statements::id.desc()))
        .select(BankStatement::as_select())
        .load(conn)?;
    let is_own = |one: &BankStatement| one.message_id == page.message_id;
    others.retain(|one| is_own(one) || one.state == StatementState::Incomplete);
    others.retain(|one| is_own(one) || one.page != page.page);
    others.sort_by_key(|one| (one.page, !is_own(one)));
    others.dedup_by_key(|one| one.page);
    Ok(others)
}

/// The page of an account that was stored last before this one.
pub fn before(conn: &mut DbConn, page: &BankStatement) -> Result<Option<BankStatement>> {
    let before = statements::table
        .filter(statements::account.eq(&page.account))
        .filter(statements::created_at.le(page.created_at))
        .filter(statements::id.lt(page.id))
        .filter(statements::state.ne(StatementState::Receiving));
    Ok(before
        .order((statements::created_at.desc(), statements::id.desc()))
        .select(BankStatement::as_select())
        .first(conn)
        .optional()?)
}

/// A statement.
pub fn find(conn: &mut DbConn, id: BankStatementId) -> Result<BankStatement> {
    let found = statements::table
        .find(id)
        .select(BankStatement::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// A statement, held.
pub fn lock(conn: &mut DbConn, id: BankStatementId) -> Result<Option<Held<BankStatement>>> {
    let found: Option<BankStatement> = locked!(
        conn,
        statements::table
            .find(id)
            .select(BankStatement::as_select())
    )
    .optional()?;
    Ok(found.map(Held::new))
}

/// Stores a statement as its next version.
pub fn store(conn: &mut DbConn, statement: &mut Held<BankStatement>) -> Result<()> {
    stored(store!(conn, statements, statement))
}

/// Statements, newest first, from before `before`.
pub fn list(
    conn: &mut DbConn,
    before: Option<BankStatementId>,
    limit: i64,
) -> Result<Vec<BankStatement>> {
    let mut query = statements::table
        .select(BankStatement::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(statements::id.lt(before));
    }
    Ok(query.order(statements::id.desc()).limit(limit).load(conn)?)
}

/// Forgets a statement that never came whole, with the lines that did.
pub fn forget(conn: &mut DbConn, statement: Held<BankStatement>) -> Result<()> {
    let of_statement = lines::table.filter(lines::statement_id.eq(statement.id));
    diesel::delete(of_statement).execute(conn)?;
    diesel::delete(statements::table.find(statement.id)).execute(conn)?;
    Ok(())
}
