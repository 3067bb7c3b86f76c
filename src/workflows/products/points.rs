//! What a product of the inventory earns: granted with the green tick, taken back without it.

use super::inventory::Inventory;
use crate::domain::model::Value;
use crate::domain::product::{ProductStatus, earns};
use crate::error::Result;
use crate::repository::products::{self, Product};
use crate::repository::{DbConn, models, points};

impl Inventory<'_> {
    /// Grants the points of a product that earns, or takes back those of one that does not.
    pub(super) fn settle(
        &mut self,
        conn: &mut DbConn,
        product: &Product,
        reason: &str,
    ) -> Result<()> {
        let award = match product.version {
            1 => None,
            _ => points::standing_awards(conn, &[product.id])?.pop(),
        };
        match (self.earning(conn, product)?, award) {
            (Some(value), None) => self.ledger.award(conn, product.id, value, "complete"),
            (None, Some(award)) => self.ledger.reverse(conn, &award, reason),
            (Some(_), Some(_)) | (None, None) => Ok(()),
        }
    }

    /// What a product earns now; a model without a value earns nothing.
    fn earning(&self, conn: &mut DbConn, product: &Product) -> Result<Option<Value>> {
        if product.status != ProductStatus::Complete {
            return Ok(None);
        }
        let is_guess = product.is_serial_estimated();
        let others = match is_guess && product.checked_at.is_none() {
            true => products::count_earning_guesses(conn, product)?,
            false => 0,
        };
        let limit = self.context.programme.products.estimated_serials_that_earn;
        let others = usize::try_from(others).unwrap_or(usize::MAX);
        if !earns(is_guess, product.checked_at.is_some(), others, limit) {
            return Ok(None);
        }
        let today = self.context.programme.review.date_of(self.context.now);
        let id = product.model_id;
        Ok(models::values_at(conn, &[id], today)?.remove(&id))
    }
}
