//! The catalogue at rest: models, their dated values and their GTINs.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::{model_gtins, model_points, models};
use super::{DbConn, MultiBackend};
use crate::domain::model::{Category, ModelFacts, ModelId, SerialPattern, Value};
use crate::domain::values::Gtin;
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

/// More models than this, and more values and GTINs of them, no catalogue has.
const MOST_MODELS: i64 = 1_000_000;

/// Every model.
pub fn all(conn: &mut DbConn) -> Result<Vec<Model>> {
    Ok(models::table
        .limit(MOST_MODELS)
        .select(Model::as_select())
        .load(conn)?)
}

/// Every value of every model.
pub fn all_values(conn: &mut DbConn) -> Result<HashMap<ModelId, Vec<Value>>> {
    let rows: Vec<(ModelId, NaiveDate, i64)> = model_points::table
        .limit(MOST_MODELS)
        .select((
            model_points::model_id,
            model_points::valid_from,
            model_points::points,
        ))
        .load(conn)?;
    let mut values: HashMap<ModelId, Vec<Value>> = HashMap::new();
    for (id, valid_from, points) in rows {
        let value = Value { valid_from, points };
        values.entry(id).or_default().push(value);
    }
    Ok(values)
}

/// Every GTIN with its model, in the order of their digits.
pub fn all_gtins(conn: &mut DbConn) -> Result<Vec<(Gtin, ModelId)>> {
    let rows: Vec<(String, ModelId)> = model_gtins::table
        .order(model_gtins::gtin)
        .limit(MOST_MODELS)
        .select((model_gtins::gtin, model_gtins::model_id))
        .load(conn)?;
    let read = |(text, id): (String, ModelId)| Some((text.parse().ok()?, id));
    Ok(rows.into_iter().filter_map(read).collect())
}

/// The models of these ids.
pub fn of_ids(conn: &mut DbConn, ids: &[ModelId]) -> Result<HashMap<ModelId, Model>> {
    let found: Vec<Model> = models::table
        .filter(models::id.eq_any(ids))
        .select(Model::as_select())
        .load(conn)?;
    Ok(found.into_iter().map(|model| (model.id, model)).collect())
}

/// Stores a model that is new, or what is new of it.
pub fn put(conn: &mut DbConn, model: &Model) -> Result<()> {
    each!(conn, c => diesel::insert_into(models::table)
        .values(model)
        .on_conflict(models::id)
        .do_update()
        .set(model)
        .execute(c))?;
    Ok(())
}

/// Adds a value of a model.
pub fn add_value(conn: &mut DbConn, id: ModelId, value: Value) -> Result<()> {
    let row = (
        model_points::model_id.eq(id),
        model_points::valid_from.eq(value.valid_from),
        model_points::points.eq(value.points),
    );
    diesel::insert_into(model_points::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

/// Adds a GTIN of a model.
pub fn add_gtin(conn: &mut DbConn, id: ModelId, gtin: &Gtin) -> Result<()> {
    let row = (
        model_gtins::gtin.eq(gtin.as_str()),
        model_gtins::model_id.eq(id),
    );
    diesel::insert_into(model_gtins::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}
