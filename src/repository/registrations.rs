//! What partners have reported, at rest: one row a line that was taken in.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::backend::is_duplicate;
use super::schema::{partners, registrations};
use super::{DbConn, MOST_ROWS, MultiBackend};
use crate::domain::account::AccountId;
use crate::domain::model::ModelId;
use crate::domain::partner::PartnerId;
use crate::domain::product::ProductId;
use crate::domain::registration::{
    RefusalReason, RegistrationId, RegistrationNote, RegistrationStatus, Verb,
};
use crate::domain::registration_batch::BatchId;
use crate::domain::values::Country;
use crate::each;
use crate::error::{Code, Error, Result};
use crate::types::{Instant, Json};

/// One line of a partner that was taken in.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = registrations, check_for_backend(MultiBackend), treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Registration {
    pub id: RegistrationId,
    pub partner_id: PartnerId,
    /// The partner's own id of this line.
    pub external_id: String,
    pub verb: Verb,
    /// The sale that a return or a correction names.
    pub of_id: Option<RegistrationId>,
    /// SHA-256 of the line as it was understood.
    pub body_hash: String,
    pub status: RegistrationStatus,
    pub code: Option<RegistrationNote>,
    pub reason: Option<RefusalReason>,
    pub account_id: AccountId,
    pub product_id: Option<ProductId>,
    pub model_id: Option<ModelId>,
    /// As it is compared.
    pub serial_key: Option<String>,
    /// [`Reported`](crate::domain::registration::Reported): what this partner said last of the product.
    pub reported: Option<Json>,
    pub offer_expires_at: Option<Instant>,
    /// The batch that it came in last; none of a line that came alone.
    pub batch_id: Option<BatchId>,
    pub version: i64,
    pub created_at: Instant,
    pub changed_at: Instant,
}

/// Which lines are listed.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// None: those of every partner.
    pub partner: Option<PartnerId>,
    pub status: Option<RegistrationStatus>,
    pub external_id: Option<String>,
    /// As it is compared.
    pub serial_key: Option<String>,
    pub batch: Option<BatchId>,
    pub before: Option<RegistrationId>,
    pub limit: i64,
}

/// The lines that match, newest first.
pub fn list(conn: &mut DbConn, listing: &Listing) -> Result<Vec<Registration>> {
    let mut query = registrations::table
        .select(Registration::as_select())
        .into_boxed();
    if let Some(partner) = listing.partner {
        query = query.filter(registrations::partner_id.eq(partner));
    }
    if let Some(status) = listing.status {
        query = query.filter(registrations::status.eq(status));
    }
    if let Some(external_id) = &listing.external_id {
        query = query.filter(registrations::external_id.eq(external_id.clone()));
    }
    if let Some(key) = &listing.serial_key {
        query = query.filter(registrations::serial_key.eq(key.clone()).assume_not_null());
    }
    if let Some(batch) = listing.batch {
        query = query.filter(registrations::batch_id.eq(batch).assume_not_null());
    }
    if let Some(before) = listing.before {
        query = query.filter(registrations::id.lt(before));
    }
    Ok(query
        .order(registrations::id.desc())
        .limit(listing.limit)
        .load(conn)?)
}

/// One line, of this partner where one asks.
pub fn find(
    conn: &mut DbConn,
    partner: Option<PartnerId>,
    id: RegistrationId,
) -> Result<Option<Registration>> {
    let found: Option<Registration> = registrations::table
        .find(id)
        .select(Registration::as_select())
        .first(conn)
        .optional()?;
    Ok(found.filter(|found| partner.is_none_or(|partner| partner == found.partner_id)))
}

