//! The codes of problems and of fields as vocabularies of the document, each with what it means.

use serde_json::{Value, json};

use super::Object;
use crate::domain::language::Language;
use crate::error::{Code, FaultCode};
use crate::handlers::problem::{FIELD_CODE, PROBLEM_CODE, meaning, title};

/// Adds both.
pub fn add_to(schemas: &mut Object) {
    let problems = Code::ALL
        .iter()
        .map(|code| (code.as_str(), title(*code, Language::En)));
    schemas.insert(PROBLEM_CODE.to_owned(), vocabulary(problems));
    let fields = FaultCode::ALL.iter().map(|code| {
        let meaning = meaning(*code, Language::En);
        (code.as_str(), meaning)
    });
    schemas.insert(FIELD_CODE.to_owned(), vocabulary(fields));
}

fn vocabulary(words: impl Iterator<Item = (&'static str, String)>) -> Value {
    let (words, lines): (Vec<_>, Vec<_>) = words
        .map(|(word, meaning)| (word, format!("- `{word}`: {meaning}")))
        .unzip();
    json!({ "type": "string", "enum": words, "description": lines.join("\n") })
}
