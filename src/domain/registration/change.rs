//! Returns and corrections: both name a sale of the same partner, and pass the same gates.

use chrono::TimeDelta;

use super::decide::{Decided, Steps};
use super::outcome::{Outcome, Step};
use super::register::reported;
use super::world::{Known, ProductFacts, Serial, World};
use super::{Line, RegistrationId, RegistrationStatus, Verb};
use crate::domain::calendar::latest_day;
use crate::domain::model::ModelId;
use crate::domain::product::ProductStatus;
use crate::domain::product_details::{CheckedDetails, Details};
use crate::domain::values::same_serial;
use crate::error::{Code, Fault, FaultCode, Faults, Partial, Refusal};

/// Decides a return: the product ends, or is no longer offered.
pub(super) fn take_back(
    world: &mut World,
    line: &Partial<Line>,
    identity: &str,
    steps: &mut Steps,
) -> Decided {
    let mut faults = line.faults.clone();
    let is_ahead = |day: &chrono::NaiveDate| *day > latest_day(world.now);
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

/// What a line names that is about a sale.
enum Named {
    /// The line is known itself.
    Again(Known),
    Sale(Known),
}

fn named(world: &World, line: &Line, identity: &str) -> Result<Named, Refusal> {
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
fn gates(world: &World, sale: &Known, verb: Verb) -> Result<ProductFacts, Refusal> {
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
fn taken(
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
        version: 0,
        created_at: world.now,
        ..sale.clone()
    };
    Outcome::Taken(Box::new(world.store(known)))
}

/// Decides a correction: product, tick and points follow.
pub(super) fn correct(
    world: &mut World,
    line: &Partial<Line>,
    identity: &str,
    steps: &mut Steps,
) -> Decided {
    let mut faults = line.faults.clone();
    let name = line.read.model.as_ref();
    let model = name.and_then(|name| world.model(name, &mut faults));
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let sale = match named(world, &line.read, identity)? {
        Named::Again(known) => return Ok(Outcome::Unchanged(Box::new(known))),
        Named::Sale(sale) => sale,
    };
    let product = gates(world, &sale, Verb::Correct)?;
    let model = model.unwrap_or(product.model_id);
    let differing = differing(&product, model, &line.read);
    if differing.is_empty() {
        return Ok(Outcome::Unchanged(Box::new(sale)));
    }
    if sale.status == RegistrationStatus::Registered && !world.trusting.contains(&sale.account_id) {
        return Err(Code::CorrectionNeedsTrust.into());
    }
    check_unchanged(&sale, &product, &differing)?;
    let mut faults = Faults::default();
    let details = world.checked(
        Some(model),
        &corrected(&product.details, &line.read),
        &mut faults,
    );
    let details = details.ok_or_else(|| Refusal::from(faults))?;
    let serial = details
        .serial
        .as_ref()
        .map(|serial| (model, serial.key.clone()));
    let serial = serial.ok_or(Code::RegistrationNotOpen)?;
    check_free(world, &sale, &product, &serial)?;
    let sale = follow(world, (sale, product), (model, serial, details), steps);
    Ok(taken(
        world,
        (line, identity),
        &sale,
        RegistrationStatus::Corrected,
    ))
}

/// A field that a correction may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Model,
    SerialNumber,
    PurchaseDate,
    PurchaseCountry,
}

/// The fields of which the line says something else than the product.
fn differing(product: &ProductFacts, model: ModelId, line: &Line) -> Vec<Said> {
    let own = &product.details;
    let is_other_serial = line.serial_number.as_deref().is_some_and(|said| {
        let own = own.serial_number.as_deref();
        !own.is_some_and(|own| same_serial(own, said))
    });
    let fields = [
        (Said::Model, model != product.model_id),
        (Said::SerialNumber, is_other_serial),
        (
            Said::PurchaseDate,
            line.purchase_date.is_some() && line.purchase_date != own.purchase_date,
        ),
        (
            Said::PurchaseCountry,
            line.purchase_country.is_some() && line.purchase_country != own.purchase_country,
        ),
    ];
    let differing = fields.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(field, _)| field).collect()
}