/// The lines of a partner with these ids of its own.
pub fn of_external_ids(
    conn: &mut DbConn,
    partner: PartnerId,
    ids: &[&str],
) -> Result<Vec<Registration>> {
    let mut found = Vec::new();
    for some in ids.chunks(MOST_ROWS) {
        let rows: Vec<Registration> = registrations::table
            .filter(registrations::partner_id.eq(partner))
            .filter(registrations::external_id.eq_any(some))
            .select(Registration::as_select())
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The sales of a partner that name one of these serial numbers of these models.
pub fn of_serials(
    conn: &mut DbConn,
    partner: PartnerId,
    models: &[ModelId],
    serial_keys: &[&str],
) -> Result<Vec<Registration>> {
    let mut found = Vec::new();
    for some in serial_keys.chunks(MOST_ROWS) {
        let rows: Vec<Registration> = registrations::table
            .filter(registrations::partner_id.eq(partner))
            .filter(registrations::verb.eq(Verb::Register))
            .filter(registrations::model_id.eq_any(models).assume_not_null())
            .filter(registrations::serial_key.eq_any(some).assume_not_null())
            .select(Registration::as_select())
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// What a partner has reported of an account since a moment, oldest first; at most `limit`.
pub fn changed_since(
    conn: &mut DbConn,
    (partner, account): (PartnerId, AccountId),
    since: Instant,
    limit: i64,
) -> Result<Vec<Registration>> {
    Ok(registrations::table
        .filter(registrations::partner_id.eq(partner))
        .filter(registrations::account_id.eq(account))
        .filter(registrations::verb.eq(Verb::Register))
        .filter(registrations::changed_at.ge(since))
        .order(registrations::id)
        .limit(limit)
        .select(Registration::as_select())
        .load(conn)?)
}

/// Stores new lines. `Contended` where the partner has one of them by now, or another open one of its serial number.
pub fn insert(conn: &mut DbConn, new: &[Registration]) -> Result<()> {
    let table = registrations::table;
    let mut stored = 0;
    for some in new.chunks(MOST_ROWS) {
        stored += each!(conn, c => diesel::insert_into(table).values(some).on_conflict_do_nothing().execute(c))?;
    }
    match stored == new.len() {
        true => Ok(()),
        false => Err(Error::Contended),
    }
}

/// Stores a line of a held account as its next version.
fn store(conn: &mut DbConn, changed: &Registration) -> QueryResult<usize> {
    let row = registrations::table
        .find(changed.id)
        .filter(registrations::version.eq(changed.version - 1));
    diesel::update(row).set(changed).execute(conn)
}

/// Stores lines of held accounts as their next versions, together: those that let go of a serial number, and those that name it from now on, in
/// whatever order. `Contended` where one has changed meanwhile, or the partner has another open one of a serial number.
pub fn store_many(conn: &mut DbConn, changed: &[Registration]) -> Result<()> {
    if changed.len() > 1 {
        for some in changed.chunks(MOST_ROWS) {
            let ids = some.iter().map(|line| line.id);
            diesel::update(registrations::table.filter(registrations::id.eq_any(ids)))
                .set(registrations::serial_key.eq(None::<String>))
                .execute(conn)?;
        }
    }
    for some in changed.chunks(MOST_ROWS) {
        let stored = match some {
            [line] => store(conn, line),
            lines => overwrite(conn, lines),
        };
        let stored = match stored {
            Err(error) if is_duplicate(&error, "registrations", "serial_key") => 0,
            stored => stored?,
        };
        if stored < some.len() {
            return Err(Error::Contended);
        }
    }
    Ok(())
}

fn overwrite(conn: &mut DbConn, lines: &[Registration]) -> QueryResult<usize> {
    each!(conn, c => diesel::insert_into(registrations::table)
        .values(lines)
        .on_conflict(registrations::id)
        .do_update()
        .set((
            registrations::body_hash.eq(excluded(registrations::body_hash)),
            registrations::status.eq(excluded(registrations::status)),
            registrations::code.eq(excluded(registrations::code)),
            registrations::reason.eq(excluded(registrations::reason)),
            registrations::account_id.eq(excluded(registrations::account_id)),
            registrations::product_id.eq(excluded(registrations::product_id)),
            registrations::model_id.eq(excluded(registrations::model_id)),
            registrations::serial_key.eq(excluded(registrations::serial_key)),
            registrations::reported.eq(excluded(registrations::reported)),
            registrations::offer_expires_at.eq(excluded(registrations::offer_expires_at)),
            registrations::batch_id.eq(excluded(registrations::batch_id)),
            registrations::version.eq(excluded(registrations::version)),
            registrations::created_at.eq(excluded(registrations::created_at)),
            registrations::changed_at.eq(excluded(registrations::changed_at)),
        ))
        .execute(c))
}

/// The name and the country of a partner.
pub fn dealer(conn: &mut DbConn, partner: PartnerId) -> Result<(String, Country)> {
    let found = partners::table
        .find(partner)
        .select((partners::name, partners::country))
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Code::NotFound.into())
}
