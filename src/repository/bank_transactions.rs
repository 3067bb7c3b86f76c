//! The lines of bank statements at rest. What is looked up to tell whose a line is, is in `bank_lookups`.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::dsl::{count_star, min, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::held::{Held, store, stored};
use super::schema::{bank_statements as statements, bank_transactions as lines};
use super::{DbConn, MOST_ROWS, MultiBackend};
use crate::domain::bank::{BankStatementId, BankTransactionId, StatementState, TransactionState};
use crate::domain::money::Currency;
use crate::error::{Code, Result};
use crate::types::{Instant, Json};
use crate::{each, locked};

/// One line of a statement.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = lines, check_for_backend(MultiBackend), treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct BankTransaction {
    pub id: BankTransactionId,
    pub statement_id: BankStatementId,
    pub version: i64,
    /// Its place in the statement, from 0 on.
    pub position: i64,
    pub account: String,
    pub state: TransactionState,
    /// Negative where it goes out; none where it has a fraction of a cent.
    pub amount_cents: Option<i64>,
    pub amount_text: String,
    pub currency: Currency,
    pub booking_date: Option<NaiveDate>,
    pub value_date: Option<NaiveDate>,
    pub bank_reference: Option<String>,
    pub end_to_end_id: Option<String>,
    pub reference: Option<String>,
    /// What the payer wrote: a list of texts.
    pub texts: Json,
    pub payer_name: Option<String>,
    pub payer_account: Option<String>,
    pub is_reversal: bool,
    pub has_charges: bool,
    pub is_batch: bool,
    pub fingerprint: String,
    /// Which one of its like it is, from 0 on.
    pub ordinal: i64,
    /// What is known of it.
    pub evidence: Json,
    /// Why somebody matched it or put it aside.
    pub reason: Option<String>,
    pub created_at: Instant,
}

