//! Purchases at rest: one that each membership began with, and at most one renewal booked for it, held by the database.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::purchases;
use super::{DbConn, MOST_ROWS, MultiBackend};
use crate::domain::account::AccountId;
use crate::domain::invoice::PaymentMethod;
use crate::domain::membership::MembershipId;
use crate::domain::money::Currency;
use crate::domain::purchase::{PurchaseId, PurchaseKind, PurchaseState, SellerTermsId};
use crate::error::Result;
use crate::types::Instant;

/// What was bought, as it was at that moment. Nothing but where it stands changes.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = purchases, check_for_backend(MultiBackend))]
pub struct Purchase {
    pub id: PurchaseId,
    pub account_id: AccountId,
    pub version: i64,
    pub kind: PurchaseKind,
    pub state: PurchaseState,
    /// None yet where it is booked.
    pub membership_id: Option<MembershipId>,
    /// The one that it follows or raises.
    pub from_membership_id: Option<MembershipId>,
    pub level: String,
    /// What people called the level.
    pub level_name: String,
    pub from_level: Option<String>,
    /// The yearly fee without VAT.
    pub fee_cents: i64,
    pub from_fee_cents: Option<i64>,
    /// What it costs without VAT.
    pub net_cents: i64,
    pub currency: Currency,
    pub starts_date: NaiveDate,
    pub ends_date: NaiveDate,
    pub term_days: i64,
    /// Of these, those that it is about.
    pub days_left: i64,
    /// Complete products, by which the corporate fee goes.
    pub products: i64,
    /// Points that counted.
    pub points: i64,
    pub seller_terms_id: SellerTermsId,
    pub payment_method: PaymentMethod,
    pub terms_version: String,
    /// Who bought it.
    pub actor: String,
    pub created_at: Instant,
}

/// Stores a new purchase; the caller holds the account's lock.
pub fn insert(conn: &mut DbConn, purchase: &Purchase) -> Result<()> {
    diesel::insert_into(purchases::table)
        .values(purchase)
        .execute(conn)?;
    Ok(())
}

/// The purchase of an id that the service itself holds.
pub fn find_by_id(conn: &mut DbConn, id: PurchaseId) -> Result<Option<Purchase>> {
    Ok(purchases::table
        .find(id)
        .select(Purchase::as_select())
        .first(conn)
        .optional()?)
}

/// What each of these costs without VAT.
pub fn prices(conn: &mut DbConn, ids: &[PurchaseId]) -> Result<HashMap<PurchaseId, i64>> {
    let mut prices = HashMap::new();
    for some in ids.chunks(MOST_ROWS) {
        let named = purchases::table.filter(purchases::id.eq_any(some));
        let columns = (purchases::id, purchases::net_cents);
        prices.extend(named.select(columns).load::<(PurchaseId, i64)>(conn)?);
    }
    Ok(prices)
}

/// What a membership began with.
pub fn join_of(conn: &mut DbConn, membership: MembershipId) -> Result<Option<PurchaseId>> {
    Ok(purchases::table
        .filter(purchases::membership_id.eq(membership))
        .filter(purchases::kind.eq(PurchaseKind::Join))
        .select(purchases::id)
        .first(conn)
        .optional()?)
}
