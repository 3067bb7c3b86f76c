//! One account's products and its ledger, locked, while they change: whose a serial number is, the tick, the points.

use std::collections::BTreeMap;

use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::model::ModelId;
use crate::domain::product::{EndReason, ProductId, ProductStatus, Standing, status};
use crate::domain::product_details::CheckedDetails;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::models::Model;
use crate::repository::products::{self, Product, estimated_text};
use crate::repository::{DbConn, Held, events};
use crate::workflows::Context;
use crate::workflows::points::Ledger;

/// What registering came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// A new registration.
    New(Product),
    /// The account has it already.
    Standing(Product),
    /// Another account holds the serial number.
    Taken,
}

impl Registered {
    /// The product, or the refusal that tells nothing of who holds the serial number.
    pub fn product(self) -> Result<Product> {
        match self {
            Self::New(product) | Self::Standing(product) => Ok(product),
            Self::Taken => Err(Code::SerialAlreadyRegistered.into()),
        }
    }
}

/// One account, its row and its ledger locked, while its products change.
pub struct Inventory<'a> {
    pub(super) context: &'a Context,
    pub account: Held<Account>,
    pub(super) stamp: Stamp,
    pub(super) ledger: Ledger,
    /// Those of others who have given up a serial number so far.
    pub(super) other_ledgers: BTreeMap<AccountId, Ledger>,
    /// The other accounts that might have to give up a serial number.
    pub(super) others: Vec<Held<Account>>,
    /// What has happened so far.
    pub(super) events: Vec<Event>,
}

/// A serial number that is wanted, as it is compared, and its model.
pub type Wanted<'a> = (ModelId, &'a str);

impl<'a> Inventory<'a> {
    /// Locks the account, and with it, in the order of their ids, those that might have to give up one of `wanted`.
    pub fn open(
        conn: &mut DbConn,
        context: &'a Context,
        access: &AccountAccess,
        wanted: &[Wanted<'_>],
    ) -> Result<Self> {
        let mut ids = vec![access.account_id()];
        for (model, keys) in by_model(wanted) {
            ids.extend(products::incomplete_or_guessing_holders(
                conn, model, &keys,
            )?);
        }
        let mut others = accounts::lock_many(conn, &ids)?;
        let own = others.iter().position(|one| one.id == access.account_id());
        let account = others.swap_remove(own.ok_or(Code::NotFound)?);
        account.check_active()?;
        let stamp = access.stamp(context.now);
        let ledger = Ledger::open(conn, &account, &stamp)?;
        Ok(Self {
            context,
            stamp,
            other_ledgers: BTreeMap::new(),
            others,
            events: Vec::new(),
            account,
            ledger,
        })
    }

    /// Registers a product of `model` as `id`; `details` have passed the model's checks.
    pub fn register(
        &mut self,
        conn: &mut DbConn,
        id: ProductId,
        model: &Model,
        details: CheckedDetails,
        legacy_reference: Option<&str>,
    ) -> Result<Registered> {
        let mut product = self.blank(id, model, legacy_reference);
        let outcome = self.contest(conn, &product, &details)?;
        if let Some(outcome) = outcome {
            return Ok(outcome);
        }
        self.fill(conn, &mut product, details)?;
        if !products::insert(conn, &product)?.is_stored() {
            return self.lost_race(conn, &product);
        }
        self.settle(conn, &product, "complete")?;
        self.events.push(Event::ProductRegistered {
            account_id: self.account.id,
            product_id: product.id,
            model_id: model.id,
            status: product.status,
        });
        self.tell_dispute(&product, None);
        Ok(Registered::New(product))
    }

    fn blank(&self, id: ProductId, model: &Model, legacy_reference: Option<&str>) -> Product {
        Product {
            id,
            account_id: self.account.id,
            model_id: model.id,
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
            legacy_reference: legacy_reference.map(str::to_owned),
            created_at: self.context.now,
            updated_at: self.context.now,
            ended_at: None,
        }
    }

    /// Writes `details` into `product` and says where it stands now.
    fn fill(
        &self,
        conn: &mut DbConn,
        product: &mut Product,
        checked: CheckedDetails,
    ) -> Result<()> {
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
        let disputed = match &product.serial_key {
            Some(key) if product.checked_at.is_none() => {
                products::was_stolen(conn, product.model_id, key)?
            }
            _ => false,
        };
        let standing = Standing {
            disputed,
            ..Standing::default()
        };
        product.status = status(&missing, standing);
        Ok(())
    }

    /// Stores changed details of a product that is open.
    pub fn change(
        &mut self,
        conn: &mut DbConn,
        product: &mut Held<Product>,
        details: CheckedDetails,
    ) -> Result<()> {
        let before = product.status;
        if self.contest(conn, product, &details)?.is_some() {
            return Err(Code::SerialAlreadyRegistered.into());
        }
        self.fill(conn, product, details)?;
        if !products::store(conn, product, self.context.now)?.is_stored() {
            return Err(Code::SerialAlreadyRegistered.into());
        }
        self.settle(conn, product, "incomplete")?;
        self.events.push(Event::ProductChanged {
            account_id: self.account.id,
            product_id: product.id,
            status: product.status,
        });
        self.tell_dispute(product, Some(before));
        Ok(())
    }

    fn tell_dispute(&mut self, product: &Product, before: Option<ProductStatus>) {
        let is_new = before != Some(ProductStatus::Disputed);
        if is_new && product.status == ProductStatus::Disputed {
            self.events.push(Event::ProductDisputed {
                account_id: self.account.id,
                product_id: product.id,
                status: product.status,
            });
        }
    }

    /// Ends a registration; its points go with it.
    pub fn end(
        &mut self,
        conn: &mut DbConn,
        product: &mut Held<Product>,
        reason: EndReason,
    ) -> Result<()> {
        product.status = ProductStatus::Ended;
        product.end_reason = Some(reason);
        product.ended_at = Some(self.context.now);
        products::store(conn, product, self.context.now)?.or_contended()?;
        self.settle(conn, product, reason.as_str())?;
        self.events.push(Event::ProductEnded {
            account_id: self.account.id,
            product_id: product.id,
            reason,
        });
        Ok(())
    }

    /// The product, which is open and which the caller has seen.
    pub fn open_product(
        &self,
        conn: &mut DbConn,
        id: ProductId,
        check: impl FnOnce(i64) -> Result<()>,
    ) -> Result<Held<Product>> {
        let product = products::lock(conn, &self.account, id)?;
        check(product.version)?;
        if product.status == ProductStatus::Ended {
            return Err(Code::ProductEnded.into());
        }
        Ok(product)
    }

    /// Stores where the ledgers stand, the invitations follow, and records what happened.
    pub fn close(mut self, conn: &mut DbConn) -> Result<()> {
        let mut others = self.other_ledgers;
        for account in &self.others {
            if let Some(ledger) = others.remove(&account.id) {
                ledger.close(conn, self.context, account, &mut self.events)?;
            }
        }
        self.ledger
            .close(conn, self.context, &self.account, &mut self.events)?;
        events::record(conn, &self.stamp, &self.events)
    }
}

fn by_model<'a>(wanted: &[Wanted<'a>]) -> Vec<(ModelId, Vec<&'a str>)> {
    let mut sorted = wanted.to_vec();
    sorted.sort();
    let mut groups: Vec<(ModelId, Vec<&str>)> = Vec::new();
    for (model, key) in sorted {
        match groups.last_mut() {
            Some((last, keys)) if *last == model => keys.push(key),
            _ => groups.push((model, vec![key])),
        }
    }
    groups
}
