//! What callers see of an old account and of its takeover.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::language::Language;
use crate::domain::legacy_migration::{Availability, MigrationResult, UnavailableReason};
use crate::domain::product::{ProductField, ProductId};
use crate::handlers::problem::{next_operation, remedy};
use crate::workflows::legacy_migration::{Migrated, MigratedItem, WaitingProduct};

/// A product of an old account that waits to be taken over.
#[derive(Serialize, ToSchema)]
pub struct WaitingProductView {
    #[schema(example = "L-1001")]
    legacy_reference: String,
    /// As the old account called it.
    #[schema(example = "EOS 5D Mark III")]
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "012021001234")]
    serial_number: Option<String>,
    /// What the product will lack for its green tick.
    missing: Vec<ProductField>,
}

impl WaitingProductView {
    fn of(waiting: WaitingProduct) -> Self {
        Self {
            legacy_reference: waiting.legacy.legacy_reference,
            model: waiting.legacy.model,
            serial_number: waiting.legacy.serial_number,
            missing: waiting.missing,
        }
    }
}

/// Whether products can be taken over.
#[derive(Serialize, ToSchema)]
pub struct MigrationView {
    available: bool,
    /// How many products wait; where they are available.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    products: Option<u64>,
    /// Which products wait; where they are available.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    waiting: Option<Vec<WaitingProductView>>,
    /// Why there is nothing; also the code of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<UnavailableReason>,
    /// What to do then, in the caller's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_step: Option<String>,
    /// The `operationId` of the call that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "sendMigrationCode")]
    next_operation: Option<&'static str>,
}

impl MigrationView {
    /// What is known of an account's old ones, in `language`.
    pub fn of(
        availability: Availability,
        waiting: Vec<WaitingProduct>,
        language: Language,
    ) -> Self {
        let (products, reason) = match availability {
            Availability::Available { products } => (Some(products), None),
            Availability::Unavailable(reason) => (None, Some(reason)),
        };
        let waiting = waiting.into_iter().map(WaitingProductView::of);
        Self {
            available: products.is_some(),
            products,
            waiting: products.map(|_| waiting.collect()),
            reason,
            next_operation: reason.and_then(|reason| next_operation(reason.code())),
            next_step: reason.map(|reason| remedy(reason.code(), language)),
        }
    }
}

/// What became of one product of the old account.
#[derive(Serialize, ToSchema)]
pub struct MigratedItemView {
    legacy_reference: String,
    /// As the old account called it.
    model: String,
    result: MigrationResult,
    /// The registration; none for `conflict` and `unknown_model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    product_id: Option<ProductId>,
    /// What the product still needs.
    missing: Vec<ProductField>,
}

/// What a takeover came to.
#[derive(Serialize, ToSchema)]
pub struct MigratedView {
    items: Vec<MigratedItemView>,
    /// By this very call.
    #[schema(minimum = 0)]
    points_granted: i64,
}

impl MigratedView {
    /// What became of each product.
    pub fn of(migrated: Migrated) -> Self {
        let item = |item: MigratedItem| MigratedItemView {
            legacy_reference: item.legacy.legacy_reference,
            model: item.legacy.model,
            result: item.result,
            product_id: item.legacy.product_id,
            missing: item.missing,
        };
        Self {
            items: migrated.items.into_iter().map(item).collect(),
            points_granted: migrated.points_granted,
        }
    }
}
