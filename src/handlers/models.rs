//! The catalogue: what can be registered, and what it is worth before it is.

use actix_web::get;
use actix_web::web::{Data, Path};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::extract::{Cursor, PageParams, Pages, Params, list_params};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::domain::model::{Category, ModelId, search_words};
use crate::domain::values::{Gtin, ManufacturerCode};
use crate::error::{Code, Result};
use crate::repository::catalogue::{Catalogue, CatalogueModel, Order, Search};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(list_models, Callers::Anybody, RateLimit::PerCaller)
        .service(read_model, Callers::Anybody, RateLimit::PerCaller);
}

/// Names one model in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ModelPath {
    /// The model.
    #[param(example = "mod_000000000000700080000000000003e9")]
    model_id: ModelId,
}

/// A model of the catalogue.
#[derive(Serialize, ToSchema)]
struct ModelView {
    id: ModelId,
    #[schema(example = "EOS 5D Mark III")]
    name: String,
    category: Category,
    /// What a product of it gives today; 0 while it has no value yet.
    #[schema(minimum = 0, example = 235)]
    points: i64,
    /// Since when it gives that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    valid_from: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    launched_date: Option<NaiveDate>,
    /// What its serial numbers look like, where the catalogue knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    serial_pattern: Option<String>,
    /// The GTINs of its bar codes, where the catalogue knows them: 13 digits as they are printed, shorter ones with zeros before them; 14 of a carton.
    #[schema(example = json!([]))]
    gtin: Vec<String>,
    /// The manufacturer's own code, where the catalogue knows it, in upper case without blanks and hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    manufacturer_code: Option<String>,
    /// Whether its points are made up.
    example: bool,
}

impl ModelView {
    /// A model with what it is worth on `today`.
    fn of(catalogue: &Catalogue, model: &CatalogueModel, today: NaiveDate) -> Self {
        let row = model.row.clone();
        let value = catalogue.value(row.id, today);
        let gtins = model.gtins.iter();
        Self {
            points: value.map_or(0, |value| value.points),
            valid_from: value.map(|value| value.valid_from),
            id: row.id,
            name: row.name,
            category: row.category,
            launched_date: row.launched_date,
            serial_pattern: row.serial_pattern,
            gtin: gtins.map(|gtin| gtin.printed().to_owned()).collect(),
            manufacturer_code: row.manufacturer_code,
            example: row.example,
        }
    }
}

/// A page of models.
#[derive(Serialize, ToSchema)]
struct ModelPage {
    items: Vec<ModelView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
    /// Counts the changes of the catalogue: send it as `changed_after` to learn what has changed since.
    #[schema(minimum = 0, example = 1)]
    catalogue_version: i64,
}

list_params! {
    /// Which models to list.
    struct ModelsParams {
        /// Words that the name contains, in any order. Blanks, hyphens and case do not count; `Mk` is `Mark`, `III` is `3`.
        #[param(max_length = 100, nullable = false, example = "5d mark")]
        query: Option<String>,
        /// Only those of this kind.
        #[param(inline, nullable = false)]
        category: Option<Category>,
        /// Only the one with this GTIN.
        #[param(inline, nullable = false)]
        gtin: Option<Gtin>,
        /// Only the one with this code; blanks, hyphens and case do not count.
        #[param(inline, nullable = false)]
        manufacturer_code: Option<ManufacturerCode>,
        /// Only those that were changed after this version of the catalogue, the oldest change first; 0 for all.
        #[param(minimum = 0, nullable = false)]
        changed_after: Option<i64>,
    }
}

impl ModelsParams {
    fn order(&self) -> Order {
        match self.changed_after {
            Some(version) => Order::changed_after(version),
            None => Order::Name(None),
        }
    }

    /// Of a place in this order; a list in another one does not know it.
    fn cursor(&self, model: &CatalogueModel) -> Cursor {
        let row = &model.row;
        Cursor {
            key: match self.changed_after {
                Some(_) => format!("{CHANGED}{}", row.changed_in),
                None => format!("{NAMED}{}", row.name_key),
            },
            id: row.id.uuid(),
        }
    }

    fn place(&self, cursor: &Cursor) -> Option<Order> {
        Some(match self.changed_after {
            Some(_) => {
                let version = cursor.key.strip_prefix(CHANGED)?.parse().ok()?;
                Order::Change(version, cursor.id.into())
            }
            None => Order::Name(Some(cursor.key.strip_prefix(NAMED)?.to_owned())),
        })
    }
}

/// What the keys of cursors begin with, by the order that they are of.
const CHANGED: &str = "changed ";
const NAMED: &str = "name ";

/// What caches may do with the catalogue: keep it, and ask whether it is still the current one.
const CACHED: (&str, &str) = ("Cache-Control", "public, no-cache");

/// List models
///
/// The catalogue by name, each model with the points that a product of it gives today. With `changed_after` in the order of its changes: what a shop's
/// system asks to keep a copy, until the `catalogue_version` that it was told.
#[utoipa::path(
    tag = "products",
    operation_id = "listModels",
    params(ModelsParams),
    responses((status = 200, description = "The models", body = ModelPage, headers(("ETag" = String))))
)]
#[get("/models")]
async fn list_models(
    service: Data<Service>,
    params: Params<ModelsParams>,
    pages: Pages,
) -> Result<Answer> {
    let size = params.0.size();
    let search = Search {
        words: search_words(params.0.query.as_deref().unwrap_or_default()),
        category: params.0.category,
        gtin: params.0.gtin.clone(),
        manufacturer_code: params.0.manufacturer_code.clone(),
        order: pages
            .after_as(&params.0, |cursor| params.0.place(cursor))?
            .unwrap_or_else(|| params.0.order()),
        limit: usize::try_from(size).unwrap_or(0) + 1,
    };
    let today = service.programme.review.date_of(service.now());
    let cache = service.catalogue.clone();
    let catalogue = service.db.fetch(move |conn| cache.current(conn)).await?;
    let found = catalogue.search(&search);
    let (rows, next_cursor) = pages.cut(found, size, |model| params.0.cursor(model));
    let view = |model| ModelView::of(&catalogue, model, today);
    let link = pages.link_next(next_cursor.as_deref());
    let page = ModelPage {
        items: rows.into_iter().map(view).collect(),
        next_cursor,
        catalogue_version: catalogue.version(),
    };
    Ok(Answer::ok(&page)?
        .etag_of_body()
        .header_if("Link", link)
        .header(CACHED.0, CACHED.1))
}

/// Read a model
///
/// One model of the catalogue, with the points that a product of it gives today.
#[utoipa::path(
    tag = "products",
    operation_id = "readModel",
    params(ModelPath),
    responses((status = 200, description = "The model", body = ModelView, headers(("ETag" = String))))
)]
#[get("/models/{model_id}")]
async fn read_model(service: Data<Service>, path: Path<ModelPath>) -> Result<Answer> {
    let today = service.programme.review.date_of(service.now());
    let cache = service.catalogue.clone();
    let catalogue = service.db.fetch(move |conn| cache.current(conn)).await?;
    let model = catalogue.model(path.model_id).ok_or(Code::NotFound)?;
    let view = ModelView::of(&catalogue, model, today);
    Ok(Answer::ok(&view)?.etag_of_body().header(CACHED.0, CACHED.1))
}
