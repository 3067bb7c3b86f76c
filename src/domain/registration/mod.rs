//! What a partner reports, a line at a time: what it says, what it comes to, and where it stands.

mod change;
mod decide;
mod line;
mod outcome;
mod register;
mod world;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::model::ModelId;
use super::product::{EndReason, ProductStatus};
use super::values::Country;
use crate::types::{id, text_enum};

pub use decide::decide;
pub use line::{CustomerName, Line, ModelName, SentLine};
pub use outcome::{Decision, NewProduct, Outcome, Step};
pub use world::{Dealer, Known, ProductFacts, Serial, World};

id!(
    /// A line of a partner that was taken in.
    RegistrationId, "reg_"
);

text_enum! {
    /// What a line asks for.
    pub enum Verb {
        /// A product was sold to a customer.
        Register = "register",
        /// It was taken back.
        Return = "return",
        /// Something about it was reported wrongly.
        Correct = "correct",
    }
}

text_enum! {
    /// Where a line that was taken in stands.
    pub enum RegistrationStatus {
        /// The customer has the product.
        Registered = "registered",
        /// The customer has not answered the offer.
        Offered = "offered",
        /// The serial number was reported stolen; staff look at it.
        Held = "held",
        /// Somebody has the serial number already.
        AlreadyRegistered = "already_registered",
        /// It was taken back; of a line that returns: it took one back.
        Returned = "returned",
        /// Of a line that corrects: it corrected one.
        Corrected = "corrected",
        /// The customer declined the offer.
        Declined = "declined",
        /// The offer ran out.
        Expired = "expired",
        /// Another business claims the serial number.
        Contested = "contested",
        /// The customer, staff or a claim ended the product.
        Ended = "ended",
    }
}

text_enum! {
    /// What a line is answered: where it stands, or that nothing came of it.
    #[allow(missing_docs)]
    pub enum LineStatus {
        Registered = "registered",
        Offered = "offered",
        Held = "held",
        AlreadyRegistered = "already_registered",
        Returned = "returned",
        Corrected = "corrected",
        Declined = "declined",
        Expired = "expired",
        Contested = "contested",
        Ended = "ended",
        /// It was taken in before, and stands as it stood.
        Unchanged = "unchanged",
    }
}

impl From<RegistrationStatus> for LineStatus {
    fn from(status: RegistrationStatus) -> Self {
        match status {
            RegistrationStatus::Registered => Self::Registered,
            RegistrationStatus::Offered => Self::Offered,
            RegistrationStatus::Held => Self::Held,
            RegistrationStatus::AlreadyRegistered => Self::AlreadyRegistered,
            RegistrationStatus::Returned => Self::Returned,
            RegistrationStatus::Corrected => Self::Corrected,
            RegistrationStatus::Declined => Self::Declined,
            RegistrationStatus::Expired => Self::Expired,
            RegistrationStatus::Contested => Self::Contested,
            RegistrationStatus::Ended => Self::Ended,
        }
    }
}

text_enum! {
    /// Why a customer refused an offer.
    pub enum RefusalReason {
        /// The customer does not want it.
        Declined = "declined",
        /// It is not the customer's.
        NotMine = "not_mine",
    }
}

/// What a partner said last of a product: a field of it that differs was changed by the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    pub model_id: ModelId,
    pub serial_number: String,
    pub purchase_date: NaiveDate,
    pub purchase_country: Country,
}

impl RegistrationStatus {
    /// Where the line of an offer that was accepted stands, by where its product stands.
    pub fn accepted(product: ProductStatus) -> Self {
        match product {
            ProductStatus::Disputed => Self::Held,
            _ => Self::Registered,
        }
    }
}

impl From<RefusalReason> for EndReason {
    fn from(reason: RefusalReason) -> Self {
        match reason {
            RefusalReason::Declined => Self::Declined,
            RefusalReason::NotMine => Self::NotMine,
        }
    }
}
