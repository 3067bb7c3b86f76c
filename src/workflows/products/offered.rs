//! What becomes of a product that a dealer offers once its customer accepts it.

use super::changes::Registered;
use super::inventories::Inventories;
use crate::domain::event::Event;
use crate::domain::partner::PartnerId;
use crate::domain::points::PointsReason;
use crate::domain::product::{EndReason, ProductId, ProductStatus};
use crate::domain::product_details::{CheckedDetails, Details};
use crate::domain::values::SerialNumber;
use crate::error::{Code, Result};
use crate::repository::products::{self, Product};
use crate::repository::{DbConn, Held, points};

impl Inventories<'_> {
    /// Registers an offered product whose serial number was locked as wanted, or confirms by it the one that the account has registered already;
    /// which product it is then. Refused where another account keeps the serial number: the offer stays.
    pub fn accept(
        &mut self,
        conn: &mut DbConn,
        offered: Held<Product>,
        partner: PartnerId,
    ) -> Result<ProductId> {
        let details = offered.checked_details();
        match self.contest(&offered, &details)? {
            None => self.register_offered(conn, offered, details),
            Some(Registered::Existing(own)) => self.merge(conn, offered, &own, partner),
            Some(_) => Err(Code::SerialAlreadyRegistered.into()),
        }
    }

    fn register_offered(
        &mut self,
        conn: &mut DbConn,
        mut product: Held<Product>,
        details: CheckedDetails,
    ) -> Result<ProductId> {
        self.note_before(&product);
        product.status = ProductStatus::Incomplete;
        self.fill(&mut product, details);
        product.serial_since = Some(self.context.now);
        self.settle(conn, &product, PointsReason::Complete)?;
        let (account_id, product_id) = (product.account_id, product.id);
        self.events.push(Event::ProductOfferAccepted {
            account_id,
            product_id,
            registered_as: product_id,
            status: product.status,
        });
        if product.status == ProductStatus::Disputed {
            self.tell_dispute(&product);
        }
        self.serials.hold(&product);
        self.changed.push(product);
        Ok(product_id)
    }

    fn merge(
        &mut self,
        conn: &mut DbConn,
        mut offered: Held<Product>,
        own: &Product,
        partner: PartnerId,
    ) -> Result<ProductId> {
        let (account_id, own_id) = (own.account_id, own.id);
        if own.status == ProductStatus::Disputed {
            return Err(Code::ProductDisputed.into());
        }
        let own = products::lock(conn, self.account(account_id)?, own_id)?;
        self.know_awards(points::standing_awards(conn, &[own_id])?);
        let details = confirmed(&own, &offered.details());
        self.held.insert(own_id, own);
        self.confirm(conn, (own_id, details), partner)?;
        self.note_before(&offered);
        self.waiting.set(&offered, None);
        offered.end(EndReason::Merged, self.context.now);
        self.events.push(Event::ProductOfferAccepted {
            account_id,
            product_id: offered.id,
            registered_as: own_id,
            status: offered.status,
        });
        self.changed.push(offered);
        Ok(own_id)
    }
}

/// What an own product says once a dealer has filled what it lacks or guesses; the serial number is the one that it has.
fn confirmed(own: &Product, said: &Details) -> CheckedDetails {
    let details = own.details().confirmed_by(said);
    let shown = details.serial_number.clone();
    let serial = shown
        .zip(own.serial_key.clone())
        .map(|(shown, key)| SerialNumber { shown, key });
    CheckedDetails::known(serial, details)
}
