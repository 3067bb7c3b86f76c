//! What a dealer offers and its customer answers. What ends without an answer is in `ending`; what a product becomes is in `products`.

mod ending;

use std::sync::Arc;

use super::products::Inventories;
use super::{Context, partner_alerts};
use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::offer::{Blocked, blocked};
use crate::domain::product::ProductId;
use crate::domain::registration::{RefusalReason, RegistrationNote, RegistrationStatus};
use crate::error::{Error, Result};
use crate::repository::catalogue::Catalogue;
use crate::repository::offers::{self, Lines, Offer};
use crate::repository::products::{self, Product};
use crate::repository::registrations::Registration;
use crate::repository::{DbConn, Held, accounts, events};

pub use ending::{expire, remind, watch};

/// Offers, each with what keeps it from being accepted now, and the catalogue that names their models.
pub struct Found {
    pub offers: Vec<(Offer, Option<Blocked>)>,
    pub catalogue: Arc<Catalogue>,
}

/// The offers of an account that wait for an answer, the newest first.
pub fn list(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    before: Option<ProductId>,
    limit: i64,
) -> Result<Found> {
    let offers = offers::list(conn, access, context.now, before, limit)?;
    let catalogue = context.catalogue.current(conn)?;
    let serials = offers.iter().filter_map(|(product, ..)| product.serial());
    let (models, keys): (Vec<_>, Vec<_>) = serials.unzip();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut holders = products::of_serials(conn, &models, &keys)?;
    holders.retain(|product| product.holds_serial);
    let with_holder = |offer: Offer| {
        let product = &offer.0;
        let has_it = |holder: &&Product| holder.serial() == product.serial();
        let holder = holders.iter().find(has_it);
        let facts = holder.map(|holder| holder.as_holder(product.account_id));
        let reserve_days = context.programme.products.reserve_days;
        let blocked = facts.and_then(|facts| blocked(facts, context.now, reserve_days));
        (offer, blocked)
    };
    Ok(Found {
        offers: offers.into_iter().map(with_holder).collect(),
        catalogue,
    })
}

/// Accepts an offer: it is a registration from then on, or confirms the one that the account has. The product that it is by then.
pub fn accept(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    id: ProductId,
) -> Result<Product> {
    let wanted = Vec::from_iter(products::find(conn, access, id)?.serial());
    let catalogue = context.catalogue.current(conn)?;
    let mut inventories = Inventories::open(conn, context, catalogue, &[access], &wanted)?;
    let account = inventories.account(access.account_id())?;
    let (offered, lines) = offers::lock(conn, account, id, context.now)?;
    let Lines {
        mut line,
        mut others,
    } = lines;
    let registered_as = inventories.accept(conn, offered, line.partner_id)?;
    let stored = inventories.flush(conn)?;
    let product = stored.into_iter().find(|one| one.id == registered_as);
    let product = product.ok_or(Error::Contended)?;
    if registered_as != id {
        line.code = Some(RegistrationNote::Confirmed);
    }
    let accepted = RegistrationStatus::accepted(product.status);
    // One line of a partner stands on a serial number: the others found it registered, and so it is.
    let others = others.iter_mut();
    let others = others.map(|other| (other, RegistrationStatus::AlreadyRegistered));
    for (one, status) in [(&mut line, accepted)].into_iter().chain(others) {
        one.product_id = Some(registered_as);
        close(conn, context, one, status)?;
    }
    let accepted = Event::RegistrationAccepted {
        partner_id: line.partner_id,
        registration_id: line.id,
        external_id: line.external_id.clone(),
        status: line.status,
        product_id: registered_as,
    };
    events::record(conn, &access.stamp(context.now), &[accepted])?;
    Ok(product)
}

/// Refuses an offer.
pub fn refuse(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    (id, reason): (ProductId, RefusalReason),
) -> Result<()> {
    let account = accounts::lock_active(conn, access)?;
    let (mut offered, lines) = offers::lock(conn, &account, id, context.now)?;
    offered.end(reason.into(), context.now);
    products::store(conn, &mut offered, context.now)?;
    let partner_id = lines.line.partner_id;
    let mut happened = vec![Event::ProductOfferDeclined {
        account_id: account.id,
        product_id: id,
        reason,
    }];
    for mut line in lines.others.into_iter().chain([lines.line]) {
        line.reason = Some(reason);
        close(conn, context, &mut line, RegistrationStatus::Declined)?;
        happened.push(Event::RegistrationDeclined {
            partner_id,
            registration_id: line.id,
            external_id: line.external_id.clone(),
            status: line.status,
            reason,
        });
    }
    let stamp = access.stamp(context.now);
    events::record(conn, &stamp, &happened)?;
    match reason {
        RefusalReason::Declined => Ok(()),
        RefusalReason::NotMine => partner_alerts::watch_refusals(conn, context, &stamp, partner_id),
    }
}

/// Stores the line of an offer that was answered.
fn close(
    conn: &mut DbConn,
    context: &Context,
    line: &mut Held<Registration>,
    status: RegistrationStatus,
) -> Result<()> {
    line.status = status;
    line.offer_expires_at = None;
    offers::store(conn, line, context.now)
}
