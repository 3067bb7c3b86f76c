//! What lines are decided by: a dealer, the products that are in question, and the lines that were taken in before.

use super::{RefusalReason, RegistrationId, RegistrationStatus, Reported, Verb};
use crate::domain::account::AccountId;
use crate::domain::model::ModelId;
use crate::domain::product::{
    Contest, Evidence, Holder, ProductField, ProductId, ProductStatus, contest,
};
use crate::domain::product_details::Details;
use crate::domain::registration_batch::BatchId;
use crate::domain::values::Country;
use crate::types::Instant;

/// A serial number, as it is compared, and its model.
pub type Serial = (ModelId, String);

/// Who reports.
#[derive(Debug, Clone)]
pub struct Dealer {
    pub name: String,
    pub country: Country,
}

/// A product as far as lines are decided by it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductFacts {
    pub id: ProductId,
    pub account_id: AccountId,
    pub model_id: ModelId,
    pub status: ProductStatus,
    /// As it is compared.
    pub serial_key: Option<String>,
    pub serial_since: Instant,
    /// Whether staff have looked at it.
    pub is_checked: bool,
    pub evidence: Evidence,
    pub details: Details,
}

impl ProductFacts {
    pub(super) fn serial(&self) -> Option<Serial> {
        Some((self.model_id, self.serial_key.clone()?))
    }

    pub(super) fn holds_serial(&self) -> bool {
        !matches!(self.status, ProductStatus::Offered | ProductStatus::Ended)
    }

    /// Whether it keeps its serial number when the dealer of another customer names it.
    pub(super) fn keeps_serial(&self, now: Instant, reserve_days: u32) -> bool {
        let facts = Holder {
            same_account: false,
            status: self.status,
            serial_estimated: self.details.estimated.contains(&ProductField::SerialNumber),
            checked: self.is_checked,
            serial_since: self.serial_since,
        };
        contest(facts, false, now, reserve_days) == Contest::HolderKeeps
    }
}

/// A line that was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub id: RegistrationId,
    pub external_id: String,
    pub verb: Verb,
    /// The sale that a return or a correction names.
    pub of_id: Option<RegistrationId>,
    /// What tells the line from any other.
    pub identity: String,
    pub status: RegistrationStatus,
    /// Whether the customer had the product before.
    pub is_confirmed: bool,
    pub reason: Option<RefusalReason>,
    pub account_id: AccountId,
    pub product_id: Option<ProductId>,
    pub model_id: Option<ModelId>,
    pub serial_key: Option<String>,
    pub reported: Option<Reported>,
    pub offer_expires_at: Option<Instant>,
    /// The batch that it came in last.
    pub batch_id: Option<BatchId>,
    /// 0 before it is stored.
    pub version: i64,
    pub created_at: Instant,
    pub changed_at: Instant,
}

impl Known {
    pub(super) fn serial(&self) -> Option<Serial> {
        Some((self.model_id?, self.serial_key.clone()?))
    }
}
