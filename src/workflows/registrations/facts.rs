//! What is known of lines: looked up for all of them together, one statement for each kind of fact, whatever comes of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::matching::{self, Matched};
use crate::domain::access::{AccountAccess, PartnerAccess};
use crate::domain::account::AccountId;
use crate::domain::model::ModelId;
use crate::domain::product::ProductId;
use crate::domain::registration::{
    CustomerName, Dealer, Known, Line, ModelName, Serial, Verb, World,
};
use crate::domain::values::serial_key;
use crate::error::{Partial, Result};
use crate::repository::catalogue::{Catalogue, CatalogueModel};
use crate::repository::registrations::{self, Registration};
use crate::repository::{DbConn, partner_days, products, trusted_partners};
use crate::workflows::Context;
use crate::workflows::products::{Inventories, Serials, product_facts};

/// The customers' products, locked, and the world that lines are decided in.
pub fn find<'a>(
    conn: &mut DbConn,
    context: &'a Context,
    partner: &PartnerAccess,
    lines: &[Partial<Line>],
) -> Result<(Inventories<'a>, World)> {
    let id = partner.partner_id();
    let catalogue = context.catalogue.current(conn)?;
    let mut world = empty(conn, context, partner, &catalogue, lines)?;
    let ids = external_ids(lines);
    let named = registrations::of_external_ids(conn, id, &ids)?;
    let Matched {
        customers,
        accesses,
    } = matching::find(conn, partner, sought(&world, lines), &named)?;
    let wanted: Vec<Serial> = wanted(&world, lines, &named).into_iter().collect();
    let stamp = partner.stamp(context.now);
    let mut inventories = Inventories::of_customers(
        conn,
        (context, catalogue.clone()),
        stamp,
        &accesses,
        &wanted,
    )?;
    let accounts: Vec<AccountId> = accesses.iter().map(AccountAccess::account_id).collect();
    world.trusting = trusted_partners::of_accounts(conn, id, &accounts)?
        .into_iter()
        .collect();
    // What was named may have changed until its customer was locked.
    let mut known = registrations::of_external_ids(conn, id, &ids)?;
    known.extend(of_serials(conn, partner, &wanted)?);
    let products = known.iter().filter_map(|line| line.product_id);
    inventories.hold(conn, products)?;
    know(&mut world, &inventories, customers, known)?;
    know_models(&mut world, &catalogue, &wanted);
    Ok((inventories, world))
}

/// The world has what was found behind the locks; who is no longer in use was not found.
fn know(
    world: &mut World,
    inventories: &Inventories<'_>,
    customers: HashMap<CustomerName, AccountId>,
    known: Vec<Registration>,
) -> Result<()> {
    let in_use: BTreeSet<AccountId> = inventories.customers_in_use().collect();
    let customers = customers.into_iter();
    world.customers = customers
        .filter(|(_, account)| in_use.contains(account))
        .collect();
    world.stolen = inventories.stolen().cloned().collect();
    for product in inventories.facts() {
        world.know_product(product);
    }
    for line in known {
        world.know_registration(known_of(line)?);
    }
    Ok(())
}

/// The world that lines would be decided in, without a lock: for those who only ask.
pub fn look(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    lines: &[Partial<Line>],
) -> Result<World> {
    let id = partner.partner_id();
    let catalogue = context.catalogue.current(conn)?;
    let mut world = empty(conn, context, partner, &catalogue, lines)?;
    let mut known = registrations::of_external_ids(conn, id, &external_ids(lines))?;
    let matched = matching::find(conn, partner, sought(&world, lines), &known)?;
    let wanted: Vec<Serial> = wanted(&world, lines, &known).into_iter().collect();
    known.extend(of_serials(conn, partner, &wanted)?);
    let accounts = matched.accesses.iter().map(AccountAccess::account_id);
    let accounts: Vec<AccountId> = accounts.collect();
    world.trusting = trusted_partners::of_accounts(conn, id, &accounts)?
        .into_iter()
        .collect();
    world.customers = matched.customers;
    let serials = Serials::find(conn, &wanted)?;
    world.stolen = serials.all_stolen().cloned().collect();
    let own: Vec<ProductId> = known.iter().filter_map(|line| line.product_id).collect();
    let own = products::all_of_ids(conn, &own)?;
    for product in own.iter().chain(serials.holders()) {
        world.know_product(product_facts(product));
    }
    for line in known {
        world.know_registration(known_of(line)?);
    }
    know_models(&mut world, &catalogue, &wanted);
    Ok(world)
}

