//! A write operation on an account: how it is asked for, and what shows that it happened. The tables stand by subject.

pub mod application;
pub mod holdings;
pub mod legacy;
pub mod passwords;
pub mod review;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::subject::{Staff, Subject};
use crate::support::{Sending, TestApp, Token};

/// One operation.
pub struct Operation {
    pub name: &'static str,
    pub request: fn(&Call<'_>) -> RequestBuilder,
    /// A query that counts one where it has happened and was not undone, whatever happened beside it.
    pub effect: fn(&Call<'_>) -> String,
    /// The templates, one of which it mails.
    pub mails: &'static [&'static str],
    /// Whether somebody can sign in with the password of `Call::password` then.
    pub is_password: bool,
}

impl Operation {
    const fn new(
        name: &'static str,
        request: fn(&Call<'_>) -> RequestBuilder,
        effect: fn(&Call<'_>) -> String,
    ) -> Self {
        Self {
            name,
            request,
            effect,
            mails: &[],
            is_password: false,
        }
    }

    const fn mailing(mut self, mails: &'static [&'static str]) -> Self {
        self.mails = mails;
        self
    }

    /// Whether a mail of one could be taken for a mail of the other.
    pub fn mails_like(&self, other: &Self) -> bool {
        self.mails.iter().any(|mail| other.mails.contains(mail))
    }
}

/// An operation on `subject`, as the `nth` of its pair.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub app: &'a TestApp,
    pub staff: &'a Staff,
    pub subject: &'a Subject,
    pub nth: usize,
    /// How many mails of the same templates the other one of the pair has made.
    pub besides: usize,
}

impl Call<'_> {
    fn path(&self, rest: &str) -> String {
        format!("{}/{rest}", self.subject.account)
    }

    fn sent(&self, method: Method, path: &str, token: &Token) -> RequestBuilder {
        self.app.request(method, path).sent_by(token)
    }

    fn patch(&self, path: &str, token: &Token, version: i64, body: Value) -> RequestBuilder {
        self.sent(Method::PATCH, path, token)
            .header("if-match", format!("\"{version}\""))
            .header("content-type", "application/merge-patch+json")
            .body(body.to_string())
    }

    fn delete(&self, path: &str, token: &Token, version: i64) -> RequestBuilder {
        self.sent(Method::DELETE, path, token)
            .header("if-match", format!("\"{version}\""))
    }

    fn post(&self, path: &str, token: &Token) -> RequestBuilder {
        self.sent(Method::POST, path, token)
            .header("idempotency-key", uuid::Uuid::new_v4().to_string())
    }

    /// What this one writes.
    fn name(&self) -> String {
        format!("Pair {}", self.nth)
    }

    /// The password that this one sets.
    pub fn password(&self) -> String {
        format!("en anden lang sætning {}", self.nth)
    }

    /// Counts the account where `what` holds of it.
    fn account(&self, what: &str) -> String {
        let id = self.subject.id();
        format!("SELECT count(*) AS n FROM accounts WHERE id = '{id}' AND ({what})")
    }

    fn of_account(&self, table: &str, what: &str) -> String {
        let id = self.subject.id();
        format!("SELECT count(*) AS n FROM {table} WHERE account_id = '{id}' AND ({what})")
    }

    /// Whether there are the mails to `addresses` that both of the pair have made.
    fn has_mails(&self, templates: &[&str], addresses: &[String]) -> String {
        format!(
            "(SELECT count(*) FROM mails WHERE template IN ('{}') AND to_key IN ('{}')
              AND created_at > '{}'::timestamptz - interval '1 hour') >= {}",
            templates.join("', '"),
            addresses.join("', '"),
            self.subject.since,
            1 + self.besides
        )
    }
}

/// One where `what` holds.
fn truth(what: &str) -> String {
    format!("SELECT CASE WHEN {what} THEN 1 ELSE 0 END::BIGINT AS n")
}

/// The id in a path, as PostgreSQL knows it.
fn hex(path: &str) -> &str {
    path.rsplit('_').next().unwrap()
}
