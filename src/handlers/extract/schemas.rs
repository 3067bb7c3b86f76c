//! The schemas of query parameters, and of what a merge patch deletes. Those of bodies are in `domain::json`.

use serde_json::{Map, Value, json};
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{RefOr, Required, Schema};
use utoipa::{IntoParams, PartialSchema};

/// The schema of `T`, or null, which deletes it in a merge patch.
pub fn nullable<T: PartialSchema>() -> RefOr<Schema> {
    let mut schema = T::schema();
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.schema_type = SchemaType::from_iter([Type::String, Type::Null]);
        let description = object.description.take().unwrap_or_default();
        object.description = Some(format!("{description} Null deletes it.").trim().to_owned());
    }
    schema
}

/// The schema of query parameters, as if they were a body: what they refer to is in the contract.
pub fn query_schema<T: IntoParams>() -> Value {
    let parameters = T::into_params(|| Some(ParameterIn::Query));
    let required: Vec<&str> = parameters
        .iter()
        .filter(|one| one.required == Required::True)
        .map(|one| one.name.as_str())
        .collect();
    let properties: Map<String, Value> = parameters
        .iter()
        .map(|one| (one.name.clone(), json!(one.schema)))
        .collect();
    let contract = crate::handlers::schemas();
    let mut parts = Map::new();
    properties
        .values()
        .for_each(|schema| gather(schema, &contract, &mut parts));
    json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        "components": { "schemas": parts },
    })
}

/// Adds to `parts` the schemas of `contract` that `schema` refers to, and those that they refer to.
fn gather(schema: &Value, contract: &Value, parts: &mut Map<String, Value>) {
    match schema {
        Value::Object(fields) => {
            let name = fields
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| reference.strip_prefix("#/components/schemas/"));
            if let Some(name) = name
                && !parts.contains_key(name)
                && let Some(part) = contract.pointer(&format!("/schemas/{name}"))
            {
                parts.insert(name.to_owned(), part.clone());
                gather(part, contract, parts);
            }
            fields
                .values()
                .for_each(|field| gather(field, contract, parts));
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, contract, parts)),
        _ => {}
    }
}
