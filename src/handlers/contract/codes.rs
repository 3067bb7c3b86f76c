//! The codes of problems and of fields as vocabularies of the document, each with what it means.

use serde_json::{Value, json};

use super::Object;
use crate::domain::language::Language;
use crate::error::{Code, FaultCode};
use crate::handlers::problem::{FIELD_CODE, PROBLEM_CODE, title};

/// Adds both.
pub fn add_to(schemas: &mut Object) {
    let problems = Code::ALL
        .iter()
        .map(|code| (code.as_str(), title(*code, Language::En)));
    schemas.insert(PROBLEM_CODE.to_owned(), vocabulary(problems));
    let fields = FaultCode::ALL.iter().map(|code| code.as_str());
    schemas.insert(
        FIELD_CODE.to_owned(),
        json!({ "type": "string", "enum": fields.collect::<Vec<_>>() }),
    );
}

fn vocabulary(words: impl Iterator<Item = (&'static str, String)>) -> Value {
    let (words, lines): (Vec<_>, Vec<_>) = words
        .map(|(word, meaning)| (word, format!("- `{word}`: {meaning}")))
        .unzip();
    json!({ "type": "string", "enum": words, "description": lines.join("\n") })
}
