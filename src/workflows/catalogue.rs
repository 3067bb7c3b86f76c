//! Filling the catalogue from a file: all of it or nothing, every fault with its row.

use std::collections::{BTreeSet, HashMap};

use chrono::{NaiveDate, NaiveTime};
use regex::Regex;

use super::Context;
use super::csv_file::{Column, Row, optional, required, rows};
use super::tasks::{Task, enqueue};
use crate::domain::access::ServiceAccess;
use crate::domain::calendar::local_moment;
use crate::domain::event::Event;
use crate::domain::model::{Category, ModelId, Value, name_key};
use crate::domain::values::{Date, Gtin, ManufacturerCode, Value as Typed};
use crate::error::{Error, Fault, FaultCode, Result};
use crate::repository::models::{self, Model};
use crate::repository::{DbConn, catalogue, events};
use crate::types::Instant;

const COLUMNS: [Column; 8] = [
    required("name"),
    required("category"),
    required("points"),
    required("valid_from"),
    optional("launched_date"),
    optional("serial_pattern"),
    optional("manufacturer_code"),
    optional("gtin"),
];
/// More models than this no file has.
const MOST: usize = 20_000;

struct Line {
    row: Row,
    model: Model,
    value: Value,
    gtins: Vec<Gtin>,
}

/// Stores the models of a file; how many. A model that is known by its name gets what is new, its further value and its further GTINs; a
/// manufacturer's code that a row leaves out stays. `id` makes the id of the `n`-th row.
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
    let mut known = Known::load(conn)?;
    for line in &lines {
        match known.conflicts(line) {
            none if none.is_empty() => known.take(conn, line)?,
            conflicts => faults.extend(conflicts),
        }
    }
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
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

/// The catalogue while a file changes it: what it had, and what the rows so far have said.
struct Known {
    /// The one that the file makes.
    version: i64,
    /// By name, as it is compared.
    models: HashMap<String, Model>,
    values: HashMap<ModelId, Vec<Value>>,
    gtins: HashMap<Gtin, ModelId>,
    codes: HashMap<String, ModelId>,
}

impl Known {
    fn load(conn: &mut DbConn) -> Result<Self> {
        let version = catalogue::next_version(conn)?;
        let models = models::all(conn)?;
        let code = |model: &Model| Some((model.manufacturer_code.clone()?, model.id));
        Ok(Self {
            version,
            values: models::all_values(conn)?,
            gtins: models::all_gtins(conn)?.into_iter().collect(),
            codes: models.iter().filter_map(code).collect(),
            models: models
                .into_iter()
                .map(|model| (model.name_key.clone(), model))
                .collect(),
        })
    }

    /// The model of a line as it is to be, with the identity that it has.
    fn model(&self, line: &Line) -> Model {
        let new = line.model.clone();
        match self.models.get(&new.name_key) {
            None => new,
            Some(known) => Model {
                id: known.id,
                created_at: known.created_at,
                changed_in: known.changed_in,
                manufacturer_code: new.manufacturer_code.or(known.manufacturer_code.clone()),
                ..new
            },
        }
    }

    fn value_of(&self, id: ModelId, day: NaiveDate) -> Option<Value> {
        let mut values = self.values.get(&id).into_iter().flatten();
        values.find(|value| value.valid_from == day).copied()
    }

    /// What a line says that another one, or the catalogue, says otherwise: a value of the same day, and keys of another model.
    fn conflicts(&self, line: &Line) -> Vec<Fault> {
        let model = self.model(line);
        let of_another = |of: Option<&ModelId>| of.is_some_and(|of| *of != model.id);
        let value = self.value_of(model.id, line.value.valid_from);
        let code = model.manufacturer_code.as_ref();
        let mut gtins = line.gtins.iter();
        let columns = [
            ("valid_from", value.is_some_and(|value| value != line.value)),
            (
                "manufacturer_code",
                of_another(code.and_then(|code| self.codes.get(code))),
            ),
            ("gtin", gtins.any(|gtin| of_another(self.gtins.get(gtin)))),
        ];
        let conflicts = columns.into_iter().filter(|(_, is_one)| *is_one);
        let fault = |(column, _)| line.row.fault(column, FaultCode::Duplicate);
        conflicts.map(fault).collect()
    }

    /// Stores what is new in a line; a model of which nothing is new stays as it was, of the version that it was changed in.
    fn take(&mut self, conn: &mut DbConn, line: &Line) -> Result<()> {
        let mut model = self.model(line);
        let mut gtins: Vec<&Gtin> = line.gtins.iter().collect();
        gtins.retain(|gtin| !self.gtins.contains_key(gtin));
        let value = self.value_of(model.id, line.value.valid_from);
        let known = self.models.get(&model.name_key);
        if known == Some(&model) && gtins.is_empty() && value.is_some() {
            return Ok(());
        }
        model.changed_in = self.version;
        models::put(conn, &model)?;
        if value.is_none() {
            models::add_value(conn, model.id, line.value)?;
            self.values.entry(model.id).or_default().push(line.value);
        }
        for gtin in gtins {
            if self.gtins.insert(gtin.clone(), model.id).is_none() {
                models::add_gtin(conn, model.id, gtin)?;
            }
        }
        self.codes.retain(|_, of| *of != model.id);
        let code = model.manufacturer_code.clone();
        self.codes.extend(code.map(|code| (code, model.id)));
        self.models.insert(model.name_key.clone(), model);
        Ok(())
    }
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
    let value = value(&row, faults);
    let launched_date = row.value("launched_date", faults).map(Date::day);
    let pattern = (FaultCode::Format, "a regular expression");
    let serial_pattern = row.parsed::<Regex>("serial_pattern", pattern, faults);
    let manufacturer_code = row.value::<ManufacturerCode>("manufacturer_code", faults);
    let gtins = gtins(&row, faults);
    let (Some(category), Some(value), true) = (category, value, faults.len() == before) else {
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
        manufacturer_code: manufacturer_code.map(|code| code.as_str().to_owned()),
        changed_in: 0,
    };
    Some(Line {
        row,
        model,
        value,
        gtins,
    })
}

fn value(row: &Row, faults: &mut Vec<Fault>) -> Option<Value> {
    let number = (FaultCode::Format, "0 to 1000000");
    let points = row.parsed::<u32>("points", number, faults).map(i64::from);
    if points.is_some_and(|points| points > 1_000_000) {
        faults.push(
            row.fault("points", FaultCode::TooLarge)
                .with("max", 1_000_000),
        );
    }
    let valid_from = row.value("valid_from", faults).map(Date::day)?;
    points.map(|points| Value { valid_from, points })
}

/// The GTINs of a row, with blanks between them.
fn gtins(row: &Row, faults: &mut Vec<Fault>) -> Vec<Gtin> {
    let typed = row.get("gtin").unwrap_or_default().split_whitespace();
    let read = typed.filter_map(|typed| match typed.parse() {
        Ok(gtin) => Some(gtin),
        Err(_) => {
            faults.push(row.place(Gtin::fault("#/gtin", typed)));
            None
        }
    });
    read.collect()
}
