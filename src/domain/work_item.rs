//! What waits for staff: its identity, its kinds, who works at each, and how long it may wait. Working at it comes through what it is about.

use chrono::TimeDelta;
use serde::Deserialize;

use super::permissions::Action;
use crate::types::{Instant, id, text_enum};

id!(
    /// One matter that waits for staff.
    WorkItemId, "wrk_"
);

text_enum! {
    /// What staff have to look at.
    pub enum WorkItemKind {
        /// A serial number that was reported stolen turned up again; the check of the product closes the matter.
        StolenSerial = "stolen_serial",
        /// A guessed serial number that earns nothing before staff have looked; the check of the product closes the matter.
        SerialCheck = "serial_check",
        /// A dealer's system that behaves as none should; staff close the matter.
        PartnerAlert = "partner_alert",
        /// A job that failed for good; trying it again closes the matter.
        DeadJob = "dead_job",
        /// Money of a customer that no invoice wants; giving it back closes the matter, and so does an invoice that takes it.
        CreditLeft = "credit_left",
        /// A refund came back from the bank: its money is open again; giving it back closes the matter, and so does setting it off.
        RefundFailed = "refund_failed",
    }
}

impl WorkItemKind {
    /// What its staff may do: they alone see it.
    pub fn action(self) -> Action {
        match self {
            Self::StolenSerial | Self::SerialCheck => Action::ProductsCheck,
            Self::PartnerAlert => Action::WorkItemsComplete,
            Self::DeadJob => Action::JobsManage,
            Self::CreditLeft | Self::RefundFailed => Action::RefundsMake,
        }
    }

    /// Whether nothing else closes it, so that staff say when it is done.
    pub fn is_closed_by_hand(self) -> bool {
        self == Self::PartnerAlert
    }

    /// By when a matter that is opened `now` is to be done.
    pub fn due_at(self, rules: &WorkItemRules, now: Instant) -> Instant {
        let hours = match self {
            Self::StolenSerial => rules.stolen_serial_hours,
            Self::SerialCheck => rules.serial_check_hours,
            Self::PartnerAlert => rules.partner_alert_hours,
            Self::DeadJob => rules.dead_job_hours,
            Self::CreditLeft => rules.credit_left_hours,
            Self::RefundFailed => rules.refund_failed_hours,
        };
        now.plus(TimeDelta::hours(hours.into()))
    }
}

/// Section `[work_items]` of the programme: for how many minutes a matter is claimed, and within how many hours staff look at it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct WorkItemRules {
    pub lease_minutes: u32,
    pub stolen_serial_hours: u32,
    pub serial_check_hours: u32,
    pub partner_alert_hours: u32,
    pub dead_job_hours: u32,
    pub credit_left_hours: u32,
    pub refund_failed_hours: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::{Programme, SHIPPED};

    #[test]
    fn a_matter_is_due_after_the_hours_of_its_kind() {
        let rules = Programme::parse(SHIPPED).unwrap().work_items;
        let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        for kind in WorkItemKind::ALL {
            assert!(kind.due_at(&rules, now) > now, "{kind}");
        }
        let due = WorkItemKind::DeadJob.due_at(&rules, now);
        assert_eq!(due.to_string(), "2026-06-02T10:00:00Z");
    }

    #[test]
    fn staff_close_by_hand_what_nothing_else_closes() {
        let by_hand = WorkItemKind::ALL
            .iter()
            .filter(|kind| kind.is_closed_by_hand());
        assert_eq!(by_hand.collect::<Vec<_>>(), [&WorkItemKind::PartnerAlert]);
    }
}
