//! Collecting what is overdue: reminders, suspension, the end. Charging a card is not here; what a payment settles is in `allocation`.

mod forecast;

use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::Deserialize;

use super::calendar::{local_date, local_moment};
use crate::types::{Instant, id, text_enum};

pub use forecast::{Consequence, forecast};

id!(
    /// The identity of a reminder.
    ReminderId, "rem_"
);

text_enum! {
    /// What became of a reminder.
    pub enum ReminderOutcome {
        /// It went out.
        Sent = "sent",
        /// A card was still to be charged again.
        Skipped = "skipped",
    }
}

/// Section `[overdue]` of the programme. All days count from the due date, or from when the invoice was opened again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverdueRules {
    /// Days on which a reminder goes out, rising.
    pub reminder_days: Vec<u32>,
    /// From this day on the benefits are suspended.
    pub benefits_suspended_after_days: u32,
    /// From this day on what the invoice bought is ended.
    pub membership_ended_after_days: u32,
    /// Days between two reminders, and between the first and the suspension, at least.
    pub days_between_reminders: u32,
    /// Days between the suspension and the end, at least.
    pub days_suspended_before_end: u32,
    /// When steps are taken, in the seller's zone.
    pub steps_at: NaiveTime,
}

impl OverdueRules {
    /// What is wrong with the section as the programme writes it, behind the name of the entry.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let days = &self.reminder_days;
        let suspended = self.benefits_suspended_after_days;
        let rises = days.is_sorted_by(|a, b| a < b) && !days.contains(&0);
        if days.is_empty() || !rises || days.iter().any(|day| *day >= suspended) {
            let fault = "must rise from the first day on and end before the suspension".to_owned();
            Err(("reminder_days", fault))
        } else if self.membership_ended_after_days <= suspended {
            let fault = "comes before the suspension".to_owned();
            Err(("membership_ended_after_days", fault))
        } else {
            Ok(())
        }
    }
}

/// What is known of an overdue invoice on a day.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Its due date, or the day on which it was opened again.
    pub collect_from: NaiveDate,
    pub today: NaiveDate,
    /// The days on which reminders went out since then, rising.
    pub sent: &'a [NaiveDate],
    /// The last day on which one went out, since then or before.
    pub reminded: Option<NaiveDate>,
    /// The last day on which one was skipped.
    pub skipped: Option<NaiveDate>,
    /// Since when the benefits are suspended for it.
    pub suspended: Option<NaiveDate>,
    /// A card is still to be charged again.
    pub retry_ahead: bool,
    /// A charge is under way, or collection is paused.
    pub waits: bool,
}

/// What is done about an overdue invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Wait,
    /// The reminder of that number goes out, from 1 on.
    Remind(usize),
    /// A reminder would go out, but a card is still to be charged again.
    Skip,
    /// The benefits are suspended.
    Suspend,
    /// What the invoice bought is ended.
    End,
}

/// What is done today, and the day on which to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    pub step: Step,
    /// Nothing once all is done.
    pub again: Option<NaiveDate>,
}

/// The next step against an invoice that is still open. What was missed is not made up for: one reminder at a time, and none once the benefits are
/// suspended.
pub fn next_step(facts: Facts<'_>, rules: &OverdueRules) -> Next {
    let (today, tomorrow) = (facts.today, after(facts.today, 1));
    let next = |step, again: NaiveDate| Next {
        step,
        again: Some(again.max(tomorrow)),
    };
    if facts.waits {
        return next(Step::Wait, tomorrow);
    }
    if let Some(suspended) = facts.suspended {
        let end = end_day(facts.collect_from, suspended, rules);
        return match today >= end {
            true => Next {
                step: Step::End,
                again: None,
            },
            false => next(Step::Wait, end),
        };
    }
    let suspension = suspension_day(facts, rules);
    if suspension.is_some_and(|day| today >= day) {
        let end = end_day(facts.collect_from, today, rules);
        return next(Step::Suspend, end);
    }
    let step = reminder_step(facts, rules);
    let again = look_again(facts, step, rules);
    next(step, again.unwrap_or(tomorrow))
}

fn after(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into()))
        .unwrap_or(NaiveDate::MAX)
}

fn end_day(collect_from: NaiveDate, suspended: NaiveDate, rules: &OverdueRules) -> NaiveDate {
    let last = after(collect_from, rules.membership_ended_after_days);
    last.max(after(suspended, rules.days_suspended_before_end))
}

