//! The points ledger at rest: one row for each account, and entries that nothing changes. Locking is in `lock`.

mod lock;

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::points::{Account as Sums, Entry, EntryId, EntryKind, Invited};
use crate::domain::product::ProductId;
use crate::each;
use crate::error::{Code, Result};
use crate::repository::held::{Held, stored};
use crate::repository::models::Model;
use crate::repository::schema::{accounts, models, points_accounts, points_entries, products};
use crate::repository::{DbConn, MOST_ROWS, MultiBackend};
use crate::types::Instant;

pub use lock::{lock, lock_many};

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
    /// When the last entry was made.
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
    /// The word of a [`PointsReason`](crate::domain::points::PointsReason), or what staff wrote of an adjustment.
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
    let found: Option<Option<PointsAccount>> = accounts::table
        .left_join(points_accounts::table)
        .filter(accounts::id.eq(account_id))
        .select(Option::<PointsAccount>::as_select())
        .first(conn)
        .optional()?;
    let ledger = found.ok_or(Code::NotFound)?;
    Ok(ledger.unwrap_or_else(|| PointsAccount::empty(account_id)))
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

/// An entry with the model of its registration, where it is about one.
pub type WithModel = (PointsEntry, Option<Model>);

/// The entries of an account, newest first, behind `before`.
pub fn entries(
    conn: &mut DbConn,
    access: &AccountAccess,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<WithModel>> {
    // One after the other: within brackets SQLite would join all products to their models first.
    let is_its = models::id.nullable().eq(products::model_id.nullable());
    Ok(points_entries::table
        .left_join(products::table)
        .left_join(models::table.on(is_its))
        .filter(points_entries::account_id.eq(access.account_id()))
        .filter(points_entries::seq.lt(before.unwrap_or(i64::MAX)))
        .order(points_entries::seq.desc())
        .limit(limit)
        .select((PointsEntry::as_select(), Option::<Model>::as_select()))
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
