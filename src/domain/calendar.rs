//! Working days, public holidays, and the moments by which an application is answered.

use std::str::FromStr;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer};

use super::values::Country;
use crate::types::Instant;

/// No year has that many days off in a row; keeps a calendar of nothing but closing days from being searched for ever.
const LONGEST_SEARCH: usize = 400;

/// A further day without work: `mm-dd` for every year, `yyyy-mm-dd` for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClosingDay {
    /// Month and day.
    Yearly(u32, u32),
    /// One date.
    Once(NaiveDate),
}

/// The text is neither `mm-dd` nor `yyyy-mm-dd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a closing day is mm-dd or yyyy-mm-dd")]
pub struct BadClosingDay;

impl FromStr for ClosingDay {
    type Err = BadClosingDay;

    fn from_str(text: &str) -> Result<Self, BadClosingDay> {
        let parse = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d");
        match text.len() {
            5 => parse(&format!("2024-{text}")).map(|day| Self::Yearly(day.month(), day.day())),
            _ => parse(text).map(Self::Once),
        }
        .map_err(|_| BadClosingDay)
    }
}

impl<'de> Deserialize<'de> for ClosingDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Reads a zone of the IANA database, such as `Europe/Copenhagen`; for `deserialize_with`.
pub fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}

/// The day that it is where days begin first, at UTC+14: a date is in the future when it is after it (rules, section 5).
pub fn latest_day(at: Instant) -> NaiveDate {
    at.plus(TimeDelta::hours(14)).utc().date_naive()
}

/// When the reviewers work; section `[review]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The zone of its days and hours.
    #[serde(deserialize_with = "zone")]
    pub zone: Tz,
    /// Whose public holidays count; known for Denmark, none elsewhere.
    #[serde(rename = "calendar")]
    pub country: Country,
    /// Further days without work.
    pub closing_days: Vec<ClosingDay>,
    /// Working days after that of the submission.
    pub working_days: u32,
    /// When the last of them ends.
    pub closes_at: NaiveTime,
    /// Whole working days that are left at least after an answer to a request for information.
    pub working_days_after_information: u32,
    /// How long a claimed case stays with its reviewer.
    pub lease_minutes: u32,
}

impl Calendar {
    /// The local date of a moment.
    pub fn date_of(&self, at: Instant) -> NaiveDate {
        local_date(at, self.zone)
    }

    /// Whether anybody works on `date`.
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        let closed = |day: &ClosingDay| match *day {
            ClosingDay::Yearly(month, day) => (month, day) == (date.month(), date.day()),
            ClosingDay::Once(once) => once == date,
        };
        let holiday = self.country == Country::DK && is_danish_holiday(date);
        !is_weekend(date) && !holiday && !self.closing_days.iter().any(closed)
    }

    /// The days from Monday to Friday on which nobody works, of the year that begins on `from`.
    pub fn days_off(&self, from: NaiveDate) -> Vec<NaiveDate> {
        let end = from.checked_add_months(Months::new(12));
        let year = from.iter_days().take_while(|day| Some(*day) < end);
        let is_off = |day: &NaiveDate| !is_weekend(*day) && !self.is_working_day(*day);
        year.filter(is_off).collect()
    }

    /// The `count`-th working day after `date`; `date` itself for 0.
    pub fn working_days_after(&self, date: NaiveDate, count: usize) -> NaiveDate {
        let mut day = date;
        for _ in 0..count {
            let next = day
                .iter_days()
                .skip(1)
                .take(LONGEST_SEARCH)
                .find(|next| self.is_working_day(*next));
            day = next.unwrap_or(day);
        }
        day
    }

    /// The working days after `from` up to and with `to`.
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> usize {
        from.iter_days()
            .skip(1)
            .take_while(|day| *day <= to)
            .filter(|day| self.is_working_day(*day))
            .count()
    }

    /// The end of the second working day after the day of submission (rules, section 3).
    pub fn review_due(&self, submitted: Instant) -> Instant {
        let day = self.working_days_after(self.date_of(submitted), count(self.working_days));
        self.closing_of(day)
    }

    /// The due moment after the clock stood still from `asked` to `resubmitted`: moved by the working days waited, and at
    /// least one whole working day ahead (rules, section 3).
    pub fn resumed_due(&self, due: Instant, asked: Instant, resubmitted: Instant) -> Instant {
        let (asked, resubmitted) = (self.date_of(asked), self.date_of(resubmitted));
        let waited = self.working_days_between(asked, resubmitted);
        let moved = self.working_days_after(self.date_of(due), waited);
        let least =
            self.working_days_after(resubmitted, count(self.working_days_after_information));
        self.closing_of(moved.max(least))
    }

    fn closing_of(&self, day: NaiveDate) -> Instant {
        local_moment(day, self.closes_at, self.zone)
    }
}

fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

fn count(days: u32) -> usize {
    usize::try_from(days).unwrap_or(usize::MAX)
}

/// The date that clocks in `zone` show at `at`.
pub fn local_date(at: Instant, zone: Tz) -> NaiveDate {
    at.utc().with_timezone(&zone).date_naive()
}

/// The moment at which clocks in `zone` show `time` on `day`: the first where they show it twice, and counted in UTC where
/// they skip it.
pub fn local_moment(day: NaiveDate, time: NaiveTime, zone: Tz) -> Instant {
    let local = day.and_time(time);
    let at = zone.from_local_datetime(&local).earliest();
    Instant::from_utc(at.map_or_else(|| local.and_utc(), |at| at.to_utc()))
}

/// Public holidays of Denmark (rules, section 3); store bededag was abolished by act no. 214 of 6 March 2023, from 2024 on.
pub fn is_danish_holiday(date: NaiveDate) -> bool {
    if matches!((date.month(), date.day()), (1, 1) | (12, 25 | 26)) {
        return true;
    }
    let Some(easter) = easter_sunday(date.year()) else {
        return false;
    };
    match date.signed_duration_since(easter).num_days() {
        -3 | -2 | 0 | 1 | 39 | 49 | 50 => true,
        26 => date.year() <= 2023,
        _ => false,
    }
}

