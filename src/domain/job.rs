//! What the rules know of a job: its kind, its queue, where it stands, and when one that failed is tried again. The queue at work is in `jobs`.

use chrono::TimeDelta;

use crate::types::{id, text_enum};

id!(
    /// One job.
    JobId, "job_"
);

text_enum! {
    /// What waits together: a queue has its own places, time limit and schedule, so that none holds up another.
    pub enum JobQueue {
        Rules = "rules",
        Mail = "mail",
        /// What is issued, and the documents of it.
        Invoices = "invoices",
        /// Batches of partners, a chunk after the other.
        Batches = "batches",
        /// Lines of bank statements, one statement at a time.
        Bank = "bank",
        /// The terms of memberships, and the daily look at the money.
        Terms = "terms",
        Files = "files",
        Housekeeping = "housekeeping",
    }
}

text_enum! {
    /// What a job does.
    pub enum JobKind {
        SendMail = "send_mail",
        TellKnownAddress = "tell_known_address",
        SendStarted = "send_started",
        AnswerReset = "answer_reset",
        SendApplicantLinks = "send_applicant_links",
        WatchReview = "watch_review",
        ExpireDraft = "expire_draft",
        EndInvitation = "end_invitation",
        IssueInvoice = "issue_invoice",
        RenderInvoice = "render_invoice",
        WatchInvoice = "watch_invoice",
        EndMembership = "end_membership",
        WatchMoney = "watch_money",
        GrantPoints = "grant_points",
        RunBatch = "run_batch",
        TidyBatch = "tidy_batch",
        MatchStatement = "match_statement",
        ForgetStatement = "forget_statement",
        TellCustomer = "tell_customer",
        ExpireOffers = "expire_offers",
        RemindOffers = "remind_offers",
        DeleteFile = "delete_file",
        DeleteApplicationFiles = "delete_application_files",
        SweepFiles = "sweep_files",
        KeepHouse = "keep_house",
    }
}

impl JobKind {
    /// The queue that it waits in.
    pub const fn queue(self) -> JobQueue {
        match self {
            Self::SendMail => JobQueue::Mail,
            Self::RunBatch => JobQueue::Batches,
            Self::MatchStatement | Self::ForgetStatement => JobQueue::Bank,
            Self::IssueInvoice | Self::RenderInvoice | Self::WatchInvoice => JobQueue::Invoices,
            Self::EndMembership | Self::WatchMoney => JobQueue::Terms,
            Self::TellKnownAddress
            | Self::SendStarted
            | Self::AnswerReset
            | Self::SendApplicantLinks
            | Self::WatchReview
            | Self::ExpireDraft
            | Self::EndInvitation
            | Self::GrantPoints
            | Self::TidyBatch
            | Self::TellCustomer
            | Self::ExpireOffers
            | Self::RemindOffers => JobQueue::Rules,
            Self::DeleteFile | Self::DeleteApplicationFiles | Self::SweepFiles => JobQueue::Files,
            Self::KeepHouse => JobQueue::Housekeeping,
        }
    }
}

text_enum! {
    /// Where a job stands.
    pub enum JobState { Ready = "ready", Running = "running", Done = "done", Dead = "dead" }
}

text_enum! {
    /// Why a job failed last, as a class: the words of the cause are for the log.
    pub enum JobError {
        /// It took longer than its queue allows.
        Timeout = "timeout",
        /// What it asked said no.
        Refused = "refused",
        /// What it needed was away.
        Unavailable = "unavailable",
        /// Another transaction held what it needed.
        Contended = "contended",
        /// It broke off, or took its instance with it.
        Crashed = "crashed",
        /// Anything else.
        Internal = "internal",
    }
}

/// When a job that failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// After 2 seconds, doubling to an hour.
    Doubling,
    /// After 10 seconds, 1, 5 and 15 minutes, then hourly.
    Mail,
    /// After 5 seconds, doubling to 10 minutes, for a day.
    Batches,
    /// Every hour.
    Hourly,
}

const HOUR: i64 = 3600;

impl Retries {
    /// How long a job is tried again, by its waits and by the clock; then it is dead.
    const fn tried_for(self) -> TimeDelta {
        match self {
            Self::Batches => TimeDelta::hours(24),
            Self::Doubling | Self::Mail | Self::Hourly => TimeDelta::hours(72),
        }
    }

