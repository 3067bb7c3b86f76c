//! From JSON to what was meant: the documented schema first, then the type of each field, then what no schema can say.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError as RuleError, ValidationErrors};

use super::schemas::find_nul;
use crate::domain::values;
use crate::error::{Error, Fault, FaultCode, Faults, Result};
use crate::programme::Programme;

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

/// What callers send becomes what the programme works with, or faults: field by field, and all of them at once.
///
/// A body whose rules look at several fields, or of which the database knows more, has [`Field`](crate::domain::values::Field)s: each is
/// read for itself, and a rule runs where all that it looks at was read.
pub trait Input: DeserializeOwned + ToSchema + 'static {
    /// What comes out.
    type Parsed;
    /// The media types of the body; all are read alike.
    const MEDIA_TYPES: &'static [&'static str] = &["application/json"];

    /// What was read, judged with the `faults` that the schema found.
    fn parse(self, programme: &Programme, faults: Faults) -> Result<Self::Parsed>;
}

/// A body that has no rules beside its schema.
pub trait Plain: DeserializeOwned + ToSchema + 'static {}

impl<T: Plain> Input for T {
    type Parsed = Self;

    fn parse(self, _: &Programme, faults: Faults) -> Result<Self> {
        faults.judge(Some(self))
    }
}

/// The faults that the rules of `validator` find in what was read.
pub fn validated(value: &impl Validate) -> Result<(), Vec<Fault>> {
    value.validate().map_err(|errors| rule_faults(&errors, "#"))
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

/// One segment of a JSON Pointer, escaped.
pub(super) fn pointer_of(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn faults_of(error: &ValidationError<'_>) -> Vec<Fault> {
    let at = error.instance_path().to_string();
    let child = |name: &str, code| Fault::new(format!("{at}/{}", pointer_of(name)), code);
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![child(name, FaultCode::Required)]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let names = unexpected.iter();
            names.map(|name| child(name, FaultCode::Unknown)).collect()
        }
        kind => vec![fault_of(kind, at)],
    }
}

/// The fault of the value at `at`.
fn fault_of(kind: &Kind, at: String) -> Fault {
    let here = |code| Fault::new(&*at, code);
    match kind {
        Kind::Type { kind } => here(FaultCode::Type).with("expected", expected(kind)),
        Kind::Format { format } => values::format_fault(format, at),
        Kind::Pattern { .. } => here(FaultCode::Pattern),
        Kind::Enum { options } => here(FaultCode::NotAccepted).with("allowed", listed(options)),
        Kind::Constant { expected_value } => {
            here(FaultCode::NotAccepted).with("allowed", expected_value)
        }
        Kind::MinLength { limit } => here(FaultCode::TooShort).with("min", limit),
        Kind::MaxLength { limit } => here(FaultCode::TooLong).with("max", limit),
        Kind::MinItems { limit } | Kind::MinProperties { limit } => {
            here(FaultCode::TooFew).with("min", limit)
        }
        Kind::MaxItems { limit } | Kind::MaxProperties { limit } => {
            here(FaultCode::TooMany).with("max", limit)
        }
        Kind::Minimum { limit } | Kind::ExclusiveMinimum { limit } => {
            here(FaultCode::TooSmall).with("min", limit)
        }
        Kind::Maximum { limit } | Kind::ExclusiveMaximum { limit } => {
            here(FaultCode::TooLarge).with("max", limit)
        }
        Kind::UniqueItems => here(FaultCode::NotUnique),
        _ => here(FaultCode::Invalid),
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
fn rule_faults(errors: &ValidationErrors, at: &str) -> Vec<Fault> {
    let sorted: BTreeMap<_, _> = errors.field_errors().into_iter().collect();
    let mut faults = Vec::new();
    for (field, errors) in sorted {
        let code =
            |error: &RuleError| FaultCode::from_word(&error.code).unwrap_or(FaultCode::Invalid);
        let fault = |error| Fault::new(pointer(at, &field, error), code(error));
        faults.extend(errors.iter().map(fault));
    }
    faults
}

/// What a rule over several fields found, for `validator`: it stands at `field`.
pub fn broken(field: &'static str, code: FaultCode) -> RuleError {
    let mut error = RuleError::new(code.as_str());
    error.add_param("field".into(), &field);
    error
}

/// Where a rule's fault stands: at its field, or at that which a rule over several names.
fn pointer(at: &str, field: &str, error: &RuleError) -> String {
    let named = error.params.get("field").and_then(Value::as_str);
    format!("{at}/{}", named.unwrap_or(field))
}
