//! What answers look like: real ones, kept in `openapi/examples.json` by the test that hears them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Object, reference, within};
use crate::handlers::problem::MEDIA_TYPE;

const KEPT: &str = include_str!("../../../openapi/examples.json");

/// The kept answers: of each schema one, or of an operation whose answer has no schema of its own, and the problem of each code.
pub struct Examples(Value);

impl Examples {
    /// Those of this version.
    pub fn kept() -> Self {
        Self(serde_json::from_str(KEPT).unwrap_or_default())
    }

    /// The problems that are chosen by code and answer.
    pub fn problems(&self, choose: impl Fn(&str, &Value) -> bool) -> Value {
        let kept = self.0.get("problems").and_then(Value::as_object);
        let chosen = kept.into_iter().flatten();
        let chosen = chosen.filter(|(code, problem)| choose(code, problem));
        let shown = chosen.map(|(code, problem)| (code.clone(), json!({ "value": problem })));
        Value::Object(shown.collect())
    }

    /// Shows what an operation answers, and of the problems that it describes itself those whose codes its description names.
    pub fn tell(&self, operation: &mut Object) {
        let id = operation.get("operationId").and_then(Value::as_str);
        let id = id.unwrap_or_default().to_owned();
        let responses = operation.get_mut("responses");
        let responses = responses.and_then(Value::as_object_mut);
        for response in responses.into_iter().flat_map(Object::values_mut) {
            let description = response.get("description").map(Value::to_string);
            let description = description.unwrap_or_default();
            let is_named = |code: &str, _: &Value| description.contains(&format!("`{code}`"));
            for (kind, media) in media_of(response) {
                if kind == MEDIA_TYPE {
                    media.insert("examples".to_owned(), self.problems(is_named));
                    continue;
                }
                // What has no schema is kept as one file of the operation.
                let name = schema_of(media).or((kind == "text/csv").then_some(&*id));
                if let Some(answer) = name.and_then(|name| self.answer(name)) {
                    media.insert("example".to_owned(), answer.clone());
                }
            }
        }
    }

    fn answer(&self, name: &str) -> Option<&Value> {
        self.0.get("answers")?.get(name)
    }
}

/// Moves what several answers show into the components.
pub fn gather(document: &mut Value) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for media in shown_in(document) {
        let name = schema_of(media).map(str::to_owned);
        *counts.entry(name.unwrap_or_default()).or_default() += 1;
    }
    let mut shared = Object::new();
    for media in shown_in(document) {
        let name = schema_of(media).map(str::to_owned);
        let is_shared = |name: &String| counts.get(name).is_some_and(|count| *count > 1);
        if let Some(name) = name.filter(is_shared)
            && let Some(answer) = media.remove("example")
        {
            media.insert(
                "examples".to_owned(),
                json!({ &name: reference("examples", &name) }),
            );
            shared.insert(name, json!({ "value": answer }));
        }
    }
    if let Value::Object(document) = document {
        within(document, "components", |components| {
            components.insert("examples".to_owned(), Value::Object(shared));
        });
    }
}

/// Takes the examples of their fields from the schemas that are shown whole.
pub fn thin(document: &mut Value, examples: &Examples) {
    let schemas = document.pointer_mut("/components/schemas");
    let schemas = schemas.and_then(Value::as_object_mut);
    let shown = schemas.into_iter().flatten();
    let shown = shown.filter(|(name, _)| examples.answer(name).is_some());
    for (_, schema) in shown {
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
        let fields = fields.into_iter().flat_map(Object::values_mut);
        for field in fields.filter_map(Value::as_object_mut) {
            field.remove("example");
        }
    }
}

/// The forms of answers that show one.
fn shown_in(document: &mut Value) -> impl Iterator<Item = &mut Object> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Object::values_mut);
    let operations = items.filter_map(Value::as_object_mut);
    let operations = operations.flat_map(Object::values_mut);
    let responses = operations.filter_map(|one| one.get_mut("responses")?.as_object_mut());
    let media = responses.flat_map(Object::values_mut).flat_map(media_of);
    let media = media.map(|(_, media)| media);
    media.filter(|media| media.contains_key("example"))
}

/// The forms of an answer, by their media types.
fn media_of(response: &mut Value) -> impl Iterator<Item = (&String, &mut Object)> {
    let content = response.get_mut("content").and_then(Value::as_object_mut);
    let forms = content.into_iter().flatten();
    forms.filter_map(|(kind, media)| Some((kind, media.as_object_mut()?)))
}

/// The name of the schema that an answer has.
fn schema_of(media: &Object) -> Option<&str> {
    let named = media.get("schema")?.get("$ref")?.as_str()?;
    named.rsplit('/').next()
}
