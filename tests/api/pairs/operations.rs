//! The write operations on an account: how each is asked for, and what shows that it happened.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::subject::{Staff, Subject, serial};
use crate::accounts::{PDF, case_of};
use crate::businesses::id_of;
use crate::membership::by_transfer;
use crate::support::{Sending, TestApp, Token};

/// Where an account is when two operations meet on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Draft,
    Review,
    Active,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Update,
    Upload,
    RemoveDocument,
    Submit,
    Withdraw,
    SendLink,
    Approve,
    Reject,
    AskForRevision,
    RegisterProduct,
    ImportProducts,
    ChangeProduct,
    EndProduct,
    Adjust,
    Invite,
    RemoveUser,
    Join,
    Suspend,
}
use Operation::*;

impl Stage {
    pub const ALL: [Self; 3] = [Self::Draft, Self::Review, Self::Active];

    /// What can be done there.
    pub fn operations(self) -> &'static [Operation] {
        match self {
            Self::Draft => &[Update, Upload, RemoveDocument, Submit, Withdraw, SendLink],
            Self::Review => &[Approve, Reject, AskForRevision, Withdraw, SendLink],
            Self::Active => &[
                Update,
                RegisterProduct,
                ImportProducts,
                ChangeProduct,
                EndProduct,
                Adjust,
                Invite,
                RemoveUser,
                Join,
                Suspend,
            ],
        }
    }
}

fn patch(app: &TestApp, path: &str, token: &Token, version: i64, body: Value) -> RequestBuilder {
    app.request(Method::PATCH, path)
        .sent_by(token)
        .header("if-match", format!("\"{version}\""))
        .header("content-type", "application/merge-patch+json")
        .body(body.to_string())
}

fn delete(app: &TestApp, path: &str, token: &Token) -> RequestBuilder {
    app.request(Method::DELETE, path)
        .sent_by(token)
        .header("if-match", "\"1\"")
}

fn post(app: &TestApp, path: &str, token: &Token) -> RequestBuilder {
    app.request(Method::POST, path)
        .sent_by(token)
        .header("idempotency-key", uuid::Uuid::new_v4().to_string())
}

impl Operation {
    /// The operation on `subject`, as the `nth` of its pair.
    pub fn request(
        self,
        app: &TestApp,
        staff: &Staff,
        subject: &Subject,
        nth: usize,
    ) -> RequestBuilder {
        let (token, version, n) = (&subject.token, subject.version, subject.n);
        let path = |rest: &str| format!("{}/{rest}", subject.account);
        let case = case_of(&subject.account);
        let decision = format!("{case}/decision");
        match self {
            Update => patch(app, &subject.account, token, version, json!({ "contact": { "name": name(nth) } })),
            Upload => {
                let file = Part::bytes(PDF).file_name(format!("pair-{nth}.pdf"));
                let form = Form::new().text("kind", "vat_registration_certificate").part("file", file);
                post(app, &path("documents"), token).multipart(form)
            }
            RemoveDocument => delete(app, &subject.document, token),
            Submit => app.request(Method::POST, &path("submission")).sent_by(token),
            Withdraw => app.request(Method::POST, &path("withdrawal")).sent_by(token),
            SendLink => app.request(Method::POST, "/v1/applicant-links").json(&json!({ "email": subject.email })),
            Approve => post(app, &decision, &staff.reviewer).json(&json!({ "decision": "approve" })),
            Reject => post(app, &decision, &staff.reviewer)
                .json(&json!({ "decision": "reject", "codes": ["not_a_business"], "note": "No business." })),
            AskForRevision => app
                .request(Method::PUT, &format!("{case}/documents/{}", id_of(&subject.document)))
                .sent_by(&staff.reviewer)
                .json(&json!({ "decision": "request_revision", "codes": ["unreadable"] })),
            RegisterProduct => post(app, &path("products"), token).json(&staff.product(n, nth)),
            ImportProducts => post(app, &path("products/import"), token)
                .header("content-type", "text/csv")
                .body(format!(
                    "model;serial_number;purchase_date;purchase_country;dealer;estimated\r\n\
                     EOS R6 Mark II;{};2024-05-17;DK;Foto Nord;\r\n",
                    serial(n, 4 + nth)
                )),
            ChangeProduct => patch(app, &subject.product, token, 1, json!({ "dealer": name(nth) })),
            EndProduct => delete(app, &format!("{}?reason=sold", subject.product), token),
            Adjust => post(app, &path("points/adjustments"), &staff.admin)
                .json(&json!({ "amount": 5, "reason": name(nth) })),
            Invite => post(app, &path("users"), token)
                .json(&json!({ "email": invited(n, nth), "name": "Nina", "role": "member" })),
            RemoveUser => delete(app, &subject.user, token),
            Join => post(app, &path("membership"), token).json(&by_transfer("gold")),
            Suspend => post(app, &path("suspension"), &staff.admin).json(&json!({ "reason": "A pair." })),
        }
    }

