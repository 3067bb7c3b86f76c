//! Old CPS accounts at rest: their products, the proof of their address, and who took them over.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::upsert::excluded;

use super::accounts::Account;
use super::held::Held;
use super::schema::{
    legacy_accounts, legacy_products, legacy_proofs, legacy_takeovers, member_numbers,
};
use super::sweeping::{self, SweepText, sweep_text};
use super::{DbConn, MOST_ROWS, MultiBackend, Stored};
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::legacy_migration::{LegacyAccountId, LegacyProductId, MigrationResult};
use crate::domain::product::ProductId;
use crate::domain::values::Country;
use crate::error::Result;
use crate::types::Instant;
use crate::{each, locked};

/// An old account, as it was imported.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = legacy_accounts, check_for_backend(MultiBackend))]
pub struct LegacyAccount {
    pub id: LegacyAccountId,
    pub email: String,
    pub email_key: String,
    pub member_number: String,
    pub created_at: Instant,
}

/// A product of an old account, and what became of it.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = legacy_products, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
pub struct LegacyProduct {
    pub id: LegacyProductId,
    pub legacy_account_id: LegacyAccountId,
    pub legacy_reference: String,
    /// The model's name, as it was called then.
    pub model: String,
    pub serial_number: Option<String>,
    pub purchase_date: Option<NaiveDate>,
    pub purchase_country: Option<Country>,
    pub dealer: Option<String>,
    /// None while it waits.
    pub result: Option<MigrationResult>,
    pub product_id: Option<ProductId>,
}

/// Who has an old account.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = legacy_takeovers, primary_key(legacy_account_id), check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Takeover {
    pub legacy_account_id: LegacyAccountId,
    pub account_id: AccountId,
    /// The member of staff who attached it.
    pub attached_by: Option<UserId>,
    pub reason: Option<String>,
    pub created_at: Instant,
    /// When its products were taken over.
    pub migrated_at: Option<Instant>,
}

impl Takeover {
    /// That of an account by itself, with nothing fetched yet.
    pub fn of(account_id: AccountId, legacy_account_id: LegacyAccountId, now: Instant) -> Self {
        Self {
            legacy_account_id,
            account_id,
            attached_by: None,
            reason: None,
            created_at: now,
            migrated_at: None,
        }
    }
}

/// How far an account has come in proving an old address.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = legacy_proofs, primary_key(account_id), check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Proof {
    pub account_id: AccountId,
    pub email_key: String,
    /// The code that was mailed last; it is short, so that a hash would not hide it.
    pub sealed_code: Option<String>,
    pub expires_at: Instant,
    pub tries: i64,
    /// The mails of the current day.
    pub mails: i64,
    pub mails_since: Instant,
    pub proven_at: Option<Instant>,
}

/// More products than this no old account has.
pub const MOST_PRODUCTS: i64 = 5000;

/// The old account of an e-mail address.
pub fn find_by_email(conn: &mut DbConn, email_key: &str) -> Result<Option<LegacyAccount>> {
    Ok(legacy_accounts::table
        .filter(legacy_accounts::email_key.eq(email_key))
        .select(LegacyAccount::as_select())
        .first(conn)
        .optional()?)
}

/// The old account of a member number, by the key of the number.
pub fn find_by_number(conn: &mut DbConn, number_key: &str) -> Result<Option<LegacyAccount>> {
    Ok(member_numbers::table
        .inner_join(legacy_accounts::table)
        .filter(member_numbers::number_key.eq(number_key))
        .select(LegacyAccount::as_select())
        .first(conn)
        .optional()?)
}

/// The old accounts that nobody took over, oldest first.
pub fn waiting(conn: &mut DbConn, limit: i64) -> Result<Vec<LegacyAccount>> {
    let taken =
        legacy_takeovers::table.filter(legacy_takeovers::legacy_account_id.eq(legacy_accounts::id));
    Ok(legacy_accounts::table
        .filter(diesel::dsl::not(diesel::dsl::exists(taken)))
        .order(legacy_accounts::id)
        .limit(limit)
        .select(LegacyAccount::as_select())
        .load(conn)?)
}

/// Stores an old account and keeps its member number from being given out again; taken where e-mail or number is known, however that is
/// written: `number_key` is how it is compared.
pub fn insert(conn: &mut DbConn, account: &LegacyAccount, number_key: &str) -> Result<Stored> {
    let stored = each!(conn, c => diesel::insert_into(legacy_accounts::table).values(account).on_conflict_do_nothing().execute(c))?;
    if stored == 0 {
        return Ok(Stored::Taken);
    }
    let number = (
        member_numbers::number.eq(&account.member_number),
        member_numbers::number_key.eq(number_key),
        member_numbers::legacy_account_id.eq(account.id),
        member_numbers::created_at.eq(account.created_at),
    );
    let kept = each!(conn, c => diesel::insert_into(member_numbers::table).values(number).on_conflict_do_nothing().execute(c))?;
    Ok(Stored::one_of(kept))
}