/// What the customer has changed since the dealer said it is not written over.
fn check_unchanged(
    sale: &Known,
    product: &ProductFacts,
    differing: &[Said],
) -> Result<(), Refusal> {
    let Some(said) = &sale.reported else {
        return Ok(());
    };
    let own = &product.details;
    let is_changed = |field: &Said| match field {
        Said::Model => said.model_id != product.model_id,
        Said::SerialNumber => !own
            .serial_number
            .as_deref()
            .is_some_and(|own| same_serial(own, &said.serial_number)),
        Said::PurchaseDate => own.purchase_date != Some(said.purchase_date),
        Said::PurchaseCountry => own.purchase_country != Some(said.purchase_country),
    };
    let pointer = |field: &Said| match field {
        Said::Model => "#/model_id",
        Said::SerialNumber => "#/serial_number",
        Said::PurchaseDate => "#/purchase_date",
        Said::PurchaseCountry => "#/purchase_country",
    };
    let changed = differing.iter().filter(|field| is_changed(field));
    let faults: Vec<Fault> = changed
        .map(|field| Fault::new(pointer(field), FaultCode::Changed))
        .collect();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Refusal::from(Code::ProductChangedByCustomer).faults(faults)),
    }
}

/// What is said of the product after the correction; what the dealer says is no guess.
fn corrected(own: &Details, line: &Line) -> Details {
    let after = Details {
        serial_number: line
            .serial_number
            .clone()
            .or_else(|| own.serial_number.clone()),
        purchase_date: line.purchase_date.or(own.purchase_date),
        purchase_country: line.purchase_country.or(own.purchase_country),
        dealer: own.dealer.clone(),
        ..Details::default()
    };
    let estimated = after.still_estimated(own);
    Details { estimated, ..after }
}

/// Nobody keeps the serial number that a sale is corrected to, and no other line of the partner stands on it.
fn check_free(
    world: &World,
    sale: &Known,
    product: &ProductFacts,
    serial: &Serial,
) -> Result<(), Refusal> {
    if (product.model_id, product.serial_key.as_deref()) == (serial.0, Some(serial.1.as_str())) {
        return Ok(());
    }
    let stands = sale.status != RegistrationStatus::Offered;
    let is_kept = |holder: &ProductFacts| {
        world.keeps_serial(holder) || (stands && holder.account_id == sale.account_id)
    };
    if world.holder(serial).is_some_and(is_kept) {
        return Err(Code::SerialAlreadyRegistered.into());
    }
    match world.is_reported(serial) {
        true => Err(Code::SerialAlreadyReported.into()),
        false => Ok(()),
    }
}

/// The product and its sale as they are after the correction.
fn follow(
    world: &mut World,
    (mut sale, mut product): (Known, ProductFacts),
    (model, serial, details): (ModelId, Serial, CheckedDetails),
    steps: &mut Steps,
) -> Known {
    let is_offer = product.status == ProductStatus::Offered;
    let is_new_serial = product.serial_key.as_ref() != Some(&serial.1) || product.model_id != model;
    if is_new_serial && !is_offer {
        world.take_serial(&serial);
    }
    if is_new_serial && world.stolen.contains(&serial) {
        steps.push(Step::Watch {
            product_id: product.id,
            account_id: product.account_id,
        });
        if !is_offer {
            product.status = ProductStatus::Disputed;
            sale.status = RegistrationStatus::Held;
        }
    }
    sale.reported = reported(model, &details);
    sale.model_id = Some(model);
    sale.serial_key = Some(serial.1.clone());
    product.details = details.details.clone();
    product.model_id = model;
    product.serial_key = Some(serial.1);
    steps.push(Step::Correct {
        product_id: product.id,
        model_id: model,
        details,
    });
    world.know_product(product);
    world.store(sale)
}
