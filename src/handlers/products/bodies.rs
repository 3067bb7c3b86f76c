//! What callers send about a product.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::model::ModelId;
use crate::domain::product::ProductField;
use crate::domain::product_details::{Details, Unread};
use crate::domain::values::{Country, Date, Field, Line};
use crate::error::{Faults, Partial, Result};
use crate::handlers::extract::{Input, MERGE_PATCH, nullable};
use crate::programme::Programme;
use crate::workflows::products::NewProduct;

/// A product to register; all but the model may be added later, and each may be a best guess.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "model_id": "mod_000000000000700080000000000003e9", "serial_number": "012021001234", "purchase_date": "2024-05-17",
    "purchase_country": "DK", "dealer": "Foto Nord", "estimated": ["purchase_date"]
}))]
pub struct RegisterProduct {
    /// A model of the catalogue.
    #[schema(value_type = ModelId)]
    model_id: Field<ModelId>,
    /// As it stands on the product; spaces, hyphens and a bracketed part are dropped.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, nullable = false)]
    serial_number: Field<String>,
    /// Not in the future, and not before the model's launch.
    #[schema(value_type = Option<Date>, nullable = false)]
    purchase_date: Field<Date>,
    #[schema(value_type = Option<Country>, nullable = false)]
    purchase_country: Field<Country>,
    /// Who sold it.
    #[schema(value_type = Option<Line<200>>, nullable = false)]
    dealer: Field<Line<200>>,
    /// Which of the fields are best guesses.
    #[schema(value_type = Vec<ProductField>, max_items = 4, required = false)]
    estimated: Field<Vec<ProductField>>,
}

/// The model knows more of it.
impl Input for RegisterProduct {
    type Parsed = Partial<NewProduct>;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self::Parsed> {
        let said = UpdateProduct {
            serial_number: self.serial_number,
            purchase_date: self.purchase_date,
            purchase_country: self.purchase_country,
            dealer: self.dealer,
            estimated: self.estimated,
        };
        let read = NewProduct {
            model: self.model_id.value(),
            details: said.apply(Details::default()),
        };
        Ok(Partial { read, faults })
    }
}

/// Changes to a product; null clears a field, what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "serial_number": "4021001234", "estimated": [] }))]
pub struct UpdateProduct {
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64)]
    serial_number: Field<String>,
    #[serde(default)]
    #[schema(schema_with = nullable::<Date>)]
    purchase_date: Field<Date>,
    #[serde(default)]
    #[schema(schema_with = nullable::<Country>)]
    purchase_country: Field<Country>,
    #[serde(default)]
    #[schema(schema_with = nullable::<Line<200>>)]
    dealer: Field<Line<200>>,
    /// Which of the fields are best guesses, all of them; left out, those that were and are not changed.
    #[serde(default)]
    #[schema(value_type = Option<Vec<ProductField>>, max_items = 4)]
    estimated: Field<Vec<ProductField>>,
}

impl Input for UpdateProduct {
    type Parsed = Partial<Self>;
    const MEDIA_TYPES: &'static [&'static str] = &MERGE_PATCH;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self::Parsed> {
        let read = self;
        Ok(Partial { read, faults })
    }
}

impl UpdateProduct {
    /// The details after these changes; what is changed or cleared is no guess any more, unless they say so.
    pub fn apply(self, before: Details) -> Details {
        let unread = self.unread();
        let after = Details {
            serial_number: self
                .serial_number
                .over(before.serial_number.clone())
                .flatten(),
            purchase_date: match self.purchase_date {
                Field::Absent => before.purchase_date,
                sent => sent.value().map(Date::day),
            },
            purchase_country: self
                .purchase_country
                .over(before.purchase_country)
                .flatten(),
            dealer: self
                .dealer
                .map(String::from)
                .over(before.dealer.clone())
                .flatten(),
            estimated: Vec::new(),
            unread,
        };
        let estimated = match self.estimated {
            Field::Absent => after.still_estimated(&before),
            sent => sent.value().unwrap_or_default(),
        };
        Details { estimated, ..after }
    }

    fn unread(&self) -> Unread {
        let fields = [
            (ProductField::SerialNumber, self.serial_number.is_refused()),
            (ProductField::PurchaseDate, self.purchase_date.is_refused()),
            (
                ProductField::PurchaseCountry,
                self.purchase_country.is_refused(),
            ),
            (ProductField::Dealer, self.dealer.is_refused()),
        ];
        let refused = fields.into_iter().filter(|(_, is_refused)| *is_refused);
        Unread {
            fields: refused.map(|(field, _)| field).collect(),
            estimated: self.estimated.is_refused(),
        }
    }
}