/// The first day on which the benefits may be suspended; nothing before a reminder went out.
fn suspension_day(facts: Facts<'_>, rules: &OverdueRules) -> Option<NaiveDate> {
    let day = after(facts.collect_from, rules.benefits_suspended_after_days);
    let first = facts.sent.first()?;
    Some(day.max(after(*first, rules.days_between_reminders)))
}

/// The days on which a reminder is due, the day of the suspension too: without a reminder before it nothing is suspended.
fn reminder_days(facts: Facts<'_>, rules: &OverdueRules) -> Vec<NaiveDate> {
    let last = Some(rules.benefits_suspended_after_days).filter(|_| facts.sent.is_empty());
    let days = rules.reminder_days.iter().copied().chain(last);
    days.map(|days| after(facts.collect_from, days)).collect()
}

/// The first day on which another reminder may go out: nothing once all went.
fn earliest_reminder(facts: Facts<'_>, rules: &OverdueRules) -> Option<NaiveDate> {
    let is_left = facts.sent.len() < rules.reminder_days.len();
    let last = facts.sent.last().copied().max(facts.reminded);
    let free = last.map_or(NaiveDate::MIN, |last| {
        after(last, rules.days_between_reminders)
    });
    is_left.then_some(free)
}

fn reminder_step(facts: Facts<'_>, rules: &OverdueRules) -> Step {
    let days = reminder_days(facts, rules);
    let due = days.into_iter().rfind(|day| *day <= facts.today);
    let done = facts.sent.last().copied().max(facts.skipped);
    let is_due = due.is_some_and(|due| done.is_none_or(|done| done < due));
    let suspension = after(facts.collect_from, rules.benefits_suspended_after_days);
    let is_due = is_due || (facts.sent.is_empty() && facts.today >= suspension);
    match earliest_reminder(facts, rules) {
        Some(free) if is_due && free <= facts.today => match facts.retry_ahead {
            true => Step::Skip,
            false => Step::Remind(facts.sent.len() + 1),
        },
        _ => Step::Wait,
    }
}

/// The next day, after today, on which there may be something to do once today's step is taken.
fn look_again(facts: Facts<'_>, step: Step, rules: &OverdueRules) -> Option<NaiveDate> {
    let mut sent = facts.sent.to_vec();
    if matches!(step, Step::Remind(_)) {
        sent.push(facts.today);
    }
    let skipped = match step {
        Step::Skip => Some(facts.today),
        _ => facts.skipped,
    };
    let then = Facts {
        sent: &sent,
        skipped,
        ..facts
    };
    let done = sent.last().copied().max(skipped);
    let is_left = |day: &NaiveDate| done.is_none_or(|done| done < *day);
    let reminders = reminder_days(then, rules).into_iter().filter(is_left);
    let reminder = earliest_reminder(then, rules).and_then(|free| {
        reminders
            .map(|day| day.max(free))
            .find(|day| *day > facts.today)
    });
    reminder
        .into_iter()
        .chain(suspension_day(then, rules))
        .min()
}

/// When each step against an invoice comes where nothing holds it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub past_due_at: Instant,
    pub reminders_at: Vec<Instant>,
    pub suspended_at: Instant,
    pub ended_at: Instant,
}

/// The steps from `collect_from` on, in the seller's zone.
pub fn schedule(collect_from: NaiveDate, zone: Tz, rules: &OverdueRules) -> Schedule {
    let at = |days: u32| step_moment(after(collect_from, days), zone, rules);
    Schedule {
        past_due_at: past_due_moment(collect_from, zone),
        reminders_at: rules.reminder_days.iter().copied().map(at).collect(),
        suspended_at: at(rules.benefits_suspended_after_days),
        ended_at: at(rules.membership_ended_after_days),
    }
}

/// When an invoice is past due: as soon as the day after is there.
pub fn past_due_moment(collect_from: NaiveDate, zone: Tz) -> Instant {
    local_moment(after(collect_from, 1), NaiveTime::MIN, zone)
}

/// When the step of a day is taken.
pub fn step_moment(day: NaiveDate, zone: Tz, rules: &OverdueRules) -> Instant {
    local_moment(day, rules.steps_at, zone)
}

