//! How large, how slow and how many bodies may be, and how slowly answers may be read.

use std::time::Duration;

/// What a connection may take of the service.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a JSON body.
    pub json: usize,
    /// Bytes of a CSV file.
    pub csv: usize,
    /// Of the head of a request, until its last line.
    pub head_time: Duration,
    /// Of a body, from the first byte to the last.
    pub body_time: Duration,
    /// Of an upload.
    pub upload_time: Duration,
    /// Of every body on its way.
    pub body_rate: MinimumRate,
    /// Bodies on their way at once.
    pub bodies: BodyBounds,
    /// Whoever reads an answer more slowly is cut off.
    pub slow_reader: SlowReader,
    /// Whoever sends more without anything being answered is cut off.
    pub unanswered: Unanswered,
}

/// A pace that is looked at after a while.
#[derive(Debug, Clone, Copy)]
pub struct MinimumRate {
    pub bytes_per_second: u32,
    pub after: Duration,
}

impl MinimumRate {
    /// How long after its beginning more than `received` bytes must have come.
    pub fn time_for(&self, received: u64) -> Duration {
        let millis = received.saturating_mul(1000) / u64::from(self.bytes_per_second.max(1));
        self.after.saturating_add(Duration::from_millis(millis))
    }
}

/// How many bodies may be on their way at once.
#[derive(Debug, Clone, Copy)]
pub struct BodyBounds {
    /// On this instance.
    pub all: usize,
    /// From one IPv4 address or IPv6 /64.
    pub address: usize,
    /// From one user or application; from one address where nobody is identified.
    pub caller: usize,
}

/// Of what waits, at least `bytes` are taken `within` a time.
#[derive(Debug, Clone, Copy)]
pub struct SlowReader {
    pub bytes: usize,
    pub within: Duration,
}

/// What comes after the last byte that was sent, without one more being sent: the next head, or the rest of a body that was
/// answered before its end.
#[derive(Debug, Clone, Copy)]
pub struct Unanswered {
    /// More than the largest body that is read.
    pub bytes: usize,
    /// Counted while no request is in work.
    pub within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json: 64 * 1024,
            csv: 2 * 1024 * 1024,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(20),
            upload_time: Duration::from_secs(60),
            body_rate: MinimumRate {
                bytes_per_second: 1000,
                after: Duration::from_secs(5),
            },
            bodies: BodyBounds {
                all: 256,
                address: 64,
                caller: 8,
            },
            slow_reader: SlowReader {
                bytes: 60_000,
                within: Duration::from_secs(60),
            },
            unanswered: Unanswered {
                bytes: 17 * 1024 * 1024,
                within: Duration::from_secs(60),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_a_while_and_then_as_long_as_its_bytes_are_worth() {
        let rate = Limits::default().body_rate;
        assert_eq!(rate.time_for(0), Duration::from_secs(5));
        assert_eq!(rate.time_for(1500), Duration::from_millis(6500));
        assert!(rate.time_for(u64::MAX) > Duration::from_secs(1 << 30));
    }
}
