//! The points ledger at rest: one locked row for each account, and entries that nothing changes.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::accounts::{self, Account};
use super::catalogue::{self, Version};
use super::held::{Held, stored};
use super::schema::{accounts as accounts_table, points_accounts, points_entries};
use super::{DbConn, MOST_ROWS, MultiBackend};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::points::{Account as Sums, Entry, EntryId, EntryKind, Invited};
use crate::domain::product::ProductId;
use crate::error::{Code, Error, Result};
use crate::types::Instant;
use crate::{each, locked};

/// Where the ledger of an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = points_accounts, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct PointsAccount {
    pub account_id: AccountId,
    pub balance: i64,
    pub held: i64,
    pub seq: i64,
    pub invited_at: Option<Instant>,
    pub below_since: Option<Instant>,
    /// Of the last entry.
    pub last_at: Option<Instant>,
}

impl PointsAccount {
    fn empty(account_id: AccountId) -> Self {
        Self {
            account_id,
            balance: 0,
            held: 0,
            seq: 0,
            invited_at: None,
            below_since: None,
            last_at: None,
        }
    }

    /// The sums, as the rules see them.
    pub fn sums(&self) -> Sums {
        Sums {
            balance: self.balance,
            held: self.held,
            seq: self.seq,
        }
    }

    /// What levels and the invitation count.
    pub fn counting(&self) -> i64 {
        self.sums().counting()
    }

    /// The invitations so far.
    pub fn invited(&self) -> Invited {
        Invited {
            last_invited: self.invited_at,
            below_since: self.below_since,
        }
    }
}

/// One entry; it says why.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = points_entries, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
pub struct PointsEntry {
    pub id: EntryId,
    pub account_id: AccountId,
    pub seq: i64,
    pub kind: EntryKind,
    pub amount: i64,
    /// The balance after it.
    pub balance: i64,
    /// What is held after it.
    pub held: i64,
    pub product_id: Option<ProductId>,
    /// The award that a reversal takes back.
    pub reverses: Option<EntryId>,
    /// Which of the model's values an award used.
    pub value_valid_from: Option<NaiveDate>,
    pub reason: String,
    /// Who caused it, as an actor is stored.
    pub actor: String,
    pub created_at: Instant,
}

impl PointsEntry {
    /// The entry, as the rules see it.
    pub fn facts(&self) -> Entry {
        Entry {
            id: self.id,
            seq: self.seq,
            kind: self.kind,
            amount: self.amount,
            balance: self.balance,
            held: self.held,
            product_id: self.product_id,
            reverses: self.reverses,
        }
    }
}

/// The ledger of an account, empty before its first entry; one statement. `not_found` where there is no such account.
pub fn find(conn: &mut DbConn, access: &AccountAccess) -> Result<PointsAccount> {
    let account_id = access.account_id();
    let found: Option<Option<PointsAccount>> = accounts_table::table
        .left_join(points_accounts::table)
        .filter(accounts_table::id.eq(account_id))
        .select(Option::<PointsAccount>::as_select())
        .first(conn)
        .optional()?;
    let ledger = found.ok_or(Code::NotFound)?;
    Ok(ledger.unwrap_or_else(|| PointsAccount::empty(account_id)))
}

/// The ledger of a held account, made where there is none, held too.
pub fn lock(conn: &mut DbConn, account: &Held<Account>) -> Result<Held<PointsAccount>> {
    if let Some(ledger) = lock_made(conn, account.id)? {
        return Ok(ledger);
    }
    make(conn, account.id)?;
    lock_made(conn, account.id)?.ok_or(Error::Contended)
}

/// These accounts and their ledgers, all of them held, the accounts as by [`accounts::lock_many`]; with them the version of the catalogue
/// that stands. One statement where every account has a ledger.
pub fn lock_many(
    conn: &mut DbConn,
    ids: &[AccountId],
) -> Result<(Vec<(Held<Account>, Held<PointsAccount>)>, Version)> {
    let found = lock_joined(conn, ids)?;
    if found.len() == ids.len() {
        return Ok(split(found));
    }
    for account in accounts::lock_many(conn, ids)? {
        make(conn, account.id)?;
    }
    lock_joined(conn, ids).map(split)
}

type Joined = (Account, PointsAccount, Version);

fn lock_joined(conn: &mut DbConn, ids: &[AccountId]) -> Result<Vec<Joined>> {
    macro_rules! rows {
        () => {
            accounts_table::table
                .inner_join(points_accounts::table)
                .filter(accounts_table::id.eq_any(ids))
                .order(accounts_table::id)
                .select((
                    Account::as_select(),
                    PointsAccount::as_select(),
                    catalogue::version(),
                ))
        };
    }
    Ok(match conn {
        DbConn::Postgres(conn) => rows!().for_update().load(conn)?,
        DbConn::Sqlite(conn) => rows!().load(conn)?,
    })
}

