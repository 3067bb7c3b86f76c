//! The texts and statuses of `problems.toml` and `faults.toml`, read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::StatusCode;
use serde::Deserialize;

use crate::domain::language::Language;
use crate::error::{Code, FaultCode};

/// What the page of a code says in one language.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    pub title: String,
    pub detail: String,
    pub cause: String,
    pub remedy: String,
}

/// One code's status and its texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub status: u16,
    /// What the detail may name in braces.
    #[serde(default)]
    pub params: Vec<String>,
    pub da: Text,
    pub en: Text,
}

impl Entry {
    /// The texts in `language`.
    pub fn text(&self, language: Language) -> &Text {
        match language {
            Language::Da => &self.da,
            Language::En => &self.en,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultText {
    da: String,
    en: String,
}

static PROBLEMS: LazyLock<BTreeMap<String, Entry>> =
    LazyLock::new(|| parsed(include_str!("problems.toml")));
static FAULTS: LazyLock<BTreeMap<String, FaultText>> =
    LazyLock::new(|| parsed(include_str!("faults.toml")));
static UNWRITTEN: LazyLock<Entry> = LazyLock::new(|| Entry {
    status: 500,
    params: Vec::new(),
    da: Text::default(),
    en: Text::default(),
});

/// A file of our own that a test has read; an empty table would be the honest answer to a broken one.
fn parsed<T: for<'de> Deserialize<'de>>(text: &str) -> BTreeMap<String, T> {
    toml::from_str(text).unwrap_or_default()
}

/// The status and texts of `code`.
pub fn entry(code: Code) -> &'static Entry {
    PROBLEMS.get(code.as_str()).unwrap_or(&UNWRITTEN)
}

/// The status of `code`.
pub fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(entry(code).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What is wrong with a field, in `language`.
pub fn fault_text(code: FaultCode, language: Language) -> &'static str {
    let text = FAULTS.get(code.as_str());
    text.map_or("", |text| match language {
        Language::Da => text.da.as_str(),
        Language::En => text.en.as_str(),
    })
}

/// `text` with each `{name}` replaced by its value.
pub fn fill(text: &str, params: &[(&'static str, String)]) -> String {
    params.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn every_code_has_its_page_and_both_languages_say_the_same_things() {
        let written: BTreeMap<String, Entry> =
            toml::from_str(include_str!("problems.toml")).unwrap();
        for code in Code::ALL {
            let entry = written
                .get(code.as_str())
                .unwrap_or_else(|| panic!("no page for {}", code.as_str()));
            for text in [&entry.da, &entry.en] {
                assert!(
                    !(text.title.is_empty()
                        || text.detail.is_empty()
                        || text.cause.is_empty()
                        || text.remedy.is_empty()),
                    "{code:?}"
                );
            }
            assert_ne!(entry.da.detail, entry.en.detail, "{code:?}");
            assert_eq!(
                placeholders(&entry.da.detail),
                placeholders(&entry.en.detail),
                "{code:?}"
            );
            assert_eq!(
                placeholders(&entry.da.detail),
                entry.params.iter().map(String::as_str).collect(),
                "{code:?}"
            );
        }
        assert_eq!(written.len(), Code::ALL.len());
    }

    #[test]
    fn every_fault_has_its_text_in_both_languages() {
        let written: BTreeMap<String, FaultText> =
            toml::from_str(include_str!("faults.toml")).unwrap();
        for code in FaultCode::ALL {
            let text = written
                .get(code.as_str())
                .unwrap_or_else(|| panic!("no text for {}", code.as_str()));
            assert!(!text.da.is_empty() && !text.en.is_empty());
            assert_eq!(placeholders(&text.da), placeholders(&text.en), "{code:?}");
        }
        assert_eq!(written.len(), FaultCode::ALL.len());
    }
}
