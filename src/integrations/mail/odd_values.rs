//! Every mail in both languages with the longest, the oddest and the missing values that it can be given.

use serde_json::{Value, json};

use super::tests::values;
use super::{Mailer, Rendered};
use crate::config::MailRoute;
use crate::domain::account::AccountStatus;
use crate::domain::document::{DocumentKind, RejectionCode, RevisionCode};
use crate::domain::language::Language;
use crate::domain::mail::Template;
use crate::texts::{Subject, placeholders, unfilled};

/// What a name may be made of: markup, what templates are written in, letters from right to left, signs of several code points.
const ODD: &str = r#"{{ 7 * 7 }} {% if x %} "A&B" <b>'Ørsted'</b> %0A \n #1 שלום مرحبا 👩‍👩‍👧 Å"#;

/// The values with some of them changed.
fn with(change: Value) -> Value {
    let mut values = values();
    let all = values.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        assert!(all.insert(name.clone(), value.clone()).is_some(), "{name}");
    }
    values
}

fn links(count: usize) -> Vec<Value> {
    let link = |n| json!({ "account_number": format!("44{n:05}"), "registered_date": "2026-12-31", "url": format!("https://cps.example/application#token={n}") });
    (0..count).map(link).collect()
}

fn offers(count: usize, name: &str) -> Vec<Value> {
    let offer = |n| json!({ "model": name, "serial_number": format!("{n:016}"), "dealer": name, "expires_date": "2026-12-31" });
    (0..count).map(offer).collect()
}

fn longest() -> Value {
    let revisions: Vec<Value> = DocumentKind::ALL
        .iter()
        .flat_map(|kind| RevisionCode::ALL.iter().map(move |code| (kind, code)))
        .map(|(kind, code)| json!({ "kind": kind, "code": code }))
        .collect();
    let members: Vec<String> = (0..30).map(|n| format!("{n:06}")).collect();
    let levels: Vec<String> = (0..10).map(|n| format!("{n}{}", "g".repeat(40))).collect();
    with(json!({
        "contact_name": "W".repeat(100), "company_name": "Ø".repeat(200), "programme_name": "P".repeat(100),
        "help_email": format!("{}@{}.example", "h".repeat(64), "d".repeat(60)), "action_url": format!("https://{}.example/#token=abc", "u".repeat(400)),
        "note": "En meget lang linje uden ende. ".repeat(70).trim(), "reason_codes": RejectionCode::ALL, "revisions": revisions,
        "previous_member_numbers": members, "levels": levels, "links": links(50), "offers": offers(20, &"W".repeat(200)), "more_offers": 9980, "points": i64::MAX,
        "gross": "999999999999.99", "payment_reference": "RF18539007547034".repeat(2), "level": "Corporate ".repeat(5).trim(), "valid_hours": 8760,
    }))
}

fn oddest() -> Value {
    with(json!({
        "contact_name": ODD, "company_name": ODD, "programme_name": "CPS {{ x }} & Co", "note": format!(".\n\nFrom {ODD}\n.\n--\n> {ODD}"),
        "valid_hours": 1, "valid_minutes": 1, "points": 0, "gross": "0.00", "reason_codes": ["not_authorised"], "revisions": [], "levels": ["<b>Gold</b>"],
        "payment_method": "bank_transfer", "payment_reference": "RF18 5390 0754 7034", "previous_member_numbers": ["000000"],
        "offers": offers(2, ODD), "more_offers": 1,
    }))
}

/// Nothing where a text asks whether there is something.
fn least(template: Template, language: Language) -> Value {
    let text = unfilled(Subject::Mails, &format!("{template}.text"), language);
    let mut values = with(
        json!({ "payment_method": "bank_transfer", "payment_reference": "RF18 5390 0754 7034", "levels": ["Silver"] }),
    );
    for (name, value) in values.as_object_mut().unwrap() {
        if text.contains(&format!(" if {name} %}}")) {
            *value = if value.is_array() {
                json!([])
            } else {
                Value::Null
            };
        }
    }
    values
}

/// What a mail is held to, whatever is in it.
fn check(mail: &Rendered, about: &str) {
    let is_plain = |text: &str| !text.chars().any(|c| c.is_control() && c != '\n');
    assert!(!mail.subject.trim().is_empty() && !mail.subject.contains('\n'));
    assert!(is_plain(&mail.subject) && is_plain(&mail.text), "{about}");
    assert!(mail.text.ends_with('\n') && !mail.text.ends_with("\n\n"));
    assert!(!mail.text.contains("\n\n\n"), "{about}: {}", mail.text);
    for line in mail.text.lines() {
        assert_eq!(line, line.trim_end(), "{about}: blanks at an end");
        // A link stands alone, so that programs make one of it, whole.
        assert!(!line.contains("https://") || line.starts_with("https://"));
    }
    for word in ["none", "None", "null", "undefined", "/v1/"] {
        let is_word = |found: &str| found.trim_matches(['.', ',', ':']) == word;
        assert!(
            !mail.text.split_whitespace().any(is_word),
            "{about}: {word}"
        );
    }
}

/// Shows every mail as each of the cases makes it.
fn each_mail(see: impl Fn(&str, &Rendered, &Value)) {
    let mailer = Mailer::new(&MailRoute::Mailbox, "donotreply@localhost").unwrap();
    let each_status = || {
        let statuses = AccountStatus::ALL.iter();
        statuses.map(|status| with(json!({ "status": status })))
    };
    for template in Template::ALL {
        for language in [Language::Da, Language::En] {
            let about = format!("{template} in {language:?}");
            let cases = [longest(), oddest(), least(*template, language)];
            for values in cases.into_iter().chain(each_status()) {
                let mail = mailer.render(*template, language, &values).unwrap();
                see(&about, &mail, &values);
            }
        }
    }
}

#[test]
fn whatever_the_values_are_a_mail_is_plain() {
    each_mail(|about, mail, _| check(mail, about));
}

#[test]
fn whatever_the_values_are_they_stand_in_the_mail_whole() {
    let free = [
        "contact_name",
        "company_name",
        "note",
        "help_email",
        "level",
        "payment_reference",
    ];
    each_mail(|about, mail, values| {
        let (template, language) = about.split_once(" in ").unwrap();
        let language = Language::from_tag(&language.to_lowercase());
        let named = placeholders(Subject::Mails, &format!("{template}.text"), language);
        for name in free.iter().filter(|name| named.contains(**name)) {
            if let Some(value) = values[*name].as_str() {
                let is_asked = *name != "payment_reference" || values["payment_method"] != "card";
                assert!(!is_asked || mail.text.contains(value), "{about}: {name}");
            }
        }
    });
}

/// What the programme does not do, by the words that a promise of it would need.
const NOT_THERE: &[&str] = &[
    "renew",
    "upgrade",
    "phone",
    "chat",
    "newsletter",
    "dispute",
    "instalment",
    " app ",
    "forny",
    "opgrader",
    "telefon",
    "nyhedsbrev",
    "indsigelse",
    " rate",
    "app'en",
];

#[test]
fn no_mail_promises_what_does_not_exist() {
    each_mail(|about, mail, _| {
        let text = mail.text.to_lowercase();
        for word in NOT_THERE {
            assert!(!text.contains(word), "{about}: {word}");
        }
    });
}
