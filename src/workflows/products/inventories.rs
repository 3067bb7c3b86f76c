//! The products of accounts and their ledgers, locked, while they change: in memory until they are stored together. Whose a serial number is
//! stands in `serials`, what a product earns in `points`, what is done with one in `changes`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::serials::Serials;
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::model::ModelId;
use crate::domain::product::ProductId;
use crate::error::{Code, Result};
use crate::repository::accounts::Account;
use crate::repository::catalogue::Catalogue;
use crate::repository::points::PointsEntry;
use crate::repository::products::{self, Product};
use crate::repository::{DbConn, Held, events, points};
use crate::workflows::Context;
use crate::workflows::points::Ledger;
use crate::workflows::work_items::Waiting;

/// A serial number that is wanted, as it is compared, and its model.
pub type Wanted = (ModelId, String);

/// Accounts, their rows and ledgers locked, while their products change. Nothing is stored before [`flush`](Self::flush).
pub struct Inventories<'a> {
    pub(super) context: &'a Context,
    pub(super) catalogue: Arc<Catalogue>,
    stamp: Stamp,
    /// Those whose products change.
    pub(super) own: BTreeSet<AccountId>,
    /// They, and those that might have to give up a serial number.
    pub(super) accounts: BTreeMap<AccountId, Held<Account>>,
    pub(super) ledgers: BTreeMap<AccountId, Ledger>,
    pub(super) serials: Serials,
    /// The awards that stand, of the products that may lose theirs.
    pub(super) awards: HashMap<ProductId, PointsEntry>,
    /// The products that earn on a guess, where an account was asked for them.
    pub(super) guesses: BTreeMap<AccountId, BTreeSet<ProductId>>,
    /// The accounts in which a product was a guess that may have let another one earn.
    pub(super) freed: BTreeSet<AccountId>,
    /// Those of others that have given up their serial numbers.
    pub(super) yielded: Vec<Product>,
    pub(super) changed: Vec<Held<Product>>,
    pub(super) new: Vec<Product>,
    /// Those that are locked and have not changed.
    pub(super) held: BTreeMap<ProductId, Held<Product>>,
    pub(super) events: Vec<Event>,
    /// The products that staff may have to look at already.
    pub(super) known_to_staff: BTreeSet<ProductId>,
    /// What products wait for from now on.
    pub(super) waiting: Waiting,
    /// Those that were reported stolen and have turned up in another account.
    pub(super) turned_up: Vec<Product>,
}

impl<'a> Inventories<'a> {
    /// Locks the accounts, which must be active, as [`lock`](Self::lock) does.
    pub fn open(
        conn: &mut DbConn,
        context: &'a Context,
        catalogue: Arc<Catalogue>,
        accounts: &[&AccountAccess],
        wanted: &[Wanted],
    ) -> Result<Self> {
        let inventories = Self::lock(conn, context, catalogue, accounts, wanted)?;
        for id in &inventories.own {
            inventories.account(*id)?.check_active()?;
        }
        Ok(inventories)
    }

    /// Locks the accounts, and with them, all in the order of their ids, those that might have to give up one of `wanted`. `catalogue` is what
    /// the products were checked by: `Contended` where another version stands by then.
    pub(super) fn lock(
        conn: &mut DbConn,
        context: &'a Context,
        catalogue: Arc<Catalogue>,
        accounts: &[&AccountAccess],
        wanted: &[Wanted],
    ) -> Result<Self> {
        let access = accounts.first().ok_or(Code::NotFound)?;
        let mut inventories = Self::of(context, catalogue, access.stamp(context.now));
        let before = Serials::find(conn, wanted)?;
        let own = accounts.iter().map(|one| one.account_id());
        inventories.lock_accounts(conn, own.collect(), &before)?;
        // What was found before the lock may have changed until then; where nothing was, the database refuses what came since.
        inventories.serials = match before.is_empty() {
            true => before,
            false => Serials::find(conn, wanted)?,
        };
        inventories.find_awards(conn)?;
        Ok(inventories)
    }

