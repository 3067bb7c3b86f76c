//! The products of accounts and their ledgers, locked, while they change: in memory until they are stored together. Whose a serial number is
//! stands in `serials`, what a product earns in `points`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::serials::Serials;
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::model::ModelId;
use crate::domain::product::{EndReason, ProductId, ProductStatus, Standing, status};
use crate::domain::product_details::CheckedDetails;
use crate::error::{Code, Result};
use crate::repository::accounts::Account;
use crate::repository::catalogue::{Catalogue, CatalogueModel};
use crate::repository::points::PointsEntry;
use crate::repository::products::{self, Product, estimated_text};
use crate::repository::{DbConn, Held, events, points};
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

/// A serial number that is wanted, as it is compared, and its model.
pub type Wanted = (ModelId, String);

/// Accounts, their rows and ledgers locked, while their products change. Nothing is stored before [`flush`](Self::flush).
pub struct Inventories<'a> {
    pub(super) context: &'a Context,
    pub(super) catalogue: Arc<Catalogue>,
    stamp: Stamp,
    /// Those whose products change.
    own: BTreeSet<AccountId>,
    /// They, and those that might have to give up a serial number.
    accounts: BTreeMap<AccountId, Held<Account>>,
    pub(super) ledgers: BTreeMap<AccountId, Ledger>,
    pub(super) serials: Serials,
    /// The awards that stand, of the products that may lose theirs.
    pub(super) awards: HashMap<ProductId, PointsEntry>,
    /// The products that earn on a guess, where an account was asked for them.
    pub(super) guesses: BTreeMap<AccountId, BTreeSet<ProductId>>,
    /// Those of others that have given up their serial numbers.
    pub(super) yielded: Vec<Product>,
    changed: Vec<Held<Product>>,
    pub(super) new: Vec<Product>,
    pub(super) events: Vec<Event>,
}

impl<'a> Inventories<'a> {
    /// Locks the accounts, and with them, all in the order of their ids, those that might have to give up one of `wanted`. `catalogue` is what
    /// the products were checked by: `Contended` where another version stands by then.
    pub fn open(
        conn: &mut DbConn,
        context: &'a Context,
        catalogue: Arc<Catalogue>,
        accounts: &[&AccountAccess],
        wanted: &[Wanted],
    ) -> Result<Self> {
        let own: BTreeSet<AccountId> = accounts.iter().map(|one| one.account_id()).collect();
        let before = Serials::find(conn, wanted)?;
        let mut ids = own.clone();
        ids.extend(before.yielding().map(|holder| holder.account_id));
        let ids: Vec<AccountId> = ids.into_iter().collect();
        let (locked, version) = points::lock_many(conn, &ids)?;
        if !locked.is_empty() {
            let cache = &context.catalogue;
            cache.confirm_version(conn, &catalogue, version)?;
        }
        // What was found before the lock may have changed until then; where nothing was, the database refuses what came since.
        let serials = match before.is_empty() {
            true => before,
            false => Serials::find(conn, wanted)?,
        };
        let access = accounts.first().ok_or(Code::NotFound)?;
        let mut inventories = Self {
            context,
            catalogue,
            stamp: access.stamp(context.now),
            own,
            accounts: BTreeMap::new(),
            ledgers: BTreeMap::new(),
            serials,
            awards: HashMap::new(),
            guesses: BTreeMap::new(),
            yielded: Vec::new(),
            changed: Vec::new(),
            new: Vec::new(),
            events: Vec::new(),
        };
        for (account, ledger) in locked {
            let ledger = Ledger::of(ledger, &inventories.stamp);
            inventories.ledgers.insert(account.id, ledger);
            inventories.accounts.insert(account.id, account);
        }
        for id in &inventories.own {
            inventories.account(*id)?.check_active()?;
        }
        inventories.find_awards(conn)?;
        Ok(inventories)
    }

    fn find_awards(&mut self, conn: &mut DbConn) -> Result<()> {
        let yielding: Vec<ProductId> = self.serials.yielding().map(|one| one.id).collect();
        if !yielding.is_empty() {
            self.know_awards(points::standing_awards(conn, &yielding)?);
        }
        Ok(())
    }

    fn know_awards(&mut self, awards: Vec<PointsEntry>) {
        let of_product = |award: PointsEntry| Some((award.product_id?, award));
        self.awards
            .extend(awards.into_iter().filter_map(of_product));
    }

    /// A held account.
    pub fn account(&self, id: AccountId) -> Result<&Held<Account>> {
        self.accounts.get(&id).ok_or(Code::NotFound.into())
    }

    /// What an account has gained since its ledger was locked.
    pub fn gained(&self, id: AccountId) -> i64 {
        self.ledgers.get(&id).map_or(0, Ledger::gained)
    }

    /// The points of a product's award, where it stands and this has seen it.
    pub fn granted(&self, id: ProductId) -> Option<i64> {
        self.awards.get(&id).map(|award| award.amount)
    }

