//! Many lines of a partner at once: where a batch stands, where each line of it does, and how large the next chunk of work is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::registration::RegistrationStatus;
use crate::error::Code;
use crate::types::{id, text_enum};

id!(
    /// One batch of lines.
    BatchId, "bat_"
);

text_enum! {
    /// Where a batch stands.
    pub enum BatchStatus {
        /// Its lines are on their way.
        Receiving = "receiving",
        /// It waits, perhaps for another batch of the partner.
        Queued = "queued",
        /// Its lines are worked through.
        Running = "running",
        /// Every line has its result.
        Completed = "completed",
        /// The partner stopped it: the lines that were left are cancelled.
        Cancelled = "cancelled",
        /// The job failed for good; staff have it tried again, and it goes on where it stood.
        Failed = "failed",
    }
}

impl BatchStatus {
    /// Whether lines of it may still be worked on without anybody asking for it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Receiving | Self::Queued | Self::Running)
    }

    /// Whether it ended.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }

    /// Whether it can be stopped: 409 `batch_not_cancellable` once it is over.
    pub fn check_cancellable(self) -> Result<(), Code> {
        match self {
            Self::Queued | Self::Running | Self::Failed => Ok(()),
            Self::Receiving | Self::Completed | Self::Cancelled => Err(Code::BatchNotCancellable),
        }
    }
}

text_enum! {
    /// What became of a line of a batch.
    pub enum BatchLineStatus {
        /// It waits for its turn.
        Pending = "pending",
        /// The customer has the product.
        Registered = "registered",
        /// The customer is asked.
        Offered = "offered",
        /// The serial number was reported stolen; staff look at it.
        Held = "held",
        /// Somebody has the serial number already.
        AlreadyRegistered = "already_registered",
        /// The sale was taken back.
        Returned = "returned",
        /// The sale was corrected.
        Corrected = "corrected",
        /// The same line was taken in before.
        Unchanged = "unchanged",
        /// It was not taken in; its code and errors say why.
        Refused = "refused",
        /// The batch was stopped before its turn.
        Cancelled = "cancelled",
    }
}

impl From<RegistrationStatus> for BatchLineStatus {
    fn from(status: RegistrationStatus) -> Self {
        match status {
            RegistrationStatus::Registered => Self::Registered,
            RegistrationStatus::Offered => Self::Offered,
            RegistrationStatus::Held => Self::Held,
            RegistrationStatus::AlreadyRegistered => Self::AlreadyRegistered,
            RegistrationStatus::Returned => Self::Returned,
            RegistrationStatus::Corrected => Self::Corrected,
            // No line comes to these: they are what becomes of one later.
            RegistrationStatus::Declined
            | RegistrationStatus::Expired
            | RegistrationStatus::Contested
            | RegistrationStatus::Ended => Self::Unchanged,
        }
    }
}

/// How many lines came to what.
pub type Counts = BTreeMap<BatchLineStatus, i64>;

/// How many lines the next chunk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The first chunk.
    pub first: i64,
    /// How long a chunk may take, so that other writers wait no longer.
    pub aim: Duration,
}

impl Pace {
    /// The fewest and the most lines of a chunk.
    const BOUNDS: (i64, i64) = (25, 1000);

    /// How many lines come after a chunk of `lines` that took `took`: as many as the aim allows, at most twice as many.
    pub fn next(self, lines: i64, took: Duration) -> i64 {
        let took = took.as_micros().max(1);
        let aimed = u128::try_from(lines).unwrap_or(0) * self.aim.as_micros() / took;
        let aimed = i64::try_from(aimed).unwrap_or(i64::MAX);
        let (fewest, most) = Self::BOUNDS;
        aimed.min(lines.saturating_mul(2)).clamp(fewest, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_become_as_large_as_their_time_allows() {
        let pace = Pace {
            first: 100,
            aim: Duration::from_millis(40),
        };
        let after = |lines, ms| pace.next(lines, Duration::from_millis(ms));
        assert_eq!(after(100, 40), 100);
        assert_eq!(after(100, 80), 50);
        assert_eq!(after(100, 10), 200);
        assert_eq!(after(100, 5000), 25);
        assert_eq!(after(900, 0), 1000);
    }

    #[test]
    fn a_batch_is_stopped_until_it_is_over() {
        use BatchStatus::{Completed, Failed, Queued, Receiving};
        for status in [Queued, Failed] {
            assert_eq!(status.check_cancellable(), Ok(()));
        }
        for status in [Receiving, Completed] {
            assert_eq!(status.check_cancellable(), Err(Code::BatchNotCancellable));
        }
    }

    #[test]
    fn a_line_comes_to_what_its_registration_is() {
        for status in RegistrationStatus::ALL {
            let of = BatchLineStatus::from(*status);
            assert!(of == BatchLineStatus::Unchanged || of.as_str() == status.as_str());
        }
    }
}
