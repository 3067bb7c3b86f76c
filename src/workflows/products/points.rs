//! What a product of the inventories earns: granted with the green tick, taken back without it.

use std::collections::btree_map::Entry;

use super::inventories::Inventories;
use crate::domain::model::Value;
use crate::domain::product::{ProductStatus, earns};
use crate::error::{Code, Result};
use crate::repository::DbConn;
use crate::repository::products::{self, Product};

impl Inventories<'_> {
    /// Grants the points of a product that earns, or takes back those of one that does not.
    pub(super) fn settle(
        &mut self,
        conn: &mut DbConn,
        product: &Product,
        reason: &str,
    ) -> Result<()> {
        let earning = self.earning(conn, product)?;
        let guesses = self.guesses.get_mut(&product.account_id);
        let ledger = self.ledgers.get_mut(&product.account_id);
        let ledger = ledger.ok_or(Code::NotFound)?;
        match (earning, self.awards.get(&product.id)) {
            (Some(value), None) => {
                let award = ledger.award(product.id, value, "complete")?;
                self.awards.insert(product.id, award);
                if let Some(guesses) = guesses
                    && is_unchecked_guess(product)
                {
                    guesses.insert(product.id);
                }
            }
            (None, Some(award)) => {
                ledger.reverse(award, reason)?;
                self.awards.remove(&product.id);
                guesses.map(|guesses| guesses.remove(&product.id));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        Ok(())
    }

    /// What a product earns now; a model without a value earns nothing.
    fn earning(&mut self, conn: &mut DbConn, product: &Product) -> Result<Option<Value>> {
        if product.status != ProductStatus::Complete {
            return Ok(None);
        }
        let others = match is_unchecked_guess(product) {
            true => self.count_other_guesses(conn, product)?,
            false => 0,
        };
        let limit = self.context.programme.products.estimated_serials_that_earn;
        let is_guess = product.is_serial_estimated();
        if !earns(is_guess, product.checked_at.is_some(), others, limit) {
            return Ok(None);
        }
        let today = self.context.programme.review.date_of(self.context.now);
        Ok(self.catalogue.value(product.model_id, today))
    }

    /// How many other products of the account earn points on a guessed serial number that staff have not looked at.
    fn count_other_guesses(&mut self, conn: &mut DbConn, product: &Product) -> Result<usize> {
        let guesses = match self.guesses.entry(product.account_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let stored = products::earning_on_guesses(conn, product.account_id)?;
                let gave_up = |id| self.yielded.iter().any(|yielded| yielded.id == id);
                let stored = stored.into_iter().filter(|id| !gave_up(*id));
                unknown.insert(stored.collect())
            }
        };
        Ok(guesses.iter().filter(|id| **id != product.id).count())
    }
}

fn is_unchecked_guess(product: &Product) -> bool {
    product.is_serial_estimated() && product.checked_at.is_none()
}