    /// Registers a product of `model` for an account as `id`; `details` have passed the model's checks.
    pub fn register(
        &mut self,
        conn: &mut DbConn,
        (account, id): (AccountId, ProductId),
        model: &CatalogueModel,
        details: CheckedDetails,
        legacy_reference: Option<&str>,
    ) -> Result<Registered> {
        let mut product = self.blank((account, id), model, legacy_reference);
        if let Some(outcome) = self.contest(&product, &details)? {
            return Ok(outcome);
        }
        self.fill(&mut product, details);
        self.settle(conn, &product, "complete")?;
        self.events.push(Event::ProductRegistered {
            account_id: account,
            product_id: product.id,
            model_id: product.model_id,
            status: product.status,
        });
        self.tell_dispute(&product, None);
        self.serials.hold(&product);
        self.new.push(product.clone());
        Ok(Registered::New(product))
    }

    fn blank(
        &self,
        (account, id): (AccountId, ProductId),
        model: &CatalogueModel,
        legacy_reference: Option<&str>,
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
            legacy_reference: legacy_reference.map(str::to_owned),
            created_at: self.context.now,
            updated_at: self.context.now,
            ended_at: None,
        }
    }

    /// Writes `details` into `product` and says where it stands now.
    fn fill(&self, product: &mut Product, checked: CheckedDetails) {
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
        let standing = Standing {
            disputed: product.checked_at.is_none() && self.serials.was_stolen(product),
            ..Standing::default()
        };
        product.status = status(&missing, standing);
    }

    /// A product of an account, held, which is open and which the caller has seen.
    pub fn open_product(
        &mut self,
        conn: &mut DbConn,
        (account, id): (AccountId, ProductId),
        check: impl FnOnce(i64) -> Result<()>,
    ) -> Result<Held<Product>> {
        let product = products::lock(conn, self.account(account)?, id)?;
        check(product.version)?;
        if product.status == ProductStatus::Ended {
            return Err(Code::ProductEnded.into());
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
        let before = product.status;
        if self.contest(&product, &details)?.is_some() {
            return Err(Code::SerialAlreadyRegistered.into());
        }
        self.fill(&mut product, details);
        self.settle(conn, &product, "incomplete")?;
        self.events.push(Event::ProductChanged {
            account_id: product.account_id,
            product_id: product.id,
            status: product.status,
        });
        self.tell_dispute(&product, Some(before));
        self.serials.hold(&product);
        self.changed.push(product);
        Ok(())
    }

    fn tell_dispute(&mut self, product: &Product, before: Option<ProductStatus>) {
        let is_new = before != Some(ProductStatus::Disputed);
        if is_new && product.status == ProductStatus::Disputed {
            self.events.push(Event::ProductDisputed {
                account_id: product.account_id,
                product_id: product.id,
                status: product.status,
            });
        }
    }

    /// Ends a registration; its points go with it.
    pub fn end(
        &mut self,
        conn: &mut DbConn,
        mut product: Held<Product>,
        reason: EndReason,
    ) -> Result<()> {
        product.status = ProductStatus::Ended;
        product.end_reason = Some(reason);
        product.ended_at = Some(self.context.now);
        self.settle(conn, &product, reason.as_str())?;
        self.events.push(Event::ProductEnded {
            account_id: product.account_id,
            product_id: product.id,
            reason,
        });
        self.changed.push(product);
        Ok(())
    }

    /// Stores what has changed, those that gave up a serial number first, and where the ledgers stand; the invitations follow. The changed
    /// products, as they are stored. `Contended` where the database has another registration with one of the serial numbers.
    pub fn flush(mut self, conn: &mut DbConn) -> Result<Vec<Product>> {
        let now = self.context.now;
        for (estimated, ids) in by_guesses(&self.yielded) {
            products::take_serials(conn, &estimated, &ids, now)?;
        }
        for product in &mut self.changed {
            products::store(conn, product, now)?;
        }
        if !self.new.is_empty() {
            // In one order, so that two that name the same numbers wait for each other in no circle.
            self.new
                .sort_by(|a, b| (a.model_id, &a.serial_key).cmp(&(b.model_id, &b.serial_key)));
            products::insert(conn, &self.new)?;
        }
        let ledgers = self.ledgers.values_mut();
        let entries: Vec<PointsEntry> = ledgers.flat_map(Ledger::take_entries).collect();
        if !entries.is_empty() {
            points::append(conn, &entries)?;
        }
        for (id, ledger) in std::mem::take(&mut self.ledgers) {
            let is_concerned = self.own.contains(&id) || ledger.has_changed();
            if let Some(account) = self.accounts.get(&id).filter(|_| is_concerned) {
                ledger.close(conn, self.context, account, &mut self.events)?;
            }
        }
        events::record(conn, &self.stamp, &self.events)?;
        Ok(self.changed.into_iter().map(Held::into_row).collect())
    }
}

fn by_guesses(yielded: &[Product]) -> BTreeMap<String, Vec<ProductId>> {
    let mut groups: BTreeMap<String, Vec<ProductId>> = BTreeMap::new();
    for product in yielded {
        let group = groups.entry(product.estimated.clone()).or_default();
        group.push(product.id);
    }
    groups
}
