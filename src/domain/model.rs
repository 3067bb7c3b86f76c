//! The catalogue: models, their categories and their dated values.

use chrono::NaiveDate;

use crate::types::{id, text_enum};

id!(
    /// The identity of a catalogue model.
    ModelId, "mod_"
);

text_enum! {
    /// The kind of a product.
    #[allow(missing_docs)]
    pub enum Category {
        Camera = "camera",
        Lens = "lens",
        Flash = "flash",
        Video = "video",
        Printer = "printer",
        Projector = "projector",
        Binoculars = "binoculars",
        Accessory = "accessory",
    }
}

/// A model's value: the points it is worth from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// The first day on which it counts.
    pub valid_from: NaiveDate,
    /// The points.
    pub points: i64,
}

/// What a model is worth on `date`: the value with the latest `valid_from` that is not after it, in any order of `values`
/// (rules, section 7). Nothing before the first.
pub fn value_at(values: &[Value], date: NaiveDate) -> Option<Value> {
    values
        .iter()
        .filter(|value| value.valid_from <= date)
        .max_by_key(|value| value.valid_from)
        .copied()
}

/// What tells one product of a model from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// Lenses have serial numbers of their own kind.
    pub category: Category,
    /// No purchase is older.
    pub launched_date: Option<NaiveDate>,
    /// What its serial numbers look like, as a regular expression, where the catalogue knows it.
    pub serial_pattern: Option<String>,
}

/// A model's name as it is compared: in lower case, with single spaces.
pub fn name_key(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_from_its_day_on() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let value = |from, points| Value {
            valid_from: day(from),
            points,
        };
        let values = [value("2026-06-01", 250), value("2020-01-01", 235)];
        let points = |date| value_at(&values, day(date)).map(|value| value.points);
        assert_eq!(points("2019-12-31"), None);
        assert_eq!(points("2020-01-01"), Some(235));
        assert_eq!(points("2026-05-31"), Some(235));
        assert_eq!(points("2026-06-01"), Some(250));
    }

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        assert_eq!(name_key("  EOS 5D  Mark III "), name_key("eos 5d mark iii"));
    }
}
