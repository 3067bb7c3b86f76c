//! How a membership stands with what it owes, and why it ended. When it comes to either is decided in `collection`.

use crate::types::text_enum;

text_enum! {
    /// How a membership that runs stands with what it owes.
    pub enum Standing {
        /// Nothing is overdue.
        Current = "current",
        /// An invoice is overdue; the benefits stay.
        PastDue = "past_due",
        /// An invoice is overdue for so long that the benefits stop until it is paid.
        Suspended = "suspended",
    }
}

impl Standing {
    /// Whether the level gives what it promises.
    pub fn has_benefits(self) -> bool {
        self != Self::Suspended
    }

    /// How the membership stands with so many overdue cents: one is overdue, and without any it is restored.
    pub fn with_overdue(self, overdue_cents: i64) -> Self {
        match self {
            _ if overdue_cents <= 0 => Self::Current,
            Self::Current => Self::PastDue,
            Self::PastDue | Self::Suspended => self,
        }
    }
}

text_enum! {
    /// Where a membership stands, as people see it.
    pub enum MembershipStatus {
        /// It runs, and nothing is overdue.
        Active = "active",
        /// It runs; an invoice is overdue, and the benefits stay.
        PastDue = "past_due",
        /// It runs; an invoice is overdue for so long that the benefits stop.
        Suspended = "suspended",
        /// Its term is over, or it was not paid.
        Ended = "ended",
    }
}

impl MembershipStatus {
    /// Of a membership that stands so with what it owes while it runs, or runs no more.
    pub fn of(standing: Option<Standing>) -> Self {
        match standing {
            Some(Standing::Current) => Self::Active,
            Some(Standing::PastDue) => Self::PastDue,
            Some(Standing::Suspended) => Self::Suspended,
            None => Self::Ended,
        }
    }
}

text_enum! {
    /// What comes next of a membership.
    pub enum MembershipStep {
        /// The benefits stop, since an invoice is not paid.
        Suspended = "suspended",
        /// It ends, since an invoice is not paid.
        EndedUnpaid = "ended_unpaid",
        /// Its term is over.
        Ends = "ends",
    }
}

text_enum! {
    /// Why a membership ended.
    pub enum EndedReason {
        /// Its term was over.
        Expired = "expired",
        /// Its term was over, and it had been cancelled.
        Cancelled = "cancelled",
        /// What it cost was not paid.
        Unpaid = "unpaid",
        /// The next term followed.
        Renewed = "renewed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_overdue_cent_is_overdue_and_none_restores() {
        for standing in Standing::ALL {
            assert_eq!(standing.with_overdue(0), Standing::Current);
            assert_ne!(standing.with_overdue(1), Standing::Current);
        }
        assert_eq!(Standing::Suspended.with_overdue(1), Standing::Suspended);
        assert!(Standing::PastDue.has_benefits() && !Standing::Suspended.has_benefits());
    }
}
