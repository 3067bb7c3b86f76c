//! Cards at rest, as tokens of the payment provider.

use diesel::prelude::*;

use super::schema::cards;
use super::{DbConn, MultiBackend};
use crate::domain::account::AccountId;
use crate::domain::card::{Card, CardId};
use crate::error::{Error, Result};
use crate::types::Instant;

/// A card of an account.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = cards, check_for_backend(MultiBackend))]
pub struct StoredCard {
    pub id: CardId,
    pub account_id: AccountId,
    pub provider_token: String,
    pub brand: String,
    pub last4: String,
    pub expires_year: i64,
    pub expires_month: i64,
    pub created_at: Instant,
}

/// Stores a card of an account.
pub fn insert(
    conn: &mut DbConn,
    account_id: AccountId,
    card: &Card,
    now: Instant,
) -> Result<StoredCard> {
    let stored = StoredCard {
        id: CardId::new(now),
        account_id,
        provider_token: card.provider_token.clone(),
        brand: card.brand.clone(),
        last4: card.last4.clone(),
        expires_year: card.expires_year.into(),
        expires_month: card.expires_month.into(),
        created_at: now,
    };
    diesel::insert_into(cards::table)
        .values(&stored)
        .execute(conn)?;
    Ok(stored)
}

/// The card of an id that a membership names.
pub fn find(conn: &mut DbConn, id: CardId) -> Result<StoredCard> {
    let found = cards::table
        .find(id)
        .select(StoredCard::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Error::internal("reading a membership's card")("there is none"))
}
