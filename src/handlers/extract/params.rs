//! Query parameters, checked like a body: each with its type, all faults at once, unknown ones refused.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web::Query};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::IntoParams;

use super::schemas::query_schema;
use crate::domain::json::{read as read_fields, typed};
use crate::error::{Code, Error, Fault, FaultCode, Result};

/// The query parameters of an operation.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + IntoParams + 'static> FromRequest for Params<T> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string()).map(Self))
    }
}

fn read<T: DeserializeOwned + IntoParams + 'static>(query: &str) -> Result<T> {
    // Most requests have none. Then only a missing one can be wrong, of which the type knows as much as the schema.
    if query.is_empty()
        && let Ok(value) = serde_json::from_value::<T>(Value::Object(Map::new()))
    {
        return Ok(value);
    }
    let pairs =
        Query::<Vec<(String, String)>>::from_query(query).map_err(|_| Code::MalformedRequest)?;
    let mut object = Map::new();
    for (name, text) in pairs.into_inner() {
        // A cursor with a NUL is refused as every other one that is not ours.
        let is_void = name == "cursor" && text.contains('\0');
        let text = if is_void { "" } else { &text };
        let typed = typed::<T>(query_schema::<T>, &name, text)?;
        match (object.get_mut(&name), typed) {
            (None, typed) => drop(object.insert(name, typed)),
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
            (Some(_), _) => {
                return Err(Fault::new(format!("#/query/{name}"), FaultCode::NotUnique).into());
            }
        }
    }
    let (value, faults) = read_fields(Value::Object(object), "#/query", query_schema::<T>)?;
    faults.judge(Some(value))
}
