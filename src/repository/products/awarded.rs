//! Products beside what the ledger has of them.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::{Product, UNLISTED};
use crate::domain::access::AccountAccess;
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::model::ModelId;
use crate::domain::points::EntryKind;
use crate::domain::product::{ProductId, ProductStatus};
use crate::domain::product_list::ProductSort;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::catalogue::{self, Version};
use crate::repository::schema::{accounts, model_points, models, points_entries, products};

/// Whether an entry is an award of the product that was not taken back.
macro_rules! is_standing_award {
    () => {{
        let reversal = diesel::alias!(points_entries as reversal);
        let taken_back = reversal.filter(
            reversal
                .field(points_entries::reverses)
                .eq(points_entries::id.nullable()),
        );
        points_entries::product_id
            .eq(products::id.nullable())
            .and(points_entries::kind.eq(EntryKind::Award))
            .and(diesel::dsl::not(diesel::dsl::exists(taken_back)))
    }};
}

/// An award of the product that was not taken back.
macro_rules! standing_award {
    () => {
        points_entries::table.filter(is_standing_award!())
    };
}

/// A product with the points of its award, where one stands.
pub type Awarded = (Product, Option<i64>);

/// Which products of an account are listed, in which order, and from where.
#[derive(Debug, Clone)]
pub struct AwardedListing {
    /// Empty: all that have not ended, but for offers.
    pub statuses: Vec<ProductStatus>,
    pub sort: ProductSort,
    /// Behind this product, whose model has this name, as it is compared.
    pub after: Option<(String, ProductId)>,
    pub limit: i64,
}

/// The products that match with what they gave, and the version of the catalogue that stands: one statement. Without a product, no version.
pub fn list_awarded(
    conn: &mut DbConn,
    access: &AccountAccess,
    listing: &AwardedListing,
) -> Result<(Vec<Awarded>, Version)> {
    let mut query = products::table
        .inner_join(models::table)
        .left_join(points_entries::table.on(is_standing_award!()))
        .filter(products::account_id.eq(access.account_id()))
        .select((
            Product::as_select(),
            points_entries::amount.nullable(),
            catalogue::version(),
        ))
        .into_boxed();
    query = match listing.statuses.is_empty() {
        true => query.filter(products::status.ne_all(UNLISTED)),
        false => query.filter(products::status.eq_any(&listing.statuses)),
    };
    query = match (listing.sort, &listing.after) {
        (ProductSort::Newest, Some((_, id))) => query.filter(products::id.lt(id)),
        (ProductSort::Oldest, Some((_, id))) => query.filter(products::id.gt(id)),
        (ProductSort::Model, Some((name, id))) => {
            let same = models::name_key.eq(name).and(products::id.lt(id));
            query.filter(models::name_key.gt(name).or(same))
        }
        (_, None) => query,
    };
    query = match listing.sort {
        ProductSort::Newest => query.order(products::id.desc()),
        ProductSort::Oldest => query.order(products::id.asc()),
        ProductSort::Model => query.order((models::name_key.asc(), products::id.desc())),
    };
    let rows: Vec<(Product, Option<i64>, Version)> = query.limit(listing.limit).load(conn)?;
    let version = rows.last().and_then(|(_, _, version)| version.clone());
    let rows = rows.into_iter().map(|(product, award, _)| (product, award));
    Ok((rows.collect(), version))
}

/// Products of one status and one model that gave the same.
#[derive(Debug, Clone, Queryable)]
pub struct Tally {
    pub status: ProductStatus,
    pub model_id: ModelId,
    /// What each of them gave, where its award stands.
    pub granted: Option<i64>,
    pub products: i64,
}

/// The products of an account that have not ended, counted, and the version of the catalogue that stands: one statement. Without a
/// product, no version.
pub fn tally(conn: &mut DbConn, access: &AccountAccess) -> Result<(Vec<Tally>, Version)> {
    let alike = (products::status, products::model_id, points_entries::amount);
    let rows: Vec<(Tally, Version)> = products::table
        .left_join(points_entries::table.on(is_standing_award!()))
        .filter(products::account_id.eq(access.account_id()))
        .filter(products::ended_at.is_null())
        .group_by(alike)
        .select((
            (
                products::status,
                products::model_id,
                points_entries::amount.nullable(),
                diesel::dsl::count_star(),
            ),
            catalogue::version(),
        ))
        .load(conn)?;
    let version = rows.last().and_then(|(_, version)| version.clone());
    Ok((rows.into_iter().map(|(tally, _)| tally).collect(), version))
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
