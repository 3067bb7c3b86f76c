//! What was bought: its identity, its kinds and where it stands. What it costs is in `membership`, what is asked for it in `invoice`.

use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

use super::membership::MembershipId;
use crate::types::{id, text_enum};

id!(
    /// The identity of a purchase.
    PurchaseId, "pur_"
);

id!(
    /// The identity of what something was sold under.
    SellerTermsId, "trm_"
);

text_enum! {
    /// What is bought.
    pub enum PurchaseKind {
        /// A first term, or one after an end.
        Join = "join",
        /// A higher level for what is left of a term.
        Upgrade = "upgrade",
        /// The next term.
        Renewal = "renewal",
        /// A term soon after an end, with the same number.
        Reinstatement = "reinstatement",
    }
}

text_enum! {
    /// Where a purchase stands.
    pub enum PurchaseState {
        /// It begins later.
        Booked = "booked",
        /// It began.
        Started = "started",
        /// It was taken back.
        Undone = "undone",
    }
}

/// What an invoice is issued for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bought {
    /// A purchase.
    Purchase { purchase_id: PurchaseId },
    /// A membership from before purchases were recorded.
    Membership { membership_id: MembershipId },
}

impl Display for Bought {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Purchase { purchase_id } => purchase_id.fmt(f),
            Self::Membership { membership_id } => membership_id.fmt(f),
        }
    }
}

/// Whether what a purchase comes to, VAT included, is invoiced at all.
pub fn is_invoiced(gross_cents: i64, smallest_cents: i64) -> bool {
    gross_cents > 0 && gross_cents >= smallest_cents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_card_can_be_charged_for_is_not_invoiced() {
        assert!(is_invoiced(100, 100));
        assert!(!is_invoiced(99, 100) && !is_invoiced(0, 0));
    }
}
