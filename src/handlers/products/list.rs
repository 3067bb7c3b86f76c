//! The products of an account together: found, in an order, and summed up. What is done with one is in the folder's `mod`.

use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::views::{ProductSummaryView, ProductView};
use crate::auth::Access;
use crate::domain::permissions::ProductsRead;
use crate::domain::product::{ProductId, ProductStatus};
use crate::domain::product_list::{ProductQuery, ProductSort};
use crate::error::Result;
use crate::handlers::accounts::AccountPath;
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Cursor, PageParams, Pages, Params, list_params};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::repository::accounts;
use crate::repository::products::AwardedListing;
use crate::workflows::products::{Found, find, place, summarize};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(
            list_products,
            Callers::account(ProductsRead),
            RateLimit::PerCaller,
        )
        .service(
            summarize_products,
            Callers::account(ProductsRead),
            RateLimit::PerCaller,
        );
}

/// A page of products.
#[derive(Serialize, ToSchema)]
struct ProductPage {
    items: Vec<ProductView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

list_params! {
    /// Which products to list.
    struct ProductsParams {
        /// Only those of these statuses, each named by itself: `status=complete&status=ended`; without it all that have not ended, but for offers.
        #[serde(default)]
        #[param(inline, required = false, max_items = 5)]
        status: Vec<ProductStatus>,
        /// Words of the model's name or the dealer's, or at least four characters of the serial number, in any order. Blanks, hyphens and case
        /// do not count; `Mk` is `Mark`, `III` is `3`.
        #[param(max_length = 100, nullable = false, example = "5d mark")]
        query: Option<String>,
        /// The order of the list; without it the newest first.
        #[param(inline, nullable = false)]
        sort: Option<ProductSort>,
    }
}

impl ProductsParams {
    fn sort(&self) -> ProductSort {
        self.sort.unwrap_or(ProductSort::Newest)
    }

    /// Of a place in this order; a list in another one does not know it.
    fn cursor(&self, (name, id): (String, ProductId)) -> Cursor {
        Cursor {
            key: format!("{} {name}", self.sort()),
            id: id.uuid(),
        }
    }

    fn place(&self, cursor: &Cursor) -> Option<(String, ProductId)> {
        let (sort, name) = cursor.key.split_once(' ')?;
        (sort == self.sort().as_str()).then(|| (name.to_owned(), ProductId::from(cursor.id)))
    }
}

/// List products
///
/// The registered products of the account, newest first unless `sort` says otherwise; those that have ended only with `status=ended`, offers of dealers only
/// with `status=offered`.
#[utoipa::path(
    tag = "products",
    operation_id = "listProducts",
    security(("bearer" = [])),
    params(AccountPath, ProductsParams),
    responses((status = 200, description = "The products", body = ProductPage))
)]
#[get("/accounts/{account_id}/products")]
async fn list_products(
    service: Data<Service>,
    access: Access<ProductsRead>,
    params: Params<ProductsParams>,
    pages: Pages,
) -> Result<Answer> {
    let (context, size, params) = (service.context(), params.0.size(), params.0);
    let query = ProductQuery::read(params.query.as_deref().unwrap_or_default());
    let listing = AwardedListing {
        statuses: params.status.clone(),
        sort: params.sort(),
        after: pages.after_as(&params, |cursor| params.place(cursor))?,
        limit: size + 1,
    };
    let list = pages.clone();
    let (items, next_cursor) = service
        .db
        .fetch(move |conn| {
            let found = find(conn, &context, &access.account, &query, &listing)?;
            let Found {
                products,
                catalogue,
            } = found;
            accounts::exists_unless(conn, &access.account, !products.is_empty())?;
            let (products, next) = list.cut(products, size, |(product, _)| {
                params.cursor(place(&catalogue, product))
            });
            let view = |row| ProductView::of(&context, &catalogue, &access.account, row);
            let views: Result<Vec<ProductView>> = products.into_iter().map(view).collect();
            Ok((views?, next))
        })
        .await?;
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&ProductPage { items, next_cursor })?.header_if("Link", link))
}

/// Sum up the products
///
/// How many products have the green tick and how many lack something; which points they gave, which are missing, and which follow by themselves.
/// Offers and what has ended do not count.
#[utoipa::path(
    tag = "products",
    operation_id = "summarizeProducts",
    security(("bearer" = [])),
    params(AccountPath),
    responses((status = 200, description = "The sums", body = ProductSummaryView, headers(("ETag" = String))))
)]
#[get("/accounts/{account_id}/products/summary")]
async fn summarize_products(
    service: Data<Service>,
    access: Access<ProductsRead>,
) -> Result<Answer> {
    let context = service.context();
    let summary = service
        .db
        .read(move |conn| {
            accounts::find(conn, &access.account)?;
            summarize(conn, &context, &access.account)
        })
        .await?;
    Ok(Answer::ok(&ProductSummaryView::of(summary))?.etag_of_body())
}
