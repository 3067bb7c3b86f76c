//! What a sale comes to, by who has the serial number and whether the customer trusts the dealer.

use chrono::TimeDelta;

use super::decide::{Decided, Steps};
use super::outcome::{NewProduct, Outcome, Step};
use super::world::{Known, ProductFacts, Serial, World};
use super::{CustomerName, Line, RegistrationId, RegistrationStatus, Reported, Verb};
use crate::domain::account::AccountId;
use crate::domain::model::ModelId;
use crate::domain::product::{Evidence, ProductId, ProductStatus};
use crate::domain::product_details::CheckedDetails;
use crate::error::{Code, Fault, FaultCode, Faults, Partial, Refusal};

/// A sale that has no fault of its own.
struct Sale<'a> {
    line: &'a Line,
    identity: &'a str,
    model_id: ModelId,
    serial: Serial,
    details: CheckedDetails,
    /// The line that was taken in under the same id before.
    before: Option<Known>,
}

/// What is to be done.
enum Standing {
    Register,
    /// Its serial number was reported stolen.
    Hold,
    Confirm(ProductId),
    Offer(RegistrationStatus),
}

/// Decides a sale.
pub(super) fn register(
    world: &mut World,
    line: &Partial<Line>,
    identity: &str,
    steps: &mut Steps,
) -> Decided {
    let (mut sale, customer) = judged(world, line, identity)?;
    if let Some(known) = world.of_external_id(&sale.line.external_id) {
        match again(known, identity)? {
            Again::Unchanged => return Ok(Outcome::Unchanged(Box::new(known.clone()))),
            Again::Anew => sale.before = Some(known.clone()),
        }
    }
    let account = world.customer(customer)?;
    if world.is_reported(&sale.serial) {
        return Err(Code::SerialAlreadyReported.into());
    }
    if world.was_refused(account, &sale.serial) {
        return Err(Code::OfferDeclined.into());
    }
    match standing(world, account, &sale.serial) {
        Standing::Register => Ok(take(
            world,
            &sale,
            account,
            RegistrationStatus::Registered,
            steps,
        )),
        Standing::Hold => Ok(take(world, &sale, account, RegistrationStatus::Held, steps)),
        Standing::Confirm(product) => confirm(world, &sale, product, steps),
        Standing::Offer(status) => Ok(offer(world, &sale, account, status, steps)),
    }
}

/// The sale and its customer's name, or every fault of its form, its model, its serial number and its dates.
fn judged<'a>(
    world: &World,
    line: &'a Partial<Line>,
    identity: &'a str,
) -> Result<(Sale<'a>, &'a CustomerName), Refusal> {
    let (said, mut faults) = (&line.read, line.faults.clone());
    let name = said.model.as_ref();
    let model = name.and_then(|name| world.model(name, &mut faults));
    let details = said.details(&world.dealer.name, world.dealer.country);
    let details = world.checked(model, &details, &mut faults);
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let read = model.zip(details).zip(said.customer.as_ref());
    let read = read.and_then(|((model_id, details), customer)| {
        let serial = (model_id, details.serial.as_ref()?.key.clone());
        let sale = Sale {
            line: said,
            identity,
            model_id,
            serial,
            details,
            before: None,
        };
        Some((sale, customer))
    });
    read.ok_or_else(|| Fault::new("#", FaultCode::Invalid).into())
}

/// What becomes of a line whose id is known.
enum Again {
    Unchanged,
    /// It found its number registered, or its offer ran out: it is decided once more.
    Anew,
}

fn again(known: &Known, identity: &str) -> Result<Again, Refusal> {
    let is_same = known.identity == identity;
    match (known.verb, known.status) {
        (Verb::Register, RegistrationStatus::AlreadyRegistered) => Ok(Again::Anew),
        (Verb::Register, RegistrationStatus::Expired) if is_same => Ok(Again::Anew),
        _ if is_same => Ok(Again::Unchanged),
        _ => Err(Code::ExternalIdReused.into()),
    }
}

fn standing(world: &World, account: AccountId, serial: &Serial) -> Standing {
    let is_trusted = world.trusting.contains(&account);
    let free = match (is_trusted, world.stolen.contains(serial)) {
        (true, false) => Standing::Register,
        (true, true) => Standing::Hold,
        (false, _) => Standing::Offer(RegistrationStatus::Offered),
    };
    match world.holder(serial) {
        None => free,
        Some(holder) => {
            let is_own = holder.account_id == account && holder.status != ProductStatus::Disputed;
            match is_own && is_trusted {
                true => Standing::Confirm(holder.id),
                false if world.keeps_serial(holder) => {
                    Standing::Offer(RegistrationStatus::AlreadyRegistered)
                }
                false => free,
            }
        }
    }
}

