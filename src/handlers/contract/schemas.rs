//! What holds for every schema: numbers have bounds, and what may be left out is not null.

use serde_json::{Value, json};

use super::Object;

/// What a 32-bit number holds.
const LEAST: i64 = i32::MIN as i64;
const MOST: i64 = i32::MAX as i64;
/// The largest whole number that every reader of JSON reads exactly (RFC 8259, 6).
const MOST_EXACT: i64 = (1 << 53) - 1;
/// The fields and parameters that outgrow 32 bits.
const LONG: [&str; 6] = [
    "sequence",
    "resource_sequence",
    "last_sequence",
    "position",
    "oldest",
    "after",
];

/// Gives each whole number its format and its bounds: nothing that is counted here outgrows 32 bits, but for the events' numbers.
pub fn bound(document: &mut Value) {
    walk(document, "");
}

fn walk(value: &mut Value, name: &str) {
    match value {
        Value::Object(object) => {
            if object.get("type").is_some_and(|kind| kind == "integer") {
                bound_one(object, LONG.contains(&name));
            }
            let parameter = object
                .get("name")
                .and_then(Value::as_str)
                .map(str::to_owned);
            for (name, child) in object {
                let name = match &parameter {
                    Some(parameter) if name == "schema" => parameter,
                    _ => name,
                };
                if !matches!(name.as_str(), "example" | "examples" | "enum" | "default") {
                    walk(child, name);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, name)),
        _ => {}
    }
}

fn bound_one(integer: &mut Object, is_long: bool) {
    if integer.contains_key("enum") {
        return;
    }
    let most = if is_long { MOST_EXACT } else { MOST };
    integer.entry("minimum").or_insert_with(|| json!(LEAST));
    integer.entry("maximum").or_insert_with(|| json!(most));
    let format = if is_long { "int64" } else { "int32" };
    integer.insert("format".to_owned(), json!(format));
}

/// A body that may be left out is one thing or nothing: it is not null.
pub fn leave_out_rather_than_null(operation: &mut Object) {
    let body = operation
        .get_mut("requestBody")
        .and_then(|body| body.get_mut("content"));
    for media in body
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Object::values_mut)
    {
        let options = media
            .pointer_mut("/schema/oneOf")
            .and_then(Value::as_array_mut);
        let rest = options.map(|options| {
            options.retain(|one| *one != json!({ "type": "null" }));
            std::mem::take(options)
        });
        if let Some([one]) = rest.as_deref()
            && let Some(schema) = media.get_mut("schema")
        {
            *schema = one.clone();
        }
    }
}
