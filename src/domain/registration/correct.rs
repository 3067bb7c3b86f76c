//! Corrections: what a dealer reported wrongly follows, as far as the customer has not changed it.

use super::change::{Named, gates, named, taken};
use super::decide::{Decided, Steps};
use super::known::{Known, ProductFacts, Serial};
use super::outcome::{Outcome, Step};
use super::sale::reported;
use super::world::World;
use super::{Line, RegistrationStatus, Verb};
use crate::domain::model::ModelId;
use crate::domain::product::ProductStatus;
use crate::domain::product_details::{CheckedDetails, Details};
use crate::domain::values::same_serial;
use crate::error::{Code, Fault, FaultCode, Faults, Partial, Refusal};

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
    let (serial, details) = corrected(world, &product, (model, &line.read))?;
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
fn corrected(
    world: &World,
    product: &ProductFacts,
    (model, line): (ModelId, &Line),
) -> Result<(Serial, CheckedDetails), Refusal> {
    let own = &product.details;
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
    let mut faults = Faults::default();
    let details = world.checked(Some(model), &Details { estimated, ..after }, &mut faults);
    let details = details.ok_or_else(|| Refusal::from(faults))?;
    let serial = details.serial.as_ref();
    let key = serial.map(|serial| serial.key.clone());
    let key = key.ok_or(Code::RegistrationNotOpen)?;
    Ok(((model, key), details))
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
