//! How a value is stored, sent and described: ids, instants, JSON, vocabularies. What the values mean is in `domain`.

mod column;
mod id;
mod instant;
mod json;
mod network;
mod vocabulary;

pub use column::{FromSql, SqlId, SqlInstant, SqlJson, ToSql};
pub use instant::Instant;
pub use json::Json;
pub use network::{Network, household, is_within};

pub(crate) use column::column;
pub(crate) use id::id;
pub use id::{BadId, first_uuid_at, uuid_at};
pub use vocabulary::described;
pub(crate) use vocabulary::text_enum;
