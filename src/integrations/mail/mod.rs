//! Mails: filled in, and handed to a mail server. What they say is in `texts/{da,en}/mails.toml`.

mod failure;
#[cfg(test)]
mod odd_values;
mod route;

use lettre::Message;
use lettre::message::{self, Mailbox, MultiPart, SinglePart, header};
use minijinja::value::Serde;
use serde_json::Value;

use self::route::Route;
use crate::config::MailRoute;
use crate::domain::language::Language;
use crate::domain::mail::Template;
use crate::domain::values::Email;
use crate::error::{Error, Result};
use crate::texts::{Subject, render};

pub use failure::failure_class;

/// A mail as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
}

/// A file that goes with a mail.
#[derive(Debug, Clone)]
pub struct Attachment {
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// Fills mails in and sends them.
#[derive(Clone)]
pub struct Mailer {
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
        Ok(Self { from, route })
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
        let part = |part: &str| {
            let key = format!("{template}.{part}");
            render(Subject::Mails, &key, language, Serde(values).into())
        };
        Ok(Rendered {
            subject: part("subject")?,
            text: part("text")?.trim_end().to_owned() + "\n",
        })
    }

    /// Hands a mail to the mail server; without one it stays in the sandbox mailbox. `id` makes a repeated mail recognisable.
    pub async fn send(
        &self,
        id: &str,
        to: &str,
        mail: &Rendered,
        attached: &[Attachment],
    ) -> Result<()> {
        let Some(route) = &self.route else {
            return Ok(());
        };
        let host = self.from.email.domain().to_owned();
        let message = Message::builder()
            .message_id(Some(format!("<{id}@{host}>")))
            .from(self.from.clone())
            .to(mailbox(to)?)
            .subject(mail.subject.clone())
            .header(header::MIME_VERSION_1_0);
        let text = SinglePart::plain(mail.text.clone());
        let message = match attached {
            [] => message.singlepart(text),
            files => message.multipart(with_files(text, files)?),
        };
        let message = message.map_err(Error::internal("writing a mail"))?;
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

/// A text with files behind it.
fn with_files(text: SinglePart, files: &[Attachment]) -> Result<MultiPart> {
    let mut parts = MultiPart::mixed().singlepart(text);
    for file in files {
        let media_type = header::ContentType::parse(file.media_type);
        let media_type = media_type.map_err(Error::internal("attaching a file"))?;
        let attachment = message::Attachment::new(file.name.clone());
        parts = parts.singlepart(attachment.body(file.bytes.clone(), media_type));
    }
    Ok(parts)
}

/// Where a mail goes, in the letters that every mail server knows.
fn mailbox(to: &str) -> Result<Mailbox> {
    let email: Email = to.parse().map_err(Error::internal("reading an address"))?;
    let address = email.deliverable().parse();
    let address = address.map_err(Error::internal("reading an address"))?;
    Ok(Mailbox::new(None, address))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::texts::{keys, placeholders};
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

    /// What several templates list of a dealer's products.
    fn of_dealers() -> Value {
        let product = |serial: &str, expires: Value| json!({ "model": "EOS R5", "serial_number": serial, "expires_date": expires });
        json!({
            "model": "EOS R5", "serial_number": "012021001234", "decision": "confirm", "dealer": "Foto Nord",
            "offered": [product("012021001234", json!("2026-07-01"))], "registered": [product("012021001235", Value::Null)],
            "returned": [product("012021001236", Value::Null)],
            "offers": [{ "model": "EOS R5", "serial_number": "012021001234", "dealer": "Foto Nord", "expires_date": "2026-07-01" }], "more_offers": 0,
        })
    }

    /// What several templates say of an invoice.
    fn of_invoices() -> Value {
        json!({
            "invoice_number": "CPS-2026-000001", "iban": "NL13 TEST 0123 4567 89", "bic": "TESTNL2A", "nth": 1, "is_last": false, "benefits_stop": true, "is_paid": true, "owes": true, "gross": "100.00", "set_off": "40.00", "open": "60.00", "currency": "EUR", "due_date": "2026-07-01",
            "payment_method": "card", "payment_reference": null, "credit_note_number": "CPS-2026-000002", "left": "10.00",
            "payments": [{ "date": "2026-06-28", "amount": "60.00", "whole": "75.00" }], "refunded": "15.00", "paid_date": "2026-07-02", "account_end": "6243",
            "refund_reference": "RFN01900000000070008000000000000001",
        })
    }

    pub fn values() -> Value {
        let mut values = json!({
            "contact_name": "Asta Holm", "company_name": "Nordlys Foto ApS", "programme_name": "CPS", "help_email": "help@cps.example",
            "action_url": "https://cps.example/set-password#token=abc", "valid_hours": 120, "note": null, "reason_codes": ["not_a_business"],
            "status": "draft", "revisions": [{ "kind": "vat_invoice", "code": "too_old" }], "review_due_date": "2026-06-10", "account_number": "4410081", "registered_date": "2026-06-08", "code": "12345678", "valid_minutes": 15, "points": 1250, "levels": ["Silver", "Gold"],
            "user_name": "Nina Holm", "user_email": "nina@nordlys.example", "role": "Superuser", "member_number": "123456", "level": "Gold", "starts_date": "2026-06-01", "ends_date": "2027-05-31", "previous_member_numbers": [],
            "vat_number": "13585628", "links": [{ "account_number": "4410081", "registered_date": "2026-06-08", "url": "https://cps.example/a" }],
        });
        for more in [of_dealers(), of_invoices()] {
            let more = more.as_object().cloned().unwrap();
            values.as_object_mut().unwrap().extend(more);
        }
        values
    }

    #[test]
    fn each_template_renders_in_both_languages_and_leaves_nothing_unfilled() {
        let mailer = Mailer::new(&MailRoute::Mailbox, "donotreply@localhost").unwrap();
        for template in Template::ALL {
            let [da, en] = [Language::Da, Language::En]
                .map(|language| mailer.render(*template, language, &values()).unwrap());
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

    #[test]
    fn each_mail_has_its_texts_and_every_value_is_named_by_one() {
        let parts = Template::ALL
            .iter()
            .flat_map(|template| ["subject", "text"].map(|part| format!("{template}.{part}")));
        let asked: BTreeSet<String> = parts.collect();
        assert_eq!(keys(Subject::Mails), asked);
        let named: BTreeSet<String> = asked
            .iter()
            .flat_map(|key| placeholders(Subject::Mails, key, Language::Da))
            .collect();
        let given = values();
        let given = given.as_object().unwrap().keys().cloned();
        assert_eq!(named, given.collect());
    }
}
