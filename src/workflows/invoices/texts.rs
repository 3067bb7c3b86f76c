//! The words on an invoice, from `texts.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::language::Language;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    da: String,
    en: String,
}

static TEXTS: LazyLock<BTreeMap<String, Pair>> =
    LazyLock::new(|| toml::from_str(include_str!("texts.toml")).unwrap_or_default());

/// The text of `key` with each `{name}` replaced by its value.
pub fn text(key: &str, language: Language, values: &[(&str, &str)]) -> String {
    let text = TEXTS.get(key).map_or("", |pair| match language {
        Language::Da => &pair.da,
        Language::En => &pair.en,
    });
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        let names = text.split('{').skip(1);
        names
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn both_languages_say_the_same_things() {
        let texts: BTreeMap<String, Pair> = toml::from_str(include_str!("texts.toml")).unwrap();
        for (key, pair) in &texts {
            assert!(!pair.da.is_empty() && pair.da != pair.en, "{key}");
            assert_eq!(placeholders(&pair.da), placeholders(&pair.en), "{key}");
        }
        for key in [
            "membership",
            "transfer_fee",
            "reverse_charge",
            "reverse_charge_number",
            "outside_scope",
            "card",
            "bank_transfer",
            "bank_fee",
            "bank_fee_euro",
            "example",
        ] {
            assert!(texts.contains_key(key), "{key}");
        }
        assert_eq!(texts.len(), 10);
    }
}
