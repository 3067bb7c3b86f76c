//! Filling the catalogue from a file: all of it or nothing, every fault with its row.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};
use regex::Regex;

use super::Context;
use super::csv_file::{Column, Row, optional, required, rows};
use super::tasks::{Task, enqueue};
use crate::domain::access::ServiceAccess;
use crate::domain::calendar::local_moment;
use crate::domain::event::{Event, EventId};
use crate::domain::model::{Category, ModelId, Value, name_key};
use crate::domain::values::Date;
use crate::error::{Error, Fault, FaultCode, Result};
use crate::repository::models::{self, Model};
use crate::repository::{DbConn, catalogue, events};
use crate::types::Instant;

const COLUMNS: [Column; 6] = [
    required("name"),
    required("category"),
    required("points"),
    required("valid_from"),
    optional("launched_date"),
    optional("serial_pattern"),
];
/// More models than this no file has.
const MOST: usize = 20_000;

struct Line {
    row: Row,
    model: Model,
    value: Value,
}

/// Stores the models of a file; how many. A model that is known by its name gets what is new, and its further value. `id` makes
/// the id of the `n`-th row.
pub fn import(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    text: &str,
    id: impl Fn(usize) -> ModelId,
) -> Result<usize> {
    let rows = rows(text, &COLUMNS, MOST).map_err(Error::invalid)?;
    let mut faults = Vec::new();
    let mut lines = Vec::new();
    for (n, row) in rows.into_iter().enumerate() {
        lines.extend(read(row, id(n), context, &mut faults));
    }
    let mut disputed = Vec::new();
    for line in &lines {
        let stored = models::put(conn, &line.model)?;
        if !models::put_value(conn, stored, line.value)? {
            disputed.push(line.row.fault("valid_from", FaultCode::Duplicate));
        }
    }
    faults.extend(disputed);
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    catalogue::change(conn, &EventId::new(context.now).to_string())?;
    grant_from(
        conn,
        context,
        lines.iter().map(|line| line.value.valid_from),
    )?;
    let models = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let changed = Event::CatalogueChanged { models };
    events::record(conn, &service.stamp(context.now), &[changed])?;
    Ok(lines.len())
}

/// Has products that wait for the value of their model looked after when a value begins, or at once where it has begun.
fn grant_from(
    conn: &mut DbConn,
    context: &Context,
    days: impl Iterator<Item = NaiveDate>,
) -> Result<()> {
    let begins = |day| local_moment(day, NaiveTime::MIN, context.programme.review.zone);
    let due: BTreeSet<Instant> = days.map(|day| begins(day).max(context.now)).collect();
    due.into_iter().try_for_each(|due| {
        let task = Task::GrantPoints { due, after: None };
        enqueue(conn, &task, due, context.now)
    })
}

fn read(row: Row, id: ModelId, context: &Context, faults: &mut Vec<Fault>) -> Option<Line> {
    let before = faults.len();
    let name = row.line::<100>("name", faults).unwrap_or_default();
    let words: Vec<&str> = Category::ALL.iter().map(|one| one.as_str()).collect();
    let allowed = (FaultCode::NotAccepted, words.join(", "));
    let category = row.parsed::<Category>("category", (allowed.0, &allowed.1), faults);
    let number = (FaultCode::Format, "0 to 1000000");
    let points = row.parsed::<u32>("points", number, faults).map(i64::from);
    if points.is_some_and(|points| points > 1_000_000) {
        faults.push(
            row.fault("points", FaultCode::TooLarge)
                .with("max", 1_000_000),
        );
    }
    let valid_from = row.value("valid_from", faults).map(Date::day);
    let launched_date = row.value("launched_date", faults).map(Date::day);
    let pattern = (FaultCode::Format, "a regular expression");
    let serial_pattern = row.parsed::<Regex>("serial_pattern", pattern, faults);
    let (Some(category), Some(points), Some(valid_from), true) =
        (category, points, valid_from, faults.len() == before)
    else {
        return None;
    };
    let is_real = context.programme.catalogue.real_points.contains(&name);
    let model = Model {
        id,
        name_key: name_key(&name),
        name,
        category,
        launched_date,
        serial_pattern: serial_pattern.map(|pattern| pattern.as_str().to_owned()),
        example: !is_real,
        created_at: context.now,
        manufacturer_code: None,
        changed_in: 1,
    };
    let value = Value { valid_from, points };
    Some(Line { row, model, value })
}
