//! Memberships: levels, fees, numbers and terms.

use crate::types::{id, text_enum};

id!(
    /// The identity of a membership.
    MembershipId, "mem_"
);

text_enum! {
    /// Where a membership stands.
    pub enum MembershipStatus {
        /// It runs.
        Active = "active",
        /// Its term is over, or it was ended unpaid.
        Ended = "ended",
    }
}

text_enum! {
    /// The two ways of membership.
    pub enum Track {
        /// Silver, gold, platinum.
        Individual = "individual",
        /// Corporate.
        Corporate = "corporate",
    }
}

text_enum! {
    /// The switch that chooses which track is offered.
    #[allow(missing_docs)]
    pub enum CorporateSwitch {
        Off = "off",
        On = "on",
    }
}
