//! What is done with one product of the inventories: registering, changing, ending it.

use super::inventories::Inventories;
use crate::domain::account::AccountId;
use crate::domain::event::Event;
use crate::domain::points::PointsReason;
use crate::domain::product::{Conditions, EndReason, Evidence, ProductId, ProductStatus, status};
use crate::domain::product_details::CheckedDetails;
use crate::error::{Code, Result};
use crate::repository::catalogue::CatalogueModel;
use crate::repository::products::{self, Product, estimated_text};
use crate::repository::{DbConn, Held, points};

/// Who says that an account has a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    Owner,
    /// An old account, with what the product was called there.
    Legacy(Option<&'a str>),
    Dealer,
}

/// What registering came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// A new registration.
    New(Product),
    /// The account has it already.
    Existing(Product),
    /// Another account holds the serial number.
    Taken,
}

impl Registered {
    /// The product, or the refusal that tells nothing of who holds the serial number.
    pub fn product(self) -> Result<Product> {
        match self {
            Self::New(product) | Self::Existing(product) => Ok(product),
            Self::Taken => Err(Code::SerialAlreadyRegistered.into()),
        }
    }
}

impl Inventories<'_> {
    /// Registers a product of `model` for an account as `id`; `details` have passed the model's checks.
    pub fn register(
        &mut self,
        conn: &mut DbConn,
        (account, id): (AccountId, ProductId),
        model: &CatalogueModel,
        details: CheckedDetails,
        origin: Origin<'_>,
    ) -> Result<Registered> {
        let mut product = self.blank((account, id), model, origin);
        if let Some(outcome) = self.contest(&product, &details)? {
            return Ok(outcome);
        }
        self.fill(&mut product, details);
        self.settle(conn, &product, PointsReason::Complete)?;
        self.events.push(Event::ProductRegistered {
            account_id: account,
            product_id: product.id,
            model_id: product.model_id,
            status: product.status,
        });
        if product.status == ProductStatus::Disputed {
            self.tell_dispute(&product);
        }
        self.serials.hold(&product);
        self.new.push(product.clone());
        Ok(Registered::New(product))
    }

    pub(super) fn blank(
        &self,
        (account, id): (AccountId, ProductId),
        model: &CatalogueModel,
        origin: Origin<'_>,
    ) -> Product {
        Product {
            id,
            account_id: account,
            model_id: model.row.id,
            version: 1,
            status: ProductStatus::Incomplete,
            serial_number: None,
            serial_key: None,
            serial_since: None,
            purchase_date: None,
            purchase_country: None,
            dealer: None,
            estimated: String::new(),
            checked_at: None,
            end_reason: None,
            legacy_reference: match origin {
                Origin::Legacy(reference) => reference.map(str::to_owned),
                Origin::Owner | Origin::Dealer => None,
            },
            created_at: self.context.now,
            updated_at: self.context.now,
            ended_at: None,
            holds_serial: false,
            evidence: match origin {
                Origin::Dealer => Evidence::Dealer,
                Origin::Owner | Origin::Legacy(_) => Evidence::Stated,
            },
            recovered_at: None,
        }
    }

    /// Writes `details` into `product` and says where it stands now.
    pub(super) fn fill(&self, product: &mut Product, checked: CheckedDetails) {
        let CheckedDetails {
            serial,
            details,
            missing,
            ..
        } = checked;
        let key = serial.as_ref().map(|serial| serial.key.clone());
        if key != product.serial_key {
            product.serial_since = key.as_ref().map(|_| self.context.now);
            product.checked_at = None;
        }
        product.serial_key = key;
        product.serial_number = serial.map(|serial| serial.shown);
        product.purchase_date = details.purchase_date;
        product.purchase_country = details.purchase_country;
        product.dealer = details.dealer;
        product.estimated = estimated_text(&details.estimated);
        let conditions = Conditions {
            offered: product.status == ProductStatus::Offered,
            disputed: product.checked_at.is_none() && self.serials.was_stolen(product),
            ..Conditions::default()
        };
        product.status = status(&missing, conditions);
        product.claim_serial();
    }

    /// A product of an account, held, which is registered and which the caller has seen.
    pub fn open_product(
        &mut self,
        conn: &mut DbConn,
        (account, id): (AccountId, ProductId),
        check: impl FnOnce(i64) -> Result<()>,
    ) -> Result<Held<Product>> {
        let product = products::lock(conn, self.account(account)?, id)?;
        check(product.version)?;
        match product.status {
            ProductStatus::Ended => return Err(Code::ProductEnded.into()),
            ProductStatus::Offered => return Err(Code::RegistrationNotOpen.into()),
            _ => {}
        }
        self.know_awards(points::standing_awards(conn, &[id])?);
        Ok(product)
    }

    /// Changes the details of a product that is open.
    pub fn change(
        &mut self,
        conn: &mut DbConn,
        mut product: Held<Product>,
        details: CheckedDetails,
    ) -> Result<()> {
        let before = (product.status, product.serial_key.clone());
        self.note_before(&product);
        if self.contest(&product, &details)?.is_some() {
            return Err(Code::SerialAlreadyRegistered.into());
        }
        self.fill(&mut product, details);
        self.settle(conn, &product, PointsReason::Incomplete)?;
        self.events.push(Event::ProductChanged {
            account_id: product.account_id,
            product_id: product.id,
            status: product.status,
        });
        let is_same = before == (product.status, product.serial_key.clone());
        if product.status == ProductStatus::Disputed && !is_same {
            self.tell_dispute(&product);
        }
        self.serials.hold(&product);
        self.changed.push(product);
        Ok(())
    }

    /// Ends a registration; its points go with it.
    pub fn end(
        &mut self,
        conn: &mut DbConn,
        mut product: Held<Product>,
        reason: EndReason,
    ) -> Result<()> {
        self.note_before(&product);
        product.end(reason, self.context.now);
        self.settle(conn, &product, reason.into())?;
        self.events.push(Event::ProductEnded {
            account_id: product.account_id,
            product_id: product.id,
            reason,
        });
        self.changed.push(product);
        Ok(())
    }
}
