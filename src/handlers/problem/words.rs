//! The words of problems and of their fields, from `texts/{da,en}/{problems,faults}.toml`.

use crate::domain::language::Language;
use crate::error::{Code, Fault, FaultCode, Refusal};
use crate::texts::{Subject, Value, say, unfilled};

/// What kind of problem it is.
pub fn title(code: Code, language: Language) -> String {
    of_code(code, "title", language, Value::UNDEFINED)
}

/// What happened, with the values of the refusal.
pub fn detail(refusal: &Refusal, language: Language) -> String {
    of_code(refusal.code, "detail", language, values(&refusal.params))
}

/// Why it happens.
pub fn cause(code: Code, language: Language) -> String {
    of_code(code, "cause", language, Value::UNDEFINED)
}

/// What to do about it.
pub fn remedy(code: Code, language: Language) -> String {
    of_code(code, "remedy", language, Value::UNDEFINED)
}

/// What is wrong with a field.
pub fn fault(fault: &Fault, language: Language) -> String {
    let code = fault.code.as_str();
    say(Subject::Faults, code, language, values(&fault.params))
}

/// What a field's code means, whatever the case: of a choice between several words the last.
pub fn meaning(code: FaultCode, language: Language) -> String {
    let text = unfilled(Subject::Faults, code.as_str(), language);
    let (before, choice) = text.split_once("{% if").unwrap_or((&text, ""));
    let last = choice.rsplit("{% else %}").next().unwrap_or_default();
    format!("{before}{}", last.replace("{% endif %}", ""))
}

/// That `count` more fields are wrong than the answer lists.
pub fn more(count: usize, language: Language) -> String {
    let values = Value::from_pairs([("count", count)]);
    say(Subject::Faults, FaultCode::More.as_str(), language, values)
}

fn of_code(code: Code, part: &str, language: Language, values: Value) -> String {
    let key = format!("{}.{part}", code.as_str());
    say(Subject::Problems, &key, language, values)
}

fn values(params: &[(&'static str, String)]) -> Value {
    let pairs = params.iter();
    Value::from_pairs(pairs.map(|(name, value)| (*name, value.as_str())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::texts::{keys, placeholders};

    /// What the code gives to the text of a problem; to every other it gives nothing.
    const GIVEN: [(Code, &[&str]); 16] = [
        (Code::AmountExceedsInvoice, &["number", "open"]),
        (Code::RefundExceedsPayment, &["open"]),
        (Code::CreditExceedsInvoice, &["left"]),
        (Code::ScopeMissing, &["scope"]),
        (Code::EventsExpired, &["oldest"]),
        (Code::MethodNotAllowed, &["allowed"]),
        (Code::DocumentLimitReached, &["limit"]),
        (Code::ClaimedByAnother, &["until"]),
        (Code::AccountNotActive, &["status"]),
        (Code::CorporateNotAvailable, &["points", "threshold"]),
        (Code::LevelNotOpen, &["level", "points_missing"]),
        (Code::StatementNotAccepted, &["line", "why"]),
        (Code::PreconditionFailed, &["is_weak"]),
        (Code::UnsupportedMediaType, &["expected"]),
        (Code::BodyTooLarge, &["limit"]),
        (Code::DocumentTooLarge, &["limit"]),
    ];

    fn given(code: Code) -> BTreeSet<String> {
        let given = GIVEN.iter().filter(|(one, _)| *one == code);
        given
            .flat_map(|(_, names)| names.iter())
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_code_has_its_page_and_names_what_it_is_given() {
        let mut asked = BTreeSet::from(["page.cause".to_owned(), "page.remedy".to_owned()]);
        for code in Code::ALL {
            for part in ["title", "detail", "cause", "remedy"] {
                let key = format!("{}.{part}", code.as_str());
                let expected = if part == "detail" {
                    given(*code)
                } else {
                    BTreeSet::new()
                };
                let named = placeholders(Subject::Problems, &key, Language::Da);
                assert_eq!(named, expected, "{key}");
                asked.insert(key);
            }
        }
        assert_eq!(keys(Subject::Problems), asked);
    }

    #[test]
    fn every_fault_has_its_text() {
        let codes = FaultCode::ALL.iter().map(|code| code.as_str().to_owned());
        assert_eq!(keys(Subject::Faults), codes.collect());
    }
}