/// Stores lines; those that are there already stay as they are.
pub fn insert(conn: &mut DbConn, new: &[BankTransaction]) -> Result<()> {
    for some in new.chunks(MOST_ROWS) {
        each!(conn, c => diesel::insert_into(lines::table)
            .values(some)
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}

/// How many lines of an account are told by each of these, but for those of one statement.
pub fn count_like(
    conn: &mut DbConn,
    (account, but): (&str, BankStatementId),
    fingerprints: &[String],
) -> Result<HashMap<String, i64>> {
    let like = lines::table
        .filter(lines::account.eq(account))
        .filter(lines::fingerprint.eq_any(fingerprints))
        .filter(lines::statement_id.ne(but))
        .group_by(lines::fingerprint)
        .select((lines::fingerprint, count_star()));
    let counted: Vec<(String, i64)> = like.load(conn)?;
    Ok(counted.into_iter().collect())
}

/// The first of the lines of a statement that are told by each of these.
pub fn first_like(
    conn: &mut DbConn,
    (account, of): (&str, BankStatementId),
    fingerprints: &[String],
) -> Result<HashMap<String, i64>> {
    let like = lines::table
        .filter(lines::account.eq(account))
        .filter(lines::fingerprint.eq_any(fingerprints))
        .filter(lines::statement_id.eq(of))
        .group_by(lines::fingerprint)
        .select((lines::fingerprint, min(lines::ordinal)));
    let first: Vec<(String, Option<i64>)> = like.load(conn)?;
    let known = first.into_iter();
    Ok(known
        .filter_map(|(like, first)| Some((like, first?)))
        .collect())
}

/// Of these lines, by fingerprint and ordinal, how many are stored.
pub fn count_known(conn: &mut DbConn, account: &str, asked: &[(String, i64)]) -> Result<i64> {
    let fingerprints: Vec<&String> = asked.iter().map(|(fingerprint, _)| fingerprint).collect();
    let stored: Vec<(String, i64)> = lines::table
        .filter(lines::account.eq(account))
        .filter(lines::fingerprint.eq_any(fingerprints))
        .select((lines::fingerprint, lines::ordinal))
        .load(conn)?;
    let stored: std::collections::HashSet<_> = stored.into_iter().collect();
    let known = asked.iter().filter(|line| stored.contains(line)).count();
    Ok(i64::try_from(known).unwrap_or(i64::MAX))
}

/// How many lines a statement has.
pub fn count(conn: &mut DbConn, statement: BankStatementId) -> Result<i64> {
    let of_statement = lines::table.filter(lines::statement_id.eq(statement));
    Ok(of_statement.count().get_result(conn)?)
}

/// What the booked lines of a statement come to, in cents, and what those of them do that take an earlier one back; nothing where one of them is in parts of a
/// cent.
pub fn booked_cents(conn: &mut DbConn, statement: BankStatementId) -> Result<Option<(i64, i64)>> {
    let amounts: Vec<(Option<i64>, bool)> = lines::table
        .filter(lines::statement_id.eq(statement))
        .filter(lines::state.ne(TransactionState::Pending))
        .filter(lines::state.ne(TransactionState::Superseded))
        .select((lines::amount_cents, lines::is_reversal))
        .load(conn)?;
    let add = |(all, reversed): (i64, i64), (cents, is_reversal): (Option<i64>, bool)| {
        let cents = cents?;
        let back = if is_reversal { cents } else { 0 };
        Some((all.checked_add(cents)?, reversed.checked_add(back)?))
    };
    Ok(amounts.into_iter().try_fold((0, 0), add))
}

/// What all lines behind `after` count, in cents, and what the bank wrote; for checking them, page by page.
pub fn amounts_after(
    conn: &mut DbConn,
    after: Option<BankTransactionId>,
    limit: i64,
) -> Result<Vec<(BankTransactionId, Option<i64>, String)>> {
    let after = after.unwrap_or_else(|| BankTransactionId::from(uuid::Uuid::nil()));
    let page = lines::table.filter(lines::id.gt(after));
    let page = page.order(lines::id).limit(limit);
    Ok(page
        .select((lines::id, lines::amount_cents, lines::amount_text))
        .load(conn)?)
}

/// The lines of a statement that nobody has decided on, from a position on, and those that the bank has not booked.
pub fn undecided(
    conn: &mut DbConn,
    statement: BankStatementId,
    from: i64,
    limit: i64,
) -> Result<Vec<BankTransaction>> {
    let waiting = lines::table
        .filter(lines::statement_id.eq(statement))
        .filter(lines::position.ge(from))
        .filter(lines::state.eq_any([TransactionState::Open, TransactionState::Pending]));
    Ok(waiting
        .order(lines::position)
        .limit(limit)
        .select(BankTransaction::as_select())
        .load(conn)?)
}

/// A line.
pub fn find(conn: &mut DbConn, id: BankTransactionId) -> Result<BankTransaction> {
    let found = lines::table
        .find(id)
        .select(BankTransaction::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// A line, held; the accounts that it concerns are held before it.
pub fn lock(conn: &mut DbConn, id: BankTransactionId) -> Result<Held<BankTransaction>> {
    let found: Option<BankTransaction> = locked!(
        conn,
        lines::table.find(id).select(BankTransaction::as_select())
    )
    .optional()?;
    found.map(Held::new).ok_or_else(|| Code::NotFound.into())
}

/// These lines, each held, in the order of their ids.
pub fn lock_many(
    conn: &mut DbConn,
    ids: &[BankTransactionId],
) -> Result<Vec<Held<BankTransaction>>> {
    macro_rules! rows {
        () => {
            lines::table
                .filter(lines::id.eq_any(ids))
                .order(lines::id)
                .select(BankTransaction::as_select())
        };
    }
    let rows: Vec<BankTransaction> = match conn {
        DbConn::Postgres(conn) => rows!().for_update().load(conn)?,
        DbConn::Sqlite(conn) => rows!().load(conn)?,
    };
    Ok(rows.into_iter().map(Held::new).collect())
}

/// Stores a line as its next version.
pub fn store(conn: &mut DbConn, line: &mut Held<BankTransaction>) -> Result<()> {
    stored(store!(conn, lines, line))
}

/// Where one of them is pending: the ids of the lines that are told by the same reference of the bank, amount and currency as this one, oldest first, each
/// with its state.
pub fn told_alike(
    conn: &mut DbConn,
    line: &BankTransaction,
) -> Result<Vec<(BankTransactionId, TransactionState)>> {
    let Some(reference) = &line.bank_reference else {
        return Ok(Vec::new());
    };
    let pending = lines::table
        .filter(sql::<Bool>("state = 'pending'"))
        .filter(lines::bank_reference.eq(reference));
    let pending: Option<BankTransactionId> = pending.select(lines::id).first(conn).optional()?;
    if pending.is_none() {
        return Ok(Vec::new());
    }
    Ok(lines::table
        .filter(lines::account.eq(&line.account))
        .filter(lines::bank_reference.eq(reference))
        .filter(lines::amount_text.eq(&line.amount_text))
        .filter(lines::currency.eq(line.currency))
        .order(lines::id)
        .select((lines::id, lines::state))
        .load(conn)?)
}

/// Makes lines that were pending superseded.
pub fn supersede(conn: &mut DbConn, pending: &[BankTransactionId]) -> Result<()> {
    let pending = lines::table
        .filter(lines::id.eq_any(pending))
        .filter(lines::state.eq(TransactionState::Pending));
    diesel::update(pending)
        .set((
            lines::state.eq(TransactionState::Superseded),
            lines::version.eq(lines::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// Turns the money of the reversals of a statement round; nobody has decided on them.
pub fn turn_reversals_round(conn: &mut DbConn, statement: BankStatementId) -> Result<()> {
    let reversals = lines::table
        .filter(lines::statement_id.eq(statement))
        .filter(lines::is_reversal.eq(true))
        .filter(lines::state.eq(TransactionState::Open));
    let negated =
        "CASE WHEN amount_text LIKE '-%' THEN substr(amount_text, 2) ELSE '-' || amount_text END";
    diesel::update(reversals)
        .set((
            lines::amount_cents.eq(sql::<Nullable<BigInt>>("-amount_cents")),
            lines::amount_text.eq(sql::<Text>(negated)),
            lines::version.eq(lines::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// Which lines are listed.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    pub state: Option<TransactionState>,
    pub statement: Option<BankStatementId>,
    /// Behind this line.
    pub after: Option<BankTransactionId>,
    pub limit: i64,
}

/// The lines that match, oldest first; those of a statement that is on its way are not there yet.
pub fn list(conn: &mut DbConn, listing: &Listing) -> Result<Vec<BankTransaction>> {
    let mut query = lines::table
        .inner_join(statements::table)
        .filter(statements::state.ne(StatementState::Receiving))
        .select(BankTransaction::as_select())
        .into_boxed();
    let after = listing.after.unwrap_or(BankTransactionId::NOTHING);
    query = query.filter(lines::id.gt(after));
    if let Some(state) = listing.state {
        query = query.filter(lines::state.eq(state));
    }
    if let Some(statement) = listing.statement {
        query = query.filter(lines::statement_id.eq(statement));
    }
    Ok(query.order(lines::id).limit(listing.limit).load(conn)?)
}
