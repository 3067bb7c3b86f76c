//! Mails on their way and, in the sandbox, those that arrived; what they say is sealed.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::backend::advisory_lock;
use super::schema::mails;
use super::sweeping::{self, SweepText, sweep_text};
use super::{DbConn, MultiBackend};
use crate::domain::language::Language;
use crate::domain::mail::Template;
use crate::error::Result;
use crate::types::{Instant, id};

id!(
    /// One mail.
    MailId, "mai_"
);

/// One mail.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = mails, check_for_backend(MultiBackend))]
pub struct Mail {
    pub id: MailId,
    pub to_address: String,
    pub to_key: String,
    pub template: Template,
    pub language: Language,
    /// What the template is filled with, sealed; none once it has left the house.
    pub sealed: Option<String>,
    pub created_at: Instant,
    pub sent_at: Option<Instant>,
    /// When the link or code in it runs out: from then on it is not worth sending.
    pub expires_at: Option<Instant>,
    /// Whether it waits and a stranger asked for it: of these only so many are made.
    pub stranger_waits: bool,
}

/// Stores a mail.
pub fn insert(conn: &mut DbConn, mail: &Mail) -> Result<()> {
    diesel::insert_into(mails::table)
        .values(mail)
        .execute(conn)?;
    Ok(())
}

/// The mail of an id.
pub fn find(conn: &mut DbConn, id: MailId) -> Result<Option<Mail>> {
    Ok(mails::table
        .find(id)
        .select(Mail::as_select())
        .first(conn)
        .optional()?)
}

/// Marks a mail as sent; of what it says stays what is `kept` for the sandbox mailbox.
pub fn mark_sent(conn: &mut DbConn, id: MailId, kept: Option<&str>, now: Instant) -> Result<()> {
    diesel::update(mails::table.find(id))
        .set((
            mails::sent_at.eq(now),
            mails::stranger_waits.eq(false),
            mails::sealed.eq(kept),
        ))
        .execute(conn)?;
    Ok(())
}

/// Lets go of what a mail says, without its having been sent.
pub fn drop_unsent(conn: &mut DbConn, id: MailId) -> Result<()> {
    forget_text(conn, id)?;
    wait_no_longer(conn, id)
}

fn forget_text(conn: &mut DbConn, id: MailId) -> Result<()> {
    diesel::update(mails::table.find(id))
        .set(mails::sealed.eq(None::<String>))
        .execute(conn)?;
    Ok(())
}

/// A mail that a stranger asked for counts among those that wait no longer.
pub fn wait_no_longer(conn: &mut DbConn, id: MailId) -> Result<()> {
    diesel::update(mails::table.find(id))
        .set(mails::stranger_waits.eq(false))
        .execute(conn)?;
    Ok(())
}

/// Whether `most` mails wait that strangers asked for.
pub fn do_strangers_fill(conn: &mut DbConn, most: i64) -> Result<bool> {
    let last: Option<MailId> = mails::table
        // A literal: SQLite proves its partial index by nothing else.
        .filter(mails::stranger_waits.eq(sql::<Bool>("TRUE")))
        .order(mails::id)
        .offset(most - 1)
        .select(mails::id)
        .first(conn)
        .optional()?;
    Ok(last.is_some())
}

/// The mails that were kept for an address, or for any, newest first; one that left the house is not.
pub fn arrived(
    conn: &mut DbConn,
    to_key: Option<&str>,
    before: Option<MailId>,
    limit: i64,
) -> Result<Vec<Mail>> {
    let mut query = mails::table
        .filter(mails::sent_at.is_not_null())
        .filter(mails::sealed.is_not_null())
        .select(Mail::as_select())
        .into_boxed();
    if let Some(to) = to_key {
        query = query.filter(mails::to_key.eq(to));
    }
    if let Some(before) = before {
        query = query.filter(mails::id.lt(before));
    }
    Ok(query.order(mails::id.desc()).limit(limit).load(conn)?)
}

const SWEEP: SweepText = sweep_text!(
    "mails",
    "id",
    "created_at < $1 AND (sent_at IS NOT NULL OR sealed IS NULL)"
);

/// Forgets at most `limit` mails that were made before `before` and do not wait any more; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP, before, limit)
}

/// Keeps others from counting the mails to an address until the transaction ends, so that the count holds.
pub fn lock_address(conn: &mut DbConn, to_key: &str) -> Result<()> {
    Ok(advisory_lock(conn, &format!("mails {to_key}"))?)
}

/// How many mails of `template` to the address were made since `since`.
pub fn count_since(
    conn: &mut DbConn,
    to_key: &str,
    template: Template,
    since: Instant,
) -> Result<i64> {
    let made = mails::table
        .filter(mails::to_key.eq(to_key))
        .filter(mails::template.eq(template))
        .filter(mails::created_at.gt(since));
    Ok(made.count().get_result(conn)?)
}
