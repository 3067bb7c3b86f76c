//! The products of old accounts that wait to be taken over: which, and what they will lack. Taking them over is in `takeover`.

use super::legacy_state;
use crate::domain::access::AccountAccess;
use crate::domain::legacy_migration::{Availability, availability};
use crate::domain::model::name_key;
use crate::domain::product::ProductField;
use crate::domain::product_details::Details;
use crate::error::Result;
use crate::repository::catalogue::{Catalogue, CatalogueModel};
use crate::repository::legacy_migration::LegacyProduct;
use crate::repository::{DbConn, accounts};
use crate::workflows::Context;
use crate::workflows::products::checked;

/// An old product that was not taken over yet.
#[derive(Debug, Clone)]
pub struct WaitingProduct {
    pub legacy: LegacyProduct,
    /// What it will lack.
    pub missing: Vec<ProductField>,
}

/// Whether products of old accounts can be taken over, and those that wait for it.
pub fn waiting(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
) -> Result<(Availability, Vec<WaitingProduct>)> {
    let account = accounts::find(conn, access)?;
    let state = legacy_state(conn, &account)?;
    let catalogue = context.catalogue.current(conn)?;
    let products = state.own.iter().flat_map(|one| one.waiting());
    let waiting = products.map(|product| WaitingProduct {
        missing: missing(context, &catalogue, product),
        legacy: product.clone(),
    });
    Ok((availability(state.facts), waiting.collect()))
}

fn missing(context: &Context, catalogue: &Catalogue, product: &LegacyProduct) -> Vec<ProductField> {
    match catalogue.of_name(&name_key(&product.model)) {
        Some(model) => usable(context, model, product).missing(),
        None => details(product).missing(),
    }
}

fn details(product: &LegacyProduct) -> Details {
    Details {
        serial_number: product.serial_number.clone(),
        purchase_date: product.purchase_date,
        purchase_country: product.purchase_country,
        dealer: product.dealer.clone(),
        ..Details::default()
    }
}

/// What an old product says, without what today's rules refuse.
pub(super) fn usable(
    context: &Context,
    model: &CatalogueModel,
    product: &LegacyProduct,
) -> Details {
    let mut details = details(product);
    let faults = checked(context, model, &details).err();
    for fault in faults.into_iter().flatten() {
        match fault.pointer.as_str() {
            "#/serial_number" => details.serial_number = None,
            _ => details.purchase_date = None,
        }
    }
    details
}
