//! The catalogue at rest: models and their dated values.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::{model_points, models};
use super::{DbConn, MultiBackend};
use crate::domain::model::{Category, ModelFacts, ModelId, SerialPattern, Value, value_at};
use crate::each;
use crate::error::Result;
use crate::types::Instant;

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = models, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Model {
    pub id: ModelId,
    pub name: String,
    /// The name as it is compared.
    pub name_key: String,
    pub category: Category,
    pub launched_date: Option<NaiveDate>,
    pub serial_pattern: Option<String>,
    /// Its points are made up.
    pub example: bool,
    pub created_at: Instant,
    /// The manufacturer's own code of it, as it is compared.
    pub manufacturer_code: Option<String>,
    /// The version of the catalogue that it was changed in last.
    pub changed_in: i64,
}

impl Model {
    /// The model, as the rules see it.
    pub fn facts(&self) -> ModelFacts {
        ModelFacts {
            category: self.category,
            launched_date: self.launched_date,
            serial_pattern: self.serial_pattern.as_deref().map(SerialPattern::new),
        }
    }
}

/// Every model.
pub(super) fn all(conn: &mut DbConn) -> Result<Vec<Model>> {
    Ok(models::table
        .limit(MOST_MODELS)
        .select(Model::as_select())
        .load(conn)?)
}

/// Every value of every model.
pub(super) fn all_values(conn: &mut DbConn) -> Result<HashMap<ModelId, Vec<Value>>> {
    let rows: Vec<(ModelId, NaiveDate, i64)> = model_points::table
        .limit(MOST_MODELS)
        .select((
            model_points::model_id,
            model_points::valid_from,
            model_points::points,
        ))
        .load(conn)?;
    Ok(by_model(rows))
}

fn by_model(rows: Vec<(ModelId, NaiveDate, i64)>) -> HashMap<ModelId, Vec<Value>> {
    let mut values: HashMap<ModelId, Vec<Value>> = HashMap::new();
    for (id, valid_from, points) in rows {
        let value = Value { valid_from, points };
        values.entry(id).or_default().push(value);
    }
    values
}

/// More models than this, and more values of them, no catalogue has.
const MOST_MODELS: i64 = 1_000_000;
/// More values than this no page of models has.
const MOST_VALUES: i64 = 10_000;

/// The model of an id.
pub fn find(conn: &mut DbConn, id: ModelId) -> Result<Option<Model>> {
    Ok(models::table
        .find(id)
        .select(Model::as_select())
        .first(conn)
        .optional()?)
}

/// The models of these ids.
pub fn of_ids(conn: &mut DbConn, ids: &[ModelId]) -> Result<HashMap<ModelId, Model>> {
    let found: Vec<Model> = models::table
        .filter(models::id.eq_any(ids))
        .select(Model::as_select())
        .load(conn)?;
    Ok(found.into_iter().map(|model| (model.id, model)).collect())
}

/// What each of these models is worth on `date`; models without a value by then are left out.
pub fn values_at(
    conn: &mut DbConn,
    ids: &[ModelId],
    date: NaiveDate,
) -> Result<HashMap<ModelId, Value>> {
    let rows: Vec<(ModelId, NaiveDate, i64)> = model_points::table
        .filter(model_points::model_id.eq_any(ids))
        .filter(model_points::valid_from.le(date))
        .limit(MOST_VALUES)
        .select((
            model_points::model_id,
            model_points::valid_from,
            model_points::points,
        ))
        .load(conn)?;
    let current = by_model(rows)
        .into_iter()
        .filter_map(|(id, values)| Some((id, value_at(&values, date)?)));
    Ok(current.collect())
}

/// Stores a new model, or what is new of one with the same name; its id.
pub fn put(conn: &mut DbConn, model: &Model) -> Result<ModelId> {
    each!(conn, c => diesel::insert_into(models::table)
        .values(model)
        .on_conflict(models::name_key)
        .do_update()
        .set((
            models::name.eq(&model.name),
            models::category.eq(model.category),
            models::launched_date.eq(model.launched_date),
            models::serial_pattern.eq(&model.serial_pattern),
            models::example.eq(model.example),
        ))
        .execute(c))?;
    Ok(models::table
        .filter(models::name_key.eq(&model.name_key))
        .select(models::id)
        .first(conn)?)
}

/// Adds a value of a model; false where another one stands for that day.
pub fn put_value(conn: &mut DbConn, id: ModelId, value: Value) -> Result<bool> {
    let row = (
        model_points::model_id.eq(id),
        model_points::valid_from.eq(value.valid_from),
        model_points::points.eq(value.points),
    );
    each!(conn, c => diesel::insert_into(model_points::table).values(row).on_conflict_do_nothing().execute(c))?;
    let current: i64 = model_points::table
        .find((id, value.valid_from))
        .select(model_points::points)
        .first(conn)?;
    Ok(current == value.points)
}
