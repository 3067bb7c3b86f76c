//! What people read, in each language: the files of `texts/`, one a language and subject, filled in. Who is told what is decided elsewhere.

mod filters;

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
pub use minijinja::{Value, context};

use crate::domain::language::Language;
use crate::error::{Error, Result};

/// Declares the subjects, each with the name of its file in the folder of each language.
macro_rules! subjects {
    ($($(#[$meta:meta])* $subject:ident = $name:literal),+ $(,)?) => {
        /// What a text is about: it stands in the file of that name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Subject { $($(#[$meta])* $subject),+ }

        impl Subject {
            const fn as_str(self) -> &'static str {
                match self { $(Self::$subject => $name),+ }
            }
        }

        const FILES: &[(Language, Subject, &str)] = &[$(
            (Language::Da, Subject::$subject, include_str!(concat!("../../texts/da/", $name, ".toml"))),
            (Language::En, Subject::$subject, include_str!(concat!("../../texts/en/", $name, ".toml"))),
        )+];
    };
}

subjects! {
    /// Questions and answers.
    Faq = "faq",
    /// What is wrong with one field.
    Faults = "faults",
    /// What an invoice says.
    Invoices = "invoices",
    /// What people call each word of a vocabulary.
    Labels = "labels",
    /// Subject and text of each mail.
    Mails = "mails",
    /// What is printed around what an invoice says.
    Printed = "printed",
    /// What a problem says, and its page.
    Problems = "problems",
    /// The words of the rules as people say them.
    Words = "words",
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// The text of `key` (its path in the file, by dots), filled with `values`. Fails where there is none, and where it names what `values` have not.
pub fn render(subject: Subject, key: &str, language: Language, values: Value) -> Result<String> {
    TEMPLATES
        .get_template(&name(language, subject, key))
        .and_then(|template| template.render(values))
        .map_err(Error::internal("filling in a text"))
}

/// The same for an answer that goes out in any case: what fails is logged, and the text left empty.
pub fn say(subject: Subject, key: &str, language: Language, values: Value) -> String {
    render(subject, key, language, values).unwrap_or_else(|cause| {
        tracing::error!(%cause, key, "a text is missing");
        String::new()
    })
}

/// What people call a word of the rules, such as `draft` of the vocabulary `statuses`; nothing for what has no such word.
pub fn word(vocabulary: &str, word: &str, language: Language) -> Option<String> {
    let name = name(language, Subject::Words, &format!("{vocabulary}.{word}"));
    let template = TEMPLATES.get_template(&name).ok()?;
    Some(template.source().to_owned())
}

/// A text as it is before it is filled in: `{min}` stands where a value will.
pub fn unfilled(subject: Subject, key: &str, language: Language) -> String {
    let name = name(language, subject, key);
    let source = TEMPLATES.get_template(&name);
    let source = source.map(|template| template.source().to_owned());
    let source = source.unwrap_or_default();
    source.replace("{{ ", "{").replace(" }}", "}")
}

/// A template's name begins with its language: by it the filters know which they speak.
fn name(language: Language, subject: Subject, key: &str) -> String {
    format!("{language}/{}/{key}", subject.as_str())
}

/// All texts of all files. What a file has wrong is left out here and found by the tests.
fn environment() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::None);
    filters::add_to(&mut templates);
    for (language, subject, file) in FILES {
        for (key, text) in texts(file) {
            let _ = templates.add_template_owned(name(*language, *subject, &key), text);
        }
    }
    templates
}

/// Every text of a file by its path.
fn texts(file: &str) -> Vec<(String, String)> {
    let table: toml::Table = toml::from_str(file).unwrap_or_default();
    let mut texts = Vec::new();
    collect(&table, "", &mut texts);
    texts
}

fn collect(table: &toml::Table, above: &str, texts: &mut Vec<(String, String)>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => collect(inner, &format!("{above}{key}."), texts),
            toml::Value::String(text) => texts.push((format!("{above}{key}"), text.clone())),
            _ => {}
        }
    }
}

