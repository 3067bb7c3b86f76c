//! What callers see of a product.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::access::AccountAccess;
use crate::domain::model::{Category, ModelId, Value};
use crate::domain::product::{
    EndReason, Evidence, PointsPending, ProductField, ProductId, ProductStatus, points_pending,
};
use crate::domain::product_details::Warning;
use crate::domain::product_list::ProductSummary;
use crate::domain::values::Country;
use crate::error::{Code, Result};
use crate::repository::DbConn;
use crate::repository::catalogue::Catalogue;
use crate::repository::products::{Awarded, Product};
use crate::types::Instant;
use crate::workflows::Context;
use crate::workflows::products::{checked, granted, missing_of};

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
    /// Why it has no points yet although it lacks nothing; they follow by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub points_pending: Option<PointsPending>,
    /// How well what it says is known; staff see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub evidence: Option<Evidence>,
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
    /// The view of a product with the points of its award, where one stands, by the catalogue that stands, for who has this access.
    pub fn of(
        context: &Context,
        catalogue: &Catalogue,
        access: &AccountAccess,
        (product, granted): Awarded,
    ) -> Result<Self> {
        let model = catalogue.model(product.model_id).ok_or(Code::NotFound)?;
        let today = context.programme.review.date_of(context.now);
        let value = catalogue.value(product.model_id, today);
        let warnings = checked(context, model, &product.details())
            .map(|checked| checked.warnings)
            .unwrap_or_default();
        Ok(Self {
            missing: missing_of(&product),
            estimated: product.estimated(),
            warnings,
            points_pending: pending(&product, granted, value),
            points_granted: granted.unwrap_or(0),
            points_possible: granted.unwrap_or(value.map_or(0, |value| value.points)),
            id: product.id,
            model: ProductModelView {
                id: model.row.id,
                name: model.row.name.clone(),
                category: model.row.category,
            },
            status: product.status,
            serial_number: product.serial_number,
            purchase_date: product.purchase_date,
            purchase_country: product.purchase_country,
            dealer: product.dealer,
            evidence: access.staff().map(|_| product.evidence),
            legacy_reference: product.legacy_reference,
            end_reason: product.end_reason,
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
            ended_at: product.ended_at,
        })
    }
}

fn pending(product: &Product, granted: Option<i64>, value: Option<Value>) -> Option<PointsPending> {
    match granted {
        Some(_) => None,
        None => points_pending(
            product.status,
            value.is_some(),
            product.is_unchecked_guess(),
        ),
    }
}

/// What the products of an account come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductSummaryView {
    /// How many have the green tick.
    #[schema(minimum = 0, example = 12)]
    complete: i64,
    /// How many lack something.
    #[schema(minimum = 0, example = 3)]
    incomplete: i64,
    /// How many are held until staff have looked.
    #[schema(minimum = 0, example = 0)]
    disputed: i64,
    /// The points that they gave and that were not taken back.
    #[schema(minimum = 0, example = 1860)]
    points_granted: i64,
    /// The points that the incomplete ones give once nothing is missing, by the values of today.
    #[schema(minimum = 0, example = 265)]
    points_missing: i64,
    /// The points that follow by themselves; each product says in `points_pending` what they wait for.
    #[schema(minimum = 0, example = 0)]
    points_pending: i64,
}

impl ProductSummaryView {
    pub fn of(summary: ProductSummary) -> Self {
        Self {
            complete: summary.complete,
            incomplete: summary.incomplete,
            disputed: summary.disputed,
            points_granted: summary.points_granted,
            points_missing: summary.points_missing,
            points_pending: summary.points_pending,
        }
    }
}

/// The view of one product, with what the catalogue and the ledger add.
pub fn load_view(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    product: Product,
) -> Result<ProductView> {
    let granted = granted(conn, product.id)?;
    let catalogue = context.catalogue.current(conn)?;
    ProductView::of(context, &catalogue, access, (product, granted))
}
