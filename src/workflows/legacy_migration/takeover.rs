//! Fetching the products of an old account: each with its result, once.

use std::collections::BTreeMap;

use super::{LegacyState, legacy_state};
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::event::Event;
use crate::domain::legacy_migration::{
    Availability, LegacyProductId, MigrationResult, availability as available, result,
};
use crate::domain::model::name_key;
use crate::domain::product::{ProductField, ProductId, ProductStatus};
use crate::domain::product_details::Details;
use crate::error::{Code, Error, Fault, FaultCode, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::catalogue::{Catalogue, CatalogueModel};
use crate::repository::legacy_migration::{self as legacy, LegacyAccount, LegacyProduct, Takeover};
use crate::repository::products::{self, Product};
use crate::repository::{DbConn, events};
use crate::workflows::Context;
use crate::workflows::products::{Inventories, Registered, Wanted, checked, missing_of, wanted};

/// What became of one product of the old account.
#[derive(Debug, Clone)]
pub struct MigratedItem {
    pub legacy: LegacyProduct,
    pub result: MigrationResult,
    pub missing: Vec<ProductField>,
}

/// What a takeover came to.
#[derive(Debug, Clone)]
pub struct Migrated {
    pub items: Vec<MigratedItem>,
    pub points_granted: i64,
}

/// Takes over the products with these references, or all; those that were taken over before answer as they did then.
pub fn migrate(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    references: Option<&[String]>,
) -> Result<Migrated> {
    let seen = accounts::find(conn, access)?;
    let catalogue = context.catalogue.current(conn)?;
    let serials = wanted_by(conn, context, &catalogue, &seen)?;
    // All accounts at once and first: whoever holds one and waits for another waits in a circle.
    let mut inventories = Inventories::open(conn, context, catalogue.clone(), &[access], &serials)?;
    let account = inventories.account(access.account_id())?;
    let (legacy, takeover) = takeable(legacy_state(conn, account)?, account.id)?;
    let chosen = choose(legacy::products(conn, legacy.id)?, references)?;
    let waiting: Vec<&LegacyProduct> = chosen.iter().filter(|one| one.result.is_none()).collect();
    let mut fetched = Vec::new();
    if !waiting.is_empty() {
        take(conn, context, access, &legacy, takeover)?;
        fetched = fetch(
            conn,
            context,
            &catalogue,
            &mut inventories,
            access,
            &waiting,
        )?;
    }
    let points_granted = inventories.gained(access.account_id());
    inventories.flush(conn)?;
    legacy::set_results(conn, &fetched)?;
    let wanted: Vec<LegacyProductId> = chosen.iter().map(|one| one.id).collect();
    let mut stored = legacy::products(conn, legacy.id)?;
    stored.retain(|one| wanted.contains(&one.id));
    Ok(Migrated {
        items: items(conn, access, stored)?,
        points_granted,
    })
}

/// The old account, with its takeover if there was one, unless this account may not take it over.
fn takeable(
    state: LegacyState,
    account_id: AccountId,
) -> Result<(LegacyAccount, Option<Takeover>)> {
    let availability = available(state.facts);
    let Some((legacy, takeover)) = state.legacy else {
        return Err(refusal(availability));
    };
    let is_own = takeover
        .as_ref()
        .is_some_and(|one| one.account_id == account_id);
    if !is_own && matches!(availability, Availability::Unavailable(_)) {
        return Err(refusal(availability));
    }
    Ok((legacy, takeover))
}

fn refusal(availability: Availability) -> Error {
    match availability {
        Availability::Unavailable(reason) => reason.code().into(),
        Availability::Available { .. } => Error::Contended,
    }
}

fn choose(
    products: Vec<LegacyProduct>,
    references: Option<&[String]>,
) -> Result<Vec<LegacyProduct>> {
    let Some(references) = references else {
        return Ok(products);
    };
    let is_known = |reference: &String| {
        products
            .iter()
            .any(|product| product.legacy_reference == *reference)
    };
    let unknown = references
        .iter()
        .enumerate()
        .filter(|(_, reference)| !is_known(reference));
    let faults: Vec<Fault> = unknown
        .map(|(at, _)| {
            Fault::new(
                format!("#/legacy_references/{at}"),
                FaultCode::ReferenceUnknown,
            )
        })
        .collect();
    if !faults.is_empty() {
        return Err(Error::invalid(faults));
    }
    let chosen = products
        .into_iter()
        .filter(|product| references.contains(&product.legacy_reference));
    Ok(chosen.collect())
}

/// Makes the old account this one's; its member number leads here from now on.
fn take(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    legacy: &LegacyAccount,
    takeover: Option<Takeover>,
) -> Result<()> {
    let takeover = match takeover {
        Some(attached) => attached,
        None => {
            let new = Takeover::of(access.account_id(), legacy.id, context.now);
            if !legacy::take(conn, &new)?.is_stored() {
                return Err(Code::AlreadyMigrated.into());
            }
            new
        }
    };
    if takeover.migrated_at.is_none() {
        legacy::mark_migrated(conn, &takeover, context.now)?;
        let migrated = Event::AccountMigrated {
            account_id: access.account_id(),
            legacy_account_id: legacy.id,
        };
        events::record(conn, &access.stamp(context.now), &[migrated])?;
    }
    Ok(())
}

/// The serial numbers that the old account of `account` would bring.
fn wanted_by(
    conn: &mut DbConn,
    context: &Context,
    catalogue: &Catalogue,
    account: &Account,
) -> Result<Vec<Wanted>> {
    let Some((legacy, _)) = legacy_state(conn, account)?.legacy else {
        return Ok(Vec::new());
    };
    let products = legacy::products(conn, legacy.id)?.into_iter();
    let waiting = products.filter(|product| product.result.is_none());
    let wanted_by_product = |product: LegacyProduct| {
        let model = catalogue.of_name(&name_key(&product.model))?;
        let details = usable(context, model, &product);
        wanted(model, &checked(context, model, &details).ok()?)
    };
    Ok(waiting.filter_map(wanted_by_product).collect())
}

/// Registers each product that waits; what cannot be used of it is left out, so that the product is incomplete. The old products with what
/// became of them, to be stored after the new ones.
fn fetch(
    conn: &mut DbConn,
    context: &Context,
    catalogue: &Catalogue,
    inventories: &mut Inventories<'_>,
    access: &AccountAccess,
    waiting: &[&LegacyProduct],
) -> Result<Vec<LegacyProduct>> {
    let mut fetched = Vec::new();
    for &product in waiting {
        let registered = match catalogue.of_name(&name_key(&product.model)) {
            None => None,
            Some(model) => {
                let details = usable(context, model, product);
                let details = checked(context, model, &details).map_err(Error::invalid)?;
                let reference = Some(product.legacy_reference.as_str());
                let id = (access.account_id(), ProductId::new(context.now));
                Some(inventories.register(conn, id, model, details, reference)?)
            }
        };
        let (result, product_id) = outcome(registered);
        fetched.push(LegacyProduct {
            result: Some(result),
            product_id,
            ..product.clone()
        });
    }
    Ok(fetched)
}

fn outcome(registered: Option<Registered>) -> (MigrationResult, Option<ProductId>) {
    match registered {
        None => (result(false, false, &[]), None),
        Some(Registered::Taken) => (result(true, true, &[]), None),
        Some(Registered::New(product) | Registered::Existing(product)) => {
            let id = product.id;
            (result(true, false, &missing_of(&product)), Some(id))
        }
    }
}

/// What an old product says, without what today's rules refuse.
fn usable(context: &Context, model: &CatalogueModel, product: &LegacyProduct) -> Details {
    let mut details = Details {
        serial_number: product.serial_number.clone(),
        purchase_date: product.purchase_date,
        purchase_country: product.purchase_country,
        dealer: product.dealer.clone(),
        ..Details::default()
    };
    let faults = checked(context, model, &details).err();
    for fault in faults.into_iter().flatten() {
        match fault.pointer.as_str() {
            "#/serial_number" => details.serial_number = None,
            _ => details.purchase_date = None,
        }
    }
    details
}

fn items(
    conn: &mut DbConn,
    access: &AccountAccess,
    stored: Vec<LegacyProduct>,
) -> Result<Vec<MigratedItem>> {
    let ids: Vec<ProductId> = stored.iter().filter_map(|one| one.product_id).collect();
    let mut registered: BTreeMap<ProductId, Product> = products::of_ids(conn, access, &ids)?;
    let items = stored.into_iter().map(|legacy| {
        let product = legacy.product_id.and_then(|id| registered.remove(&id));
        let is_open = |product: &&Product| product.status != ProductStatus::Ended;
        MigratedItem {
            result: legacy.result.unwrap_or(MigrationResult::Incomplete),
            missing: product
                .as_ref()
                .filter(is_open)
                .map(missing_of)
                .unwrap_or_default(),
            legacy,
        }
    });
    Ok(items.collect())
}
