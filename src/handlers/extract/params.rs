//! Query parameters, checked like a body: each with its type, all faults at once, unknown ones refused.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web::Query};
use serde_json::{Map, Value};

use super::checked::{Documented, decode};
use crate::error::{Code, Error, Fault, FaultCode, Result};

/// The query parameters of an operation.
pub struct Params<T>(pub T);

impl<T: Documented> FromRequest for Params<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string()).map(Self))
    }
}

fn read<T: Documented>(query: &str) -> Result<T> {
    let pairs = Query::<Vec<(String, String)>>::from_query(query).map_err(|_| Code::MalformedRequest)?;
    let schema = T::schema();
    let mut object = Map::new();
    for (name, text) in pairs.into_inner() {
        let typed = typed(&schema, &name, &text);
        if object.insert(name.clone(), typed).is_some() {
            return Err(Fault::new(format!("#/query/{name}"), FaultCode::NotUnique).into());
        }
    }
    decode(Value::Object(object), "#/query", |_| Vec::new())
}

/// The text as the JSON type that the schema names; as it is where it does not fit, so that the schema says so.
fn typed(schema: &Value, name: &str, text: &str) -> Value {
    let kind = schema.pointer(&format!("/properties/{name}/type")).and_then(Value::as_str);
    let parsed = match kind {
        Some("integer" | "boolean") => serde_json::from_str(text).ok(),
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}
