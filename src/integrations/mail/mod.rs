//! Mails: their texts from the templates, and the way they leave the house.

mod failure;
mod route;
mod texts;

use std::sync::Arc;

use lettre::Message;
use lettre::message::{Mailbox, SinglePart, header};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::Value;

use self::route::Route;
use crate::config::MailRoute;
use crate::domain::language::Language;
use crate::domain::mail::Template;
use crate::domain::values::Email;
use crate::error::{Error, Result};

pub use failure::failure_class;

macro_rules! sources {
    ($($name:literal),+ $(,)?) => {
        &[$(
            (concat!($name, ".da"), include_str!(concat!("templates/", $name, ".da.txt"))),
            (concat!($name, ".en"), include_str!(concat!("templates/", $name, ".en.txt"))),
        )+]
    };
}

const SOURCES: &[(&str, &str)] = sources!(
    "applicant_link",
    "information_requested",
    "application_rejected",
    "first_password",
    "password_reset",
    "reset_before_approval",
    "password_changed",
    "known_address_registered",
    "user_welcome",
    "migration_proof",
    "programme_invitation",
    "membership_welcome",
    "invoice_issued",
);

/// A mail as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
}

/// Renders mails and sends them.
#[derive(Clone)]
pub struct Mailer {
    templates: Arc<Environment<'static>>,
    from: Mailbox,
    route: Option<Route>,
}

impl Mailer {
    /// A mailer that sends from `from` by `route`.
    pub fn new(route: &MailRoute, from: &str) -> Result<Self> {
        let from = from
            .parse()
            .map_err(Error::internal("reading the sender's address"))?;
        let route = match route {
            MailRoute::Mailbox => None,
            MailRoute::Smtp(server) => Some(Route::to(server)?),
        };
        Ok(Self {
            templates: Arc::new(environment()?),
            from,
            route,
        })
    }

    /// Whether mails stay in the sandbox mailbox.
    pub fn keeps(&self) -> bool {
        self.route.is_none()
    }

    /// The mail that `values` make of a template.
    pub fn render(
        &self,
        template: Template,
        language: Language,
        values: &Value,
    ) -> Result<Rendered> {
        let name = format!("{template}.{language}");
        let values = &texts::spoken(values, language);
        let rendered = self
            .templates
            .get_template(&name)
            .and_then(|found| found.render(minijinja::value::Serde(values)));
        let whole = rendered.map_err(Error::internal("rendering a mail"))?;
        let (subject, text) = whole.split_once("\n\n").unwrap_or(("", &whole));
        let subject = subject.trim_start_matches("Subject:").trim().to_owned();
        Ok(Rendered {
            subject,
            text: text.trim_end().to_owned() + "\n",
        })
    }

    /// Hands a mail to the mail server; without one it stays in the sandbox mailbox. `id` makes a repeated mail recognisable.
    pub async fn send(&self, id: &str, to: &str, mail: &Rendered) -> Result<()> {
        let Some(route) = &self.route else {
            return Ok(());
        };
        let host = self.from.email.domain().to_owned();
        let message = Message::builder()
            .message_id(Some(format!("<{id}@{host}>")))
            .from(self.from.clone())
            .to(mailbox(to)?)
            .subject(mail.subject.clone())
            .header(header::MIME_VERSION_1_0)
            .singlepart(SinglePart::plain(mail.text.clone()))
            .map_err(Error::internal("writing a mail"))?;
        route
            .hand_over(&message)
            .await
            .map_err(Error::internal("handing a mail to the mail server"))
    }

    /// The address that mails come from.
    pub fn from(&self) -> String {
        self.from.to_string()
    }
}

/// Where a mail goes, in the letters that every mail server knows.
fn mailbox(to: &str) -> Result<Mailbox> {
    let email: Email = to.parse().map_err(Error::internal("reading an address"))?;
    let address = email.deliverable().parse();
    let address = address.map_err(Error::internal("reading an address"))?;
    Ok(Mailbox::new(None, address))
}

fn environment() -> Result<Environment<'static>> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::None);
    for (name, source) in SOURCES {
        templates
            .add_template(name, source)
            .map_err(Error::internal("reading the mail templates"))?;
    }
    Ok(templates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_mail_server_is_told_the_letters_that_it_knows() {
        for (typed, told) in [
            ("post@blåbær.dk", "post@xn--blbr-roah.dk"),
            ("O'Neill+a@x.dk", "O'Neill+a@x.dk"),
        ] {
            assert_eq!(mailbox(typed).unwrap().email.to_string(), told);
        }
        assert!(mailbox("A0 <asta@nordlys.example>").is_err());
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_read_as_an_address_can_be_mailed_to(
            typed in "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,66}@[a-zåæøßé0-9.-]{1,40}(\\.[a-z0-9-]{1,10})?",
        ) {
            if typed.parse::<Email>().is_ok() {
                proptest::prop_assert!(mailbox(&typed).is_ok(), "{}", typed);
            }
        }
    }

    fn values() -> Value {
        json!({
            "contact_name": "Asta Holm", "company_name": "Nordlys Foto ApS", "programme_name": "CPS", "help_email": "help@cps.example",
            "action_url": "https://cps.example/set-password#token=abc", "valid_hours": 120, "note": null, "reasons": ["r"],
            "status_text": "s", "review_due": null, "code": "12345678", "valid_minutes": 15, "points": 1250, "levels": ["Silver", "Gold"],
            "member_number": "123456", "level": "Gold", "starts_date": "2026-06-01", "ends_date": "2027-05-31", "previous_member_numbers": [],
            "invoice_number": "CPS-2026-000001", "gross": "100.00", "currency": "EUR", "due_date": "2026-07-01",
            "payment_method": "card", "payment_reference": null, "links": [],
        })
    }

    #[test]
    fn each_template_renders_in_both_languages_and_leaves_nothing_unfilled() {
        let mailer = Mailer::new(&MailRoute::Mailbox, "donotreply@localhost").unwrap();
        for template in Template::ALL {
            let mut values = values();
            if *template == Template::InformationRequested {
                values["points"] = json!(["The invoice: it cannot be read"]);
            }
            let [da, en] = [Language::Da, Language::En]
                .map(|language| mailer.render(*template, language, &values).unwrap());
            for mail in [&da, &en] {
                assert!(
                    mail.subject.len() > 5 && mail.text.len() > 80,
                    "{template}: {mail:?}"
                );
                assert!(
                    !mail.text.contains("{{") && !mail.text.contains("{%"),
                    "{template}"
                );
            }
            assert_ne!(da.subject, en.subject, "{template}");
            let links = |mail: &Rendered| {
                (
                    mail.text.contains("#token=abc"),
                    mail.text.contains("12345678"),
                )
            };
            assert_eq!(links(&da), links(&en), "{template}");
        }
    }
}