/// Stores products of an old account.
pub fn insert_products(conn: &mut DbConn, products: &[LegacyProduct]) -> Result<()> {
    for some in products.chunks(MOST_ROWS) {
        each!(conn, c => diesel::insert_into(legacy_products::table).values(some).execute(c))?;
    }
    Ok(())
}

/// The products of an old account, in the order of their references.
pub fn products(conn: &mut DbConn, id: LegacyAccountId) -> Result<Vec<LegacyProduct>> {
    Ok(legacy_products::table
        .filter(legacy_products::legacy_account_id.eq(id))
        .order((legacy_products::legacy_reference, legacy_products::id))
        .limit(MOST_PRODUCTS)
        .select(LegacyProduct::as_select())
        .load(conn)?)
}

/// Stores what became of products.
pub fn set_results(conn: &mut DbConn, products: &[LegacyProduct]) -> Result<()> {
    for some in products.chunks(MOST_ROWS) {
        each!(conn, c => diesel::insert_into(legacy_products::table)
            .values(some)
            .on_conflict(legacy_products::id)
            .do_update()
            .set((
                legacy_products::result.eq(excluded(legacy_products::result)),
                legacy_products::product_id.eq(excluded(legacy_products::product_id)),
            ))
            .execute(c))?;
    }
    Ok(())
}

/// The old accounts that an account has, in the order in which it came to them.
pub fn takeovers_of(
    conn: &mut DbConn,
    account: AccountId,
) -> Result<Vec<(Takeover, LegacyAccount)>> {
    Ok(legacy_takeovers::table
        .inner_join(legacy_accounts::table)
        .filter(legacy_takeovers::account_id.eq(account))
        .order((
            legacy_takeovers::created_at,
            legacy_takeovers::legacy_account_id,
        ))
        .select((Takeover::as_select(), LegacyAccount::as_select()))
        .load(conn)?)
}

/// Who has an old account.
pub fn taken_by(conn: &mut DbConn, id: LegacyAccountId) -> Result<Option<Takeover>> {
    Ok(legacy_takeovers::table
        .find(id)
        .select(Takeover::as_select())
        .first(conn)
        .optional()?)
}

/// Gives an old account to an account; taken where somebody has it.
pub fn take(conn: &mut DbConn, takeover: &Takeover) -> Result<Stored> {
    let taken = each!(conn, c => diesel::insert_into(legacy_takeovers::table).values(takeover).on_conflict_do_nothing().execute(c))?;
    Ok(Stored::one_of(taken))
}

/// Marks an old account as migrated; from now on its member number leads to the account.
pub fn mark_migrated(conn: &mut DbConn, takeover: &Takeover, now: Instant) -> Result<()> {
    diesel::update(legacy_takeovers::table.find(takeover.legacy_account_id))
        .set(legacy_takeovers::migrated_at.eq(now))
        .execute(conn)?;
    let number = member_numbers::table
        .filter(member_numbers::legacy_account_id.eq(takeover.legacy_account_id));
    diesel::update(number)
        .set(member_numbers::account_id.eq(takeover.account_id))
        .execute(conn)?;
    Ok(())
}

/// The proof of an account.
pub fn proof(conn: &mut DbConn, account: AccountId) -> Result<Option<Proof>> {
    Ok(legacy_proofs::table
        .find(account)
        .select(Proof::as_select())
        .first(conn)
        .optional()?)
}

/// The proof of a held account, held too.
pub fn lock_proof(conn: &mut DbConn, account: &Held<Account>) -> Result<Option<Held<Proof>>> {
    let found: Option<Proof> = locked!(
        conn,
        legacy_proofs::table
            .find(account.id)
            .select(Proof::as_select())
    )
    .optional()?;
    Ok(found.map(Held::new))
}

const SWEEP_PROOFS: SweepText = sweep_text!(
    "legacy_proofs",
    "account_id",
    "expires_at < $1 AND proven_at IS NULL"
);

/// Forgets at most `limit` proofs that came to nothing and whose last code ran out before `before`; how many there were.
pub fn sweep_proofs(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP_PROOFS, before, limit)
}

/// Stores the proof of a held account, the first or the next one.
pub fn put_proof(conn: &mut DbConn, account: &Held<Account>, proof: &Proof) -> Result<()> {
    let proof = &Proof {
        account_id: account.id,
        ..proof.clone()
    };
    each!(conn, c => diesel::insert_into(legacy_proofs::table)
        .values(proof)
        .on_conflict(legacy_proofs::account_id)
        .do_update()
        .set(proof)
        .execute(c))?;
    Ok(())
}
