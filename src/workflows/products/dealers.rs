//! What the lines of a dealer do to the products of its customers. What a line comes to is decided in `domain::registration`.

use std::collections::BTreeSet;
use std::ops::DerefMut;
use std::sync::Arc;

use super::changes::{Origin, Registered};
use super::inventories::{Inventories, Wanted};
use super::serials::Serials;
use crate::domain::access::AccountAccess;
use crate::domain::account::AccountId;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::model::ModelId;
use crate::domain::partner::PartnerId;
use crate::domain::points::PointsReason;
use crate::domain::product::{EndReason, Evidence, ProductId, ProductStatus};
use crate::domain::product_details::CheckedDetails;
use crate::domain::registration::{NewProduct, ProductFacts, Step};
use crate::error::{Code, Error, Result};
use crate::repository::catalogue::Catalogue;
use crate::repository::products::{self, Product};
use crate::repository::{DbConn, Held, points};
use crate::workflows::Context;

/// A product that is being changed, whether it is stored yet or not.
enum Taken {
    New(Product),
    Stored(Held<Product>),
}

impl std::ops::Deref for Taken {
    type Target = Product;

    fn deref(&self) -> &Product {
        match self {
            Self::New(product) => product,
            Self::Stored(product) => product,
        }
    }
}

impl DerefMut for Taken {
    fn deref_mut(&mut self) -> &mut Product {
        match self {
            Self::New(product) => product,
            Self::Stored(product) => product,
        }
    }
}

