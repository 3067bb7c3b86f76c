//! Registered products at rest; the database lets at most one open registration have a serial number of a model.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::accounts::Account;
use super::backend::is_duplicate;
use super::held::{Held, store, stored};
use super::schema::{points_entries, products};
use super::{DbConn, MultiBackend, Stored};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::country::Country;
use crate::domain::model::ModelId;
use crate::domain::points::EntryKind;
use crate::domain::product::{EndReason, ProductField, ProductId, ProductStatus};
use crate::domain::product_details::Details;
use crate::error::{Code, Result};
use crate::types::Instant;
use crate::{each, locked};

/// One registration.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = products, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Product {
    pub id: ProductId,
    pub account_id: AccountId,
    pub model_id: ModelId,
    pub version: i64,
    pub status: ProductStatus,
    /// As it is shown.
    pub serial_number: Option<String>,
    /// As it is compared.
    pub serial_key: Option<String>,
    /// Since when it has the serial number.
    pub serial_since: Option<Instant>,
    pub purchase_date: Option<NaiveDate>,
    pub purchase_country: Option<Country>,
    pub dealer: Option<String>,
    /// The names of the fields that are guesses, with spaces between them.
    pub estimated: String,
    /// When staff looked at it: a guess counts as known then.
    pub checked_at: Option<Instant>,
    pub end_reason: Option<EndReason>,
    /// What it was called in an old CPS account.
    pub legacy_reference: Option<String>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub ended_at: Option<Instant>,
}

impl Product {
    /// The fields that are guesses.
    pub fn estimated(&self) -> Vec<ProductField> {
        let words = self.estimated.split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    }

    /// Whether the serial number is a guess.
    pub fn is_serial_estimated(&self) -> bool {
        self.estimated().contains(&ProductField::SerialNumber)
    }

    /// What is said of it.
    pub fn details(&self) -> Details {
        Details {
            serial_number: self.serial_number.clone(),
            purchase_date: self.purchase_date,
            purchase_country: self.purchase_country,
            dealer: self.dealer.clone(),
            estimated: self.estimated(),
        }
    }
}

/// The names of fields as they are stored.
pub fn estimated_text(fields: &[ProductField]) -> String {
    let words: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
    words.join(" ")
}

/// Stores a new registration; taken where another open one has its serial number.
pub fn insert(conn: &mut DbConn, product: &Product) -> Result<Stored> {
    let stored = each!(conn, c => diesel::insert_into(products::table).values(product).on_conflict_do_nothing().execute(c))?;
    Ok(Stored::one_of(stored))
}

/// A product of a held account, held too.
pub fn lock(conn: &mut DbConn, account: &Held<Account>, id: ProductId) -> Result<Held<Product>> {
    let found: Option<Product> = locked!(
        conn,
        products::table
            .find(id)
            .filter(products::account_id.eq(account.id))
            .select(Product::as_select())
    )
    .optional()?;
    found.map(Held::new).ok_or_else(|| Code::NotFound.into())
}

/// Stores the product as its next version; taken where another open registration has its serial number.
pub fn store(conn: &mut DbConn, product: &mut Held<Product>, now: Instant) -> Result<Stored> {
    product.updated_at = now;
    // A refused statement ends a whole transaction on PostgreSQL, but not the one around this savepoint.
    match conn.transaction(|conn| store!(conn, products, product)) {
        Err(error) if is_duplicate(&error, "products", "serial_key") => Ok(Stored::Taken),
        rows => stored(rows).map(|()| Stored::Yes),
    }
}

