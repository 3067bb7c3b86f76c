//! The days around the end of a term: when the next one may be bought, and until when.

use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::MembershipRules;
use crate::domain::calendar::local_moment;
use crate::types::Instant;

/// The first day on which a term that ends on `ends` may be renewed.
pub fn opens(ends: NaiveDate, rules: &MembershipRules) -> NaiveDate {
    days_before(ends, rules.renewal_opens_days)
}

/// The days on which a member is told the next level.
pub fn notices(ends: NaiveDate, rules: &MembershipRules) -> Vec<NaiveDate> {
    let days = rules.notice_days.iter();
    days.map(|days| days_before(ends, *days)).collect()
}

/// The day on which a term is renewed by itself where that was asked for.
pub fn automatic(ends: NaiveDate, rules: &MembershipRules) -> NaiveDate {
    days_before(ends, rules.automatic_days)
}

/// The last day on which a membership that ended is taken up again with its number.
pub fn reinstated_until(ends: NaiveDate, rules: &MembershipRules) -> NaiveDate {
    let last = ends.checked_add_days(Days::new(rules.reinstate_days.into()));
    last.unwrap_or(ends)
}

/// When a term is over: as soon as the day after its last one is there in the seller's zone.
pub fn turns(ends: NaiveDate, zone: Tz) -> Instant {
    local_moment(ends.succ_opt().unwrap_or(ends), NaiveTime::MIN, zone)
}

fn days_before(ends: NaiveDate, days: u32) -> NaiveDate {
    ends.checked_sub_days(Days::new(days.into()))
        .unwrap_or(ends)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::collection::step_moment;
    use crate::domain::membership::ends_date;
    use crate::programme::{Programme, SHIPPED};

    #[test]
    fn each_day_around_the_end_of_a_term_is_its_own() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/money.json")).unwrap();
        let programme = Programme::parse(SHIPPED).unwrap();
        let (rules, zone) = (&programme.membership, programme.seller.zone);
        let at = |day: NaiveDate| json!(step_moment(day, zone, &programme.overdue));
        for case in vectors["renewal"].as_array().unwrap() {
            let ends: NaiveDate = case["ends"].as_str().unwrap().parse().unwrap();
            let next = ends.succ_opt().unwrap();
            let notices: Vec<Value> = notices(ends, rules).into_iter().map(at).collect();
            let made = json!({
                "ends": ends,
                "opens": opens(ends, rules),
                "notices_at": notices,
                "automatic_at": at(automatic(ends, rules)),
                "next_starts": next,
                "next_ends": ends_date(next, rules.term_years),
                "turns_at": turns(ends, zone),
                "ended_mail_at": at(next),
                "reinstated_until": reinstated_until(ends, rules),
            });
            assert_eq!(made, *case);
        }
    }
}
