//! The one clock: the machine's time, plus an offset that only the sandbox sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant as Tick;

use chrono::{TimeDelta, Utc};
use governor::clock::Clock as GovernorClock;
use governor::nanos::Nanos;

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

/// Time as a limiter reads it: what has passed, and how far the sandbox was moved ahead. Whoever sets the machine's clock moves
/// nothing here, and a sandbox that begins again takes nothing back.
#[derive(Debug, Clone)]
pub struct Ticks {
    begun: Tick,
    clock: Clock,
}

impl Ticks {
    /// From now on.
    pub fn new(clock: &Clock) -> Self {
        Self {
            begun: Tick::now(),
            clock: clock.clone(),
        }
    }
}

impl GovernorClock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let ahead = u64::try_from(self.clock.advanced_micros()).unwrap_or(0);
        let passed = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Nanos::from(passed.saturating_add(ahead.saturating_mul(1000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limiter_s_time_is_what_has_passed_and_how_far_the_sandbox_is_ahead() {
        let clock = Clock::default();
        let ticks = Ticks::new(&clock);
        let minute = 60_000_000_000;
        // Not the time of day.
        assert!(ticks.now().as_u64() < minute);
        clock.set_offset_micros(60_000_000);
        assert!((minute..2 * minute).contains(&ticks.now().as_u64()));
        clock.set_offset_micros(0);
        assert!((minute..2 * minute).contains(&ticks.now().as_u64()));
        clock.set_offset_micros(60_000_000);
        assert!((2 * minute..3 * minute).contains(&ticks.now().as_u64()));
    }
}
