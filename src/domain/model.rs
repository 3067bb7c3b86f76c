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

/// The points that a model is worth on `date`: the value with the latest `valid_from` that is not after it, in any order of
/// `values` (rules, section 7). Nothing before the first.
pub fn value_at(values: &[(NaiveDate, i64)], date: NaiveDate) -> Option<i64> {
    values
        .iter()
        .filter(|(valid_from, _)| *valid_from <= date)
        .max_by_key(|(valid_from, _)| *valid_from)
        .map(|(_, points)| *points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_from_its_day_on() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let values = [(day("2026-06-01"), 250), (day("2020-01-01"), 235)];
        assert_eq!(value_at(&values, day("2019-12-31")), None);
        assert_eq!(value_at(&values, day("2020-01-01")), Some(235));
        assert_eq!(value_at(&values, day("2026-05-31")), Some(235));
        assert_eq!(value_at(&values, day("2026-06-01")), Some(250));
    }
}
