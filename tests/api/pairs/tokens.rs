//! The links of an account's mails: none that went to an address which is no longer the one it is for still does anything.

use super::subject::{Subject, addresses};
use crate::support::TestApp;

/// The jobs that mail, and those that decide whether to.
const MAILING: &str =
    "kind IN ('answer_reset', 'send_started', 'send_applicant_links', 'send_mail')";

/// Whether no such job waits or runs.
pub fn is_mailed(app: &TestApp) -> bool {
    let query =
        format!("SELECT count(*) AS n FROM jobs WHERE state IN ('ready', 'running') AND {MAILING}");
    app.database.numbers(&query) == [0]
}

/// What is wrong with what was mailed and the tokens that live, if anything is.
pub async fn fault(app: &TestApp, subject: &Subject) -> Option<String> {
    let dead = format!("SELECT count(*) AS n FROM jobs WHERE state = 'dead' AND {MAILING}");
    if app.database.numbers(&dead) != [0] {
        return Some("a job died".to_owned());
    }
    if app.database.numbers(&useless(subject)) != [0] {
        return Some("a first-password link outlives the password, or a link its user".to_owned());
    }
    for address in addresses(subject) {
        for mail in app.mails(&address).await {
            let (template, text) = (&mail["template"], mail["text"].as_str().unwrap());
            for token in text.split("#token=").skip(1) {
                let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                let end = token.find(|c| !is_part(c)).unwrap_or(token.len());
                if app.database.numbers(&stray(&token[..end], &address)) != [0] {
                    return Some(format!("{template} to {address} is good after it moved"));
                }
            }
        }
    }
    None
}

/// Counts the living tokens of the account for a first password that is set, and for users who were removed.
fn useless(subject: &Subject) -> String {
    format!(
        "SELECT count(*) AS n FROM one_time_tokens JOIN users ON users.id = user_id
         WHERE account_id = '{}' AND ended_at IS NULL
           AND (removed_at IS NOT NULL OR purpose = 'first_password' AND password_hash IS NOT NULL)",
        subject.id()
    )
}

/// Counts `token` while it lives and is for somebody at another address than `address`.
fn stray(token: &str, address: &str) -> String {
    format!(
        "SELECT count(*) AS n FROM (
           SELECT token_hash, contact_email_key AS email_key FROM applicant_tokens JOIN accounts ON accounts.id = account_id
           UNION ALL
           SELECT token_hash, email_key FROM one_time_tokens JOIN users ON users.id = user_id WHERE ended_at IS NULL) AS living
         WHERE token_hash = encode(sha256('{token}'::bytea), 'hex') AND email_key <> '{address}'"
    )
}
