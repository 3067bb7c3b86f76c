//! The words of the rules as sentences in both languages, from `wording.toml`. What problems say is in `handlers/problem`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::language::Language;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    da: String,
    en: String,
}

type Words = BTreeMap<String, Pair>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wording {
    revisions: Words,
    rejections: Words,
    documents: Words,
    statuses: Words,
}

static WORDING: LazyLock<Wording> =
    LazyLock::new(|| toml::from_str(include_str!("wording.toml")).unwrap_or_default());

fn said(words: &'static Words, word: &str, language: Language) -> &'static str {
    words.get(word).map_or("", |pair| match language {
        Language::Da => &pair.da,
        Language::En => &pair.en,
    })
}

/// Why a document has to be sent again, by its revision code.
pub fn revision(code: &str, language: Language) -> &'static str {
    said(&WORDING.revisions, code, language)
}

/// Why a document or an application is refused, by its rejection code.
pub fn rejection(code: &str, language: Language) -> &'static str {
    said(&WORDING.rejections, code, language)
}

/// Why a document does not do, by its revision or rejection code.
pub fn reason(code: &str, language: Language) -> Option<&'static str> {
    let known = [revision(code, language), rejection(code, language)];
    known.into_iter().find(|said| !said.is_empty())
}

/// What a kind of document is called.
pub fn document(kind: &str, language: Language) -> &'static str {
    said(&WORDING.documents, kind, language)
}

/// How far an application or account is.
pub fn status(status: &str, language: Language) -> &'static str {
    said(&WORDING.statuses, status, language)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::AccountStatus;
    use crate::domain::document::{DocumentKind, RejectionCode, RevisionCode};

    #[test]
    fn every_word_has_its_sentence_in_both_languages() {
        let written: Wording = toml::from_str(include_str!("wording.toml")).unwrap();
        let sizes = [
            written.revisions.len(),
            written.rejections.len(),
            written.documents.len(),
            written.statuses.len(),
        ];
        let words = [
            RevisionCode::ALL.len(),
            RejectionCode::ALL.len(),
            DocumentKind::ALL.len(),
            AccountStatus::ALL.len(),
        ];
        assert_eq!(sizes, words);
        let both = |words: fn(&str, Language) -> &'static str, word: &str| {
            let [da, en] = [Language::Da, Language::En].map(|language| words(word, language));
            assert!(!da.is_empty() && !en.is_empty() && da != en, "{word}");
        };
        RevisionCode::ALL
            .iter()
            .for_each(|code| both(revision, code.as_str()));
        RejectionCode::ALL
            .iter()
            .for_each(|code| both(rejection, code.as_str()));
        DocumentKind::ALL
            .iter()
            .for_each(|kind| both(document, kind.as_str()));
        AccountStatus::ALL
            .iter()
            .for_each(|word| both(status, word.as_str()));
    }
}
