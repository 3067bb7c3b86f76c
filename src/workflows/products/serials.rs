//! Whose a serial number is when a second registration names it.

use std::collections::{BTreeSet, HashMap};

use super::changes::Registered;
use super::inventories::{Inventories, Wanted};
use crate::domain::event::Event;
use crate::domain::model::ModelId;
use crate::domain::points::PointsReason;
use crate::domain::product::{Contest, ProductField, ProductStatus, contest};
use crate::domain::product_details::CheckedDetails;
use crate::error::{Error, Result};
use crate::repository::DbConn;
use crate::repository::products::{self, Product, estimated_text};

/// Who has the serial numbers that are wanted.
#[derive(Default)]
pub struct Serials {
    holders: HashMap<Wanted, Product>,
    /// As those had them who reported them stolen.
    stolen: HashMap<Wanted, Product>,
}

impl Serials {
    /// Looks all of them up: one statement, or none where none is wanted.
    pub fn find(conn: &mut DbConn, wanted: &[Wanted]) -> Result<Self> {
        let models: BTreeSet<ModelId> = wanted.iter().map(|(model, _)| *model).collect();
        let models: Vec<ModelId> = models.into_iter().collect();
        let keys: BTreeSet<&str> = wanted.iter().map(|(_, key)| key.as_str()).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        let mut serials = Self::default();
        for product in products::of_serials(conn, &models, &keys)? {
            let Some(serial) = product.serial() else {
                continue;
            };
            match product.ended_at {
                Some(_) => drop(serials.stolen.insert(serial, product)),
                None => drop(serials.holders.insert(serial, product)),
            }
        }
        Ok(serials)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.stolen.is_empty()
    }

    /// The holders who might have to give up their number.
    pub(super) fn yielding(&self) -> impl Iterator<Item = &Product> {
        let is_yielding = |holder: &&Product| {
            holder.status == ProductStatus::Incomplete || holder.is_serial_estimated()
        };
        self.holders.values().filter(is_yielding)
    }

    /// Whether the serial number of a product was reported stolen.
    pub(super) fn was_stolen(&self, product: &Product) -> bool {
        self.stolen(product).is_some()
    }

    /// The product with the serial number of this one that was reported stolen.
    pub(super) fn stolen(&self, product: &Product) -> Option<&Product> {
        self.stolen.get(&product.serial()?)
    }

    /// Those who hold one.
    pub fn holders(&self) -> impl Iterator<Item = &Product> {
        self.holders.values()
    }

    /// Those that were reported stolen.
    pub fn all_stolen(&self) -> impl Iterator<Item = &Wanted> {
        self.stolen.keys()
    }

    /// A product no longer has the serial number that it had.
    pub(super) fn release(&mut self, product: &Product) {
        if let Some(serial) = product.serial()
            && self
                .holders
                .get(&serial)
                .is_some_and(|holder| holder.id == product.id)
        {
            self.holders.remove(&serial);
        }
    }

    /// From now on a product has its serial number.
    pub(super) fn hold(&mut self, product: &Product) {
        if let Some(serial) = product.serial() {
            self.holders.insert(serial, product.clone());
        }
    }
}

impl Inventories<'_> {
    /// Whether the serial number that `product` is to have is somebody's; a holder who has to gives it up.
    pub(super) fn contest(
        &mut self,
        product: &Product,
        details: &CheckedDetails,
    ) -> Result<Option<Registered>> {
        let Some(serial) = &details.serial else {
            return Ok(None);
        };
        let wanted = (product.model_id, serial.key.clone());
        let holder = self.serials.holders.get(&wanted);
        let Some(holder) = holder.filter(|holder| holder.id != product.id).cloned() else {
            return Ok(None);
        };
        let facts = holder.as_holder(product.account_id);
        let is_guess = details
            .details
            .estimated
            .contains(&ProductField::SerialNumber);
        let reserve_days = self.context.programme.products.reserve_days;
        match contest(facts, is_guess, self.context.now, reserve_days) {
            Contest::SameAccount => Ok(Some(Registered::Existing(holder))),
            Contest::HolderKeeps => Ok(Some(Registered::Taken)),
            Contest::HolderFallsBack => self.fall_back(holder, &wanted).map(|()| None),
        }
    }

    /// The holder's product loses its serial number, and with it its tick and its points.
    fn fall_back(&mut self, mut holder: Product, serial: &Wanted) -> Result<()> {
        // Whoever came to hold the number after the accounts were locked is met by the next try.
        self.note_before(&holder);
        let ledger = self.ledgers.get_mut(&holder.account_id);
        let ledger = ledger.ok_or(Error::Contended)?;
        if let Some(award) = self.awards.remove(&holder.id) {
            ledger.reverse(&award, PointsReason::SerialNumberLost)?;
        }
        let mut guesses = holder.estimated();
        guesses.retain(|field| *field != ProductField::SerialNumber);
        holder.serial_number = None;
        holder.serial_key = None;
        holder.serial_since = None;
        holder.holds_serial = false;
        holder.estimated = estimated_text(&guesses);
        holder.status = ProductStatus::Incomplete;
        self.serials.holders.remove(serial);
        if let Some(guesses) = self.guesses.get_mut(&holder.account_id) {
            guesses.remove(&holder.id);
        }
        self.wait_for_staff(&holder, false);
        self.events.push(Event::ProductSerialNumberLost {
            account_id: holder.account_id,
            product_id: holder.id,
            status: holder.status,
        });
        match self.new.iter_mut().find(|new| new.id == holder.id) {
            Some(new) => *new = holder,
            None => self.yielded.push(holder),
        }
        Ok(())
    }
}
