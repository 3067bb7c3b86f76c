//! Products beside what the ledger has of them.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::{Listing, Product};
use crate::domain::access::AccountAccess;
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::points::EntryKind;
use crate::domain::product::{ProductId, ProductStatus};
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::catalogue::{self, Version};
use crate::repository::schema::{accounts, model_points, points_entries, products};

/// An award of the product that was not taken back.
macro_rules! standing_award {
    () => {{
        let reversal = diesel::alias!(points_entries as reversal);
        let taken_back = reversal.filter(
            reversal
                .field(points_entries::reverses)
                .eq(points_entries::id.nullable()),
        );
        points_entries::table
            .filter(points_entries::product_id.eq(products::id.nullable()))
            .filter(points_entries::kind.eq(EntryKind::Award))
            .filter(diesel::dsl::not(diesel::dsl::exists(taken_back)))
    }};
}

/// A product with the points of its award, where one stands.
pub type Awarded = (Product, Option<i64>);

/// The products that match with what they gave, newest first, and the version of the catalogue that stands: one statement. Without a product,
/// no version.
pub fn list_awarded(
    conn: &mut DbConn,
    access: &AccountAccess,
    listing: &Listing,
) -> Result<(Vec<Awarded>, Version)> {
    let reversal = diesel::alias!(points_entries as reversal);
    let taken_back = reversal.filter(
        reversal
            .field(points_entries::reverses)
            .eq(points_entries::id.nullable()),
    );
    let award = points_entries::product_id
        .eq(products::id.nullable())
        .and(points_entries::kind.eq(EntryKind::Award))
        .and(diesel::dsl::not(diesel::dsl::exists(taken_back)));
    let mut query = products::table
        .left_join(points_entries::table.on(award))
        .filter(products::account_id.eq(access.account_id()))
        .select((
            Product::as_select(),
            points_entries::amount.nullable(),
            catalogue::version(),
        ))
        .into_boxed();
    query = match listing.status {
        Some(status) => query.filter(products::status.eq(status)),
        None => query.filter(products::ended_at.is_null()),
    };
    if let Some(before) = listing.before {
        query = query.filter(products::id.lt(before));
    }
    let rows: Vec<(Product, Option<i64>, Version)> = query
        .order(products::id.desc())
        .limit(listing.limit)
        .load(conn)?;
    let version = rows.last().and_then(|(_, _, version)| version.clone());
    let rows = rows.into_iter().map(|(product, award, _)| (product, award));
    Ok((rows.collect(), version))
}

/// The products of the account that earn points on a guessed serial number that staff have not looked at.
pub fn earning_on_guesses(conn: &mut DbConn, account: AccountId) -> Result<Vec<ProductId>> {
    let guesses = products::table
        .filter(products::account_id.eq(account))
        .filter(products::status.eq(ProductStatus::Complete))
        .filter(products::estimated.like("%serial_number%"))
        .filter(products::checked_at.is_null())
        .filter(diesel::dsl::exists(standing_award!()));
    Ok(guesses.select(products::id).load(conn)?)
}

/// The products of these accounts that have the green tick and no points, the oldest first.
pub fn waiting_for_points(conn: &mut DbConn, accounts: &[AccountId]) -> Result<Vec<Product>> {
    let waiting = products::table
        .filter(products::account_id.eq_any(accounts))
        .filter(products::status.eq(ProductStatus::Complete))
        .filter(diesel::dsl::not(diesel::dsl::exists(standing_award!())));
    Ok(waiting
        .order(products::id)
        .select(Product::as_select())
        .load(conn)?)
}

/// The accounts behind `after` that have products with the green tick and no points, of models that are worth something on `date`.
pub fn accounts_waiting(
    conn: &mut DbConn,
    date: NaiveDate,
    after: Option<AccountId>,
    limit: i64,
) -> Result<Vec<AccountId>> {
    let value = model_points::table
        .filter(model_points::model_id.eq(products::model_id))
        .filter(model_points::valid_from.le(date));
    let mut query = products::table
        .inner_join(accounts::table)
        .filter(accounts::status.eq_any([AccountStatus::Active, AccountStatus::Suspended]))
        .filter(products::status.eq(ProductStatus::Complete))
        .filter(diesel::dsl::exists(value))
        .filter(diesel::dsl::not(diesel::dsl::exists(standing_award!())))
        .select(products::account_id)
        .distinct()
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(products::account_id.gt(after));
    }
    Ok(query.order(products::account_id).limit(limit).load(conn)?)
}