/// Easter Sunday of the Gregorian calendar: the anonymous algorithm (Meeus, Jones, Butcher).
pub fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let a = year.rem_euclid(19);
    let (b, c) = (year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let days = u64::try_from(h + l - 7 * m).ok()?;
    NaiveDate::from_ymd_opt(year, 3, 22)?.checked_add_days(Days::new(days))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn calendar(closing: &[&str]) -> Calendar {
        Calendar {
            zone: chrono_tz::Europe::Copenhagen,
            country: Country::DK,
            closing_days: closing.iter().map(|day| day.parse().unwrap()).collect(),
            working_days: 2,
            closes_at: "17:00".parse().unwrap(),
            working_days_after_information: 1,
            lease_minutes: 30,
        }
    }

    fn date(value: &Value) -> NaiveDate {
        value.as_str().unwrap().parse().unwrap()
    }

    #[test]
    fn the_days_off_of_a_year_are_holidays_and_closing_days_that_are_no_weekend() {
        let from: NaiveDate = "2026-03-02".parse().unwrap();
        let off = calendar(&["06-05", "2026-12-24", "2026-08-01"]).days_off(from);
        let off: Vec<String> = off.iter().map(ToString::to_string).collect();
        let expected = [
            "2026-04-02",
            "2026-04-03",
            "2026-04-06",
            "2026-05-14",
            "2026-05-25",
            "2026-06-05",
            "2026-12-24",
            "2026-12-25",
            "2027-01-01",
        ];
        assert_eq!(off, expected);
        let abroad = Calendar {
            country: "SE".parse().unwrap(),
            ..calendar(&[])
        };
        assert_eq!(abroad.days_off(from), []);
    }

    /// That hour of the day in Copenhagen.
    fn at(date: NaiveDate, hour: u32) -> Instant {
        let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        local_moment(date, time, chrono_tz::Europe::Copenhagen)
    }

    #[test]
    fn an_answer_is_due_at_the_end_of_the_second_working_day() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/working_days.json")).unwrap();
        let closing: Vec<&str> = vectors["closing_days"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day.as_str().unwrap())
            .collect();
        for case in vectors["cases"].as_array().unwrap() {
            let submitted = date(&case["submitted"]);
            for hour in [0, 9, 17, 23] {
                let due = calendar(&[]).review_due(at(submitted, hour));
                assert_eq!(due, at(date(&case["statutory"]), 17), "{case}");
                let due = calendar(&closing).review_due(at(submitted, hour));
                assert_eq!(due, at(date(&case["with_closing_days"]), 17), "{case}");
            }
        }
    }

    #[test]
    fn the_clock_stops_while_the_applicant_is_asked() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/vectors/stopped_clock.json")).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let calendar = calendar(&[]);
            let due = calendar.review_due(at(date(&case["submitted"]), 10));
            assert_eq!(due, at(date(&case["due"]), 17), "{case}");
            let (asked, again) = (date(&case["asked"]), date(&case["resubmitted"]));
            let resumed = calendar.resumed_due(due, at(asked, 11), at(again, 15));
            assert_eq!(resumed, at(date(&case["new_due"]), 17), "{case}");
        }
    }

    #[test]
    fn five_in_the_afternoon_is_local_in_summer_and_in_winter() {
        let calendar = calendar(&[]);
        let due = |submitted: &str| calendar.review_due(submitted.parse().unwrap()).to_string();
        assert_eq!(due("2026-03-26T10:00:00Z"), "2026-03-30T15:00:00Z");
        assert_eq!(due("2026-10-22T10:00:00Z"), "2026-10-26T16:00:00Z");
        // Half past eleven at night in UTC is the next day in Copenhagen.
        assert_eq!(due("2026-06-08T22:30:00Z"), "2026-06-11T15:00:00Z");
    }

    #[test]
    fn easter_is_where_the_church_puts_it() {
        for (year, day) in [
            (2000, "2000-04-23"),
            (2024, "2024-03-31"),
            (2026, "2026-04-05"),
            (2038, "2038-04-25"),
            (2285, "2285-03-22"),
        ] {
            assert_eq!(easter_sunday(year), Some(day.parse().unwrap()));
        }
    }

    #[test]
    fn store_bededag_was_a_holiday_up_to_2023() {
        assert!(is_danish_holiday("2023-05-05".parse().unwrap()));
        assert!(!is_danish_holiday("2024-04-26".parse().unwrap()));
    }

    #[test]
    fn a_calendar_without_working_days_still_answers() {
        let all: Vec<ClosingDay> = "2024-01-01"
            .parse::<NaiveDate>()
            .unwrap()
            .iter_days()
            .take(366)
            .map(|day| ClosingDay::Yearly(day.month(), day.day()))
            .collect();
        let mut calendar = calendar(&[]);
        calendar.closing_days = all;
        let submitted = "2026-06-08".parse().unwrap();
        assert_eq!(calendar.working_days_after(submitted, 2), submitted);
    }

    #[test]
    fn the_programme_writes_a_closing_day_with_or_without_its_year() {
        assert_eq!("12-24".parse(), Ok(ClosingDay::Yearly(12, 24)));
        assert_eq!("02-29".parse(), Ok(ClosingDay::Yearly(2, 29)));
        let once = "2026-06-05".parse().unwrap();
        assert_eq!("2026-06-05".parse(), Ok(ClosingDay::Once(once)));
        for bad in ["13-01", "1-1", "", "24-12", "2026-02-30"] {
            assert_eq!(bad.parse::<ClosingDay>(), Err(BadClosingDay), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_due_day_is_a_working_day_within_two_weeks(seconds in 946_684_800i64..4_102_444_800) {
            let calendar = calendar(&[]);
            let submitted = Instant::from_utc(chrono::DateTime::from_timestamp(seconds, 0).unwrap());
            let due = calendar.review_due(submitted);
            prop_assert!(calendar.is_working_day(calendar.date_of(due)));
            prop_assert!(due > submitted);
            prop_assert!(due.since(submitted).num_days() < 14);
            let days = (calendar.date_of(submitted), calendar.date_of(due));
            prop_assert_eq!(calendar.working_days_between(days.0, days.1), 2);
        }

        #[test]
        fn asking_never_brings_the_due_day_nearer(seconds in 946_684_800i64..4_102_444_800, asked in 0i64..1_000_000, waited in 0i64..3_000_000) {
            let calendar = calendar(&[]);
            let submitted = Instant::from_utc(chrono::DateTime::from_timestamp(seconds, 0).unwrap());
            let asked = submitted.plus(chrono::TimeDelta::seconds(asked));
            let again = asked.plus(chrono::TimeDelta::seconds(waited));
            let due = calendar.review_due(submitted);
            let resumed = calendar.resumed_due(due, asked, again);
            prop_assert!(resumed >= due);
            prop_assert!(calendar.date_of(resumed) > calendar.date_of(again));
        }
    }
}