impl Sale<'_> {
    fn product(&self, world: &World, account_id: AccountId, status: ProductStatus) -> ProductFacts {
        ProductFacts {
            id: ProductId::new(world.now),
            account_id,
            model_id: self.model_id,
            status,
            serial_key: Some(self.serial.1.clone()),
            serial_since: world.now,
            is_checked: false,
            evidence: Evidence::Dealer,
            details: self.details.details.clone(),
        }
    }

    fn reported(&self) -> Option<Reported> {
        reported(self.model_id, &self.details)
    }

    /// The line as it is taken in now.
    fn known(
        &self,
        world: &World,
        account_id: AccountId,
        product: ProductId,
        status: RegistrationStatus,
    ) -> Known {
        let before = self.before.as_ref();
        Known {
            id: before.map_or_else(|| RegistrationId::new(world.now), |known| known.id),
            external_id: self.line.external_id.clone(),
            verb: Verb::Register,
            of_id: None,
            identity: self.identity.to_owned(),
            status,
            is_confirmed: false,
            reason: None,
            account_id,
            product_id: Some(product),
            model_id: Some(self.model_id),
            serial_key: Some(self.serial.1.clone()),
            reported: self.reported(),
            offer_expires_at: None,
            version: before.map_or(0, |known| known.version),
            created_at: world.now,
            changed_at: world.now,
        }
    }

    /// The offer that the line made before goes, unless it is the one that stands now.
    fn mend(&self, world: &mut World, stands: Option<ProductId>, steps: &mut Steps) {
        let Some(before) = self
            .before
            .as_ref()
            .filter(|before| !world.is_shared(before))
        else {
            return;
        };
        let offer = before.product_id.and_then(|id| world.product(id)).cloned();
        if let Some(mut offer) =
            offer.filter(|offer| offer.status == ProductStatus::Offered && Some(offer.id) != stands)
        {
            steps.push(Step::TakeBack {
                product_id: offer.id,
            });
            offer.status = ProductStatus::Ended;
            world.know_product(offer);
        }
    }
}

/// What a dealer said of a product, to be compared with what its owner makes of it.
pub(super) fn reported(model_id: ModelId, details: &CheckedDetails) -> Option<Reported> {
    Some(Reported {
        model_id,
        serial_number: details.serial.as_ref()?.shown.clone(),
        purchase_date: details.details.purchase_date?,
        purchase_country: details.details.purchase_country?,
    })
}

fn taken(world: &mut World, known: Known) -> Outcome {
    Outcome::Taken(Box::new(world.store(known)))
}

/// The customer has the product; whoever had to give its serial number up has lost it.
fn take(
    world: &mut World,
    sale: &Sale<'_>,
    account: AccountId,
    status: RegistrationStatus,
    steps: &mut Steps,
) -> Outcome {
    sale.mend(world, None, steps);
    let stands = match status {
        RegistrationStatus::Held => ProductStatus::Disputed,
        _ => ProductStatus::Complete,
    };
    let product = sale.product(world, account, stands);
    steps.push(Step::Register(new(&product, sale)));
    if status == RegistrationStatus::Held {
        steps.push(Step::Watch {
            product_id: product.id,
            account_id: account,
        });
    }
    world.take_serial(&sale.serial);
    let known = sale.known(world, account, product.id, status);
    world.know_product(product);
    taken(world, known)
}

fn new(product: &ProductFacts, sale: &Sale<'_>) -> NewProduct {
    NewProduct {
        id: product.id,
        account_id: product.account_id,
        model_id: sale.model_id,
        details: sale.details.clone(),
    }
}

/// The customer's own product: gaps and guesses are filled, the rest stays as the customer says it.
fn confirm(world: &mut World, sale: &Sale<'_>, product: ProductId, steps: &mut Steps) -> Decided {
    let mut own = world.product(product).cloned().ok_or(Code::NotFound)?;
    let details = own.details.clone().confirmed_by(&sale.details.details);
    let mut faults = Faults::default();
    let checked = world.checked(Some(sale.model_id), &details, &mut faults);
    let details = checked.ok_or_else(|| Refusal::from(faults))?;
    sale.mend(world, None, steps);
    own.details = details.details.clone();
    own.status = ProductStatus::Complete;
    own.evidence = own.evidence.max(Evidence::Dealer);
    steps.push(Step::Confirm {
        product_id: product,
        details,
    });
    let mut known = sale.known(
        world,
        own.account_id,
        product,
        RegistrationStatus::Registered,
    );
    known.is_confirmed = true;
    world.know_product(own);
    Ok(taken(world, known))
}

/// The customer is asked, once for each serial number, however many lines name it.
fn offer(
    world: &mut World,
    sale: &Sale<'_>,
    account: AccountId,
    status: RegistrationStatus,
    steps: &mut Steps,
) -> Outcome {
    let stands = world.standing_offer(account, &sale.serial);
    let is_same = |before: &&Known| {
        before.identity == sale.identity
            && before.status == status
            && before.product_id == stands.map(|(id, _)| id)
    };
    if let Some(before) = sale.before.as_ref().filter(is_same) {
        return Outcome::Unchanged(Box::new(before.clone()));
    }
    sale.mend(world, stands.map(|(id, _)| id), steps);
    let ends = world
        .now
        .plus(TimeDelta::days(world.dealers.offer_days.into()));
    let (product, ends) = match stands {
        Some((product, stands_until)) => (product, stands_until.or(Some(ends))),
        None => {
            let product = sale.product(world, account, ProductStatus::Offered);
            let id = product.id;
            steps.push(Step::Offer(new(&product, sale)));
            world.know_product(product);
            (id, Some(ends))
        }
    };
    if status == RegistrationStatus::Offered && world.stolen.contains(&sale.serial) {
        steps.push(Step::Watch {
            product_id: product,
            account_id: account,
        });
    }
    let mut known = sale.known(world, account, product, status);
    known.offer_expires_at = ends;
    taken(world, known)
}
