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
use crate::domain::model::{Category, ModelId, Value, search_words};
use crate::error::{Code, Result};
use crate::repository::catalogue::Search;
use crate::repository::models::{self, Model};

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
    /// Whether its points are made up.
    example: bool,
}

impl ModelView {
    fn of(model: Model, value: Option<Value>) -> Self {
        Self {
            points: value.map_or(0, |value| value.points),
            valid_from: value.map(|value| value.valid_from),
            id: model.id,
            name: model.name,
            category: model.category,
            launched_date: model.launched_date,
            serial_pattern: model.serial_pattern,
            example: model.example,
        }
    }
}

/// A page of models.
#[derive(Serialize, ToSchema)]
struct ModelPage {
    items: Vec<ModelView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
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
    }
}

/// What caches may do with the catalogue: keep it, and ask whether it is still the current one.
const CACHED: (&str, &str) = ("Cache-Control", "public, no-cache");

/// List models
///
/// The catalogue by name, each model with the points that a product of it gives today.
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
        after: pages.after(&params.0)?.map(|cursor| cursor.key),
        limit: usize::try_from(size).unwrap_or(0) + 1,
    };
    let today = service.programme.review.date_of(service.now());
    let cache = service.catalogue.clone();
    let catalogue = service.db.fetch(move |conn| cache.current(conn)).await?;
    let found = catalogue.search(&search);
    let (rows, next_cursor) = pages.cut(found, size, |model| Cursor {
        key: model.row.name_key.clone(),
        id: model.row.id.uuid(),
    });
    let items = rows
        .into_iter()
        .map(|model| ModelView::of(model.row.clone(), catalogue.value(model.row.id, today)))
        .collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&ModelPage { items, next_cursor })?
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
    let (id, today) = (
        path.model_id,
        service.programme.review.date_of(service.now()),
    );
    let view = service
        .db
        .read(move |conn| {
            let model = models::find(conn, id)?.ok_or(Code::NotFound)?;
            Ok(ModelView::of(
                model,
                models::values_at(conn, &[id], today)?.remove(&id),
            ))
        })
        .await?;
    Ok(Answer::ok(&view)?.etag_of_body().header(CACHED.0, CACHED.1))
}
