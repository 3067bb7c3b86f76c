//! Extractors that a handler gets by naming them; each answers with every fault at once.

mod body;
mod checked;
mod idempotency;
mod if_match;
mod limits;
mod page;
mod params;
mod schemas;

pub use body::{Body, CsvBody, Draft, OptionalBody, Patch, of_payload, read_limited};
pub use checked::Checked;
pub use idempotency::{Idempotency, IdempotencyHeader, RequiredIdempotencyHeader, RequiredKey};
pub use if_match::{IfMatch, IfMatchHeader};
pub use limits::{BodyBounds, Limits, MinimumRate, SlowReader, Unanswered};
pub(crate) use page::list_params;
pub use page::{Cursor, PageParams, Pages};
pub use params::Params;
