//! What staff do with an application, and with the account that it became.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::super::subject::addresses;
use super::passwords::PASSWORD_MAILS;
use super::{Call, Operation, hex, truth};
use crate::accounts::case_of;
use crate::businesses::id_of;

fn decide(call: &Call<'_>, decision: &Value) -> RequestBuilder {
    let path = format!("{}/decision", case_of(&call.subject.account));
    call.post(&path, &call.staff.reviewer).json(decision)
}

/// A claim holds until the case is decided or taken back.
pub static CLAIM: Operation = Operation::new(
    "claim",
    |call| {
        let path = format!("{}/claim", case_of(&call.subject.account));
        call.sent(Method::POST, &path, &call.staff.reviewer)
    },
    |call| {
        call.account(
            "status NOT IN ('submitted', 'in_review') OR status = 'in_review' AND EXISTS (
               SELECT 1 FROM reviews WHERE account_id = accounts.id AND claimed_by IS NOT NULL)",
        )
    },
);

pub static APPROVE: Operation = Operation::new(
    "approve",
    |call| decide(call, &json!({ "decision": "approve" })),
    |call| {
        let id = call.subject.id();
        truth(&format!(
            "{} AND EXISTS (SELECT 1 FROM accounts WHERE id = '{id}' AND status IN ('approved', 'active'))",
            call.has_mails(PASSWORD_MAILS, &addresses(call.subject))
        ))
    },
)
.mailing(PASSWORD_MAILS);

pub static REJECT: Operation = Operation::new(
    "reject",
    |call| {
        let why =
            json!({ "decision": "reject", "codes": ["not_a_business"], "note": "No business." });
        decide(call, &why)
    },
    |call| call.account("status = 'rejected' AND ended_at IS NOT NULL"),
);

/// The applicant may take back what is asked about.
pub static REQUEST_INFORMATION: Operation = Operation::new(
    "request information",
    |call| {
        let what = json!({ "decision": "request_information", "note": "Which shop is it?" });
        decide(call, &what)
    },
    |call| {
        call.account(
            "status IN ('information_requested', 'withdrawn') AND EXISTS (
               SELECT 1 FROM reviews WHERE account_id = accounts.id AND decision = 'request_information'
               AND asked_note = 'Which shop is it?')",
        )
    },
);

pub static ASK_FOR_REVISION: Operation = Operation::new(
    "ask for revision",
    |call| {
        let document = id_of(&call.subject.document);
        let path = format!("{}/documents/{document}", case_of(&call.subject.account));
        call.sent(Method::PUT, &path, &call.staff.reviewer)
            .json(&json!({ "decision": "request_revision", "codes": ["unreadable"] }))
    },
    |call| {
        let id = hex(&call.subject.document);
        call.of_account(
            "documents",
            &format!("id = '{id}' AND status = 'revision_requested'"),
        )
    },
);

pub static SUSPEND: Operation = Operation::new(
    "suspend",
    |call| {
        call.post(&call.path("suspension"), &call.staff.admin)
            .json(&json!({ "reason": "A pair." }))
    },
    |call| call.account("status = 'suspended'"),
);

pub static LIFT_SUSPENSION: Operation = Operation::new(
    "lift suspension",
    |call| {
        let path = call.path("suspension?reason=Checked");
        call.sent(Method::DELETE, &path, &call.staff.admin)
    },
    |call| call.account("status IN ('approved', 'active') AND suspended_from IS NULL"),
);
