//! The one clock: the machine's time, plus an offset that only the sandbox sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{TimeDelta, Utc};

use crate::types::Instant;

/// Tells the time; clones share their offset.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_micros: Arc<AtomicI64>,
    advanced_micros: Arc<AtomicI64>,
}

impl Clock {
    /// Now, as the whole service sees it.
    pub fn now(&self) -> Instant {
        Instant::from_utc(Utc::now()).plus(TimeDelta::microseconds(self.offset_micros()))
    }

    /// How far ahead of the machine this clock is.
    pub fn offset_micros(&self) -> i64 {
        self.offset_micros.load(Ordering::Acquire)
    }

    /// How far this clock was moved forward in all; less never, also where a sandbox began again.
    pub fn advanced_micros(&self) -> i64 {
        self.advanced_micros.load(Ordering::Acquire)
    }

    /// Takes over an offset that another instance stored.
    pub fn set_offset_micros(&self, offset: i64) {
        let before = self.offset_micros.swap(offset, Ordering::AcqRel);
        let forward = offset.saturating_sub(before).max(0);
        self.advanced_micros.fetch_add(forward, Ordering::AcqRel);
    }

    /// The offset at which this clock shows `now`.
    pub fn offset_for(&self, now: Instant) -> i64 {
        now.since(Instant::from_utc(Utc::now()))
            .num_microseconds()
            .unwrap_or(0)
    }
}
