//! Returns, and the gates that corrections pass, too: both name a sale of the same partner.

use chrono::{NaiveDate, TimeDelta};

use super::decide::{Decided, Steps};
use super::known::{Known, ProductFacts};
use super::outcome::{Outcome, Step};
use super::world::World;
use super::{Line, RegistrationId, RegistrationStatus, Verb};
use crate::domain::calendar::latest_day;
use crate::domain::product::ProductStatus;
use crate::error::{Code, Fault, FaultCode, Partial, Refusal};

/// Decides a return: the product ends, or is no longer offered.
pub(super) fn take_back(
    world: &mut World,
    line: &Partial<Line>,
    identity: &str,
    steps: &mut Steps,
) -> Decided {
    let mut faults = line.faults.clone();
    let is_ahead = |day: &NaiveDate| *day > latest_day(world.now);
    if line.read.returned_date.as_ref().is_some_and(is_ahead) {
        faults.push(Fault::new("#/returned_date", FaultCode::DateInFuture));
    }
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let mut sale = match named(world, &line.read, identity)? {
        Named::Again(known) => return Ok(Outcome::Unchanged(Box::new(known))),
        Named::Sale(sale) => sale,
    };
    if sale.status == RegistrationStatus::Returned {
        return Ok(Outcome::Unchanged(Box::new(sale)));
    }
    let mut product = gates(world, &sale, Verb::Return)?;
    steps.push(Step::TakeBack {
        product_id: product.id,
    });
    product.status = ProductStatus::Ended;
    world.know_product(product);
    end_sharing(world, &sale);
    sale.status = RegistrationStatus::Returned;
    sale.offer_expires_at = None;
    let sale = world.store(sale);
    Ok(taken(
        world,
        (line, identity),
        &sale,
        RegistrationStatus::Returned,
    ))
}

/// Of the other lines that came to the offer of a sale none waits for an answer any more.
fn end_sharing(world: &mut World, sale: &Known) {
    for mut other in world.sharing(sale) {
        other.offer_expires_at = None;
        world.store(other);
    }
}

/// What a line names that is about a sale.
pub(super) enum Named {
    /// The line is known itself.
    Again(Known),
    Sale(Known),
}

pub(super) fn named(world: &World, line: &Line, identity: &str) -> Result<Named, Refusal> {
    if let Some(known) = world.of_external_id(&line.external_id) {
        return match known.identity == identity {
            true => Ok(Named::Again(known.clone())),
            false => Err(Code::ExternalIdReused.into()),
        };
    }
    let of = line.of.as_deref().and_then(|of| world.of_external_id(of));
    let sale = of.filter(|known| known.verb == Verb::Register).cloned();
    let unknown = || Fault::new("#/of", FaultCode::ReferenceUnknown).into();
    sale.map(Named::Sale).ok_or_else(unknown)
}

/// The product of a sale that may be returned or corrected.
pub(super) fn gates(world: &World, sale: &Known, verb: Verb) -> Result<ProductFacts, Refusal> {
    match sale.status {
        RegistrationStatus::Registered
        | RegistrationStatus::Offered
        | RegistrationStatus::Held
        | RegistrationStatus::Contested => {}
        _ => return Err(Code::RegistrationNotOpen.into()),
    }
    let span = TimeDelta::days(world.dealers.change_days.into());
    if world.now.since(sale.created_at) > span {
        return Err(Code::ChangeTooLate.into());
    }
    let is_held = sale.status == RegistrationStatus::Held;
    if sale.status == RegistrationStatus::Contested || (is_held && verb == Verb::Correct) {
        return Err(Code::ProductDisputed.into());
    }
    let product = sale.product_id.and_then(|id| world.product(id));
    let product = product.filter(|product| product.account_id == sale.account_id);
    match product {
        Some(product) if product.status == ProductStatus::Disputed && !is_held => {
            Err(Code::ProductDisputed.into())
        }
        Some(product) if product.status != ProductStatus::Ended => Ok(product.clone()),
        _ => Err(Code::RegistrationNotOpen.into()),
    }
}

/// A return or correction that was taken in.
pub(super) fn taken(
    world: &mut World,
    (line, identity): (&Partial<Line>, &str),
    sale: &Known,
    status: RegistrationStatus,
) -> Outcome {
    let known = Known {
        id: RegistrationId::new(world.now),
        external_id: line.read.external_id.clone(),
        verb: line.read.verb.unwrap_or(Verb::Correct),
        of_id: Some(sale.id),
        identity: identity.to_owned(),
        status,
        is_confirmed: false,
        offer_expires_at: None,
        batch_id: world.batch,
        version: 0,
        created_at: world.now,
        ..sale.clone()
    };
    Outcome::Taken(Box::new(world.store(known)))
}
