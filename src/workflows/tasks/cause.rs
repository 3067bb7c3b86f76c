//! What tells one task of a kind from all others.

use std::fmt::Display;

use super::Task;
use crate::types::Instant;

impl Task {
    /// The same for the same cause, among the tasks of its kind.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::SendMail { mail_id } => mail_id.to_string(),
            Self::TellKnownAddress {
                account_id,
                version,
            }
            | Self::SendStarted {
                account_id,
                version,
            } => format!("{account_id}:{version}"),
            Self::DeleteApplicationFiles { account_id } => account_id.to_string(),
            Self::AnswerReset { request, .. } | Self::SendApplicantLinks { request, .. } => {
                request.clone()
            }
            Self::WatchReview { account_id, due } => format!("{account_id}:{due}"),
            Self::ExpireDraft { account_id, due } => format!("{account_id}:{due}"),
            Self::EndInvitation { user_id, .. } => user_id.to_string(),
            Self::DeleteFile { file_key, due, .. } => behind(file_key, *due),
            Self::IssueInvoice(bought) => bought.to_string(),
            Self::RenderInvoice { invoice_id } => invoice_id.to_string(),
            Self::WatchInvoice { invoice_id, due } => format!("{invoice_id}:{due}"),
            Self::EndMembership {
                membership_id, due, ..
            } => format!("{membership_id}:{due}"),
            Self::GrantPoints { .. }
            | Self::RemindOffers { .. }
            | Self::ExpireOffers { .. }
            | Self::RunBatch { .. }
            | Self::TidyBatch { .. }
            | Self::TellCustomer { .. } => self.cause_of_products(),
            Self::MatchStatement { statement, version } => format!("{statement}:{version}"),
            Self::ForgetStatement { statement, .. } => statement.to_string(),
            Self::SweepFiles { date: day } | Self::WatchMoney { day } => day.to_string(),
            Self::KeepHouse { hour } => hour.to_string(),
        }
    }

    fn cause_of_products(&self) -> String {
        match self {
            Self::GrantPoints { due, after } | Self::RemindOffers { hour: due, after } => {
                behind(due, *after)
            }
            Self::ExpireOffers { hour, round } => format!("{hour}:{round}"),
            Self::RunBatch { batch_id, version } => format!("{batch_id}:{version}"),
            Self::TidyBatch { batch_id, due } => format!("{batch_id}:{due}"),
            Self::TellCustomer {
                partner_id,
                account_id,
                since,
            } => format!("{partner_id}:{account_id}:{}", span(*since)),
            Self::SendMail { .. }
            | Self::TellKnownAddress { .. }
            | Self::SendStarted { .. }
            | Self::AnswerReset { .. }
            | Self::SendApplicantLinks { .. }
            | Self::WatchReview { .. }
            | Self::ExpireDraft { .. }
            | Self::EndInvitation { .. }
            | Self::DeleteFile { .. }
            | Self::DeleteApplicationFiles { .. }
            | Self::IssueInvoice(_)
            | Self::RenderInvoice { .. }
            | Self::WatchInvoice { .. }
            | Self::EndMembership { .. }
            | Self::WatchMoney { .. }
            | Self::MatchStatement { .. }
            | Self::ForgetStatement { .. }
            | Self::SweepFiles { .. }
            | Self::KeepHouse { .. } => String::new(),
        }
    }
}

/// The ten minutes in which a moment is: whoever looks for a task that waits knows its key, for it began in this span or in the one before.
fn span(moment: Instant) -> u64 {
    moment.unix_seconds() / 600
}

/// What a cause is, and how far behind its beginning.
fn behind(first: impl Display, after: Option<impl Display>) -> String {
    match after {
        Some(after) => format!("{first}:{after}"),
        None => first.to_string(),
    }
}
