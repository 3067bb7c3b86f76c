//! Putting a mail on its way: what it says is sealed, since links and codes are secrets.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Context;
use super::tasks::{Task, enqueue};
use crate::domain::language::Language;
use crate::domain::mail::Template;
use crate::domain::values::email_key;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::accounts::Account;
use crate::repository::mails::{self, Mail, MailId};
use crate::repository::users::User;
use crate::types::Instant;

/// Whom a mail goes to.
#[derive(Debug, Clone)]
pub struct Recipient {
    pub address: String,
    /// None where the mail may not say it.
    pub name: Option<String>,
    /// None where the mail may not say it.
    pub company_name: Option<String>,
    pub language: Language,
}

impl Recipient {
    /// The contact of an account; nameless where whoever typed the names and the address need not own the mailbox.
    pub fn contact(account: &Account) -> Self {
        let named = |name: &String| account.may_be_named().then(|| name.clone());
        Self {
            address: account.contact_email.clone(),
            name: named(&account.contact_name),
            company_name: named(&account.company_name),
            language: account.language,
        }
    }

    /// A user; `company_name` is that of the user's account, or the programme's own for staff.
    pub fn user(user: &User, company_name: &str) -> Self {
        Self {
            address: user.email.clone(),
            name: Some(user.name.clone()),
            company_name: Some(company_name.to_owned()),
            language: user.language,
        }
    }
}

/// `values` of a mail about an application, with what tells it apart: all that a mail may say of one whose mailbox was not used yet.
pub fn application(context: &Context, account: &Account, mut values: Value) -> Value {
    let date = context.programme.review.date_of(account.created_at);
    if let Some(values) = values.as_object_mut() {
        values.insert("account_number".to_owned(), json!(account.account_number));
        values.insert("registered_date".to_owned(), json!(date));
    }
    values
}

/// On which terms a mail is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms {
    /// When the link or code in it runs out; a mail that could not be sent by then is not sent.
    pub until: Option<Instant>,
    /// Whether anybody could have asked for it: of these only so many wait at once.
    pub for_stranger: bool,
}

/// Counts mails that strangers asked for and that were not made; from the start with none, since a counter that appears with its first
/// event has not risen for whoever watches it.
pub fn count_withheld(mails: u64) {
    metrics::counter!("mails_withheld_total").increment(mails);
}

/// Whether there is room for one more mail that a stranger asked for; one that there is no room for is counted.
pub fn has_room_for_strangers(conn: &mut DbConn, context: &Context) -> Result<bool> {
    let is_full = mails::do_strangers_fill(conn, context.programme.queue.stranger_mails)?;
    if is_full {
        count_withheld(1);
    }
    Ok(!is_full)
}

/// Whether one more mail of these templates, which anybody can ask for, may go to an address: there is room for it, and within the hour
/// it had fewer than the programme allows.
pub fn may_be_asked(
    conn: &mut DbConn,
    context: &Context,
    to_key: &str,
    templates: &[Template],
) -> Result<bool> {
    mails::lock_address(conn, to_key)?;
    let since = context.now.plus(TimeDelta::hours(-1));
    let mut sent = 0;
    for template in templates {
        sent += mails::count_since(conn, to_key, *template, since)?;
    }
    let is_within = sent < i64::from(context.programme.mails.asked_per_hour);
    Ok(is_within && has_room_for_strangers(conn, context)?)
}

/// Stores a mail and has it sent. `values` fill its template, beside the names that every template has.
pub fn send(
    conn: &mut DbConn,
    context: &Context,
    to: &Recipient,
    template: Template,
    values: Value,
) -> Result<()> {
    send_on(conn, context, to, template, values, Terms::default())
}

/// The same, on terms. Whoever sends for a stranger has asked for room before.
pub fn send_on(
    conn: &mut DbConn,
    context: &Context,
    to: &Recipient,
    template: Template,
    values: Value,
    terms: Terms,
) -> Result<()> {
    let mail = sealed(context, to, template, values, terms)?;
    mails::insert(conn, &mail)?;
    enqueue(
        conn,
        &Task::SendMail { mail_id: mail.id },
        context.now,
        context.now,
    )
}

/// A mail that is kept sealed until it is sent.
pub fn sealed(
    context: &Context,
    to: &Recipient,
    template: Template,
    values: Value,
    terms: Terms,
) -> Result<Mail> {
    let whole = addressed(context, to, values);
    Ok(Mail {
        id: MailId::new(context.now),
        to_address: to.address.clone(),
        to_key: email_key(&to.address),
        template,
        language: to.language,
        sealed: Some(context.sealer.seal(whole.to_string().as_bytes())?),
        created_at: context.now,
        sent_at: None,
        expires_at: terms.until,
        stranger_waits: terms.for_stranger,
    })
}

/// What fills a template: `values`, beside the names that every template has.
fn addressed(context: &Context, to: &Recipient, values: Value) -> Value {
    let mut whole = json!({
        "contact_name": to.name,
        "company_name": to.company_name,
        "programme_name": context.programme.name,
        "help_email": context.programme.help.email,
    });
    if let (Some(whole), Value::Object(values)) = (whole.as_object_mut(), values) {
        whole.extend(values);
    }
    whole
}