    /// How long a job waits that failed `failures` times, from 1, and is tried for `tried_for` by now; none when its time is over: by the
    /// waits, so that none of its tries is lost to a clock that was moved, and by the clock, so that instances that die one after the other
    /// do not use it up. What is added to spread those that failed together only makes it longer, so that no time is lost.
    pub fn wait(self, failures: i64, tried_for: TimeDelta) -> Option<TimeDelta> {
        let before: i64 = (1..failures).map(|nth| self.seconds(nth)).sum();
        let is_over = TimeDelta::seconds(before).min(tried_for) >= self.tried_for();
        (!is_over).then(|| TimeDelta::seconds(self.seconds(failures)))
    }

    fn seconds(self, nth: i64) -> i64 {
        match (self, nth) {
            (Self::Doubling, ..12) => 1 << nth.max(1),
            (Self::Batches, ..8) => 5 << (nth.max(1) - 1),
            (Self::Batches, _) => 600,
            (Self::Mail, ..2) => 10,
            (Self::Mail, 2) => 60,
            (Self::Mail, 3) => 300,
            (Self::Mail, 4) => 900,
            _ => HOUR,
        }
    }
}

/// `wait` and up to a fifth more, by `share` of 255.
pub fn with_jitter(wait: TimeDelta, share: u8) -> TimeDelta {
    let most = wait.num_milliseconds() / 5;
    wait + TimeDelta::milliseconds(most * i64::from(share) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn waits(retries: Retries) -> Vec<i64> {
        let mut tried_for = TimeDelta::zero();
        let waits = (1..).map_while(|nth| {
            let wait = retries.wait(nth, tried_for)?;
            tried_for += wait;
            Some(wait.num_seconds())
        });
        waits.collect()
    }

    #[test]
    fn a_mail_is_tried_soon_then_hourly_for_three_days() {
        let waits = waits(Retries::Mail);
        assert_eq!(waits[..6], [10, 60, 300, 900, 3600, 3600]);
        let whole: i64 = waits.iter().sum();
        assert!((72 * HOUR..73 * HOUR).contains(&whole), "{whole}");
    }

    #[test]
    fn a_rule_waits_twice_as_long_each_time_up_to_an_hour() {
        let waits = waits(Retries::Doubling);
        assert_eq!(waits[..4], [2, 4, 8, 16]);
        assert_eq!(waits[10..13], [2048, 3600, 3600]);
        let whole: i64 = waits.iter().sum();
        assert!((72 * HOUR..73 * HOUR).contains(&whole), "{whole}");
    }

    #[test]
    fn a_batch_waits_twice_as_long_each_time_up_to_ten_minutes_for_a_day() {
        let waits = waits(Retries::Batches);
        assert_eq!(waits[..4], [5, 10, 20, 40]);
        assert_eq!(waits[6..9], [320, 600, 600]);
        let whole: i64 = waits.iter().sum();
        assert!((24 * HOUR..25 * HOUR).contains(&whole), "{whole}");
    }

    #[test]
    fn housekeeping_waits_for_an_hour() {
        assert_eq!(waits(Retries::Hourly), vec![HOUR; 72]);
    }

    #[test]
    fn a_job_has_its_time_however_often_it_was_begun() {
        let hours = TimeDelta::hours;
        for retries in [Retries::Doubling, Retries::Mail, Retries::Hourly] {
            assert_eq!(retries.wait(500, hours(2)), Some(hours(1)));
            assert_eq!(retries.wait(500, hours(72)), None);
            assert!(retries.wait(10, hours(1000)).is_some());
        }
    }

    #[test]
    fn every_kind_has_its_queue() {
        let of = |queue| {
            let kinds = JobKind::ALL
                .iter()
                .filter(move |kind| kind.queue() == queue);
            kinds
                .map(|kind| kind.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let rules = "tell_known_address send_started answer_reset send_applicant_links watch_review expire_draft end_invitation grant_points tidy_batch tell_customer expire_offers remind_offers";
        assert_eq!(of(JobQueue::Rules), rules);
        assert_eq!(of(JobQueue::Mail), "send_mail");
        let invoices = "issue_invoice render_invoice watch_invoice";
        assert_eq!(of(JobQueue::Invoices), invoices);
        assert_eq!(of(JobQueue::Batches), "run_batch");
        assert_eq!(of(JobQueue::Bank), "match_statement forget_statement");
        assert_eq!(of(JobQueue::Terms), "end_membership watch_money");
        let files = "delete_file delete_application_files sweep_files";
        assert_eq!(of(JobQueue::Files), files);
        assert_eq!(of(JobQueue::Housekeeping), "keep_house");
    }

    proptest! {
        #[test]
        fn jitter_only_adds(seconds in 1_i64..5000, share: u8) {
            let wait = TimeDelta::seconds(seconds);
            let spread = with_jitter(wait, share);
            prop_assert!(spread >= wait && spread <= wait * 6 / 5);
        }
    }
}
