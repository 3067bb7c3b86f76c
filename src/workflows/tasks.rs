//! What has to happen later or outside: each task is a job, inserted in the transaction of its cause.

use serde::{Deserialize, Serialize};

use crate::domain::account::AccountId;
use crate::domain::document::DocumentId;
use crate::domain::membership::MembershipId;
use crate::error::Result;
use crate::repository::mails::MailId;
use crate::repository::{DbConn, jobs};
use crate::types::{Instant, Json};

/// One thing to do, as a job carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// Sends a mail that is stored.
    SendMail { mail_id: MailId },
    /// Tells the holder of a known address that somebody registered with it.
    TellKnownAddress {
        account_id: AccountId,
        /// Of the account when it named that address or VAT number.
        version: i64,
    },
    /// Answers somebody who forgot a password; known or not, the request itself does the same.
    AnswerReset { request: String, email: String },
    /// Mails the applicant's links of an address; known or not, the request itself does the same.
    SendApplicantLinks { request: String, email: String },
    /// Tells that a case was not answered by the moment it was promised by.
    WatchReview { account_id: AccountId, due: Instant },
    /// Ends a draft that nobody touched.
    ExpireDraft { account_id: AccountId, due: Instant },
    /// Deletes one file of a document from the store.
    DeleteFile {
        document_id: DocumentId,
        file_key: String,
    },
    /// Deletes the files of an application whose time is over.
    DeleteApplicationFiles { account_id: AccountId },
    /// Issues the invoice of a membership.
    IssueInvoice { membership_id: MembershipId },
    /// Ends a membership whose last day is over.
    EndMembership {
        membership_id: MembershipId,
        due: Instant,
    },
    /// Forgets what has run out; makes the next task of its kind.
    KeepHouse { due: Instant },
}

impl Task {
    /// The kind, for logs and measurements.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SendMail { .. } => "send_mail",
            Self::TellKnownAddress { .. } => "tell_known_address",
            Self::AnswerReset { .. } => "answer_reset",
            Self::SendApplicantLinks { .. } => "send_applicant_links",
            Self::WatchReview { .. } => "watch_review",
            Self::ExpireDraft { .. } => "expire_draft",
            Self::DeleteFile { .. } => "delete_file",
            Self::DeleteApplicationFiles { .. } => "delete_application_files",
            Self::IssueInvoice { .. } => "issue_invoice",
            Self::EndMembership { .. } => "end_membership",
            Self::KeepHouse { .. } => "keep_house",
        }
    }

    /// The same cause always has the same key.
    fn key(&self) -> String {
        let cause = match self {
            Self::SendMail { mail_id } => mail_id.to_string(),
            Self::TellKnownAddress {
                account_id,
                version,
            } => format!("{account_id}:{version}"),
            Self::DeleteApplicationFiles { account_id } => account_id.to_string(),
            Self::AnswerReset { request, .. } | Self::SendApplicantLinks { request, .. } => {
                request.clone()
            }
            Self::WatchReview { account_id, due } | Self::ExpireDraft { account_id, due } => {
                format!("{account_id}:{due}")
            }
            Self::DeleteFile { file_key, .. } => file_key.clone(),
            Self::IssueInvoice { membership_id } => membership_id.to_string(),
            Self::EndMembership { membership_id, due } => format!("{membership_id}:{due}"),
            Self::KeepHouse { due } => due.to_string(),
        };
        format!("{}:{cause}", self.kind())
    }
}

/// Has `task` done at `run_at`, or as soon as possible after it.
pub fn enqueue(conn: &mut DbConn, task: &Task, run_at: Instant, now: Instant) -> Result<()> {
    jobs::enqueue(conn, task.kind(), &task.key(), Json::of(task)?, run_at, now)
}
