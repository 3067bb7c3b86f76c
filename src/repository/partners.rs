//! Partners at rest.

use diesel::prelude::*;

use super::held::{Held, store, stored};
use super::like::containing;
use super::schema::partners;
use super::{DbConn, MultiBackend};
use crate::domain::partner::{PartnerId, PartnerStatus};
use crate::domain::values::Country;
use crate::error::Result;
use crate::locked;
use crate::types::Instant;

#[diesel::declare_sql_function]
extern "SQL" {
    /// As the database has it: SQLite knows the letters of ASCII alone.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// A dealer in our records.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = partners, check_for_backend(MultiBackend), treat_none_as_null = true)]
pub struct Partner {
    pub id: PartnerId,
    pub version: i64,
    pub name: String,
    pub country: Country,
    pub contact_email: String,
    pub status: PartnerStatus,
    /// Its own number of lines a day; without one that of the programme holds.
    pub lines_per_day: Option<i64>,
    pub created_at: Instant,
}

/// Stores a new partner.
pub fn insert(conn: &mut DbConn, partner: &Partner) -> Result<()> {
    diesel::insert_into(partners::table)
        .values(partner)
        .execute(conn)?;
    Ok(())
}

/// The partner of an id.
pub fn find_by_id(conn: &mut DbConn, id: PartnerId) -> Result<Option<Partner>> {
    let found = partners::table.find(id).select(Partner::as_select());
    Ok(found.first(conn).optional()?)
}

/// A partner, held against other writers.
pub fn lock(conn: &mut DbConn, id: PartnerId) -> Result<Option<Held<Partner>>> {
    let found: Option<Partner> =
        locked!(conn, partners::table.find(id).select(Partner::as_select())).optional()?;
    Ok(found.map(Held::new))
}

/// Which partners to list.
#[derive(Debug, Clone)]
pub struct Search {
    pub status: Option<PartnerStatus>,
    /// Part of the name.
    pub text: Option<String>,
    pub before: Option<PartnerId>,
    pub limit: i64,
}

/// The partners that match, newest first.
pub fn search(conn: &mut DbConn, search: &Search) -> Result<Vec<Partner>> {
    let mut query = partners::table.select(Partner::as_select()).into_boxed();
    if let Some(status) = search.status {
        query = query.filter(partners::status.eq(status));
    }
    if let Some(text) = &search.text {
        query = query.filter(lower(partners::name).like(containing(text)).escape('\\'));
    }
    if let Some(before) = search.before {
        query = query.filter(partners::id.lt(before));
    }
    let newest_first = query.order(partners::id.desc());
    Ok(newest_first.limit(search.limit).load(conn)?)
}

/// Stores the partner as its next version.
pub fn store(conn: &mut DbConn, partner: &mut Held<Partner>) -> Result<()> {
    stored(store!(conn, partners, partner))
}
