//! The days of a term: when it ends, what is left of it, and what that is worth. Levels and who may join are in `membership`.

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::domain::money::half_up;

/// The day on which so many years are full. The anniversary of 29 February is 1 March in a common year (rules, section 9;
/// Regulation 1182/71 article 3(2)(c)).
pub fn anniversary(starts: NaiveDate, years: u32) -> NaiveDate {
    let shifted = starts.checked_add_months(Months::new(years.saturating_mul(12)));
    shifted
        .and_then(|day| match day.day() == starts.day() {
            true => Some(day),
            false => day.succ_opt(),
        })
        .unwrap_or(NaiveDate::MAX)
}

/// The last day of a term that starts on `starts`: the day before its anniversary.
pub fn ends_date(starts: NaiveDate, term_years: u32) -> NaiveDate {
    let anniversary = anniversary(starts, term_years);
    anniversary.pred_opt().unwrap_or(anniversary)
}

/// The days of a term, its first and its last one too; 0 where it ends before it starts.
pub fn term_days(starts: NaiveDate, ends: NaiveDate) -> i64 {
    (ends.signed_duration_since(starts).num_days() + 1).max(0)
}

/// The days of a term that are left on `on`, that day and the last one too; all of them before it starts.
pub fn days_left(starts: NaiveDate, ends: NaiveDate, on: NaiveDate) -> i64 {
    term_days(starts.max(on), ends)
}

/// What the days after `ended` are worth of what the whole term cost, half up.
pub fn rest_cents(net_cents: i64, starts: NaiveDate, ends: NaiveDate, ended: NaiveDate) -> i64 {
    let after = ended.checked_add_days(Days::new(1)).unwrap_or(ended);
    share(net_cents, days_left(starts, ends, after), (starts, ends))
}

/// What an upgrade on `on` costs: the difference of the yearly fees for the days that are left, half up; nothing where the new
/// level costs no more (rules, section 9).
pub fn upgrade_cents(
    fee_now: i64,
    fee_new: i64,
    (starts, ends): (NaiveDate, NaiveDate),
    on: NaiveDate,
) -> i64 {
    let difference = fee_new.saturating_sub(fee_now).max(0);
    share(difference, days_left(starts, ends, on), (starts, ends))
}

fn share(cents: i64, days: i64, (starts, ends): (NaiveDate, NaiveDate)) -> i64 {
    half_up(
        i128::from(cents) * i128::from(days),
        term_days(starts, ends).into(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::domain::money::Amount;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/money.json")).unwrap()
    }

    fn date(value: &Value) -> NaiveDate {
        value.as_str().unwrap().parse().unwrap()
    }

    fn cents(value: &Value) -> i64 {
        value.as_str().unwrap().parse::<Amount>().unwrap().0
    }

    #[test]
    fn a_year_ends_the_day_before_its_anniversary() {
        let vectors = vectors();
        for case in vectors["term_end"].as_array().unwrap() {
            let (starts, ends) = (date(&case["starts"]), date(&case["ends"]));
            assert_eq!(ends_date(starts, 1), ends, "{case}");
            assert_eq!(term_days(starts, ends), case["days"], "{case}");
        }
        let chain = vectors["term_chain_from_29_february"].as_array().unwrap();
        let mut starts = date(&chain[0]["starts"]);
        for case in chain {
            assert_eq!(starts, date(&case["starts"]), "{case}");
            let ends = ends_date(starts, 1);
            assert_eq!(ends, date(&case["ends"]), "{case}");
            assert_eq!(term_days(starts, ends), case["days"], "{case}");
            starts = ends.succ_opt().unwrap();
        }
    }

    #[test]
    fn an_upgrade_costs_the_difference_for_the_days_that_are_left() {
        let vectors = vectors();
        let smallest = cents(&Value::from("1.00"));
        for case in vectors["upgrade"].as_array().unwrap() {
            let term = (date(&case["starts"]), date(&case["ends"]));
            let on = date(&case["upgraded"]);
            assert_eq!(days_left(term.0, term.1, on), case["days_left"], "{case}");
            assert_eq!(term_days(term.0, term.1), case["term_days"], "{case}");
            let net = upgrade_cents(cents(&case["fee_now"]), cents(&case["fee_new"]), term, on);
            assert_eq!(net, cents(&case["net"]), "{case}");
            assert_eq!(net >= smallest, case["invoiced"], "{case}");
        }
    }

    #[test]
    fn two_upgrades_are_counted_one_after_the_other() {
        let twice = &vectors()["upgrade_twice"];
        let term = (date(&twice["starts"]), date(&twice["ends"]));
        let mut sum = 0;
        for step in twice["steps"].as_array().unwrap() {
            let on = date(&step["upgraded"]);
            assert_eq!(days_left(term.0, term.1, on), step["days_left"], "{step}");
            let net = upgrade_cents(cents(&step["fee_now"]), cents(&step["fee_new"]), term, on);
            assert_eq!(net, cents(&step["net"]), "{step}");
            sum += net;
        }
        assert_eq!(sum, cents(&twice["sum"]));
    }

    #[test]
    fn the_rest_of_a_term_is_the_days_after_its_end() {
        let vectors = vectors();
        for case in vectors["credit_for_the_rest"].as_array().unwrap() {
            let (starts, ends) = (date(&case["starts"]), date(&case["ends"]));
            let ended = date(&case["ended"]);
            let after = ended.succ_opt().unwrap();
            assert_eq!(days_left(starts, ends, after), case["days_rest"], "{case}");
            assert_eq!(term_days(starts, ends), case["term_days"], "{case}");
            let rest = rest_cents(cents(&case["net"]), starts, ends, ended);
            assert_eq!(rest, cents(&case["credit_net"]), "{case}");
        }
    }

    prop_compose! {
        fn day()(days in 0u64..60_000) -> NaiveDate {
            NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + Days::new(days)
        }
    }

    proptest! {
        #[test]
        fn terms_follow_without_gap_or_overlap(starts in day(), years in 1u32..10) {
            let mut next = starts;
            for _ in 0..years {
                let ends = ends_date(next, 1);
                prop_assert!([365, 366].contains(&term_days(next, ends)));
                let after = ends.succ_opt().unwrap();
                prop_assert_eq!(after, anniversary(next, 1));
                next = after;
            }
        }

        #[test]
        fn what_was_used_and_the_rest_are_the_whole(net in 0i64..10_000_000, starts in day(), used in 0u64..400) {
            let ends = ends_date(starts, 1);
            let ended = (starts + Days::new(used)).min(ends);
            let rest = rest_cents(net, starts, ends, ended);
            prop_assert!((0..=net).contains(&rest));
            let used = term_days(starts, ended);
            let exact = net * used;
            prop_assert!(((net - rest) * term_days(starts, ends) - exact).abs() * 2 <= term_days(starts, ends));
            prop_assert_eq!(rest_cents(net, starts, ends, ends), 0);
            prop_assert_eq!(rest_cents(net, starts, ends, starts.pred_opt().unwrap()), net);
        }

        #[test]
        fn an_upgrade_falls_with_time_and_is_never_negative(now in 0i64..1_000_000, new in 0i64..1_000_000, starts in day(), on in 0u64..364) {
            let term = (starts, ends_date(starts, 1));
            let today = starts + Days::new(on);
            let price = upgrade_cents(now, new, term, today);
            prop_assert!(price >= 0);
            prop_assert!(upgrade_cents(now, new, term, today + Days::new(1)) <= price);
            prop_assert_eq!(upgrade_cents(now, new, term, starts), (new - now).max(0));
        }
    }
}
