//! What callers see of a product.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::country::Country;
use crate::domain::model::{Category, ModelId};
use crate::domain::product::{EndReason, ProductField, ProductId, ProductStatus};
use crate::domain::product_details::Warning;
use crate::error::{Code, Result};
use crate::repository::models::{self, Model};
use crate::repository::products::Product;
use crate::repository::{DbConn, points};
use crate::types::Instant;
use crate::workflows::Context;
use crate::workflows::products::{checked, missing_of};

/// The model of a product.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductModelView {
    pub id: ModelId,
    #[schema(example = "EOS 5D Mark III")]
    pub name: String,
    pub category: Category,
}

/// A registered product.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductView {
    pub id: ProductId,
    pub model: ProductModelView,
    /// Where it stands; `complete` is the green tick.
    pub status: ProductStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub serial_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub purchase_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub purchase_country: Option<Country>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub dealer: Option<String>,
    /// Which fields are best guesses.
    pub estimated: Vec<ProductField>,
    /// Which fields the green tick still needs.
    pub missing: Vec<ProductField>,
    /// What passes, but is odd.
    pub warnings: Vec<Warning>,
    /// The points that it gave and that were not taken back.
    #[schema(minimum = 0, example = 235)]
    pub points_granted: i64,
    /// The points that it gives with the green tick, or gave.
    #[schema(minimum = 0, example = 235)]
    pub points_possible: i64,
    /// What it was called in an old CPS account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub legacy_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub end_reason: Option<EndReason>,
    /// Counts the changes; also the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ended_at: Option<Instant>,
}

impl ProductView {
    fn of(
        context: &Context,
        product: Product,
        model: &Model,
        granted: Option<i64>,
        value: i64,
    ) -> Self {
        let warnings = checked(context, model, &product.details())
            .map(|checked| checked.warnings)
            .unwrap_or_default();
        Self {
            missing: missing_of(&product),
            estimated: product.estimated(),
            warnings,
            points_granted: granted.unwrap_or(0),
            points_possible: granted.unwrap_or(value),
            id: product.id,
            model: ProductModelView {
                id: model.id,
                name: model.name.clone(),
                category: model.category,
            },
            status: product.status,
            serial_number: product.serial_number,
            purchase_date: product.purchase_date,
            purchase_country: product.purchase_country,
            dealer: product.dealer,
            legacy_reference: product.legacy_reference,
            end_reason: product.end_reason,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
            ended_at: product.ended_at,
        }
    }
}

/// The views of `products`, with what their models and the ledger add.
pub fn load_views(
    conn: &mut DbConn,
    context: &Context,
    products: Vec<Product>,
) -> Result<Vec<ProductView>> {
    let mut model_ids: Vec<ModelId> = products.iter().map(|one| one.model_id).collect();
    model_ids.sort();
    model_ids.dedup();
    let product_ids: Vec<ProductId> = products.iter().map(|one| one.id).collect();
    let today = context.programme.review.date_of(context.now);
    let models = models::of_ids(conn, &model_ids)?;
    let values = models::values_at(conn, &model_ids, today)?;
    let awards = points::standing_awards(conn, &product_ids)?;
    let views = products.into_iter().map(|product| {
        let model = models.get(&product.model_id).ok_or(Code::NotFound)?;
        let award = awards
            .iter()
            .find(|award| award.product_id == Some(product.id));
        let value = values.get(&model.id).map_or(0, |value| value.points);
        let granted = award.map(|award| award.amount);
        Ok(ProductView::of(context, product, model, granted, value))
    });
    views.collect()
}

/// The view of one product.
pub fn load_view(conn: &mut DbConn, context: &Context, product: Product) -> Result<ProductView> {
    let view = load_views(conn, context, vec![product])?.pop();
    view.ok_or_else(|| Code::NotFound.into())
}
