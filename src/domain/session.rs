//! How long a session lives: in all, and without being used; and how long a device is known. Signing in is in `workflows::sessions`.

use chrono::TimeDelta;
use serde::Deserialize;

use crate::types::Instant;

/// Section `[sessions]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRules {
    /// Days after which a member signs in again, however busy.
    pub member_days: u32,
    /// Days without use that end a member's session.
    pub member_idle_days: u32,
    /// Hours after which staff sign in again, however busy.
    pub staff_hours: u32,
    /// Hours without use that end a session of staff.
    pub staff_idle_hours: u32,
    /// Days for which a device that signed in is known.
    pub device_days: u32,
}

/// Until when a device is known that signs in at `now`.
pub fn device_known_until(now: Instant, rules: &SessionRules) -> Instant {
    now.plus(TimeDelta::days(rules.device_days.into()))
}

/// When the refresh token runs out that a session, begun at `began`, gets at `now`.
pub fn refresh_ends(began: Instant, now: Instant, is_staff: bool, rules: &SessionRules) -> Instant {
    let hours = |hours: u32| TimeDelta::hours(hours.into());
    let days = |days: u32| TimeDelta::days(days.into());
    let (whole, idle) = match is_staff {
        true => (hours(rules.staff_hours), hours(rules.staff_idle_hours)),
        false => (days(rules.member_days), days(rules.member_idle_days)),
    };
    began.plus(whole).min(now.plus(idle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::{Programme, SHIPPED};

    #[test]
    fn a_session_ends_unused_or_in_the_end_and_sooner_for_staff() {
        let rules = Programme::parse(SHIPPED).unwrap().sessions;
        let began: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let ends = |after: TimeDelta, is_staff| {
            let ends = refresh_ends(began, began.plus(after), is_staff, &rules);
            ends.since(began)
        };
        let (hours, days) = (TimeDelta::hours, TimeDelta::days);
        assert_eq!(ends(days(0), false), days(14));
        assert_eq!(ends(days(10), false), days(24));
        assert_eq!(ends(days(20), false), days(30));
        assert_eq!(ends(hours(0), true), hours(1));
        assert_eq!(ends(hours(8), true), hours(9));
        assert_eq!(ends(hours(11) + TimeDelta::minutes(30), true), hours(12));
    }
}