/// The keys of a subject, for the tests that hold them against what the code asks for.
#[cfg(test)]
pub fn keys(subject: Subject) -> std::collections::BTreeSet<String> {
    let of_it = FILES.iter().filter(|(_, one, _)| *one == subject);
    of_it
        .flat_map(|(_, _, file)| texts(file))
        .map(|(key, _)| key)
        .collect()
}

/// What a text names in braces, for the tests that hold it against what the code gives.
#[cfg(test)]
pub fn placeholders(
    subject: Subject,
    key: &str,
    language: Language,
) -> std::collections::BTreeSet<String> {
    let template = TEMPLATES.get_template(&name(language, subject, key));
    let template = template.unwrap_or_else(|fault| panic!("{key} in {language}: {fault}"));
    template.undeclared_variables(true).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::AccountStatus;
    use crate::domain::bank::camt::Why;
    use crate::domain::document::{DocumentKind, RejectionCode, RevisionCode};
    use crate::domain::points::PointsReason;
    use crate::domain::product::ProductField;

    #[test]
    fn each_file_is_read_whole() {
        for (language, subject, file) in FILES {
            let table: toml::Table = toml::from_str(file).unwrap();
            assert!(!table.is_empty(), "{subject:?} in {language}");
            let other = |value: &toml::Value| !(value.is_str() || value.is_table());
            assert!(!table.values().any(other), "{subject:?} in {language}");
        }
    }

    #[test]
    fn each_text_is_there_in_both_languages_and_names_the_same_values() {
        for (_, subject, _) in FILES {
            for key in keys(*subject) {
                let [da, en] = [Language::Da, Language::En].map(|language| {
                    let names = placeholders(*subject, &key, language);
                    let template = TEMPLATES.get_template(&name(language, *subject, &key));
                    (template.unwrap().source().trim().to_owned(), names)
                });
                assert!(!da.0.is_empty() && da.0 != en.0, "{subject:?} {key}");
                assert_eq!(da.1, en.1, "{subject:?} {key}");
            }
        }
    }

    #[test]
    fn no_text_for_people_names_a_path() {
        for (language, subject, file) in FILES {
            for (key, text) in texts(file) {
                let names = ["/v1/", "/docs/", "GET /", "POST /", "PUT /", "{account_id}"];
                let found = names.iter().find(|name| text.contains(**name));
                assert_eq!(found, None, "{language} {subject:?} {key}");
            }
        }
    }

    /// But for what is written for programmers, on the pages of the problems.
    #[test]
    fn no_text_for_people_names_a_field() {
        let value = regex::Regex::new(r"\{[{%].*?[%}]\}").unwrap();
        let field = regex::Regex::new(r"\b[a-z]+_[a-z_]+\b").unwrap();
        for (language, subject, file) in FILES {
            let people =
                |(key, _): &(String, String)| !key.ends_with(".cause") && !key.ends_with(".remedy");
            for (key, text) in texts(file).into_iter().filter(people) {
                let text = value.replace_all(&text, "");
                let found = field.find(&text).map(|found| found.as_str());
                assert_eq!(found, None, "{language} {subject:?} {key}");
            }
        }
    }

    #[test]
    fn every_word_of_the_rules_has_its_sentence() {
        fn words<T: std::fmt::Display>(vocabulary: &str, all: &[T]) -> Vec<String> {
            let words = all.iter().map(|word| format!("{vocabulary}.{word}"));
            words.collect()
        }
        let asked = [
            words("revisions", RevisionCode::ALL),
            words("rejections", RejectionCode::ALL),
            words("documents", DocumentKind::ALL),
            words("statuses", AccountStatus::ALL),
            words("product_fields", ProductField::ALL),
            words("points_reasons", PointsReason::ALL),
            words("statement_faults", Why::ALL),
        ];
        assert_eq!(keys(Subject::Words), asked.into_iter().flatten().collect());
    }

    #[test]
    fn a_text_that_lacks_a_value_is_an_error_and_not_a_gap() {
        let key = "method_not_allowed.detail";
        let lacking = render(Subject::Problems, key, Language::En, Value::UNDEFINED);
        assert!(lacking.is_err());
        let unknown = render(Subject::Problems, "no.such", Language::En, Value::UNDEFINED);
        assert!(unknown.is_err());
        assert_eq!(word("statuses", "unheard_of", Language::Da), None);
    }
}
