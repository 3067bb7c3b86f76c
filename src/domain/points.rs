//! The points ledger: entries, the sums they make, and the invitation.

use crate::types::{id, text_enum};

id!(
    /// The identity of a ledger entry.
    EntryId, "pnt_"
);

text_enum! {
    /// What an entry does (rules, section 7).
    pub enum EntryKind {
        /// Points of one registration.
        Award = "award",
        /// Takes exactly one award back.
        Reversal = "reversal",
        /// Given or taken by staff, with a reason.
        Adjustment = "adjustment",
        /// Points of a disputed serial stop counting.
        Hold = "hold",
        /// They count again.
        Release = "release",
    }
}
