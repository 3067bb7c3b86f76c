//! What a partner may report in a day of UTC, and what is left of it. Counting is in `repository::partner_days`.

use chrono::{NaiveTime, TimeDelta};

use super::partner::DealerRules;
use crate::error::{Code, Refusal};
use crate::types::Instant;

/// What a partner has used of a day, or uses more of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Lines that were reported.
    pub lines: i64,
    /// Lines of dry runs.
    pub dry_run_lines: i64,
    /// Customers that were not found.
    pub unmatched: i64,
    /// Customers that dry runs found, who are told nothing.
    pub silent_matches: i64,
}

/// What a partner may use of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    pub lines: i64,
    pub dry_run_lines: i64,
    pub unmatched: i64,
}

impl Quotas {
    /// Those of a partner with this number of lines of its own.
    pub fn of(lines_per_day: Option<i64>, rules: &DealerRules) -> Self {
        Self {
            lines: lines_per_day.unwrap_or(rules.lines_per_day),
            dry_run_lines: rules.dry_run_lines_per_day,
            unmatched: rules.unmatched_per_day,
        }
    }

    /// Refuses what goes beyond them, until the day is over: `used` is with what is asked for.
    pub fn check(&self, used: &Used, now: Instant) -> Result<(), Refusal> {
        let is_within = used.lines <= self.lines
            && used.dry_run_lines <= self.dry_run_lines
            && used.unmatched <= self.unmatched;
        match is_within {
            true => Ok(()),
            false => Err(exceeded(now)),
        }
    }

    /// Refuses to look for one more customer where so many were not found that none is looked for any more today.
    pub fn check_unmatched(&self, used: &Used, now: Instant) -> Result<(), Refusal> {
        match used.unmatched < self.unmatched {
            true => Ok(()),
            false => Err(exceeded(now)),
        }
    }
}

fn exceeded(now: Instant) -> Refusal {
    Refusal::from(Code::QuotaExceeded).retry_after(seconds_left(now))
}

/// Until the day ends in UTC.
pub fn seconds_left(now: Instant) -> u64 {
    let since_midnight = now.utc().time() - NaiveTime::MIN;
    let left = TimeDelta::days(1) - since_midnight;
    u64::try_from(left.num_seconds() + 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::{Programme, SHIPPED};

    #[test]
    fn what_is_left_is_used_to_the_last_line_and_then_waits_for_midnight() {
        let rules = Programme::parse(SHIPPED).unwrap().dealers;
        let quotas = Quotas::of(Some(10), &rules);
        assert_eq!(Quotas::of(None, &rules).lines, rules.lines_per_day);
        let now: Instant = "2026-06-01T22:00:00Z".parse().unwrap();
        let used = |lines, unmatched| Used {
            lines,
            unmatched,
            ..Used::default()
        };
        assert_eq!(quotas.check(&used(10, 0), now), Ok(()));
        let refused = quotas.check(&used(11, 0), now).unwrap_err();
        assert_eq!(
            (refused.code, refused.retry_after),
            (Code::QuotaExceeded, Some(7_201))
        );
        let last = rules.unmatched_per_day;
        assert_eq!(quotas.check(&used(0, last), now), Ok(()));
        assert!(quotas.check(&used(0, last + 1), now).is_err());
        assert_eq!(quotas.check_unmatched(&used(0, last - 1), now), Ok(()));
        assert!(quotas.check_unmatched(&used(0, last), now).is_err());
        let on_trial = Used {
            dry_run_lines: rules.dry_run_lines_per_day + 1,
            ..Used::default()
        };
        assert!(quotas.check(&on_trial, now).is_err());
    }

    #[test]
    fn the_next_day_is_as_far_as_the_clock_says() {
        let left = |at: &str| seconds_left(at.parse().unwrap());
        assert_eq!(left("2026-06-01T00:00:00Z"), 86_401);
        assert_eq!(left("2026-06-01T23:59:59.5Z"), 1);
        assert_eq!(left("2026-06-01T22:00:00Z"), 7_201);
    }
}
