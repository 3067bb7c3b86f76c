//! Why registrations end. Where a product stands is in `product`.

use crate::types::text_enum;

text_enum! {
    /// Why a registration ended.
    #[allow(missing_docs)]
    pub enum EndReason {
        Sold = "sold",
        Scrapped = "scrapped",
        Stolen = "stolen",
        Mistake = "mistake",
        /// The dealer took it back.
        Returned = "returned",
        /// The customer declined a dealer's offer.
        Declined = "declined",
        /// The customer said that what a dealer offered is not theirs.
        NotMine = "not_mine",
        /// A dealer's offer ran out.
        Expired = "expired",
        /// Staff took the serial number away.
        Rejected = "rejected",
        /// It was offered, and the customer had registered it already: that registration stands.
        Merged = "merged",
    }
}

text_enum! {
    /// Why an owner ends a registration.
    pub enum OwnersReason {
        Sold = "sold",
        Scrapped = "scrapped",
        Stolen = "stolen",
        Mistake = "mistake",
    }
}

impl From<OwnersReason> for EndReason {
    fn from(reason: OwnersReason) -> Self {
        match reason {
            OwnersReason::Sold => Self::Sold,
            OwnersReason::Scrapped => Self::Scrapped,
            OwnersReason::Stolen => Self::Stolen,
            OwnersReason::Mistake => Self::Mistake,
        }
    }
}
