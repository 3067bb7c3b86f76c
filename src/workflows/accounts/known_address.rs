//! Whoever is known already is told by mail, never the stranger who asks.

use chrono::TimeDelta;
use serde_json::json;

use super::super::Context;
use super::super::mail::{Recipient, Terms, has_room_for_strangers, send_on};
use super::super::tasks::{Task, enqueue};
use crate::domain::account::AccountId;
use crate::domain::mail::Template;
use crate::domain::values::email_key;
use crate::error::Result;
use crate::repository::accounts::{self, Account};
use crate::repository::{DbConn, mails, users};

/// More accounts than this that share a VAT number are not told.
const MOST_TOLD: i64 = 5;

/// Has them told, whether there are any or not, so that the request itself is always the same.
pub fn tell_later(conn: &mut DbConn, context: &Context, account: &Account) -> Result<()> {
    let task = Task::TellKnownAddress {
        account_id: account.id,
        version: account.version,
    };
    enqueue(conn, &task, context.now, context.now)
}

/// Tells those who are known by the e-mail address or the VAT number of an application, each at most once a day.
pub fn tell(conn: &mut DbConn, context: &Context, account_id: AccountId) -> Result<()> {
    let Some(account) = accounts::find_by_id(conn, account_id)? else {
        return Ok(());
    };
    if !has_room_for_strangers(conn, context)? {
        return Ok(());
    }
    let terms = Terms {
        until: None,
        for_stranger: true,
    };
    let most = i64::from(context.programme.application.known_address_mails_per_day);
    let day_ago = context.now.plus(TimeDelta::days(-1));
    for to in recipients(conn, &account)? {
        let key = email_key(&to.address);
        mails::lock_address(conn, &key)?;
        let told = mails::count_since(conn, &key, Template::KnownAddressRegistered, day_ago)?;
        if told < most {
            let template = Template::KnownAddressRegistered;
            send_on(conn, context, &to, template, json!({}), terms)?;
        }
    }
    Ok(())
}

fn recipients(conn: &mut DbConn, account: &Account) -> Result<Vec<Recipient>> {
    let mut recipients = Vec::new();
    match users::find_by_email(conn, &account.contact_email_key)? {
        Some(user) => recipients.push(Recipient::user(&user, &account.company_name)),
        None => {
            let open = accounts::open_of_email(conn, &account.contact_email_key, 2)?;
            let other = open.iter().find(|other| other.id != account.id);
            recipients.extend(other.map(Recipient::contact));
        }
    }
    // Only accounts that are proven: whoever types another's VAT number into a draft would learn when its owner registers.
    if let Some(number) = &account.vat_number {
        let living = accounts::living_of_vat_number(conn, account.country, number, MOST_TOLD)?;
        let others = living.iter().filter(|other| {
            other.id != account.id && other.contact_email_key != account.contact_email_key
        });
        recipients.extend(others.map(Recipient::contact));
    }
    Ok(recipients)
}
