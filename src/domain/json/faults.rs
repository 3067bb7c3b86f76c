//! What a schema finds wrong, as faults of ours.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use crate::domain::values;
use crate::error::{Fault, FaultCode};

/// One segment of a JSON Pointer, escaped.
pub fn pointer_of(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Every fault of one error.
pub fn faults_of(error: &ValidationError<'_>) -> Vec<Fault> {
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