fn know_models(world: &mut World, catalogue: &Catalogue, wanted: &[Serial]) {
    let models = wanted.iter().map(|(model, _)| *model);
    let models: BTreeSet<ModelId> = models.chain(world.models.values().copied()).collect();
    let facts = |id| Some((id, catalogue.model(id)?.facts.clone()));
    world.model_facts = models.into_iter().filter_map(facts).collect();
}

fn empty(
    conn: &mut DbConn,
    context: &Context,
    partner: &PartnerAccess,
    catalogue: &Arc<Catalogue>,
    lines: &[Partial<Line>],
) -> Result<World> {
    let (name, country) = registrations::dealer(conn, partner.partner_id())?;
    let programme = &context.programme;
    let rules = (programme.dealers.clone(), programme.products.clone());
    let mut world = World::new(context.now, Dealer { name, country }, rules);
    let today = context.now.utc().date_naive();
    world.unmatched = partner_days::find(conn, partner.partner_id(), today)?.unmatched;
    let names = lines.iter().filter_map(|line| line.read.model.as_ref());
    let named: HashMap<&ModelName, &CatalogueModel> = names
        .filter_map(|name| Some((name, model_of(catalogue, name)?)))
        .collect();
    for (name, model) in named {
        world.models.insert(name.clone(), model.row.id);
    }
    Ok(world)
}

fn model_of<'a>(catalogue: &'a Catalogue, name: &ModelName) -> Option<&'a CatalogueModel> {
    match name {
        ModelName::Id(id) => catalogue.model(*id),
        ModelName::Gtin(gtin) => catalogue.of_gtin(gtin),
        ModelName::ManufacturerCode(code) => catalogue.of_manufacturer_code(code),
        ModelName::Name(key) => catalogue.of_name(key),
    }
}

/// The lines whose customers are looked for.
fn sought<'a>(world: &World, lines: &'a [Partial<Line>]) -> &'a [Partial<Line>] {
    match world.looks_for_customers() {
        true => lines,
        false => &[],
    }
}

/// The ids that lines have, and those that they name.
fn external_ids(lines: &[Partial<Line>]) -> Vec<&str> {
    let ids = lines.iter().flat_map(|line| {
        let own = Some(line.read.external_id.as_str()).filter(|id| !id.is_empty());
        own.into_iter().chain(line.read.of.as_deref())
    });
    let ids: BTreeSet<&str> = ids.collect();
    ids.into_iter().collect()
}

/// The serial numbers that lines are about, with those of the sales that they name.
fn wanted(world: &World, lines: &[Partial<Line>], named: &[Registration]) -> BTreeSet<Serial> {
    let by_id: BTreeMap<&str, &Registration> = named
        .iter()
        .map(|line| (line.external_id.as_str(), line))
        .collect();
    let mut wanted: BTreeSet<Serial> = named
        .iter()
        .filter_map(|line| Some((line.model_id?, line.serial_key.clone()?)))
        .collect();
    for line in lines {
        let said = &line.read;
        let sale = said
            .of
            .as_deref()
            .and_then(|of| by_id.get(of))
            .filter(|_| said.verb == Some(Verb::Correct));
        let model = said
            .model
            .as_ref()
            .and_then(|name| world.models.get(name))
            .copied();
        let model = model.or_else(|| sale?.model_id);
        let key = said.serial_number.as_deref().map(serial_key);
        let key = key.or_else(|| sale?.serial_key.clone());
        wanted.extend(model.zip(key));
    }
    wanted
}

fn of_serials(
    conn: &mut DbConn,
    partner: &PartnerAccess,
    wanted: &[Serial],
) -> Result<Vec<Registration>> {
    let models: BTreeSet<ModelId> = wanted.iter().map(|(model, _)| *model).collect();
    let models: Vec<ModelId> = models.into_iter().collect();
    let keys: BTreeSet<&str> = wanted.iter().map(|(_, key)| key.as_str()).collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    registrations::of_serials(conn, partner.partner_id(), &models, &keys)
}

fn known_of(line: Registration) -> Result<Known> {
    Ok(Known {
        id: line.id,
        external_id: line.external_id,
        verb: line.verb,
        of_id: line.of_id,
        identity: line.body_hash,
        status: line.status,
        is_confirmed: line.code.is_some(),
        reason: line.reason,
        account_id: line.account_id,
        product_id: line.product_id,
        model_id: line.model_id,
        serial_key: line.serial_key,
        reported: line.reported.map(|said| said.decode()).transpose()?,
        offer_expires_at: line.offer_expires_at,
        batch_id: line.batch_id,
        version: line.version,
        created_at: line.created_at,
        changed_at: line.changed_at,
    })
}
