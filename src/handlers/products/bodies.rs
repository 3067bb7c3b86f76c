//! What callers send about a product.

use serde::Deserialize;
use serde_with::rust::double_option;
use utoipa::ToSchema;
use validator::Validate;

use crate::domain::country::Country;
use crate::domain::model::ModelId;
use crate::domain::product::{ProductField, still_estimated};
use crate::domain::product_details::{Details, check};
use crate::domain::values::Date;
use crate::error::Fault;
use crate::handlers::extract::{Checked, nullable};
use crate::programme::Programme;
use crate::types::Instant;

/// A product to register; all but the model may be added later, and each may be a best guess.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "model_id": "mod_000000000000700080000000000003e9", "serial_number": "012021001234", "purchase_date": "2024-05-17",
    "purchase_country": "DK", "dealer": "Foto Nord", "estimated": ["purchase_date"]
}))]
pub struct RegisterProduct {
    /// A model of the catalogue.
    pub model_id: ModelId,
    /// As it stands on the product; spaces, hyphens and a bracketed part are dropped.
    #[schema(min_length = 1, max_length = 64, nullable = false)]
    pub serial_number: Option<String>,
    /// Not in the future, and not before the model's launch.
    #[schema(nullable = false)]
    pub purchase_date: Option<Date>,
    #[schema(nullable = false)]
    pub purchase_country: Option<Country>,
    /// Who sold it.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*$",
        nullable = false
    )]
    pub dealer: Option<String>,
    /// Which of the fields are best guesses.
    #[serde(default)]
    #[schema(max_items = 4, required = false)]
    pub estimated: Vec<ProductField>,
}

impl RegisterProduct {
    /// What is said of the product.
    pub fn details(&self) -> Details {
        Details {
            serial_number: self.serial_number.clone(),
            purchase_date: self.purchase_date.map(Date::day),
            purchase_country: self.purchase_country,
            dealer: self.dealer.clone(),
            estimated: self.estimated.clone(),
        }
    }
}

impl Checked for RegisterProduct {
    fn faults(&self, programme: &Programme, now: Instant) -> Vec<Fault> {
        let today = programme.review.date_of(now);
        let found = check(&self.details(), None, today, &programme.products);
        found.err().unwrap_or_default()
    }
}

/// Changes to a product; null clears a field, what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "serial_number": "012021001234", "estimated": [] }))]
pub struct UpdateProduct {
    #[serde(with = "double_option")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, required = false)]
    pub serial_number: Option<Option<String>>,
    #[serde(with = "double_option")]
    #[schema(schema_with = nullable::<Date>, required = false)]
    pub purchase_date: Option<Option<Date>>,
    #[serde(with = "double_option")]
    #[schema(value_type = Option<String>, pattern = "^[A-Z]{2}$", required = false)]
    pub purchase_country: Option<Option<Country>>,
    #[serde(with = "double_option")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f]*$", required = false)]
    pub dealer: Option<Option<String>>,
    /// Which of the fields are best guesses, all of them.
    #[serde(with = "double_option")]
    #[schema(value_type = Option<Vec<ProductField>>, max_items = 4, required = false)]
    pub estimated: Option<Option<Vec<ProductField>>>,
}

impl Checked for UpdateProduct {}

impl UpdateProduct {
    /// The details after these changes; what is cleared is no guess any more.
    pub fn apply(self, before: Details) -> Details {
        let after = Details {
            serial_number: self.serial_number.unwrap_or(before.serial_number),
            purchase_date: match self.purchase_date {
                Some(date) => date.map(Date::day),
                None => before.purchase_date,
            },
            purchase_country: self.purchase_country.unwrap_or(before.purchase_country),
            dealer: self.dealer.unwrap_or(before.dealer),
            estimated: Vec::new(),
        };
        let estimated = match self.estimated {
            Some(named) => named.unwrap_or_default(),
            None => still_estimated(&before.estimated, &after.missing()),
        };
        Details { estimated, ..after }
    }
}