/// A product of an account.
pub fn find(conn: &mut DbConn, access: &AccountAccess, id: ProductId) -> Result<Product> {
    let found = products::table
        .find(id)
        .filter(products::account_id.eq(access.account_id()))
        .select(Product::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// The products of an account among these ids.
pub fn of_ids(
    conn: &mut DbConn,
    access: &AccountAccess,
    ids: &[ProductId],
) -> Result<BTreeMap<ProductId, Product>> {
    let mut found = BTreeMap::new();
    // SQLite takes a bounded number of values in one statement.
    for some in ids.chunks(500) {
        let rows: Vec<Product> = products::table
            .filter(products::account_id.eq(access.account_id()))
            .filter(products::id.eq_any(some))
            .select(Product::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|product| (product.id, product)));
    }
    Ok(found)
}

/// The open registration that has a serial number.
pub fn holder(conn: &mut DbConn, model: ModelId, serial_key: &str) -> Result<Option<Product>> {
    let open = products::table
        .filter(products::model_id.eq(model))
        .filter(products::serial_key.eq(serial_key))
        .filter(products::ended_at.is_null());
    Ok(open.select(Product::as_select()).first(conn).optional()?)
}

/// The accounts of other registrations that have one of these serial numbers and might have to give it up.
pub fn incomplete_or_guessing_holders(
    conn: &mut DbConn,
    model: ModelId,
    serial_keys: &[&str],
) -> Result<Vec<AccountId>> {
    let open = products::table
        .filter(products::model_id.eq(model))
        .filter(products::serial_key.eq_any(serial_keys))
        .filter(products::ended_at.is_null());
    let yielding = products::status
        .eq(ProductStatus::Incomplete)
        .or(products::estimated.like("%serial_number%"));
    Ok(open
        .filter(yielding)
        .select(products::account_id)
        .load(conn)?)
}

/// Whether a serial number was reported stolen.
pub fn was_stolen(conn: &mut DbConn, model: ModelId, serial_key: &str) -> Result<bool> {
    let stolen = products::table
        .filter(products::model_id.eq(model))
        .filter(products::serial_key.eq(serial_key))
        .filter(products::end_reason.eq(EndReason::Stolen));
    Ok(diesel::select(diesel::dsl::exists(stolen)).get_result(conn)?)
}

/// Which products of an account are listed.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// None: all that have not ended.
    pub status: Option<ProductStatus>,
    pub before: Option<ProductId>,
    pub limit: i64,
}

/// The products that match, newest first.
pub fn list(conn: &mut DbConn, access: &AccountAccess, listing: &Listing) -> Result<Vec<Product>> {
    let mut query = products::table
        .filter(products::account_id.eq(access.account_id()))
        .select(Product::as_select())
        .into_boxed();
    query = match listing.status {
        Some(status) => query.filter(products::status.eq(status)),
        None => query.filter(products::ended_at.is_null()),
    };
    if let Some(before) = listing.before {
        query = query.filter(products::id.lt(before));
    }
    Ok(query
        .order(products::id.desc())
        .limit(listing.limit)
        .load(conn)?)
}

/// How many products of an account have the green tick.
pub fn count_complete(conn: &mut DbConn, account: AccountId) -> Result<i64> {
    let complete = products::table
        .filter(products::account_id.eq(account))
        .filter(products::status.eq(ProductStatus::Complete));
    Ok(complete.count().get_result(conn)?)
}

/// How many other products of the account earn points on a guessed serial number that staff have not looked at.
pub fn count_earning_guesses(conn: &mut DbConn, product: &Product) -> Result<i64> {
    let reversal = diesel::alias!(points_entries as reversal);
    let taken_back = reversal.filter(
        reversal
            .field(points_entries::reverses)
            .eq(points_entries::id.nullable()),
    );
    let standing = points_entries::table
        .filter(points_entries::product_id.eq(products::id.nullable()))
        .filter(points_entries::kind.eq(EntryKind::Award))
        .filter(diesel::dsl::not(diesel::dsl::exists(taken_back)));
    let guesses = products::table
        .filter(products::account_id.eq(product.account_id))
        .filter(products::id.ne(product.id))
        .filter(products::status.eq(ProductStatus::Complete))
        .filter(products::estimated.like("%serial_number%"))
        .filter(products::checked_at.is_null())
        .filter(diesel::dsl::exists(standing));
    Ok(guesses.count().get_result(conn)?)
}
