//! Extractors that a handler gets by naming them; each answers with every fault at once.

mod body;
mod idempotency;
mod if_match;
mod input;
mod limits;
mod page;
mod params;
mod schemas;

pub use body::{
    Body, CsvBody, FormBody, MERGE_PATCH, OptionalBody, announced_encoding, media_type, of_payload,
    read_limited, unsupported,
};
pub use idempotency::{Idempotency, IdempotencyHeader, RequiredIdempotencyHeader, RequiredKey};
pub use if_match::{IfMatch, IfMatchHeader};
pub use input::{Input, Plain, broken, validated};
pub use limits::{BodyBounds, Limits, MinimumRate, SlowReader, Unanswered};
pub(crate) use page::list_params;
pub use page::{Cursor, PageParams, Pages};
pub use params::Params;
pub use schemas::nullable;
