//! The products of an account together: found page by page, and summed up.

use std::sync::Arc;

use crate::domain::access::AccountAccess;
use crate::domain::product::ProductId;
use crate::domain::product_list::{Alike, Findable, ProductQuery, ProductSummary};
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::catalogue::{Catalogue, Version};
use crate::repository::products::{self, Awarded, AwardedListing, Product};
use crate::workflows::Context;

/// So many products are looked through at a time.
const AT_A_TIME: i64 = 500;

/// Products that were found, and the catalogue that names their models.
pub struct Found {
    pub products: Vec<Awarded>,
    pub catalogue: Arc<Catalogue>,
}

/// The first products of `listing` that `query` finds. Without a query that is one statement; else each further one begins behind the last
/// product that was looked at, as the next page does.
pub fn find(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    query: &ProductQuery,
    listing: &AwardedListing,
) -> Result<Found> {
    let most = usize::try_from(listing.limit).unwrap_or(0);
    let mut listing = listing.clone();
    if !query.is_empty() {
        listing.limit = AT_A_TIME;
    }
    let size = usize::try_from(listing.limit).unwrap_or(0);
    let mut found = Vec::new();
    loop {
        let (rows, version) = products::list_awarded(conn, access, &listing)?;
        let catalogue = catalogue_of(conn, context, version)?;
        let is_last = rows.len() < size;
        listing.after = rows.last().map(|(last, _)| place(&catalogue, last));
        let is_found = |(product, _): &Awarded| finds(query, &catalogue, product);
        found.extend(rows.into_iter().filter(is_found));
        if is_last || found.len() >= most {
            found.truncate(most);
            return Ok(Found {
                products: found,
                catalogue,
            });
        }
    }
}

/// The catalogue that a statement about products was told of; without a product it is told of none, and needs none.
fn catalogue_of(conn: &mut DbConn, context: &Context, version: Version) -> Result<Arc<Catalogue>> {
    match version {
        None => context.catalogue.last(conn),
        some => context.catalogue.of_version(conn, some),
    }
}

fn finds(query: &ProductQuery, catalogue: &Catalogue, product: &Product) -> bool {
    let model = catalogue.model(product.model_id);
    query.finds(Findable {
        model: model.map_or("", |model| &model.search_key),
        serial_number: product.serial_number.as_deref(),
        dealer: product.dealer.as_deref(),
    })
}

/// Where a product stands in every order: the name of its model, as it is compared, and its id.
pub fn place(catalogue: &Catalogue, product: &Product) -> (String, ProductId) {
    let model = catalogue.model(product.model_id);
    let name = model.map_or("", |model| &model.row.name_key);
    (name.to_owned(), product.id)
}

/// What the products of the account come to, by the values of today.
pub fn summarize(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
) -> Result<ProductSummary> {
    let (tallies, version) = products::tally(conn, access)?;
    let catalogue = catalogue_of(conn, context, version)?;
    let today = context.programme.review.date_of(context.now);
    let alike = tallies.into_iter().map(|tally| Alike {
        status: tally.status,
        products: tally.products,
        granted: tally.granted,
        worth: catalogue
            .value(tally.model_id, today)
            .map_or(0, |value| value.points),
    });
    Ok(ProductSummary::of(alike))
}
