//! Fetching the products of old accounts: each with its result, once. What waits is in `waiting`.

use std::collections::BTreeMap;

use super::waiting::usable;
use super::{LegacyState, OldAccount, legacy_state};
use crate::domain::access::AccountAccess;
use crate::domain::event::Event;
use crate::domain::legacy_migration::{
    Availability, LegacyProductId, MigrationResult, availability as available, result,
};
use crate::domain::model::name_key;
use crate::domain::product::{ProductField, ProductId, ProductStatus};
use crate::error::{Code, Error, Fault, FaultCode, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::catalogue::Catalogue;
use crate::repository::legacy_migration::{self as legacy, LegacyProduct, Takeover};
use crate::repository::products::{self, Product};
use crate::repository::{DbConn, events};
use crate::workflows::Context;
use crate::workflows::products::{
    Inventories, Origin, Registered, Wanted, checked, missing_of, wanted,
};

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
    let old = takeable(legacy_state(conn, account)?)?;
    let products = old.iter().flat_map(|one| one.products.clone()).collect();
    let chosen = choose(products, references)?;
    let waiting: Vec<&LegacyProduct> = chosen.iter().filter(|one| one.result.is_none()).collect();
    take(conn, context, access, &old, &waiting)?;
    let fetched = fetch(
        conn,
        context,
        &catalogue,
        &mut inventories,
        access,
        &waiting,
    )?;
    let points_granted = inventories.gained(access.account_id());
    inventories.flush(conn)?;
    legacy::set_results(conn, &fetched)?;
    Ok(Migrated {
        items: items(conn, access, with_results(chosen, fetched))?,
        points_granted,
    })
}

/// The chosen products with what became of those that were fetched.
fn with_results(chosen: Vec<LegacyProduct>, fetched: Vec<LegacyProduct>) -> Vec<LegacyProduct> {
    let mut fetched: BTreeMap<LegacyProductId, LegacyProduct> =
        fetched.into_iter().map(|one| (one.id, one)).collect();
    let with_result = |one: LegacyProduct| fetched.remove(&one.id).unwrap_or(one);
    chosen.into_iter().map(with_result).collect()
}

/// The old accounts that this account has or may take over; refused where it has none and nothing waits.
fn takeable(state: LegacyState) -> Result<Vec<OldAccount>> {
    let has_one = state.own.iter().any(|one| one.takeover.is_some());
    match available(state.facts) {
        Availability::Unavailable(reason) if !has_one => Err(reason.code().into()),
        _ => Ok(state.own),
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

/// Makes the old accounts of `waiting` products this one's; their member numbers lead here from now on.
fn take(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    old: &[OldAccount],
    waiting: &[&LegacyProduct],
) -> Result<()> {
    for one in old {
        let waits = |product: &&LegacyProduct| product.legacy_account_id == one.legacy.id;
        if waiting.iter().any(waits) {
            take_one(conn, context, access, one)?;
        }
    }
    Ok(())
}

fn take_one(
    conn: &mut DbConn,
    context: &Context,
    access: &AccountAccess,
    old: &OldAccount,
) -> Result<()> {
    let takeover = match &old.takeover {
        Some(attached) => attached.clone(),
        None => {
            let new = Takeover::of(access.account_id(), old.legacy.id, context.now);
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
            legacy_account_id: old.legacy.id,
        };
        events::record(conn, &access.stamp(context.now), &[migrated])?;
    }
    Ok(())
}

/// The serial numbers that the old accounts of `account` would bring.
fn wanted_by(
    conn: &mut DbConn,
    context: &Context,
    catalogue: &Catalogue,
    account: &Account,
) -> Result<Vec<Wanted>> {
    let state = legacy_state(conn, account)?;
    let wanted_by_product = |product: &LegacyProduct| {
        let model = catalogue.of_name(&name_key(&product.model))?;
        let details = usable(context, model, product);
        wanted(model, &checked(context, model, &details).ok()?)
    };
    let waiting = state.own.iter().flat_map(OldAccount::waiting);
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
                Some(inventories.register(conn, id, model, details, Origin::Legacy(reference))?)
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
