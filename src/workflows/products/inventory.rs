//! One account's products and its ledger, locked, while they change: whose a serial number is, the tick, the points.

use serde_json::json;

use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::model::{ModelId, Value};
use crate::domain::product::{EndReason, ProductId, ProductStatus, Standing, earns, status};
use crate::domain::product_details::CheckedDetails;
use crate::error::{Code, Result};
use crate::repository::accounts::{self, Account};
use crate::repository::models::{self, Model};
use crate::repository::products::{self, Product, estimated_text};
use crate::repository::{DbConn, events, points};
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
    access: &'a AccountAccess,
    pub(super) account: Account,
    ledger: Ledger,
    /// The accounts whose rows are locked.
    pub(super) locked: Vec<AccountId>,
}

/// A serial number that is wanted, as it is compared, and its model.
pub type Wanted<'a> = (ModelId, &'a str);

impl<'a> Inventory<'a> {
    /// Locks the account, and with it, in the order of their ids, those that might have to give up one of `wanted`.
    pub fn open(
        conn: &mut DbConn,
        context: &'a Context,
        access: &'a AccountAccess,
        wanted: &[Wanted<'_>],
    ) -> Result<Self> {
        let mut locked = vec![access.account_id()];
        for (model, keys) in by_model(wanted) {
            locked.extend(products::incomplete_or_guessing_holders(
                conn, model, &keys,
            )?);
        }
        locked.sort();
        locked.dedup();
        if locked.len() > 1 {
            accounts::lock_all(conn, &locked)?;
        }
        let account = accounts::lock_active(conn, access)?;
        let ledger = Ledger::open(conn, account.id, access.by())?;
        Ok(Self {
            context,
            access,
            account,
            ledger,
            locked,
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
        if !products::insert(conn, &product)? {
            return self.lost_race(conn, &product);
        }
        self.settle(conn, &product, "complete")?;
        let payload = json!({ "product_id": product.id, "status": product.status });
        self.record(conn, "product.registered", payload)?;
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

    /// Grants the points of a product that earns, or takes back those of one that does not.
    fn settle(&mut self, conn: &mut DbConn, product: &Product, reason: &str) -> Result<()> {
        let award = match product.version {
            1 => None,
            _ => points::standing_awards(conn, &[product.id])?.pop(),
        };
        let context = self.context;
        match (self.earning(conn, product)?, award) {
            (Some(value), None) => self
                .ledger
                .award(conn, context, product.id, value, "complete"),
            (None, Some(award)) => self.ledger.reverse(conn, context, &award, reason),
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

    /// Stores changed details of a product that is open.
    pub fn change(
        &mut self,
        conn: &mut DbConn,
        product: &mut Product,
        details: CheckedDetails,
    ) -> Result<()> {
        if self.contest(conn, product, &details)?.is_some() {
            return Err(Code::SerialAlreadyRegistered.into());
        }
        self.fill(conn, product, details)?;
        if !products::update(conn, product, self.context.now)? {
            return Err(Code::SerialAlreadyRegistered.into());
        }
        self.settle(conn, product, "incomplete")?;
        let payload = json!({ "product_id": product.id, "status": product.status });
        self.record(conn, "product.changed", payload)
    }

    /// Ends a registration; its points go with it.
    pub fn end(
        &mut self,
        conn: &mut DbConn,
        product: &mut Product,
        reason: EndReason,
    ) -> Result<()> {
        product.status = ProductStatus::Ended;
        product.end_reason = Some(reason);
        product.ended_at = Some(self.context.now);
        products::update(conn, product, self.context.now)?;
        self.settle(conn, product, reason.as_str())?;
        let payload = json!({ "product_id": product.id, "reason": reason });
        self.record(conn, "product.ended", payload)
    }

    /// The product, which is open and which the caller has seen.
    pub fn open_product(
        &self,
        conn: &mut DbConn,
        id: ProductId,
        check: impl FnOnce(i64) -> Result<()>,
    ) -> Result<Product> {
        let product = products::find(conn, self.access, id)?;
        check(product.version)?;
        if product.status == ProductStatus::Ended {
            return Err(Code::ProductEnded.into());
        }
        Ok(product)
    }

    /// Stores where the ledger stands; the invitation follows.
    pub fn close(self, conn: &mut DbConn) -> Result<()> {
        self.ledger.close(conn, self.context, &self.account)
    }

    fn record(&self, conn: &mut DbConn, kind: &str, payload: serde_json::Value) -> Result<()> {
        events::record(conn, self.account.id, kind, payload, self.context.now)
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
