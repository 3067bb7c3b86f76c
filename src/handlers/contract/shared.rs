//! Parameters that many operations take: each described once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Object, reference, within};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Moves what several operations take into the components, and lets every operation take `Accept-Language`.
pub fn gather(document: &mut Value) {
    for parameters in all(document) {
        parameters.push(accept_language());
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for parameters in all(document) {
        for one in parameters {
            *counts.entry(one.to_string()).or_default() += 1;
        }
    }
    let mut named: BTreeMap<String, Value> = BTreeMap::new();
    for parameters in all(document) {
        for one in parameters {
            let is_shared = counts.get(&one.to_string()).is_some_and(|count| *count > 1);
            if let Some(name) = is_shared.then(|| name_for(one, &mut named)).flatten() {
                *one = reference("parameters", &name);
            }
        }
    }
    if let Value::Object(document) = document {
        within(document, "components", |components| {
            components.insert("parameters".to_owned(), json!(named));
        });
    }
}

fn accept_language() -> Value {
    json!({
        "name": "Accept-Language", "in": "header", "required": false, "schema": { "type": "string" },
        "description": "`da` or `en`: the language of titles, details and other words for people; codes stay as they are. English without it.",
    })
}

/// The name under which a parameter is kept: its own, or with what sets it apart from another of that name.
fn name_for(parameter: &Value, named: &mut BTreeMap<String, Value>) -> Option<String> {
    let own = parameter.get("name")?.as_str()?;
    let apart = match parameter.get("required").and_then(Value::as_bool) {
        Some(true) => format!("{own}-required"),
        _ => format!("{own}-optional"),
    };
    let numbered = (2..10).map(|n| format!("{own}-{n}"));
    [own.to_owned(), apart]
        .into_iter()
        .chain(numbered)
        .find(|name| {
            let kept = named.entry(name.clone());
            kept.or_insert_with(|| parameter.clone()) == parameter
        })
}

/// The parameters of each operation.
fn all(document: &mut Value) -> impl Iterator<Item = &mut Vec<Value>> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Object::values_mut);
    let items = items.filter_map(Value::as_object_mut);
    let operations = items.flat_map(|item| {
        item.iter_mut()
            .filter(|(method, _)| METHODS.contains(&method.as_str()))
            .filter_map(|(_, operation)| operation.as_object_mut())
    });
    operations.filter_map(|operation| {
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        parameters.as_array_mut()
    })
}