    /// Locks `own`, and those that might have to give up one of the serial numbers that were found.
    pub(super) fn lock_accounts(
        &mut self,
        conn: &mut DbConn,
        own: BTreeSet<AccountId>,
        before: &Serials,
    ) -> Result<()> {
        let mut ids = own.clone();
        ids.extend(before.yielding().map(|holder| holder.account_id));
        let ids: Vec<AccountId> = ids.into_iter().collect();
        let (locked, version) = points::lock_many(conn, &ids)?;
        if !locked.is_empty() {
            let cache = &self.context.catalogue;
            cache.confirm_version(conn, &self.catalogue, version)?;
        }
        for (account, ledger) in locked {
            let ledger = Ledger::of(self.context, ledger, &self.stamp);
            self.ledgers.insert(account.id, ledger);
            self.accounts.insert(account.id, account);
        }
        self.own = own;
        Ok(())
    }

    pub(super) fn of(context: &'a Context, catalogue: Arc<Catalogue>, stamp: Stamp) -> Self {
        Self {
            context,
            catalogue,
            stamp,
            own: BTreeSet::new(),
            accounts: BTreeMap::new(),
            ledgers: BTreeMap::new(),
            serials: Serials::default(),
            awards: HashMap::new(),
            guesses: BTreeMap::new(),
            freed: BTreeSet::new(),
            yielded: Vec::new(),
            changed: Vec::new(),
            new: Vec::new(),
            held: BTreeMap::new(),
            events: Vec::new(),
            known_to_staff: BTreeSet::new(),
            waiting: Waiting::default(),
            turned_up: Vec::new(),
        }
    }

    /// The same for a reason, which every event keeps.
    pub(super) fn because(&mut self, reason: &str) {
        self.stamp.reason = Some(reason.to_owned());
    }

    fn find_awards(&mut self, conn: &mut DbConn) -> Result<()> {
        let yielding: Vec<ProductId> = self.serials.yielding().map(|one| one.id).collect();
        if !yielding.is_empty() {
            self.know_awards(points::standing_awards(conn, &yielding)?);
        }
        Ok(())
    }

    pub(super) fn know_awards(&mut self, awards: Vec<PointsEntry>) {
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

    /// Stores what has changed, those that gave up a serial number first, and where the ledgers stand; the invitations follow. The changed
    /// products, as they are stored. `Contended` where the database has another registration with one of the serial numbers.
    pub fn flush(mut self, conn: &mut DbConn) -> Result<Vec<Product>> {
        let now = self.context.now;
        for (estimated, ids) in by_guesses(&self.yielded) {
            products::take_serials(conn, &estimated, &ids, now)?;
        }
        products::store_many(conn, &mut self.changed, now)?;
        if !self.new.is_empty() {
            // In one order, so that two that name the same numbers wait for each other in no circle.
            self.new
                .sort_by(|a, b| (a.model_id, &a.serial_key).cmp(&(b.model_id, &b.serial_key)));
            products::insert(conn, &self.new)?;
        }
        self.append_entries(conn)?;
        self.pass_on_guesses(conn)?;
        for (id, ledger) in std::mem::take(&mut self.ledgers) {
            let is_concerned = self.own.contains(&id) || ledger.has_changed();
            if let Some(account) = self.accounts.get(&id).filter(|_| is_concerned) {
                ledger.close(conn, self.context, account, &mut self.events)?;
            }
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.events.extend(waiting.flush(conn, &self.stamp)?);
        self.tell_reporters(conn)?;
        events::record(conn, &self.stamp, &self.events)?;
        Ok(self.changed.into_iter().map(Held::into_row).collect())
    }

    fn append_entries(&mut self, conn: &mut DbConn) -> Result<()> {
        let ledgers = self.ledgers.values_mut();
        let entries: Vec<PointsEntry> = ledgers.flat_map(Ledger::take_entries).collect();
        match entries.is_empty() {
            true => Ok(()),
            false => points::append(conn, &entries),
        }
    }

    /// Where a guess no longer earns, the next one does; what is stored by now is what counts.
    fn pass_on_guesses(&mut self, conn: &mut DbConn) -> Result<()> {
        let freed: Vec<AccountId> = std::mem::take(&mut self.freed).into_iter().collect();
        if freed.is_empty() {
            return Ok(());
        }
        self.guesses.clear();
        self.grant_waiting(conn, &freed)?;
        self.append_entries(conn)
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
