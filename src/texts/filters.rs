//! How a value is written in a text, in the way of its language. Which values a text gets is decided by whoever fills it in.

use minijinja::{Environment, Error, ErrorKind, State};

use super::{Subject, name};
use crate::domain::language::Language;
use crate::domain::words;

/// Makes the filters known to the templates.
pub fn add_to(templates: &mut Environment<'_>) {
    templates.add_filter("amount", amount);
    templates.add_filter("date", date);
    templates.add_filter("plural", plural);
    templates.add_filter("word", word);
}

/// The language of the text that is being filled in: its name begins with it.
fn language(state: &State<'_, '_>) -> Language {
    let tag = state.name().split('/').next().unwrap_or_default();
    Language::from_tag(tag)
}

fn invalid(detail: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail)
}

/// `2026-03-05` as `5. marts 2026` or `5 March 2026`.
fn date(state: &State<'_, '_>, value: &str) -> Result<String, Error> {
    let date = value
        .parse()
        .map_err(|_| invalid(format!("not a date: {value}")))?;
    Ok(words::date(language(state), date))
}

/// `1234567.00` as `1.234.567,00` or `1,234,567.00`.
fn amount(state: &State<'_, '_>, value: &str) -> Result<String, Error> {
    let amount = value
        .parse()
        .map_err(|_| invalid(format!("not an amount: {value}")))?;
    Ok(words::amount(language(state), amount))
}

/// `one` for 1 and `many` for every other number, without the number.
fn plural(number: i64, one: String, many: String) -> String {
    if number == 1 { one } else { many }
}

/// What people call a word of a vocabulary in `texts/{da,en}/words.toml`.
fn word(state: &State<'_, '_>, value: &str, vocabulary: &str) -> Result<String, Error> {
    let key = format!("{vocabulary}.{value}");
    let template = state
        .env()
        .get_template(&name(language(state), Subject::Words, &key))?;
    Ok(template.source().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn written(language: &str, text: &str) -> Result<String, Error> {
        let mut templates = Environment::new();
        add_to(&mut templates);
        let name = format!("{language}/test/one");
        templates.add_template_owned(name.clone(), text.to_owned())?;
        templates
            .get_template(&name)?
            .render(context! { one => 1, zero => 0, day => "2026-03-05" })
    }

    #[test]
    fn a_date_is_written_in_each_languages_way() {
        assert_eq!(written("da", "{{ day | date }}").unwrap(), "5. marts 2026");
        assert_eq!(written("en", "{{ day | date }}").unwrap(), "5 March 2026");
        assert!(written("en", "{{ 'soon' | date }}").is_err());
    }

    #[test]
    fn an_amount_is_written_in_each_languages_way() {
        for (value, danish, english) in [
            ("350.00", "350,00", "350.00"),
            ("1234567.05", "1.234.567,05", "1,234,567.05"),
            ("-1000.00", "-1.000,00", "-1,000.00"),
            ("0.00", "0,00", "0.00"),
        ] {
            let text = format!("{{{{ '{value}' | amount }}}}");
            assert_eq!(written("da", &text).unwrap(), danish);
            assert_eq!(written("en", &text).unwrap(), english);
        }
        for odd in ["350", "3,50", "", "x.00", "-.00"] {
            assert!(
                written("da", &format!("{{{{ '{odd}' | amount }}}}")).is_err(),
                "{odd}"
            );
        }
    }

    #[test]
    fn only_one_is_one() {
        let text = "{{ one | plural('time', 'timer') }} {{ zero | plural('time', 'timer') }}";
        assert_eq!(written("da", text).unwrap(), "time timer");
    }

    #[test]
    fn a_word_that_nobody_wrote_down_is_an_error() {
        assert!(written("da", "{{ 'draft' | word('statuses') }}").is_err());
    }
}
