//! Partners at rest.

use diesel::prelude::*;

use super::held::{Held, store, stored};
use super::schema::partners;
use super::{DbConn, MultiBackend};
use crate::domain::partner::{PartnerId, PartnerStatus};
use crate::domain::values::Country;
use crate::error::Result;
use crate::locked;
use crate::types::Instant;

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

/// Stores the partner as its next version.
pub fn store(conn: &mut DbConn, partner: &mut Held<Partner>) -> Result<()> {
    stored(store!(conn, partners, partner))
}
