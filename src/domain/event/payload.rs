//! What every event has beside its own payload: an identity, a version, and its form at rest.

use super::Event;
use crate::types::id;

id!(
    /// One event.
    EventId, "evt_"
);

/// The version of every payload. Fields may be added within it; what breaks a reader is a new word.
pub const VERSION: i64 = 1;

/// The most bytes that a payload has.
pub const MOST_DATA: usize = 4096;

impl Event {
    /// The payload as it is kept and sent, byte for byte: JSON without spaces.
    pub fn data(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}
