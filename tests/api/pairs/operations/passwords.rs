//! Users and their passwords: invited, removed, helped back in by a link.

use reqwest::Method;
use serde_json::json;

use super::super::subject::addresses;
use super::{Call, Operation, hex, truth};
use crate::support::Token;

/// What answers who forgot a password, and what an approval mails.
pub const PASSWORD_MAILS: &[&str] = &[
    "reset_before_approval",
    "first_password",
    "password_reset",
    "user_welcome",
];

/// With the link that `Subject::user_email` has: it is used up, and no account waits for it any more.
pub static SET_PASSWORD: Operation = Operation {
    is_password: true,
    ..Operation::new(
        "set password",
        |call| {
            let body = json!({ "token": call.subject.link, "new_password": call.password() });
            call.sent(Method::POST, "/v1/passwords", &Token::default())
                .json(&body)
        },
        |call| {
            let (id, link) = (call.subject.id(), &call.subject.link);
            truth(&format!(
                "EXISTS (SELECT 1 FROM one_time_tokens WHERE token_hash = encode(sha256('{link}'::bytea), 'hex')
                   AND ended_at IS NOT NULL)
                 AND NOT EXISTS (SELECT 1 FROM accounts WHERE id = '{id}' AND 'approved' IN (status, suspended_from))"
            ))
        },
    )
};

/// An answer goes to whoever has the address in the end: a user, or who still applies.
pub static REQUEST_RESET: Operation = Operation::new(
    "request reset",
    |call| {
        call.app
            .request(Method::POST, "/v1/password-resets")
            .json(&json!({ "email": call.subject.user_email }))
    },
    |call| {
        let email = &call.subject.user_email;
        truth(&format!(
            "{} OR NOT EXISTS (SELECT 1 FROM users WHERE email_key = '{email}' AND removed_at IS NULL)
             AND NOT EXISTS (SELECT 1 FROM accounts WHERE contact_email_key = '{email}'
               AND status IN ('draft', 'submitted', 'in_review', 'information_requested'))",
            call.has_mails(PASSWORD_MAILS, std::slice::from_ref(email))
        ))
    },
)
.mailing(PASSWORD_MAILS);

pub static SEND_FIRST_LINK: Operation = Operation::new(
    "send first link",
    |call| {
        let path = call.path("first-password-link");
        call.sent(Method::POST, &path, &call.staff.support)
    },
    |call| truth(&call.has_mails(PASSWORD_MAILS, &addresses(call.subject))),
)
.mailing(PASSWORD_MAILS);

pub static INVITE: Operation = Operation::new(
    "invite",
    |call| {
        let body = json!({ "email": invited(call), "name": "Nina", "role": "member" });
        call.post(&call.path("users"), &call.subject.token)
            .json(&body)
    },
    |call| {
        call.of_account(
            "users",
            &format!("email = '{}' AND removed_at IS NULL", invited(call)),
        )
    },
);

pub static REMOVE_USER: Operation = Operation::new(
    "remove user",
    |call| call.delete(&call.subject.user, &call.subject.token, 1),
    |call| {
        let id = hex(&call.subject.user);
        call.of_account("users", &format!("id = '{id}' AND removed_at IS NOT NULL"))
    },
);

fn invited(call: &Call<'_>) -> String {
    format!("invited-{}-{}@pairs.example", call.subject.n, call.nth)
}
