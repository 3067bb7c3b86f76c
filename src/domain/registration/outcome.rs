//! What a line came to, and what has to be done for it, in the order in which it is done.

use super::Known;
use crate::domain::account::AccountId;
use crate::domain::model::ModelId;
use crate::domain::product::ProductId;
use crate::domain::product_details::CheckedDetails;
use crate::error::Refusal;

/// What a line is answered.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was taken in; this is its registration.
    Taken(Box<Known>),
    /// Nothing changes; this is what stands.
    Unchanged(Box<Known>),
    Refused(Refusal),
}

/// What a line came to.
#[derive(Debug, Clone)]
pub struct Decision {
    pub outcome: Outcome,
    pub steps: Vec<Step>,
}

/// A product that a line makes.
#[derive(Debug, Clone)]
pub struct NewProduct {
    pub id: ProductId,
    pub account_id: AccountId,
    pub model_id: ModelId,
    pub details: CheckedDetails,
}

/// One thing to do to the products of customers.
#[derive(Debug, Clone)]
pub enum Step {
    /// The customer has it from now on.
    Register(NewProduct),
    /// The customer is asked.
    Offer(NewProduct),
    /// The customer's own product is what the dealer says, too.
    Confirm {
        product_id: ProductId,
        details: CheckedDetails,
    },
    /// Something about it was reported wrongly.
    Correct {
        product_id: ProductId,
        model_id: ModelId,
        details: CheckedDetails,
    },
    /// The dealer takes it back, or no longer offers it.
    TakeBack { product_id: ProductId },
    /// Its serial number was reported stolen: staff look at it.
    Watch {
        product_id: ProductId,
        account_id: AccountId,
    },
}
