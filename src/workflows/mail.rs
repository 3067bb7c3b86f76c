//! Putting a mail on its way: what it says is sealed, since links and codes are secrets.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::Context;
use super::tasks::{Task, enqueue};
use crate::domain::account::email_key;
use crate::domain::language::Language;
use crate::domain::mail::Template;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::accounts::Account;
use crate::repository::mails::{self, Mail, MailId};
use crate::repository::users::User;

/// Whom a mail goes to.
#[derive(Debug, Clone)]
pub struct Recipient {
    pub address: String,
    pub name: String,
    pub company_name: String,
    pub language: Language,
}

impl Recipient {
    /// The contact of an account.
    pub fn contact(account: &Account) -> Self {
        Self {
            address: account.contact_email.clone(),
            name: account.contact_name.clone(),
            company_name: account.company_name.clone(),
            language: account.language,
        }
    }

    /// A user; `company_name` is that of the user's account, or the programme's own for staff.
    pub fn user(user: &User, company_name: &str) -> Self {
        Self {
            address: user.email.clone(),
            name: user.name.clone(),
            company_name: company_name.to_owned(),
            language: user.language,
        }
    }
}

/// Whether one more mail of these templates, which anybody can ask for, may go to an address within the hour.
pub fn may_be_asked(
    conn: &mut DbConn,
    context: &Context,
    to_key: &str,
    templates: &[Template],
) -> Result<bool> {
    mails::hold_address(conn, to_key)?;
    let since = context.now.plus(TimeDelta::hours(-1));
    let mut sent = 0;
    for template in templates {
        sent += mails::count_since(conn, to_key, *template, since)?;
    }
    Ok(sent < i64::from(context.programme.mails.asked_per_hour))
}

/// Stores a mail and has it sent. `values` fill its template, beside the names that every template has.
pub fn send(
    conn: &mut DbConn,
    context: &Context,
    to: &Recipient,
    template: Template,
    values: Value,
) -> Result<()> {
    let mut whole = json!({
        "contact_name": to.name,
        "company_name": to.company_name,
        "programme_name": context.programme.name,
        "help_email": context.programme.help.email,
    });
    if let (Some(whole), Value::Object(values)) = (whole.as_object_mut(), values) {
        whole.extend(values);
    }
    let mail = Mail {
        id: MailId::new(context.now),
        to_address: to.address.clone(),
        to_key: email_key(&to.address),
        template,
        language: to.language,
        sealed: Some(context.sealer.seal(whole.to_string().as_bytes())?),
        created_at: context.now,
        sent_at: None,
    };
    mails::insert(conn, &mail)?;
    enqueue(
        conn,
        &Task::SendMail { mail_id: mail.id },
        context.now,
        context.now,
    )
}