impl<'a> Inventories<'a> {
    /// Locks the customers of a dealer and those that might have to give up one of `wanted`, with always the same statements: how long it takes
    /// tells nothing of who has a serial number.
    pub fn of_customers(
        conn: &mut DbConn,
        (context, catalogue): (&'a Context, Arc<Catalogue>),
        stamp: Stamp,
        customers: &[AccountAccess],
        wanted: &[Wanted],
    ) -> Result<Self> {
        let mut inventories = Self::of(context, catalogue, stamp);
        let before = Serials::find(conn, wanted)?;
        let own = customers.iter().map(AccountAccess::account_id);
        inventories.lock_accounts(conn, own.collect(), &before)?;
        inventories.serials = Serials::find(conn, wanted)?;
        Ok(inventories)
    }

    /// Locks these products of the customers, and those of theirs that hold a wanted serial number.
    pub fn hold(&mut self, conn: &mut DbConn, ids: impl Iterator<Item = ProductId>) -> Result<()> {
        let holders = self.serials.holders();
        let holders = holders.filter(|holder| self.own.contains(&holder.account_id));
        let ids: BTreeSet<ProductId> = ids.chain(holders.map(|holder| holder.id)).collect();
        let ids = ProductId::asked(ids.into_iter().collect());
        let held = products::lock_many(conn, self.accounts.values(), &ids)?;
        let yielding = self.serials.yielding().map(|one| one.id);
        let earning: Vec<ProductId> = ids.iter().copied().chain(yielding).collect();
        self.know_awards(points::standing_awards(conn, &earning)?);
        self.held = held.into_iter().map(|one| (one.id, one)).collect();
        Ok(())
    }

    /// The products that lines are decided by: those that are held, and whoever has a wanted serial number.
    pub fn facts(&self) -> impl Iterator<Item = ProductFacts> {
        let held = self.held.values().map(|product| &**product);
        let others = self.serials.holders();
        let others = others.filter(|holder| !self.held.contains_key(&holder.id));
        held.chain(others).map(facts)
    }

    /// The wanted serial numbers that were reported stolen.
    pub fn stolen(&self) -> impl Iterator<Item = &Wanted> {
        self.serials.all_stolen()
    }

    /// The accounts that are held and in use, among the customers.
    pub fn customers_in_use(&self) -> impl Iterator<Item = AccountId> {
        let own = self.accounts.iter();
        own.filter(|(id, account)| self.own.contains(id) && account.check_active().is_ok())
            .map(|(id, _)| *id)
    }

    /// Does what a line came to.
    pub fn follow(&mut self, conn: &mut DbConn, partner: PartnerId, step: Step) -> Result<()> {
        match step {
            Step::Register(new) => self.register_sold(conn, new),
            Step::Offer(new) => self.offer(new, partner),
            Step::Confirm {
                product_id,
                details,
            } => self.confirm(conn, (product_id, details), partner),
            Step::Correct {
                product_id,
                model_id,
                details,
            } => {
                let product = self.take(product_id)?;
                self.amend(conn, product, (model_id, details))
            }
            Step::TakeBack { product_id } => self.take_back(conn, product_id, partner),
            // What is held, or offered with a stolen serial number, has staff look at it already.
            Step::Watch { .. } => Ok(()),
        }
    }

    fn register_sold(&mut self, conn: &mut DbConn, new: NewProduct) -> Result<()> {
        let catalogue = self.catalogue.clone();
        let model = catalogue.model(new.model_id).ok_or(Code::NotFound)?;
        let id = (new.account_id, new.id);
        let registered = self.register(conn, id, model, new.details, Origin::Dealer)?;
        match registered {
            Registered::New(_) => Ok(()),
            // The line was decided by what no longer holds.
            Registered::Existing(_) | Registered::Taken => Err(Error::Contended),
        }
    }

    fn offer(&mut self, new: NewProduct, partner_id: PartnerId) -> Result<()> {
        let catalogue = self.catalogue.clone();
        let model = catalogue.model(new.model_id).ok_or(Code::NotFound)?;
        let mut product = self.blank((new.account_id, new.id), model, Origin::Dealer);
        product.status = ProductStatus::Offered;
        self.fill(&mut product, new.details);
        self.wait_for_staff(&product, false);
        self.events.push(Event::ProductOffered {
            account_id: product.account_id,
            product_id: product.id,
            model_id: product.model_id,
            partner_id,
        });
        self.new.push(product);
        Ok(())
    }

    /// The customer's own product is what the dealer says, too, whose word fills what was missing or a guess and is evidence from then on.
    pub(super) fn confirm(
        &mut self,
        conn: &mut DbConn,
        (id, details): (ProductId, CheckedDetails),
        partner_id: PartnerId,
    ) -> Result<()> {
        let mut product = self.take(id)?;
        self.note_before(&product);
        self.fill(&mut product, details);
        product.evidence = product.evidence.max(Evidence::Dealer);
        self.settle(conn, &product, PointsReason::Incomplete)?;
        self.events.push(Event::ProductConfirmed {
            account_id: product.account_id,
            product_id: product.id,
            partner_id,
            status: product.status,
        });
        self.serials.hold(&product);
        self.put(product);
        Ok(())
    }

    /// Another model is another product: its award is taken back, and another one granted.
    fn amend(
        &mut self,
        conn: &mut DbConn,
        mut product: Taken,
        (model_id, details): (ModelId, CheckedDetails),
    ) -> Result<()> {
        self.note_before(&product);
        self.serials.release(&product);
        if product.model_id != model_id {
            self.take_award(&product)?;
            product.model_id = model_id;
        }
        let is_offer = product.status == ProductStatus::Offered;
        if !is_offer && self.contest(&product, &details)?.is_some() {
            return Err(Error::Contended);
        }
        self.fill(&mut product, details);
        self.settle(conn, &product, PointsReason::Incomplete)?;
        self.events.push(Event::ProductChanged {
            account_id: product.account_id,
            product_id: product.id,
            status: product.status,
        });
        if product.status == ProductStatus::Disputed {
            self.tell_dispute(&product);
        }
        if !is_offer {
            self.serials.hold(&product);
        }
        self.put(product);
        Ok(())
    }

    fn take_award(&mut self, product: &Product) -> Result<()> {
        let ledger = self.ledgers.get_mut(&product.account_id);
        let ledger = ledger.ok_or(Code::NotFound)?;
        match self.awards.remove(&product.id) {
            Some(award) => ledger.reverse(&award, PointsReason::Incomplete),
            None => Ok(()),
        }
    }

    fn take_back(&mut self, conn: &mut DbConn, id: ProductId, partner_id: PartnerId) -> Result<()> {
        let mut product = self.take(id)?;
        let (account_id, product_id) = (product.account_id, product.id);
        self.note_before(&product);
        self.serials.release(&product);
        self.events.push(match product.status {
            ProductStatus::Offered => Event::ProductOfferWithdrawn {
                account_id,
                product_id,
                partner_id,
            },
            _ => Event::ProductReturned {
                account_id,
                product_id,
                partner_id,
            },
        });
        product.end(EndReason::Returned, self.context.now);
        self.settle(conn, &product, EndReason::Returned.into())?;
        self.put(product);
        Ok(())
    }

    fn take(&mut self, id: ProductId) -> Result<Taken> {
        if let Some(at) = self.new.iter().position(|product| product.id == id) {
            return Ok(Taken::New(self.new.swap_remove(at)));
        }
        if let Some(at) = self.changed.iter().position(|product| product.id == id) {
            return Ok(Taken::Stored(self.changed.swap_remove(at)));
        }
        let held = self.held.remove(&id);
        held.map(Taken::Stored).ok_or(Error::Contended)
    }

    fn put(&mut self, product: Taken) {
        match product {
            Taken::New(product) => self.new.push(product),
            Taken::Stored(product) => self.changed.push(product),
        }
    }
}

/// A product, as lines are decided by it.
pub fn facts(product: &Product) -> ProductFacts {
    ProductFacts {
        id: product.id,
        account_id: product.account_id,
        model_id: product.model_id,
        status: product.status,
        serial_key: product.serial_key.clone(),
        serial_since: product.serial_since.unwrap_or(product.created_at),
        is_checked: product.checked_at.is_some(),
        evidence: product.evidence,
        details: product.details(),
    }
}
