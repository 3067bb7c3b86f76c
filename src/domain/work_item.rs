//! What waits for staff: its identity and its kinds. Working at it comes through what it is about.

use crate::types::{id, text_enum};

id!(
    /// One matter that waits for staff.
    WorkItemId, "wrk_"
);

text_enum! {
    /// What staff have to look at.
    pub enum WorkItemKind {
        /// A job that failed for good; trying it again closes the matter.
        DeadJob = "dead_job",
        /// A partner stands out.
        PartnerAlert = "partner_alert",
    }
}
