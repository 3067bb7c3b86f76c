//! The words for codes in mails, from `texts.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::account::AccountStatus;
use crate::domain::document::{DocumentKind, RejectionCode, RevisionCode};
use crate::domain::language::Language;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    da: String,
    en: String,
}

type Words = BTreeMap<String, Pair>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    revisions: Words,
    rejections: Words,
    documents: Words,
    statuses: Words,
}

static TEXTS: LazyLock<Texts> =
    LazyLock::new(|| toml::from_str(include_str!("texts.toml")).unwrap_or_default());

fn word<'a>(words: &'a Words, code: &str, language: Language) -> &'a str {
    words.get(code).map_or("", |pair| match language {
        Language::Da => &pair.da,
        Language::En => &pair.en,
    })
}

/// What the applicant is to mend.
pub fn revision(code: RevisionCode, language: Language) -> &'static str {
    word(&TEXTS.revisions, code.as_str(), language)
}

/// Why something is refused for good.
pub fn rejection(code: RejectionCode, language: Language) -> &'static str {
    word(&TEXTS.rejections, code.as_str(), language)
}

/// What a document is called.
pub fn document_kind(kind: DocumentKind, language: Language) -> &'static str {
    word(&TEXTS.documents, kind.as_str(), language)
}

/// How far an application is, as a sentence.
pub fn status(status: AccountStatus, language: Language) -> &'static str {
    word(&TEXTS.statuses, status.as_str(), language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_words_in_both_languages() {
        for language in [Language::Da, Language::En] {
            assert!(
                RevisionCode::ALL
                    .iter()
                    .all(|code| !revision(*code, language).is_empty())
            );
            assert!(
                RejectionCode::ALL
                    .iter()
                    .all(|code| !rejection(*code, language).is_empty())
            );
            assert!(
                DocumentKind::ALL
                    .iter()
                    .all(|kind| !document_kind(*kind, language).is_empty())
            );
            assert!(
                AccountStatus::ALL
                    .iter()
                    .all(|code| !status(*code, language).is_empty())
            );
        }
    }
}
