//! What is bought, with what it is sold under, frozen at that moment. Invoicing it is in `invoices`.

use serde_json::Value;

use super::membership::{complete_products, level_name};
use crate::domain::actor::Stamp;
use crate::domain::invoice::referred;
use crate::domain::membership::term_days;
use crate::domain::purchase::{PurchaseId, PurchaseKind, PurchaseState, SellerTermsId};
use crate::error::Result;
use crate::programme::{self, Programme};
use crate::repository::DbConn;
use crate::repository::memberships::Membership;
use crate::repository::purchases::{self, Purchase};
use crate::repository::seller_terms::{self, SellerTerms};
use crate::secrets::sha256_hex;
use crate::types::{Instant, Json};

/// Keeps what the programme sells under, unless the same is kept already.
pub fn keep_terms(conn: &mut DbConn, programme: &Programme, now: Instant) -> Result<SellerTermsId> {
    keep(conn, programme.seller.key(), &programme.frozen, now)
}

/// Keeps the frozen sections of a programme under the key of its seller.
pub(in crate::workflows) fn keep(
    conn: &mut DbConn,
    seller_key: String,
    frozen: &Value,
    now: Instant,
) -> Result<SellerTermsId> {
    let terms = SellerTerms {
        id: SellerTermsId::new(now),
        seller_key,
        sha256: sha256_hex(serde_json::to_string(frozen)?.as_bytes()),
        content: Json::of(frozen)?,
        created_at: now,
    };
    seller_terms::keep(conn, &terms)
}

/// What something was sold under.
pub fn terms(conn: &mut DbConn, id: SellerTermsId) -> Result<programme::SellerTerms> {
    Ok(seller_terms::find(conn, id)?.content.decode()?)
}

/// Keeps what the programme sells under, unless its prefix is another seller's, who is answered then: numbers and payment references are told apart by what
/// references hold of it. Of two who come at once the second waits here.
pub fn keep_prefix(
    conn: &mut DbConn,
    programme: &Programme,
    now: Instant,
) -> Result<Option<String>> {
    seller_terms::hold(conn)?;
    let own = referred(&programme.invoice.prefix);
    for other in seller_terms::of_others(conn, &programme.seller.key())? {
        let terms: programme::SellerTerms = other.content.decode()?;
        if referred(&terms.invoice.prefix) == own {
            return Ok(Some(other.seller_key));
        }
    }
    keep_terms(conn, programme, now)?;
    Ok(None)
}

/// Stores that a first term was bought; the caller holds the account's lock.
pub fn record_join(
    conn: &mut DbConn,
    programme: &Programme,
    stamp: &Stamp,
    (membership, terms): (&Membership, SellerTermsId),
) -> Result<PurchaseId> {
    let (starts, ends) = (membership.starts_date, membership.ends_date);
    let products = complete_products(conn, membership.account_id)?;
    let purchase = Purchase {
        id: PurchaseId::new(stamp.now),
        account_id: membership.account_id,
        version: 1,
        kind: PurchaseKind::Join,
        state: PurchaseState::Started,
        membership_id: Some(membership.id),
        from_membership_id: None,
        level: membership.level.clone(),
        level_name: level_name(&programme.levels, &membership.level).to_owned(),
        from_level: None,
        fee_cents: membership.fee_cents,
        from_fee_cents: None,
        net_cents: membership.fee_cents,
        currency: membership.currency,
        starts_date: starts,
        ends_date: ends,
        term_days: term_days(starts, ends),
        days_left: term_days(starts, ends),
        products: i64::try_from(products).unwrap_or(i64::MAX),
        points: membership.points_at_joining,
        seller_terms_id: terms,
        payment_method: membership.payment_method,
        terms_version: membership.terms_version.clone(),
        actor: stamp.actor.to_string(),
        created_at: membership.created_at,
    };
    purchases::insert(conn, &purchase)?;
    Ok(purchase.id)
}
