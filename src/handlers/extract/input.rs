//! What a body means: its fields as they were read, judged by rules that no schema can say. Reading them is in `domain::json`.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use validator::{Validate, ValidationError as RuleError, ValidationErrors};

use crate::error::{Fault, FaultCode, Faults, Result};
use crate::programme::Programme;

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
