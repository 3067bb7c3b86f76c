//! What things were sold under, at rest: nothing changes a row.

use diesel::prelude::*;

use super::backend::advisory_lock;
use super::schema::seller_terms;
use super::{DbConn, MultiBackend};
use crate::domain::purchase::SellerTermsId;
use crate::each;
use crate::error::Result;
use crate::types::{Instant, Json};

/// What a seller sold under at some time.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = seller_terms, check_for_backend(MultiBackend))]
pub struct SellerTerms {
    pub id: SellerTermsId,
    pub seller_key: String,
    /// Of its content, in lower-case hex.
    pub sha256: String,
    /// The sections of the programme.
    pub content: Json,
    pub created_at: Instant,
}

/// Holds other sellers off until this transaction ends.
pub fn hold(conn: &mut DbConn) -> Result<()> {
    Ok(advisory_lock(conn, "seller_terms")?)
}

/// Keeps terms unless the same are kept already; the id under which they are.
pub fn keep(conn: &mut DbConn, terms: &SellerTerms) -> Result<SellerTermsId> {
    each!(conn, c => diesel::insert_into(seller_terms::table)
        .values(terms)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(seller_terms::table
        .filter(seller_terms::sha256.eq(&terms.sha256))
        .select(seller_terms::id)
        .first(conn)?)
}

/// The terms of an id that a purchase names.
pub fn find(conn: &mut DbConn, id: SellerTermsId) -> Result<SellerTerms> {
    Ok(seller_terms::table
        .find(id)
        .select(SellerTerms::as_select())
        .first(conn)?)
}

/// Every id under which terms are kept.
pub fn ids(conn: &mut DbConn) -> Result<Vec<SellerTermsId>> {
    Ok(seller_terms::table
        .order(seller_terms::id)
        .select(seller_terms::id)
        .load(conn)?)
}

/// What other sellers sold under.
pub fn of_others(conn: &mut DbConn, seller_key: &str) -> Result<Vec<SellerTerms>> {
    Ok(seller_terms::table
        .filter(seller_terms::seller_key.ne(seller_key))
        .order(seller_terms::id)
        .select(SellerTerms::as_select())
        .load(conn)?)
}

/// The terms of these ids.
pub fn all(conn: &mut DbConn, ids: &[SellerTermsId]) -> Result<Vec<SellerTerms>> {
    Ok(seller_terms::table
        .filter(seller_terms::id.eq_any(ids))
        .select(SellerTerms::as_select())
        .load(conn)?)
}
