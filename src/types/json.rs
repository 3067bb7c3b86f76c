//! A JSON document in a column.

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{SqlJson, column};

/// A JSON document, opaque to the database.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = SqlJson)]
pub struct Json(pub Value);

impl Json {
    /// The document of `value`.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_value(value).map(Self)
    }

    /// The value that the document describes.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.0)
    }
}

column!(Json: SqlJson, sql_types::Jsonb, Value::to_string, |text: &str| serde_json::from_str::<Value>(text));
