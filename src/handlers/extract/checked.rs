//! From JSON to a checked value: the documented schema first, then the type, then what no schema can say.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::schemas::find_nul;
use crate::domain::values;
use crate::error::{Error, Fault, FaultCode, Found, Result};
use crate::programme::Programme;
use crate::types::Instant;

/// `text` as the JSON type that the schema of `T` names for `name`; as it is where it does not fit, so that the schema says so.
pub fn typed<T: 'static>(schema: fn() -> Value, name: &str, text: &str) -> Result<Value> {
    let checker = checker::<T>(schema)?;
    let kind = checker
        .schema
        .pointer(&format!("/properties/{name}/type"))
        .and_then(Value::as_str);
    let parsed = match kind {
        Some("integer" | "boolean") => serde_json::from_str(text).ok(),
        _ => None,
    };
    Ok(parsed.unwrap_or_else(|| Value::String(text.to_owned())))
}

/// A body, with the rules that the programme sets beside its schema.
pub trait Checked: DeserializeOwned + Validate + ToSchema + 'static {
    /// Every field that the programme does not accept.
    fn faults(&self, _programme: &Programme, _now: Instant) -> Vec<Fault> {
        Vec::new()
    }
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
    for (name, is_value, _) in values::FORMATS {
        options = options.with_format(name, is_value);
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

/// The value that `json` describes and every fault of it, each pointer behind `prefix` (`#` for a body): wherever one stands, the value
/// is a stand-in. `rules` says what neither the schema nor the type's own `Validate` can. Refused at once where there is nothing to
/// go on with.
pub fn draft<T: DeserializeOwned + Validate + 'static>(
    json: Value,
    prefix: &str,
    schema: fn() -> Value,
    rules: impl Fn(&T) -> Vec<Fault>,
) -> Result<(T, Found)> {
    let checker = checker::<T>(schema)?;
    let errors = checker.validator.iter_errors(&json);
    let mut found: Vec<Fault> = errors.flat_map(|error| faults_of(&error)).collect();
    find_nul(&json, "", &mut found);
    let example = checker.schema.get("example").unwrap_or(&Value::Null);
    let json = mended(json, &found, example);
    for fault in &mut found {
        fault.pointer.insert_str(0, prefix);
    }
    let found = Found::new(found);
    match serde_json::from_value::<T>(json) {
        Ok(value) => {
            let own = value.validate().err();
            let own = own.map_or(Vec::new(), |errors| rule_faults(&errors, prefix, prefix));
            let found = found.and([own, rules(&value)].concat());
            Ok((value, found))
        }
        Err(_) if found.is_empty() => Err(Fault::new(prefix, FaultCode::Invalid).into()),
        Err(_) => Err(found.into()),
    }
}

/// `json` with the example's value wherever a fault stands, so that the rules can look at the rest.
fn mended(mut json: Value, found: &[Fault], example: &Value) -> Value {
    for fault in found {
        let Some((parent, name)) = fault.pointer.rsplit_once('/') else {
            continue;
        };
        let name = name.replace("~1", "/").replace("~0", "~");
        let Some(Value::Object(object)) = json.pointer_mut(parent) else {
            continue;
        };
        match example.pointer(&fault.pointer) {
            Some(value) if fault.code != FaultCode::Unknown => object.insert(name, value.clone()),
            _ => object.remove(&name),
        };
    }
    json
}

/// One segment of a JSON Pointer, escaped.
pub(super) fn pointer_of(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn faults_of(error: &ValidationError<'_>) -> Vec<Fault> {
    let at = error.instance_path().to_string();
    let child = |name: &str| format!("{at}/{}", pointer_of(name));
    let one = |fault: Fault| vec![fault];
    let here = |code| Fault::new(at.clone(), code);
    match error.kind() {
        Kind::Required { property } => one(Fault::new(
            child(property.as_str().unwrap_or_default()),
            FaultCode::Required,
        )),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected
                .iter()
                .map(|name| Fault::new(child(name), FaultCode::Unknown))
                .collect()
        }
        Kind::Type { kind } => one(here(FaultCode::Type).with("expected", expected(kind))),
        Kind::Format { format } => {
            one(here(FaultCode::Format).with("format", values::written(format)))
        }
        Kind::Pattern { .. } => one(here(FaultCode::Pattern)),
        Kind::Enum { options } => {
            one(here(FaultCode::NotAccepted).with("allowed", listed(options)))
        }
        Kind::Constant { expected_value } => {
            one(here(FaultCode::NotAccepted).with("allowed", expected_value))
        }
        Kind::MinLength { limit } => one(here(FaultCode::TooShort).with("min", limit)),
        Kind::MaxLength { limit } => one(here(FaultCode::TooLong).with("max", limit)),
        Kind::MinItems { limit } | Kind::MinProperties { limit } => {
            one(here(FaultCode::TooFew).with("min", limit))
        }
        Kind::MaxItems { limit } | Kind::MaxProperties { limit } => {
            one(here(FaultCode::TooMany).with("max", limit))
        }
        Kind::Minimum { limit } | Kind::ExclusiveMinimum { limit } => {
            one(here(FaultCode::TooSmall).with("min", limit))
        }
        Kind::Maximum { limit } | Kind::ExclusiveMaximum { limit } => {
            one(here(FaultCode::TooLarge).with("max", limit))
        }
        Kind::UniqueItems => one(here(FaultCode::NotUnique)),
        _ => one(here(FaultCode::Invalid)),
    }
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(all) => all
            .iter()
            .map(|one| one.to_string())
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn listed(options: &Value) -> String {
    let words = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(", ")
}

/// The faults of `validator` for what stands at `at`, without the values that it echoes.
fn rule_faults(errors: &ValidationErrors, prefix: &str, at: &str) -> Vec<Fault> {
    let sorted: BTreeMap<_, _> = errors.errors().iter().collect();
    let mut faults = Vec::new();
    for (field, kind) in sorted {
        let pointer = if field == "__all__" {
            at.to_owned()
        } else {
            format!("{at}/{field}")
        };
        match kind {
            ValidationErrorsKind::Field(all) => {
                let rule_fault = |error| rule_fault(error, prefix, &pointer);
                faults.extend(all.iter().map(rule_fault));
            }
            ValidationErrorsKind::Struct(inner) => {
                faults.extend(rule_faults(inner, prefix, &pointer));
            }
            ValidationErrorsKind::List(items) => {
                faults.extend(items.iter().flat_map(|(index, inner)| {
                    rule_faults(inner, prefix, &format!("{pointer}/{index}"))
                }));
            }
        }
    }
    faults
}

/// `field` and `reads` in the parameters of an error on the whole struct name where it stands and what it looked at.
fn rule_fault(error: &validator::ValidationError, prefix: &str, pointer: &str) -> Fault {
    let code = FaultCode::from_word(&error.code).unwrap_or(FaultCode::Invalid);
    let text = |name: &str| {
        error.params.get(name).map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    let pointer = match text("field") {
        Some(field) => format!("{pointer}/{field}"),
        None => pointer.to_owned(),
    };
    let named = ["min", "max", "allowed"]
        .into_iter()
        .filter_map(|name| Some((name, text(name)?)));
    Fault {
        pointer,
        code,
        params: named.collect(),
        reads: text("reads")
            .map(|field| format!("{prefix}/{field}"))
            .into_iter()
            .collect(),
    }
}
