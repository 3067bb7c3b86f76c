//! The words for codes in mails; the words themselves are in `domain::wording`.

use serde_json::Value;

use crate::domain::language::Language;
use crate::domain::wording;

/// `values` with the words for the codes among them: `status` becomes `status_text`, `reason_codes` become `reasons`, and
/// `revisions` (each with `kind` and `code`) become `points`.
pub fn spoken(values: &Value, language: Language) -> Value {
    let mut spoken = values.clone();
    let Some(object) = spoken.as_object_mut() else {
        return spoken;
    };
    if let Some(status) = values.get("status") {
        object.insert(
            "status_text".to_owned(),
            wording::status(text(status), language).into(),
        );
    }
    if let Some(codes) = values.get("reason_codes").and_then(Value::as_array) {
        let reasons: Vec<&str> = codes
            .iter()
            .map(|code| wording::rejection(text(code), language))
            .collect();
        object.insert("reasons".to_owned(), reasons.into());
    }
    if let Some(revisions) = values.get("revisions").and_then(Value::as_array) {
        let points: Vec<String> = revisions.iter().map(|one| point(one, language)).collect();
        object.insert("points".to_owned(), points.into());
    }
    spoken
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn point(revision: &Value, language: Language) -> String {
    let named = |name: &str| revision.get(name).map(text).unwrap_or_default();
    let document = wording::document(named("kind"), language);
    format!("{document}: {}", wording::revision(named("code"), language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::AccountStatus;
    use crate::domain::document::{DocumentKind, RejectionCode, RevisionCode};
    use serde_json::json;

    #[test]
    fn every_code_has_its_words_in_both_languages() {
        for language in [Language::Da, Language::En] {
            for status in AccountStatus::ALL {
                let spoken = spoken(&json!({ "status": status }), language);
                assert!(!text(&spoken["status_text"]).is_empty(), "{status}");
            }
            for code in RejectionCode::ALL {
                let spoken = spoken(&json!({ "reason_codes": [code] }), language);
                assert!(!text(&spoken["reasons"][0]).is_empty(), "{code}");
            }
            for code in RevisionCode::ALL {
                for kind in DocumentKind::ALL {
                    let spoken = spoken(
                        &json!({ "revisions": [{ "kind": kind, "code": code }] }),
                        language,
                    );
                    let (document, what) = text(&spoken["points"][0]).split_once(": ").unwrap();
                    assert!(!document.is_empty() && !what.is_empty(), "{kind} {code}");
                }
            }
        }
    }
}
