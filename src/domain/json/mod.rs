//! From JSON to a type of ours: its documented schema first, with every fault at its pointer, then each field. What a body means is the handlers'.

mod bytes;
mod faults;

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::values;
use crate::error::{Error, Fault, FaultCode, Faults, Result};

pub use bytes::of_bytes;
use faults::faults_of;
pub use faults::pointer_of;

/// The schema of a body, with all that it refers to under `components`.
fn body_schema<T: ToSchema>() -> Value {
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    let parts: Map<String, Value> = parts
        .into_iter()
        .map(|(name, schema)| (name, json!(schema)))
        .collect();
    let mut schema = json!(<T as utoipa::PartialSchema>::schema());
    if let Some(object) = schema.as_object_mut() {
        object.insert("components".to_owned(), json!({ "schemas": parts }));
    }
    schema
}

/// `text` as the JSON type that the schema of `T` names for `name`; as it is where it does not fit, so that the schema says so.
pub fn typed<T: 'static>(schema: fn() -> Value, name: &str, text: &str) -> Result<Value> {
    let checker = checker::<T>(schema)?;
    let kind = checker
        .schema
        .pointer(&format!("/properties/{name}/type"))
        .and_then(Value::as_str);
    let parsed = match kind {
        Some("integer" | "boolean") => serde_json::from_str(text).ok(),
        // Named again, it has one more entry.
        Some("array") => Some(json!([text])),
        _ => None,
    };
    Ok(parsed.unwrap_or_else(|| Value::String(text.to_owned())))
}

struct Checker {
    schema: Value,
    validator: Validator,
}

static CHECKERS: LazyLock<RwLock<HashMap<TypeId, Arc<Checker>>>> = LazyLock::new(RwLock::default);

fn checker<T: 'static>(schema: fn() -> Value) -> Result<Arc<Checker>> {
    let known = CHECKERS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&TypeId::of::<T>())
        .cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let schema = schema();
    let mut options = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true);
    for format in values::FORMATS {
        options = options.with_format(format.name, format.check);
    }
    let validator = options
        .build(&schema)
        .map_err(|e| Error::internal("compiling a schema")(e.to_string()))?;
    let made = Arc::new(Checker { schema, validator });
    CHECKERS
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(TypeId::of::<T>(), made.clone());
    Ok(made)
}

/// What no type reads: it stands in for what a schema refused, so that the field that holds it cannot be read.
fn unreadable() -> Value {
    json!({ "": null })
}

/// What `json` describes, and every fault that its schema finds, each pointer behind `prefix` (`#` for a body). Refused at once where
/// nothing can be read.
pub fn read<T: DeserializeOwned + 'static>(
    mut json: Value,
    prefix: &str,
    schema: fn() -> Value,
) -> Result<(T, Faults)> {
    whole_numbers(&mut json);
    let checker = checker::<T>(schema)?;
    let errors = checker.validator.iter_errors(&json);
    let mut faults: Vec<Fault> = errors.flat_map(|error| faults_of(&error)).collect();
    find_nul(&json, "", &mut faults);
    for fault in &mut faults {
        strike_out(&mut json, fault);
        fault.pointer.insert_str(0, prefix);
    }
    match serde_json::from_value::<T>(json) {
        Ok(value) => Ok((value, faults.into())),
        Err(_) if faults.is_empty() => Err(Fault::new(prefix, FaultCode::Invalid).into()),
        Err(_) => Err(Faults::from(faults).into()),
    }
}

/// What the JSON of a whole body describes, and every fault that its schema finds.
pub fn read_body<T: DeserializeOwned + ToSchema + 'static>(json: Value) -> Result<(T, Faults)> {
    read(json, "#", body_schema::<T>)
}

/// Writes `100.0` as `100`: an integer, as JSON Schema has it (2020-12 validation, 6.1.1).
fn whole_numbers(json: &mut Value) {
    /// Beyond these a float does not tell one integer from the next.
    const EXACT: std::ops::RangeInclusive<f64> = -9_007_199_254_740_991.0..=9_007_199_254_740_991.0;
    match json {
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().filter(|float| EXACT.contains(float));
            if let Some(float) = float.filter(|float| float.fract() == 0.0) {
                // Exact: it is whole and in range.
                let whole = float as i64;
                *json = whole.into();
            }
        }
        _ => {}
    }
}

/// Takes what is refused out of `json`: what does not belong there altogether, all else so that nobody reads it.
fn strike_out(json: &mut Value, fault: &Fault) {
    if fault.code != FaultCode::Unknown {
        if let Some(refused) = json.pointer_mut(&fault.pointer) {
            *refused = unreadable();
        }
    } else if let Some((parent, name)) = fault.pointer.rsplit_once('/')
        && let Some(Value::Object(object)) = json.pointer_mut(parent)
    {
        object.remove(&name.replace("~1", "/").replace("~0", "~"));
    }
}

/// No text holds a NUL: PostgreSQL has no such text, and nobody writes one.
fn find_nul(json: &Value, at: &str, found: &mut Vec<Fault>) {
    match json {
        Value::String(text) if text.contains('\0') => {
            found.push(Fault::new(at, FaultCode::Invalid));
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                find_nul(item, &format!("{at}/{n}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                find_nul(field, &format!("{at}/{}", pointer_of(name)), found);
            }
        }
        _ => {}
    }
}