/// When steps are taken next.
pub fn next_moment(now: Instant, zone: Tz, rules: &OverdueRules) -> Instant {
    let today = local_date(now, zone);
    let moment = step_moment(today, zone, rules);
    match moment > now {
        true => moment,
        false => step_moment(after(today, 1), zone, rules),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::invoice::{charge_moment, due_date, issued, notice_moment, retry_moment};
    use crate::programme::{Programme, SHIPPED};

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/money.json")).unwrap()
    }

    fn date(value: &Value) -> NaiveDate {
        value.as_str().unwrap().parse().unwrap()
    }

    static RULES: LazyLock<OverdueRules> =
        LazyLock::new(|| Programme::parse(SHIPPED).unwrap().overdue);

    #[test]
    fn each_step_comes_at_its_moment_in_every_zone() {
        let programme = Programme::parse(SHIPPED).unwrap();
        for case in vectors()["schedule"].as_array().unwrap() {
            let zone: Tz = case["zone"].as_str().unwrap().parse().unwrap();
            let issued_at = case["issued_at"].as_str().unwrap().parse().unwrap();
            let (issued_date, _) = issued(issued_at, zone);
            assert_eq!(issued_date, date(&case["issued_date"]), "{case}");
            let due = due_date(issued_date, programme.invoice.due_days);
            assert_eq!(due, date(&case["due_date"]), "{case}");
            assert_eq!(due.format("%A").to_string(), case["due_weekday"], "{case}");
            let schedule = schedule(due, zone, &programme.overdue);
            let mut made = json!({
                "past_due_at": schedule.past_due_at,
                "suspended_at": schedule.suspended_at,
                "ended_at": schedule.ended_at,
            });
            for (n, at) in schedule.reminders_at.iter().enumerate() {
                made[format!("reminder_{}_at", n + 1)] = json!(at);
            }
            if case["method"] == "card" {
                made["charge_at"] = json!(charge_moment(due, zone, &programme.invoice));
                let notice = notice_moment(due, zone, &programme.invoice, &programme.overdue);
                made["charge_notice_at"] = json!(notice);
            }
            for (name, at) in made.as_object().unwrap() {
                assert_eq!(*at, case[name.as_str()], "{name}: {case}");
            }
        }
    }

    #[test]
    fn what_is_done_about_an_invoice_depends_on_what_was_done() {
        for case in vectors()["dunning"].as_array().unwrap() {
            let sent: Vec<NaiveDate> = case["sent"].as_array().unwrap().iter().map(date).collect();
            let facts = Facts {
                collect_from: date(&case["collect_from"]),
                today: date(&case["today"]),
                sent: &sent,
                reminded: None,
                skipped: None,
                suspended: Some(&case["suspended"])
                    .filter(|day| !day.is_null())
                    .map(date),
                retry_ahead: case["retry_ahead"].as_bool().unwrap(),
                waits: false,
            };
            let next = next_step(facts, &RULES);
            let done = match next.step {
                Step::Wait | Step::Skip => json!([]),
                Step::Remind(n) => json!([format!("reminder_{n}")]),
                Step::Suspend => json!(["suspend"]),
                Step::End => json!(["end"]),
            };
            assert_eq!(done, case["do"], "{case}");
            assert_eq!(json!(next.again), case["again"], "{case}");
        }
    }

    #[test]
    fn a_card_that_is_still_to_be_charged_again_is_reminded_of_later() {
        let programme = Programme::parse(SHIPPED).unwrap();
        for case in vectors()["retries"].as_array().unwrap() {
            let zone: Tz = case["zone"].as_str().unwrap().parse().unwrap();
            let charged = date(&case["first_charged"]);
            let invoice = &programme.invoice;
            let first = charge_moment(charged, zone, invoice);
            assert_eq!(json!(first), case["first_at"], "{case}");
            let again: Vec<Instant> = (1..)
                .map_while(|declined| retry_moment(charged, declined, zone, invoice))
                .collect();
            assert_eq!(json!(again), case["retry_at"], "{case}");
            let on_day_3 = Facts {
                collect_from: charged,
                today: after(charged, 3),
                sent: &[],
                reminded: None,
                skipped: None,
                suspended: None,
                retry_ahead: true,
                waits: false,
            };
            let next = next_step(on_day_3, &programme.overdue);
            assert_eq!(
                next.step == Step::Remind(1),
                case["reminder_on_day_3"],
                "{case}"
            );
            let reminder = step_moment(next.again.unwrap(), zone, &programme.overdue);
            assert_eq!(json!(reminder), case["first_reminder_at"], "{case}");
        }
    }

    /// What happens to an invoice that is never paid, looked at when the steps say so and so many days late each time.
    fn story(late: &[(u32, bool)]) -> Vec<(NaiveDate, Step)> {
        let collect_from: NaiveDate = "2026-12-26".parse().unwrap();
        let (mut sent, mut skipped, mut suspended) = (Vec::new(), None, None);
        let mut today = after(collect_from, 1);
        let mut story = Vec::new();
        for n in 0..400 {
            let (days, retry_ahead) = late.get(n).copied().unwrap_or((0, false));
            today = after(today, days);
            let facts = Facts {
                collect_from,
                today,
                sent: &sent,
                reminded: None,
                skipped,
                suspended,
                retry_ahead,
                waits: false,
            };
            let next = next_step(facts, &RULES);
            story.push((today, next.step));
            match next.step {
                Step::Wait | Step::End => {}
                Step::Remind(_) => sent.push(today),
                Step::Skip => skipped = Some(today),
                Step::Suspend => suspended = Some(today),
            }
            match next.again {
                Some(again) => today = again,
                None => return story,
            }
        }
        panic!("it never ends: {story:?}");
    }

    #[test]
    fn an_invoice_that_nobody_pays_is_reminded_suspended_and_ended_on_time() {
        let steps: Vec<(String, Step)> = story(&[])
            .into_iter()
            .filter(|(_, step)| *step != Step::Wait)
            .map(|(day, step)| (day.to_string(), step))
            .collect();
        let expected = [
            ("2026-12-29", Step::Remind(1)),
            ("2027-01-08", Step::Remind(2)),
            ("2027-01-18", Step::Remind(3)),
            ("2027-01-25", Step::Suspend),
            ("2027-03-26", Step::End),
        ];
        assert_eq!(steps, expected.map(|(day, step)| (day.to_owned(), step)));
    }

    #[test]
    fn what_is_opened_again_is_not_reminded_of_soon_after_the_round_before() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let on = |today: &str| {
            let facts = Facts {
                collect_from: day("2027-01-10"),
                today: day(today),
                sent: &[],
                reminded: Some(day("2027-01-08")),
                skipped: None,
                suspended: None,
                retry_ahead: false,
                waits: false,
            };
            next_step(facts, &RULES)
        };
        let waits = on("2027-01-13");
        assert_eq!(waits.step, Step::Wait);
        assert_eq!(waits.again, Some(day("2027-01-18")));
        assert_eq!(on("2027-01-18").step, Step::Remind(1));
    }

    #[test]
    fn steps_are_taken_next_today_or_tomorrow() {
        let next = |now: &str| {
            let now = now.parse().unwrap();
            next_moment(now, chrono_tz::Europe::Amsterdam, &RULES).to_string()
        };
        assert_eq!(next("2027-01-13T07:59:59Z"), "2027-01-13T08:00:00Z");
        assert_eq!(next("2027-01-13T08:00:00Z"), "2027-01-14T08:00:00Z");
    }

    #[test]
    fn nothing_is_done_while_a_charge_is_under_way() {
        let collect_from: NaiveDate = "2026-12-26".parse().unwrap();
        let facts = Facts {
            collect_from,
            today: after(collect_from, 95),
            sent: &[],
            reminded: None,
            skipped: None,
            suspended: Some(after(collect_from, 30)),
            retry_ahead: false,
            waits: true,
        };
        let next = next_step(facts, &RULES);
        let again = Some(after(collect_from, 96));
        assert_eq!(
            next,
            Next {
                step: Step::Wait,
                again
            }
        );
    }

    proptest! {
        #[test]
        fn at_most_three_reminders_ten_days_apart_however_late(late in proptest::collection::vec((0u32..40, any::<bool>()), 0..40)) {
            let story = story(&late);
            let on = |wanted: fn(&Step) -> bool| -> Vec<NaiveDate> {
                story.iter().filter(|(_, step)| wanted(step)).map(|(day, _)| *day).collect()
            };
            let reminded = on(|step| matches!(step, Step::Remind(_)));
            let suspended = on(|step| *step == Step::Suspend);
            let ended = on(|step| *step == Step::End);
            prop_assert!((1..=3).contains(&reminded.len()));
            prop_assert!(reminded.windows(2).all(|two| (two[1] - two[0]).num_days() >= 10));
            prop_assert_eq!((suspended.len(), ended.len()), (1, 1));
            prop_assert!((suspended[0] - reminded[0]).num_days() >= 10);
            prop_assert!(reminded.iter().all(|day| *day < suspended[0]));
            prop_assert!((ended[0] - suspended[0]).num_days() >= 30);
            let due: NaiveDate = "2026-12-26".parse().unwrap();
            prop_assert!((suspended[0] - due).num_days() >= 30 && (ended[0] - due).num_days() >= 90);
        }
    }
}