fn split(found: Vec<Joined>) -> (Vec<(Held<Account>, Held<PointsAccount>)>, Version) {
    let version = found.last().and_then(|(_, _, version)| version.clone());
    let held = found
        .into_iter()
        .map(|(account, ledger, _)| (Held::new(account), Held::new(ledger)));
    (held.collect(), version)
}

fn make(conn: &mut DbConn, account_id: AccountId) -> Result<()> {
    let empty = PointsAccount::empty(account_id);
    each!(conn, c => diesel::insert_into(points_accounts::table)
        .values(empty)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

fn lock_made(conn: &mut DbConn, account_id: AccountId) -> Result<Option<Held<PointsAccount>>> {
    let found: Option<PointsAccount> = locked!(
        conn,
        points_accounts::table
            .find(account_id)
            .select(PointsAccount::as_select())
    )
    .optional()?;
    Ok(found.map(Held::new))
}

/// Stores where the ledger stands, over the entry number that was `seen` when it was locked.
pub fn store(conn: &mut DbConn, ledger: &Held<PointsAccount>, seen: i64) -> Result<()> {
    let row = points_accounts::table
        .find(ledger.account_id)
        .filter(points_accounts::seq.eq(seen));
    stored(diesel::update(row).set(&**ledger).execute(conn))
}

/// Adds entries, those of one ledger in their order; the database refuses one that does not continue it.
pub fn append(conn: &mut DbConn, entries: &[PointsEntry]) -> Result<()> {
    let table = points_entries::table;
    // A statement for one row is prepared once, one for many each time.
    if let [entry] = entries {
        diesel::insert_into(table).values(entry).execute(conn)?;
        return Ok(());
    }
    for some in entries.chunks(MOST_ROWS) {
        each!(conn, c => diesel::insert_into(table).values(some).execute(c))?;
    }
    Ok(())
}

/// The sums of an account at a moment.
pub fn as_of(conn: &mut DbConn, access: &AccountAccess, at: Instant) -> Result<Sums> {
    let last: Option<(i64, i64, i64)> = points_entries::table
        .filter(points_entries::account_id.eq(access.account_id()))
        .filter(points_entries::created_at.le(at))
        .order(points_entries::seq.desc())
        .select((
            points_entries::balance,
            points_entries::held,
            points_entries::seq,
        ))
        .first(conn)
        .optional()?;
    let (balance, held, seq) = last.unwrap_or_default();
    Ok(Sums { balance, held, seq })
}

/// The entries of an account, newest first, behind `before`.
pub fn entries(
    conn: &mut DbConn,
    access: &AccountAccess,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<PointsEntry>> {
    Ok(points_entries::table
        .filter(points_entries::account_id.eq(access.account_id()))
        .filter(points_entries::seq.lt(before.unwrap_or(i64::MAX)))
        .order(points_entries::seq.desc())
        .limit(limit)
        .select(PointsEntry::as_select())
        .load(conn)?)
}

/// The award of each of these products that was not taken back.
pub fn standing_awards(conn: &mut DbConn, products: &[ProductId]) -> Result<Vec<PointsEntry>> {
    let reversal = diesel::alias!(points_entries as reversal);
    let products: Vec<Option<ProductId>> = products.iter().copied().map(Some).collect();
    let taken_back = reversal.filter(
        reversal
            .field(points_entries::reverses)
            .eq(points_entries::id.nullable()),
    );
    Ok(points_entries::table
        .filter(points_entries::product_id.eq_any(products))
        .filter(points_entries::kind.eq(EntryKind::Award))
        .filter(diesel::dsl::not(diesel::dsl::exists(taken_back)))
        .select(PointsEntry::as_select())
        .load(conn)?)
}

/// The ledgers behind `after`, by account; for checking them all, page by page.
pub fn ledgers(
    conn: &mut DbConn,
    after: Option<AccountId>,
    limit: i64,
) -> Result<Vec<PointsAccount>> {
    let mut query = points_accounts::table
        .select(PointsAccount::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(points_accounts::account_id.gt(after));
    }
    Ok(query
        .order(points_accounts::account_id)
        .limit(limit)
        .load(conn)?)
}

/// The entries of one ledger behind number `after`, oldest first; for checking it page by page.
pub fn entries_after(
    conn: &mut DbConn,
    account_id: AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<PointsEntry>> {
    Ok(points_entries::table
        .filter(points_entries::account_id.eq(account_id))
        .filter(points_entries::seq.gt(after))
        .order(points_entries::seq)
        .limit(limit)
        .select(PointsEntry::as_select())
        .load(conn)?)
}
