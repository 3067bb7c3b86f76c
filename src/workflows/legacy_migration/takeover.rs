//! Fetching the products of an old account: each with its result, once.

use std::collections::BTreeMap;

use super::{Known, known};
use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::legacy_migration::{
    Availability, LegacyProductId, MigrationResult, availability as available, result,
};
use crate::domain::model::{ModelId, name_key};
use crate::domain::product::{ProductField, ProductId, ProductStatus};
use crate::domain::product_details::Details;
use crate::error::{Code, Error, Fault, FaultCode, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::legacy_migration::{self as legacy, LegacyAccount, LegacyProduct, Takeover};
use crate::repository::models::{self, Model};
use crate::repository::products::{self, Product};
use crate::repository::{DbConn, events, points};
use crate::workflows::Context;
use crate::workflows::products::{Inventory, Registered, Wanted, checked, missing_of};

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
    let wanted = wanted_by(conn, context, &seen)?;
    // All accounts at once and first: whoever holds one and waits for another waits in a circle.
    let mut inventory = Inventory::open(conn, context, access, &borrowed(&wanted))?;
    let account = &inventory.account;
    let Known { facts, legacy } = known(conn, account)?;
    let availability = available(facts);
    let Some((legacy, takeover)) = legacy else {
        return Err(refusal(availability));
    };
    let is_own = takeover
        .as_ref()
        .is_some_and(|one| one.account_id == account.id);
    if !is_own && matches!(availability, Availability::Unavailable(_)) {
        return Err(refusal(availability));
    }
    let chosen = choose(legacy::products(conn, legacy.id)?, references)?;
    let waiting: Vec<&LegacyProduct> = chosen.iter().filter(|one| one.result.is_none()).collect();
    let before = points::find(conn, access)?.balance;
    if !waiting.is_empty() {
        take(conn, context, access, &legacy, takeover)?;
        fetch(conn, context, &mut inventory, &waiting)?;
    }
    inventory.close(conn)?;
    let points_granted = points::find(conn, access)?.balance - before;
    let wanted: Vec<LegacyProductId> = chosen.iter().map(|one| one.id).collect();
    let mut stored = legacy::products(conn, legacy.id)?;
    stored.retain(|one| wanted.contains(&one.id));
    Ok(Migrated {
        items: items(conn, access, stored)?,
        points_granted,
    })
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
    let known = |reference: &String| {
        products
            .iter()
            .any(|product| product.legacy_reference == *reference)
    };
    let unknown = references
        .iter()
        .enumerate()
        .filter(|(_, reference)| !known(reference));
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

/// A serial number that a product which waits would have, and its model.
type WantedSerial = (ModelId, String);

fn borrowed(wanted: &[WantedSerial]) -> Vec<Wanted<'_>> {
    let pairs = wanted.iter();
    pairs.map(|(model, key)| (*model, key.as_str())).collect()
}

/// The serial numbers that the old account of `account` would bring.
fn wanted_by(conn: &mut DbConn, context: &Context, account: &Account) -> Result<Vec<WantedSerial>> {
    let Some((legacy, _)) = known(conn, account)?.legacy else {
        return Ok(Vec::new());
    };
    let mut wanted = Vec::new();
    for product in legacy::products(conn, legacy.id)? {
        let (model, details) = read(conn, context, &product)?;
        if product.result.is_none()
            && let Some(model) = model
            && let Ok(passed) = checked(context, &model, &details)
            && let Some(serial) = passed.serial
        {
            wanted.push((model.id, serial.key));
        }
    }
    Ok(wanted)
}

/// The model of an old product, where today's catalogue has it, and what can be used of what the product says.
fn read(
    conn: &mut DbConn,
    context: &Context,
    product: &LegacyProduct,
) -> Result<(Option<Model>, Details)> {
    let model = models::find_by_name(conn, &name_key(&product.model))?;
    let details = usable(context, model.as_ref(), product);
    Ok((model, details))
}

/// Registers each product that waits; what cannot be used of it is left out, so that the product is incomplete.
fn fetch(
    conn: &mut DbConn,
    context: &Context,
    inventory: &mut Inventory<'_>,
    waiting: &[&LegacyProduct],
) -> Result<()> {
    for product in waiting {
        let (model, details) = read(conn, context, product)?;
        let registered = match &model {
            None => None,
            Some(model) => {
                let details = checked(context, model, &details).map_err(Error::invalid)?;
                let reference = Some(product.legacy_reference.as_str());
                let id = ProductId::new(context.now);
                Some(inventory.register(conn, id, model, details, reference)?)
            }
        };
        let (result, id) = outcome(registered);
        legacy::set_result(conn, product.id, result, id)?;
    }
    Ok(())
}

fn outcome(registered: Option<Registered>) -> (MigrationResult, Option<ProductId>) {
    match registered {
        None => (result(false, false, &[]), None),
        Some(Registered::Taken) => (result(true, true, &[]), None),
        Some(Registered::New(product) | Registered::Standing(product)) => {
            let id = product.id;
            (result(true, false, &missing_of(&product)), Some(id))
        }
    }
}

/// What an old product says, without what today's rules refuse.
fn usable(context: &Context, model: Option<&Model>, product: &LegacyProduct) -> Details {
    let mut details = Details {
        serial_number: product.serial_number.clone(),
        purchase_date: product.purchase_date,
        purchase_country: product.purchase_country,
        dealer: product.dealer.clone(),
        estimated: Vec::new(),
    };
    let faults = model.map(|model| checked(context, model, &details));
    for fault in faults.and_then(Result::err).into_iter().flatten() {
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