    /// A query that counts one where the operation has happened and was not undone, whatever happened beside it.
    pub fn effect(self, subject: &Subject, nth: usize) -> String {
        let id = subject.id();
        let account =
            |what: &str| format!("SELECT count(*) AS n FROM accounts WHERE id = '{id}' AND {what}");
        let of_account = |table: &str, what: &str| {
            format!("SELECT count(*) AS n FROM {table} WHERE account_id = '{id}' AND {what}")
        };
        let hex = |path: &str| {
            id_of(path)
                .split('_')
                .next_back()
                .unwrap_or_default()
                .to_owned()
        };
        match self {
            Update => account(&format!("contact_name = '{}'", name(nth))),
            Upload => of_account("documents", &format!("file_name = 'pair-{nth}.pdf' AND removed_at IS NULL")),
            RemoveDocument => of_account("documents", &format!("id = '{}' AND removed_at IS NOT NULL", hex(&subject.document))),
            Submit => account("status <> 'draft'"),
            Withdraw => account("status = 'withdrawn'"),
            // A link goes to who still applies.
            SendLink => format!(
                "SELECT CASE WHEN EXISTS (SELECT 1 FROM mails WHERE template = 'applicant_link' AND to_key = '{}')
                 OR EXISTS (SELECT 1 FROM accounts WHERE id = '{id}'
                   AND status NOT IN ('draft', 'submitted', 'in_review', 'information_requested'))
                 THEN 1 ELSE 0 END::BIGINT AS n",
                subject.email
            ),
            Approve => account("status IN ('approved', 'active')"),
            Reject => account("status = 'rejected'"),
            AskForRevision => of_account("documents", &format!("id = '{}' AND status = 'revision_requested'", hex(&subject.document))),
            RegisterProduct => of_account("products", &format!("serial_key = '{}'", serial(subject.n, nth))),
            ImportProducts => of_account("products", &format!("serial_key = '{}'", serial(subject.n, 4 + nth))),
            ChangeProduct => of_account("products", &format!("dealer = '{}'", name(nth))),
            EndProduct => of_account("products", &format!("id = '{}' AND status = 'ended'", hex(&subject.product))),
            Adjust => of_account("points_entries", &format!("reason = '{}'", name(nth))),
            Invite => of_account("users", &format!("email = '{}' AND removed_at IS NULL", invited(subject.n, nth))),
            RemoveUser => of_account("users", &format!("id = '{}' AND removed_at IS NOT NULL", hex(&subject.user))),
            Join => of_account("memberships", "status = 'active'"),
            Suspend => account("status = 'suspended'"),
        }
    }
}

/// What the `nth` of a pair writes.
fn name(nth: usize) -> String {
    format!("Pair {nth}")
}

fn invited(n: usize, nth: usize) -> String {
    format!("invited-{n}-{nth}@pairs.example")
}
