//! Whose a serial number is when a second registration names it.

use super::inventory::{Inventory, Registered};
use std::collections::btree_map::Entry;

use crate::domain::event::Event;
use crate::domain::product::{Contest, Holder, ProductField, ProductStatus, contest};
use crate::domain::product_details::CheckedDetails;
use crate::error::{Error, Result};
use crate::repository::products::{self, Product, estimated_text};
use crate::repository::{DbConn, points};
use crate::workflows::points::Ledger;

impl Inventory<'_> {
    /// Somebody else's registration came between the look and the insert.
    pub(super) fn lost_race(&self, conn: &mut DbConn, product: &Product) -> Result<Registered> {
        let key = product.serial_key.as_deref().unwrap_or_default();
        match products::holder(conn, product.model_id, key)? {
            Some(holder) if holder.account_id == self.account.id => {
                Ok(Registered::Standing(holder))
            }
            Some(_) => Ok(Registered::Taken),
            None => Err(Error::Contended),
        }
    }

    /// Whether the serial number that `product` is to have is somebody's; a holder who has to gives it up.
    pub(super) fn contest(
        &mut self,
        conn: &mut DbConn,
        product: &Product,
        details: &CheckedDetails,
    ) -> Result<Option<Registered>> {
        let Some(serial) = &details.serial else {
            return Ok(None);
        };
        let holder = products::holder(conn, product.model_id, &serial.key)?;
        let Some(holder) = holder.filter(|holder| holder.id != product.id) else {
            return Ok(None);
        };
        let facts = Holder {
            same_account: holder.account_id == self.account.id,
            status: holder.status,
            serial_estimated: holder.is_serial_estimated(),
            checked: holder.checked_at.is_some(),
            serial_since: holder.serial_since.unwrap_or(holder.created_at),
        };
        let is_guess = details
            .details
            .estimated
            .contains(&ProductField::SerialNumber);
        let reserve_days = self.context.programme.products.reserve_days;
        match contest(facts, is_guess, self.context.now, reserve_days) {
            Contest::SameAccount => Ok(Some(Registered::Standing(holder))),
            Contest::HolderKeeps => Ok(Some(Registered::Taken)),
            Contest::HolderFallsBack => self.fall_back(conn, holder).map(|()| None),
        }
    }

    /// The holder's product loses its serial number, and with it its tick and its points.
    fn fall_back(&mut self, conn: &mut DbConn, holder: Product) -> Result<()> {
        let context = self.context;
        let held = |id| self.others.iter().find(|account| account.id == id);
        // Whoever came to hold the number after the accounts were locked is met by the next try.
        let account = held(holder.account_id).ok_or(Error::Contended)?;
        let mut holder = products::lock(conn, account, holder.id)?;
        let ledger = match self.other_ledgers.entry(account.id) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(none) => none.insert(Ledger::open(conn, account, &self.stamp)?),
        };
        let mut guesses = holder.estimated();
        guesses.retain(|field| *field != ProductField::SerialNumber);
        holder.serial_number = None;
        holder.serial_key = None;
        holder.serial_since = None;
        holder.estimated = estimated_text(&guesses);
        holder.status = ProductStatus::Incomplete;
        products::store(conn, &mut holder, context.now)?.or_contended()?;
        for award in points::standing_awards(conn, &[holder.id])? {
            ledger.reverse(conn, &award, "serial_number_lost")?;
        }
        self.events.push(Event::ProductSerialNumberLost {
            account_id: account.id,
            product_id: holder.id,
            status: holder.status,
        });
        Ok(())
    }
}
