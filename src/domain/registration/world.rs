//! What is known when lines are decided, in memory: each line sees what the lines before it changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::TimeDelta;

use super::known::{Dealer, Known, ProductFacts, Serial};
use super::{CustomerName, Line, ModelName, RegistrationId, RegistrationStatus, Verb};
use crate::domain::account::AccountId;
use crate::domain::calendar::latest_day;
use crate::domain::model::{ModelFacts, ModelId};
use crate::domain::partner::DealerRules;
use crate::domain::product::{ProductField, ProductId, ProductRules, ProductStatus};
use crate::domain::product_details::{CheckedDetails, Details, check};
use crate::domain::quota::seconds_left;
use crate::domain::registration_batch::BatchId;
use crate::error::{Code, Fault, FaultCode, Faults, Partial, Refusal};
use crate::types::Instant;

/// The facts, as far as the lines of one partner need them.
#[derive(Debug)]
pub struct World {
    pub now: Instant,
    pub dealers: DealerRules,
    pub product_rules: ProductRules,
    pub dealer: Dealer,
    /// The batch that lines come in.
    pub batch: Option<BatchId>,
    /// Customers that were not found today.
    pub unmatched: i64,
    /// Those that were found.
    pub customers: HashMap<CustomerName, AccountId>,
    /// The accounts that trust the partner.
    pub trusting: HashSet<AccountId>,
    pub models: HashMap<ModelName, ModelId>,
    pub model_facts: HashMap<ModelId, ModelFacts>,
    /// Serial numbers that were reported stolen and are not recovered.
    pub stolen: HashSet<Serial>,
    products: HashMap<ProductId, ProductFacts>,
    holders: HashMap<Serial, ProductId>,
    registrations: BTreeMap<RegistrationId, Known>,
    by_external_id: HashMap<String, RegistrationId>,
    by_serial: HashMap<Serial, BTreeSet<RegistrationId>>,
    changed: BTreeSet<RegistrationId>,
}

impl World {
    /// A world in which nothing is known but who reports, and by which rules.
    pub fn new(
        now: Instant,
        dealer: Dealer,
        (dealers, product_rules): (DealerRules, ProductRules),
    ) -> Self {
        Self {
            now,
            dealers,
            product_rules,
            dealer,
            batch: None,
            unmatched: 0,
            customers: HashMap::new(),
            trusting: HashSet::new(),
            models: HashMap::new(),
            model_facts: HashMap::new(),
            stolen: HashSet::new(),
            products: HashMap::new(),
            holders: HashMap::new(),
            registrations: BTreeMap::new(),
            by_external_id: HashMap::new(),
            by_serial: HashMap::new(),
            changed: BTreeSet::new(),
        }
    }

    /// Takes in what is known of a product.
    pub fn know_product(&mut self, product: ProductFacts) {
        if let Some(before) = self
            .products
            .get(&product.id)
            .and_then(ProductFacts::serial)
            && self.holders.get(&before) == Some(&product.id)
        {
            self.holders.remove(&before);
        }
        if let Some(serial) = product.serial().filter(|_| product.holds_serial()) {
            self.holders.insert(serial, product.id);
        }
        self.products.insert(product.id, product);
    }

    /// Takes in what is known of a line.
    pub fn know_registration(&mut self, known: Known) {
        self.by_external_id
            .insert(known.external_id.clone(), known.id);
        if let Some(serial) = known.serial() {
            self.by_serial.entry(serial).or_default().insert(known.id);
        }
        self.registrations.insert(known.id, known);
    }

    /// Stores what has changed of a line as its next version; as it is stored.
    pub(super) fn store(&mut self, mut known: Known) -> Known {
        if self.changed.insert(known.id) {
            known.version += 1;
        }
        known.changed_at = self.now;
        self.know_registration(known.clone());
        known
    }

    /// Whether the customer that a line names was found.
    pub fn knows_customer(&self, line: &Partial<Line>) -> bool {
        let named = line.read.customer.as_ref();
        named.is_some_and(|name| self.customers.contains_key(name))
    }

    /// The lines that have changed.
    pub fn changed(&self) -> impl Iterator<Item = &Known> {
        let changed = self.changed.iter();
        changed.filter_map(|id| self.registrations.get(id))
    }

    /// A product.
    pub fn product(&self, id: ProductId) -> Option<&ProductFacts> {
        self.products.get(&id)
    }

    /// All products that are known.
    pub fn products(&self) -> impl Iterator<Item = &ProductFacts> {
        self.products.values()
    }

    /// All lines that are known.
    pub fn registrations(&self) -> impl Iterator<Item = &Known> {
        self.registrations.values()
    }

