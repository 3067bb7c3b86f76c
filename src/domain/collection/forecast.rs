//! What comes of an overdue invoice if nobody pays it. Each step on the way is decided in the module above.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{Facts, OverdueRules, Step, after, next_step, step_moment};
use crate::types::Instant;

/// What an overdue invoice does to its membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The benefits stop.
    Suspended,
    /// What the invoice bought is ended.
    Ended,
}

/// After so many steps an invoice has had its consequence: a day each, for more years than any programme waits.
const MOST: usize = 10_000;

/// What comes next of an overdue invoice for its membership, and when, if nothing is paid and no card is charged. What was to be done at a moment that is over
/// `now` is done already or comes with the next one. A pause counts as far as the facts' day lies ahead.
pub fn forecast(
    facts: Facts<'_>,
    (now, zone): (Instant, Tz),
    rules: &OverdueRules,
) -> Option<(Consequence, Instant)> {
    let is_over = step_moment(facts.today, zone, rules) < now;
    let mut day = match is_over {
        true => after(facts.today, 1),
        false => facts.today,
    };
    let mut sent: Vec<NaiveDate> = facts.sent.to_vec();
    for _ in 0..MOST {
        let then = Facts {
            today: day,
            sent: &sent,
            retry_ahead: false,
            waits: false,
            ..facts
        };
        let next = next_step(then, rules);
        match next.step {
            Step::Suspend => return Some((Consequence::Suspended, step_moment(day, zone, rules))),
            Step::End => return Some((Consequence::Ended, step_moment(day, zone, rules))),
            Step::Remind(_) => sent.push(day),
            Step::Wait | Step::Skip => {}
        }
        day = next.again?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::{Programme, SHIPPED};

    const ZONE: Tz = chrono_tz::Europe::Amsterdam;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn facts(today: &str) -> Facts<'static> {
        Facts {
            collect_from: date("2027-01-01"),
            today: date(today),
            sent: &[],
            reminded: None,
            skipped: None,
            suspended: None,
            retry_ahead: false,
            waits: false,
        }
    }

    fn told(facts: Facts<'_>, now: &str) -> (Consequence, String) {
        let rules = Programme::parse(SHIPPED).unwrap().overdue;
        let now = now.parse().unwrap();
        let (what, at) = forecast(facts, (now, ZONE), &rules).unwrap();
        (what, at.to_string())
    }

    #[test]
    fn what_is_not_paid_stops_the_benefits_after_thirty_days_and_ends_after_ninety() {
        let suspended = (Consequence::Suspended, "2027-01-31T08:00:00Z".to_owned());
        assert_eq!(told(facts("2027-01-02"), "2027-01-02T10:00:00Z"), suspended);
        let sent = [date("2027-01-04"), date("2027-01-14")];
        let reminded = Facts {
            sent: &sent,
            ..facts("2027-01-31")
        };
        assert_eq!(told(reminded, "2027-01-31T07:00:00Z"), suspended);
        let stopped = Facts {
            suspended: Some(date("2027-01-31")),
            ..facts("2027-01-31")
        };
        let ended = (Consequence::Ended, "2027-04-01T07:00:00Z".to_owned());
        assert_eq!(told(stopped, "2027-01-31T08:00:01Z"), ended);
    }

    #[test]
    fn who_was_not_reminded_is_reminded_first() {
        let late = told(facts("2027-02-10"), "2027-02-10T12:00:00Z");
        assert_eq!(
            late,
            (Consequence::Suspended, "2027-02-21T08:00:00Z".to_owned())
        );
        let before = told(facts("2027-02-10"), "2027-02-10T06:00:00Z");
        assert_eq!(
            before,
            (Consequence::Suspended, "2027-02-20T08:00:00Z".to_owned())
        );
    }
}
