//! Reviewing an application: who may decide, on what grounds, and with which result.

use crate::types::text_enum;

text_enum! {
    /// The decision on a case.
    pub enum CaseDecision {
        /// The account is opened.
        Approve = "approve",
        /// Refused, with codes.
        Reject = "reject",
        /// The applicant is asked for more, with a note.
        RequestInformation = "request_information",
    }
}

text_enum! {
    /// The decision on one document.
    pub enum DocumentVerdict {
        /// It proves what it should.
        Accept = "accept",
        /// The applicant is to bring a better one, with codes.
        RequestRevision = "request_revision",
        /// Refused, with codes.
        Reject = "reject",
    }
}
