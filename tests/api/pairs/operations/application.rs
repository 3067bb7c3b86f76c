//! What an applicant does, and anybody who asks for the link of an application.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::super::subject::{moved, proposed};
use super::{Operation, hex, truth};
use crate::accounts::PDF;

pub static UPDATE: Operation = Operation::new(
    "update",
    |call| {
        let (subject, body) = (call.subject, json!({ "contact": { "name": call.name() } }));
        call.patch(&subject.account, &subject.token, subject.version, body)
    },
    |call| call.account(&format!("contact_name = '{}'", call.name())),
);

/// By who may at the stage: where staff mend it, an administrator accepts what support has asked for. Who waits for a first password is found at the address of the contact.
pub static CHANGE_EMAIL: Operation = Operation::new(
    "change e-mail",
    |call| {
        let subject = call.subject;
        if subject.stage.is_mended_by_staff() {
            let path = call.path("contact-email/acceptance");
            return call.sent(Method::POST, &path, &call.staff.admin);
        }
        let body = json!({ "contact": { "email": moved(subject.n, call.nth) } });
        call.patch(&subject.account, &subject.token, subject.version, body)
    },
    |call| {
        call.account(&format!(
            "contact_email_key = '{}' AND NOT EXISTS (
               SELECT 1 FROM users WHERE account_id = accounts.id AND removed_at IS NULL AND password_hash IS NULL
               AND roles::text LIKE '%superuser%' AND email_key <> contact_email_key)",
            match call.subject.stage.is_mended_by_staff() {
                true => proposed(call.subject.n),
                false => moved(call.subject.n, call.nth),
            }
        ))
    },
);

pub static UPLOAD: Operation = Operation::new(
    "upload",
    |call| {
        let file = Part::bytes(PDF).file_name(format!("pair-{}.pdf", call.nth));
        let form = Form::new()
            .text("kind", "vat_registration_certificate")
            .part("file", file);
        call.post(&call.path("documents"), &call.subject.token)
            .multipart(form)
    },
    |call| {
        let name = format!("pair-{}.pdf", call.nth);
        call.of_account(
            "documents",
            &format!("file_name = '{name}' AND removed_at IS NULL"),
        )
    },
);

pub static REMOVE_DOCUMENT: Operation = Operation::new(
    "remove document",
    |call| {
        let subject = call.subject;
        call.delete(&subject.document, &subject.token, subject.document_version)
    },
    |call| {
        let id = hex(&call.subject.document);
        call.of_account(
            "documents",
            &format!("id = '{id}' AND removed_at IS NOT NULL"),
        )
    },
);

pub static SUBMIT: Operation = Operation::new(
    "submit",
    |call| call.sent(Method::POST, &call.path("submission"), &call.subject.token),
    |call| call.account("status NOT IN ('draft', 'information_requested')"),
);

pub static WITHDRAW: Operation = Operation::new(
    "withdraw",
    |call| call.sent(Method::POST, &call.path("withdrawal"), &call.subject.token),
    |call| call.account("status = 'withdrawn' AND ended_at IS NOT NULL"),
);

const LINK: &[&str] = &["applicant_link"];

/// A link goes to who still applies, and still has the address.
pub static SEND_LINK: Operation = Operation::new(
    "send link",
    |call| {
        let body = json!({ "email": call.subject.email });
        call.app
            .request(Method::POST, "/v1/applicant-links")
            .json(&body)
    },
    |call| {
        let email = &call.subject.email;
        truth(&format!(
            "{} OR NOT EXISTS (SELECT 1 FROM accounts WHERE contact_email_key = '{email}'
               AND status IN ('draft', 'submitted', 'in_review', 'information_requested'))",
            call.has_mails(LINK, std::slice::from_ref(email))
        ))
    },
)
.mailing(LINK);
