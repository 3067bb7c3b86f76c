//! What has to happen later or outside: each task is a job, inserted in the transaction of its cause.

mod cause;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::bank::BankStatementId;
use crate::domain::calendar::{local_date, local_moment};
use crate::domain::document::DocumentId;
use crate::domain::invoice::InvoiceId;
use crate::domain::job::JobKind;
use crate::domain::membership::MembershipId;
use crate::domain::partner::PartnerId;
use crate::domain::purchase::Bought;
use crate::domain::registration_batch::BatchId;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::jobs::{self, NewJob};
use crate::repository::mails::MailId;
use crate::types::{Instant, Json};

/// When the money is looked at, where the seller is.
const MONEY_AT: NaiveTime = match NaiveTime::from_hms_opt(6, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

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
    /// Mails the link to go on with an application that was begun, or moved to another address.
    SendStarted {
        account_id: AccountId,
        /// Of the account when it named that address.
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
    /// Ends an invitation that nobody accepted.
    EndInvitation {
        account_id: AccountId,
        user_id: UserId,
    },
    /// Deletes one file of a document from the store.
    DeleteFile {
        document_id: DocumentId,
        file_key: String,
        /// When, where that is not at once.
        #[serde(default)]
        due: Option<Instant>,
    },
    /// Deletes the files of an application whose time is over.
    DeleteApplicationFiles { account_id: AccountId },
    /// Issues the invoice of what was bought.
    IssueInvoice(Bought),
    /// Makes and stores the documents of an invoice or a credit note.
    RenderInvoice { invoice_id: InvoiceId },
    /// Takes the next step against an invoice that is not paid.
    WatchInvoice { invoice_id: InvoiceId, due: Instant },
    /// Ends a membership whose last day is over.
    EndMembership {
        membership_id: MembershipId,
        due: Instant,
        #[serde(default)]
        seller_key: Option<String>,
    },
    /// Counts the money that somebody has to look at; once a day.
    WatchMoney { day: NaiveDate },
    /// Grants what products waited for until the value of their model began, account by account behind `after`.
    GrantPoints {
        due: Instant,
        after: Option<AccountId>,
    },
    /// Works through the lines of a batch.
    RunBatch {
        batch_id: BatchId,
        /// Of the batch when it was asked for: it may be asked for again.
        version: i64,
    },
    /// Forgets a batch that never came whole, or what was sent in the lines of one that is over.
    TidyBatch { batch_id: BatchId, due: Instant },
    /// Matches the lines of a bank statement with invoices.
    MatchStatement {
        statement: BankStatementId,
        /// Of the statement when it was asked for: it may be asked for again.
        version: i64,
    },
    /// Forgets a bank statement that never came whole.
    ForgetStatement {
        statement: BankStatementId,
        due: Instant,
    },
    /// Tells a customer of what a partner has reported from `since` on.
    TellCustomer {
        partner_id: PartnerId,
        account_id: AccountId,
        since: Instant,
    },
    /// Ends the offers whose time is over; once for those of an hour, in as many rounds as that takes.
    ExpireOffers { hour: Instant, round: u32 },
    /// Reminds customers of offers whose time is over soon; once for those of an hour, account by account behind `after`.
    RemindOffers {
        hour: Instant,
        after: Option<AccountId>,
    },
    /// Walks over the store for files that no row names; once a day.
    SweepFiles { date: NaiveDate },
    /// Forgets the rows whose time is over, and the files that nobody wants; once an hour.
    KeepHouse { hour: Instant },
}

impl Task {
    /// What comes again, each day or each hour, and when: one task for it, whoever asks, and none for a time in which nobody did. The seller is in
    /// this zone.
    pub fn recurring(now: Instant, zone: Tz) -> [(Self, Instant); 3] {
        let (date, day) = (now.utc().date_naive(), local_date(now, zone));
        let hour = now.hour();
        let looked_at = local_moment(day, MONEY_AT, zone);
        [
            (Self::SweepFiles { date }, now),
            (Self::KeepHouse { hour }, now),
            (Self::WatchMoney { day }, looked_at),
        ]
    }

    /// Its kind.
    pub fn kind(&self) -> JobKind {
        match self {
            Self::SendMail { .. } => JobKind::SendMail,
            Self::TellKnownAddress { .. } => JobKind::TellKnownAddress,
            Self::SendStarted { .. } => JobKind::SendStarted,
            Self::AnswerReset { .. } => JobKind::AnswerReset,
            Self::SendApplicantLinks { .. } => JobKind::SendApplicantLinks,
            Self::WatchReview { .. } => JobKind::WatchReview,
            Self::ExpireDraft { .. } => JobKind::ExpireDraft,
            Self::EndInvitation { .. } => JobKind::EndInvitation,
            Self::DeleteFile { .. } => JobKind::DeleteFile,
            Self::DeleteApplicationFiles { .. } => JobKind::DeleteApplicationFiles,
            Self::IssueInvoice(_) => JobKind::IssueInvoice,
            Self::RenderInvoice { .. } => JobKind::RenderInvoice,
            Self::WatchInvoice { .. } => JobKind::WatchInvoice,
            Self::EndMembership { .. } => JobKind::EndMembership,
            Self::WatchMoney { .. } => JobKind::WatchMoney,
            Self::GrantPoints { .. } => JobKind::GrantPoints,
            Self::RunBatch { .. } => JobKind::RunBatch,
            Self::TidyBatch { .. } => JobKind::TidyBatch,
            Self::MatchStatement { .. } => JobKind::MatchStatement,
            Self::ForgetStatement { .. } => JobKind::ForgetStatement,
            Self::TellCustomer { .. } => JobKind::TellCustomer,
            Self::ExpireOffers { .. } => JobKind::ExpireOffers,
            Self::RemindOffers { .. } => JobKind::RemindOffers,
            Self::SweepFiles { .. } => JobKind::SweepFiles,
            Self::KeepHouse { .. } => JobKind::KeepHouse,
        }
    }

    /// The id of what it is about, where that is one thing that staff may know of.
    pub fn about(&self) -> Option<String> {
        match self {
            Self::SendMail { mail_id } => Some(mail_id.to_string()),
            Self::TellKnownAddress { account_id, .. }
            | Self::SendStarted { account_id, .. }
            | Self::WatchReview { account_id, .. }
            | Self::ExpireDraft { account_id, .. }
            | Self::TellCustomer { account_id, .. }
            | Self::DeleteApplicationFiles { account_id } => Some(account_id.to_string()),
            Self::EndInvitation { user_id, .. } => Some(user_id.to_string()),
            Self::DeleteFile { document_id, .. } => Some(document_id.to_string()),
            Self::IssueInvoice(bought) => Some(bought.to_string()),
            Self::RenderInvoice { invoice_id } => Some(invoice_id.to_string()),
            Self::WatchInvoice { invoice_id, .. } => Some(invoice_id.to_string()),
            Self::EndMembership { membership_id, .. } => Some(membership_id.to_string()),
            Self::RunBatch { batch_id, .. } | Self::TidyBatch { batch_id, .. } => {
                Some(batch_id.to_string())
            }
            Self::MatchStatement { statement, .. } | Self::ForgetStatement { statement, .. } => {
                Some(statement.to_string())
            }
            Self::AnswerReset { .. }
            | Self::SendApplicantLinks { .. }
            | Self::WatchMoney { .. }
            | Self::GrantPoints { .. }
            | Self::ExpireOffers { .. }
            | Self::RemindOffers { .. }
            | Self::SweepFiles { .. }
            | Self::KeepHouse { .. } => None,
        }
    }

    /// In whose name it is done, where that is a seller's.
    fn seller_key(&self) -> Option<String> {
        match self {
            Self::EndMembership { seller_key, .. } => seller_key.clone(),
            _ => None,
        }
    }

    /// The same cause always has the same key.
    pub fn key(&self) -> String {
        format!("{}:{}", self.kind(), self.cause())
    }
}

/// Has `task` done at `run_at`, or as soon as possible after it.
pub fn enqueue(conn: &mut DbConn, task: &Task, run_at: Instant, now: Instant) -> Result<()> {
    let new = NewJob {
        kind: task.kind(),
        key: task.key(),
        payload: Json::of(task)?,
        seller_key: task.seller_key(),
        run_at,
    };
    jobs::enqueue(conn, new, now)
}
