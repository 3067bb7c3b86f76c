//! The catalogue: models, their categories and their dated values.

use std::sync::{Arc, OnceLock};

use chrono::NaiveDate;
use regex::Regex;
use unicode_normalization::UnicodeNormalization;

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
    pub serial_pattern: Option<SerialPattern>,
}

/// A regular expression for serial numbers. It is compiled when it is first asked, once for it and all its clones.
#[derive(Debug, Clone)]
pub struct SerialPattern(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    text: String,
    /// None where the text is no regular expression, which the catalogue's import refuses.
    regex: OnceLock<Option<Regex>>,
}

impl SerialPattern {
    /// The pattern of a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(Compiled {
            text: text.into(),
            regex: OnceLock::new(),
        }))
    }

    /// Whether a serial number, as it is shown, looks like this.
    pub fn admits(&self, shown: &str) -> bool {
        let compiled = self.0.regex.get_or_init(|| Regex::new(&self.0.text).ok());
        compiled.as_ref().is_none_or(|regex| regex.is_match(shown))
    }
}

impl PartialEq for SerialPattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for SerialPattern {}

/// A model's name as it is compared: in lower case, with single spaces.
pub fn name_key(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

/// What is looked for in a model's name: each word as it is compared. Blanks, hyphens and case do not count, `Mk` is `Mark`, `III` is `3`.
pub fn search_words(typed: &str) -> Vec<String> {
    let typed: String = typed.nfc().collect();
    let words = typed.split_whitespace().map(search_word);
    words.filter(|word| !word.is_empty()).collect()
}

/// A model's name as it is looked through.
pub fn search_key(name: &str) -> String {
    search_words(name).concat()
}

fn search_word(word: &str) -> String {
    const MARK: &str = "mark";
    let is_hyphen = |c| matches!(c, '-' | '\u{2010}'..='\u{2015}');
    let bare: String = word
        .to_lowercase()
        .chars()
        .filter(|c| !is_hyphen(*c))
        .collect();
    let bare = bare.replace("mk", MARK);
    let numeral = bare.rfind(MARK).map_or(0, |at| at + MARK.len());
    let (before, numeral) = bare.split_at_checked(numeral).unwrap_or(("", &bare));
    let number = match numeral {
        "ii" => "2",
        "iii" => "3",
        "iv" => "4",
        other => other,
    };
    format!("{before}{number}")
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
    fn a_pattern_is_compiled_once_for_all_its_clones() {
        let pattern = SerialPattern::new("^[0-9]{10}$");
        let clone = pattern.clone();
        assert!(clone.admits("3110000123") && !clone.admits("311"));
        assert!(matches!(pattern.0.regex.get(), Some(Some(_))));
        assert!(SerialPattern::new("(").admits("anything"));
    }

    #[test]
    fn a_model_is_looked_for_as_people_call_it() {
        let finds = |typed: &str, name: &str| {
            let key = search_key(name);
            search_words(typed).iter().all(|word| key.contains(word))
        };
        for (typed, name) in [
            ("70200", "EF 70-200mm f/2.8L IS III USM"),
            ("70-200 iii", "EF 70-200mm f/2.8L IS III USM"),
            ("ef 70 200 2.8 3", "EF 70-200mm f/2.8L IS III USM"),
            ("5d mk 3", "EOS 5D Mark III"),
            ("5dmk3", "EOS 5D Mark III"),
            ("5d mkiii", "EOS 5D Mark III"),
            ("EOS5D mark\u{2011}iii", "EOS 5D Mark III"),
            ("EOS-1DX", "EOS-1D X Mark II"),
            ("eos 1d x", "EOS-1D X Mark II"),
            ("r6 2", "EOS R6 Mark II"),
            ("", "EOS R6"),
        ] {
            assert!(finds(typed, name), "{typed} in {name}");
        }
        assert!(!finds("5d mk 3", "EOS 5D Mark II"));
        assert!(!finds("5d mk 3", "EOS 5D Mark IV"));
    }

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        assert_eq!(name_key("  EOS 5D  Mark III "), name_key("eos 5d mark iii"));
    }
}
