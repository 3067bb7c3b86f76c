//! Receipts by mail: the link to go on once an application is begun, the day of the answer once it is submitted, and that mails go elsewhere.

use serde_json::json;

use super::super::Context;
use super::super::mail::{self, Recipient, Terms, send_on};
use super::super::tasks::{Task, enqueue};
use super::links::{fresh_link, link_ends};
use crate::domain::access::{AccountAccess, ServiceAccess};
use crate::domain::account::AccountId;
use crate::domain::mail::Template;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::accounts::{self, Account};
use crate::types::Instant;

/// Has the link to go on mailed to the contact of an application, whoever that is, so that the request itself is always the same.
pub fn begin_later(conn: &mut DbConn, context: &Context, account: &Account) -> Result<()> {
    let task = Task::SendStarted {
        account_id: account.id,
        version: account.version,
    };
    enqueue(conn, &task, context.now, context.now)
}

/// Mails the link to go on with an application, as often as one address may be mailed for it. The tokens before it stay good.
pub fn send_started(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    account_id: AccountId,
) -> Result<()> {
    let account = accounts::lock(conn, &service.on(account_id))?;
    let (key, template) = (&account.contact_email_key, Template::ApplicationStarted);
    if !account.status.is_open_application()
        || !mail::may_be_asked(conn, context, key, &[template])?
    {
        return Ok(());
    }
    let url = fresh_link(conn, context, account.id)?;
    let values = mail::application(context, &account, json!({ "action_url": url }));
    let terms = Terms {
        until: Some(link_ends(context)),
        for_stranger: true,
    };
    let to = Recipient::contact(&account);
    send_on(conn, context, &to, template, values, terms)
}

/// Mails the day by which a submitted application is answered. Where the mailbox was not used yet, a stranger may have submitted it.
pub fn send_submitted(
    conn: &mut DbConn,
    context: &Context,
    account: &Account,
    due_at: Instant,
) -> Result<()> {
    let (key, template) = (&account.contact_email_key, Template::ApplicationSubmitted);
    let terms = Terms {
        until: None,
        for_stranger: account.mailbox_used_at.is_none(),
    };
    if terms.for_stranger && !mail::may_be_asked(conn, context, key, &[template])? {
        return Ok(());
    }
    let due_date = context.programme.review.date_of(due_at);
    let values = mail::application(context, account, json!({ "review_due_date": due_date }));
    let to = Recipient::contact(account);
    send_on(conn, context, &to, template, values, terms)
}

/// Tells the address that the contact had that mails go to another one, whoever changed it. A stranger may have typed both: then it is one
/// of the mails that anybody can ask for.
pub fn tell_old_address(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    before: &Account,
) -> Result<()> {
    let (key, template) = (&before.contact_email_key, Template::ContactEmailChanged);
    let terms = Terms {
        until: None,
        for_stranger: access.staff().is_none() && !before.may_be_named(),
    };
    if terms.for_stranger && !mail::may_be_asked(conn, context, key, &[template])? {
        return Ok(());
    }
    let values = mail::application(context, before, json!({}));
    let to = Recipient::contact(before);
    send_on(conn, context, &to, template, values, terms)
}
