//! Whose a serial number is when a second registration names it.

use serde_json::json;

use super::inventory::{Inventory, Registered};
use crate::domain::access::AccountAccess;
use crate::domain::product::{Contest, Holder, ProductField, ProductStatus, contest};
use crate::domain::product_details::CheckedDetails;
use crate::error::{Error, Result};
use crate::repository::accounts;
use crate::repository::products::{self, Product, estimated_text};
use crate::repository::{DbConn, events, points};
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
    fn fall_back(&mut self, conn: &mut DbConn, mut holder: Product) -> Result<()> {
        if !self.locked.contains(&holder.account_id) {
            return Err(Error::Contended);
        }
        let context = self.context;
        let access = AccountAccess::of_service(holder.account_id);
        let account = accounts::find(conn, &access)?;
        let mut ledger = Ledger::open(conn, account.id, None)?;
        let mut guesses = holder.estimated();
        guesses.retain(|field| *field != ProductField::SerialNumber);
        holder.serial_number = None;
        holder.serial_key = None;
        holder.serial_since = None;
        holder.estimated = estimated_text(&guesses);
        holder.status = ProductStatus::Incomplete;
        products::update(conn, &mut holder, context.now)?;
        for award in points::standing_awards(conn, &[holder.id])? {
            ledger.reverse(conn, context, &award, "serial_number_lost")?;
        }
        ledger.close(conn, context, &account)?;
        let payload = json!({ "product_id": holder.id, "status": holder.status });
        let kind = "product.serial_number_lost";
        events::record(conn, account.id, kind, payload, context.now)
    }
}
