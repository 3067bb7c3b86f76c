//! What a product of the inventories earns: granted with the green tick, taken back without it, and granted later to those that had to wait.

use std::collections::btree_map::Entry;

use super::inventories::Inventories;
use crate::domain::access::{AccountAccess, ServiceAccess};
use crate::domain::account::AccountId;
use crate::domain::model::Value;
use crate::domain::points::PointsReason;
use crate::domain::product::{ProductStatus, earns};
use crate::error::{Code, Result};
use crate::repository::DbConn;
use crate::repository::products::{self, Product};
use crate::types::Instant;
use crate::workflows::Context;
use crate::workflows::tasks::{Task, enqueue};

/// What a product earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Earning {
    Nothing,
    /// Nothing before staff have looked at its guessed serial number, or another guess earns no more.
    AfterCheck,
    Value(Value),
}

impl Inventories<'_> {
    /// Grants the points of a product that earns, or takes back those of one that does not.
    pub(super) fn settle(
        &mut self,
        conn: &mut DbConn,
        product: &Product,
        reason: PointsReason,
    ) -> Result<()> {
        let earning = self.earning(conn, product)?;
        self.wait_for_staff(product, earning == Earning::AfterCheck);
        let guesses = self.guesses.get_mut(&product.account_id);
        let ledger = self.ledgers.get_mut(&product.account_id);
        let ledger = ledger.ok_or(Code::NotFound)?;
        match (earning, self.awards.get(&product.id)) {
            (Earning::Value(value), None) => {
                let award = ledger.award(product.id, value)?;
                self.awards.insert(product.id, award);
                if let Some(guesses) = guesses
                    && product.is_unchecked_guess()
                {
                    guesses.insert(product.id);
                }
            }
            (Earning::AfterCheck | Earning::Nothing, Some(award)) => {
                ledger.reverse(award, reason)?;
                self.awards.remove(&product.id);
                guesses.map(|guesses| guesses.remove(&product.id));
            }
            (Earning::Value(_), Some(_)) | (_, None) => {}
        }
        Ok(())
    }

    /// What a product earns now; a model without a value earns nothing.
    fn earning(&mut self, conn: &mut DbConn, product: &Product) -> Result<Earning> {
        if product.status != ProductStatus::Complete {
            return Ok(Earning::Nothing);
        }
        let others = match product.is_unchecked_guess() {
            true => self.count_other_guesses(conn, product)?,
            false => 0,
        };
        let limit = self.context.programme.products.estimated_serials_that_earn;
        let is_guess = product.is_serial_estimated();
        if !earns(is_guess, product.checked_at.is_some(), others, limit) {
            return Ok(Earning::AfterCheck);
        }
        let today = self.context.programme.review.date_of(self.context.now);
        let value = self.catalogue.value(product.model_id, today);
        Ok(value.map_or(Earning::Nothing, Earning::Value))
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

    /// Grants the products of accounts that wait for their points what they earn by now, the oldest first.
    pub(super) fn grant_waiting(
        &mut self,
        conn: &mut DbConn,
        accounts: &[AccountId],
    ) -> Result<()> {
        for product in products::waiting_for_points(conn, accounts)? {
            self.note_waiting(&product);
            self.settle(conn, &product, PointsReason::Complete)?;
        }
        Ok(())
    }
}

/// How many accounts are looked after in one transaction.
const ACCOUNTS: i64 = 20;

/// Grants the points that products have waited for until the value of their model began, account by account behind `after`.
pub fn grant_waiting(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    (due, after): (Instant, Option<AccountId>),
) -> Result<()> {
    let today = context.programme.review.date_of(context.now);
    let ids = products::accounts_waiting(conn, today, after, ACCOUNTS)?;
    let Some(last) = ids.last().copied() else {
        return Ok(());
    };
    let accounts: Vec<AccountAccess> = ids.iter().map(|id| service.on(*id)).collect();
    let accounts: Vec<&AccountAccess> = accounts.iter().collect();
    let catalogue = context.catalogue.current(conn)?;
    let mut inventories = Inventories::lock(conn, context, catalogue, &accounts, &[])?;
    inventories.grant_waiting(conn, &ids)?;
    inventories.flush(conn)?;
    let after = Some(last);
    enqueue(
        conn,
        &Task::GrantPoints { due, after },
        context.now,
        context.now,
    )
}
