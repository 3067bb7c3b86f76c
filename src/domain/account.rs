//! A business account: its states and what registering one asks for.

use crate::types::{id, text_enum};

id!(
    /// The identity of an account.
    AccountId, "acc_"
);

text_enum! {
    /// Where an account stands (rules, section 1).
    pub enum AccountStatus {
        /// Registered, still being filled in.
        Draft = "draft",
        /// Waits for a reviewer.
        Submitted = "submitted",
        /// A reviewer has claimed it.
        InReview = "in_review",
        /// The applicant is asked for something.
        InformationRequested = "information_requested",
        /// Accepted, waits for its first password.
        Approved = "approved",
        /// In use.
        Active = "active",
        /// Refused by a reviewer.
        Rejected = "rejected",
        /// Taken back by the applicant.
        Withdrawn = "withdrawn",
        /// A draft that was left alone.
        Expired = "expired",
        /// Locked by an administrator.
        Suspended = "suspended",
        /// Ended.
        Closed = "closed",
    }
}

impl AccountStatus {
    /// Whether it is an application that is not decided yet.
    pub fn is_open_application(self) -> bool {
        matches!(
            self,
            Self::Draft | Self::Submitted | Self::InReview | Self::InformationRequested
        )
    }

    /// Whether data and documents may change; elsewhere `application_not_editable`.
    pub fn is_editable(self) -> bool {
        matches!(self, Self::Draft | Self::InformationRequested)
    }

    /// Whether contact details may change: as the rest, and as long as the account lives.
    pub fn accepts_contact_changes(self) -> bool {
        self.is_editable() || matches!(self, Self::Approved | Self::Active)
    }

    /// Whether the applicant may still take it back.
    pub fn is_withdrawable(self) -> bool {
        self.is_open_application()
    }

    /// Whether a reviewer may claim and decide it.
    pub fn is_reviewable(self) -> bool {
        matches!(self, Self::Submitted | Self::InReview)
    }
}
/// temp
pub fn account_number(bytes: [u8; 8]) -> String { format!("{bytes:?}") }