    /// A line.
    pub fn registration(&self, id: RegistrationId) -> Option<&Known> {
        self.registrations.get(&id)
    }

    /// The line of an id of the partner's own.
    pub fn of_external_id(&self, external_id: &str) -> Option<&Known> {
        self.registrations
            .get(self.by_external_id.get(external_id)?)
    }

    pub(super) fn holder(&self, serial: &Serial) -> Option<&ProductFacts> {
        self.products.get(self.holders.get(serial)?)
    }

    pub(super) fn keeps_serial(&self, holder: &ProductFacts) -> bool {
        holder.keeps_serial(self.now, self.product_rules.reserve_days)
    }

    pub(super) fn of_serial(&self, serial: &Serial) -> impl Iterator<Item = &Known> {
        let ids = self.by_serial.get(serial).into_iter().flatten();
        let found = ids.filter_map(|id| self.registrations.get(id));
        found
            .filter(|known| known.verb == Verb::Register && known.serial().as_ref() == Some(serial))
    }

    /// Whether the partner has a line that stands on this serial number.
    pub(super) fn is_reported(&self, serial: &Serial) -> bool {
        self.of_serial(serial).any(|known| {
            matches!(
                known.status,
                RegistrationStatus::Registered
                    | RegistrationStatus::Offered
                    | RegistrationStatus::Held
                    | RegistrationStatus::Contested
            )
        })
    }

    /// Whether the customer refused the same of this partner not long ago.
    pub(super) fn was_refused(&self, account: AccountId, serial: &Serial) -> bool {
        let span = TimeDelta::days(self.dealers.declined_days.into());
        self.of_serial(serial).any(|known| {
            known.account_id == account
                && known.status == RegistrationStatus::Declined
                && self.now.since(known.changed_at) < span
        })
    }

    /// The offer of this partner that the customer has not answered, and when it ends.
    pub(super) fn standing_offer(
        &self,
        account: AccountId,
        serial: &Serial,
    ) -> Option<(ProductId, Option<Instant>)> {
        self.of_serial(serial)
            .filter(|known| known.account_id == account)
            .find_map(|known| {
                let product = self.products.get(&known.product_id?)?;
                let stands = product.status == ProductStatus::Offered;
                stands.then_some((product.id, known.offer_expires_at))
            })
    }

    /// Whether another line than `known` points at its product.
    pub(super) fn is_shared(&self, known: &Known) -> bool {
        !self.sharing(known).is_empty()
    }

    /// The other lines that point at the product of one.
    pub(super) fn sharing(&self, known: &Known) -> Vec<Known> {
        let serial = known.serial();
        let others = serial.iter().flat_map(|serial| self.of_serial(serial));
        let others =
            others.filter(|other| other.id != known.id && other.product_id == known.product_id);
        others.cloned().collect()
    }

    /// Whether customers are looked for: nobody is where so many were not found today.
    pub fn looks_for_customers(&self) -> bool {
        self.unmatched < self.dealers.unmatched_per_day
    }

    /// The customer of a name, where one is looked for. Who is not found is counted.
    pub(super) fn customer(&mut self, name: &CustomerName) -> Result<AccountId, Refusal> {
        if !self.looks_for_customers() {
            let left = seconds_left(self.now);
            return Err(Refusal::from(Code::QuotaExceeded).retry_after(left));
        }
        let found = self.customers.get(name).copied();
        found.ok_or_else(|| {
            self.unmatched += 1;
            Fault::new(name.pointer(), FaultCode::CustomerNotMatched).into()
        })
    }

    /// The model of a name; a fault where there is none.
    pub(super) fn model(&self, name: &ModelName, faults: &mut Faults) -> Option<ModelId> {
        let found = self.models.get(name).copied();
        if found.is_none() {
            faults.push(Fault::new(name.pointer(), FaultCode::ModelUnknown));
        }
        found
    }

    /// `details`, checked for a model; faults where they do not pass.
    pub(super) fn checked(
        &self,
        model: Option<ModelId>,
        details: &Details,
        faults: &mut Faults,
    ) -> Option<CheckedDetails> {
        let facts = model.and_then(|id| self.model_facts.get(&id));
        let today = latest_day(self.now);
        faults.note(check(details, facts, today, &self.product_rules))
    }

    /// The holder of a serial number loses it.
    pub(super) fn take_serial(&mut self, serial: &Serial) {
        let Some(mut holder) = self.holder(serial).cloned() else {
            return;
        };
        holder.serial_key = None;
        holder.details.serial_number = None;
        let guesses = &mut holder.details.estimated;
        guesses.retain(|field| *field != ProductField::SerialNumber);
        holder.status = ProductStatus::Incomplete;
        self.know_product(holder);
    }
}
