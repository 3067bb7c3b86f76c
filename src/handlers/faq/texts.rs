//! The questions and answers of `faq.toml`, read once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::language::Language;

/// A text in both languages, with what its braces name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    // A test holds them against the braces.
    #[serde(default)]
    #[allow(dead_code)]
    params: Vec<String>,
    da: String,
    en: String,
}

impl Text {
    /// The text in `language`, with each `{name}` replaced by its value.
    pub fn fill(&self, language: Language, values: &[(&str, String)]) -> String {
        let text = match language {
            Language::Da => &self.da,
            Language::En => &self.en,
        };
        values.iter().fold(text.clone(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }
}

/// One question.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub id: String,
    /// What the braces of `answer` name: numbers of the programme.
    #[serde(default)]
    pub params: Vec<String>,
    pub question: Text,
    /// For everybody.
    pub answer: Text,
    /// What the account of the person who asks makes of it.
    #[serde(default)]
    pub variants: BTreeMap<String, Text>,
}

impl Item {
    /// A variant of the answer; nothing where the file has none of that name.
    pub fn variant(
        &self,
        name: &str,
        language: Language,
        values: &[(&str, String)],
    ) -> Option<String> {
        self.variants
            .get(name)
            .map(|text| text.fill(language, values))
    }
}

/// The file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faq {
    /// What the fields of a product are called.
    pub fields: BTreeMap<String, Text>,
    /// In the order in which they come up.
    pub items: Vec<Item>,
}

static FAQ: LazyLock<Faq> =
    LazyLock::new(|| toml::from_str(include_str!("faq.toml")).unwrap_or_default());

/// All questions.
pub fn faq() -> &'static Faq {
    &FAQ
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::legacy_migration::UnavailableReason;
    use crate::domain::product::ProductField;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        let names = text.split('{').skip(1);
        names
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name)
            .collect()
    }

    fn assert_alike(text: &Text, params: &[String], what: &str) {
        assert!(!text.da.is_empty() && text.da != text.en, "{what}");
        let named: BTreeSet<&str> = params.iter().map(String::as_str).collect();
        assert_eq!(placeholders(&text.da), named, "{what} in Danish");
        assert_eq!(placeholders(&text.en), named, "{what} in English");
    }

    #[test]
    fn danish_and_english_ask_answer_and_name_the_same_things() {
        let faq: Faq = toml::from_str(include_str!("faq.toml")).unwrap();
        let mut ids = BTreeSet::new();
        for item in &faq.items {
            assert!(ids.insert(item.id.as_str()), "{} is there twice", item.id);
            assert_alike(&item.question, &[], &item.id);
            assert!(item.answer.params.is_empty(), "{}", item.id);
            assert_alike(&item.answer, &item.params, &item.id);
            for (name, variant) in &item.variants {
                let what = format!("{} {name}", item.id);
                assert_alike(variant, &variant.params, &what);
            }
        }
        for id in ["no_migrate_button", "no_green_tick", "no_level"] {
            assert!(ids.contains(id), "{id}");
        }
        for field in ProductField::ALL {
            assert!(faq.fields.contains_key(field.as_str()), "{field}");
        }
        assert_eq!(faq.fields.len(), ProductField::ALL.len());
        let migration = faq.items.iter().find(|item| item.id == "no_migrate_button");
        for reason in UnavailableReason::ALL {
            assert!(
                migration.unwrap().variants.contains_key(reason.as_str()),
                "{reason}"
            );
        }
    }
}
