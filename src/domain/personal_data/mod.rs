//! What is stored, table by table: what in it is personal, where that is copied, and how long it stays. Sweeping it is in `jobs::housekeeping`.

mod copies;
mod tables;

use chrono::TimeDelta;

pub use tables::TABLES;

use super::account::ApplicationRules;

/// How long the rows of a table stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// Until they are swept.
    Until(Sweep),
    /// They are kept, for this reason.
    Kept(&'static str),
}

/// What housekeeping sweeps. How long it is kept counts from the moment that is named here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sweep {
    /// The answers to keys, from when the key was used.
    IdempotencyKeys,
    /// Refresh tokens, from when they ran out; a session goes with its last one.
    RefreshTokens,
    /// Links to an application, from when they were mailed.
    ApplicantTokens,
    /// Links to set a password, from when they ran out.
    OneTimeTokens,
    /// Devices that signed in, from when they are known no longer.
    Devices,
    /// Passwords that did not match, from the last one.
    SignInFailures,
    /// Requests of a caller in a day, from that day.
    RequestCounts,
    /// Mails that were sent or given up, from when they were made.
    Mails,
    /// Jobs that are done, from when they were.
    DoneJobs,
    /// What waited for staff, from when it was closed.
    ClosedWorkItems,
    /// Proofs of an old address that came to nothing, from when the last code ran out.
    UnprovenAddresses,
    /// Why somebody did what an event tells, from when that was. The event keeps the hash.
    EventReasons,
    /// What a partner has used of its quotas, from that day.
    PartnerDays,
    /// The lines of a batch, from when it was over; what was sent in them goes sooner.
    RegistrationLines,
}

impl Sweep {
    /// Every sweep there is.
    pub const ALL: [Self; 14] = [
        Self::IdempotencyKeys,
        Self::RefreshTokens,
        Self::ApplicantTokens,
        Self::OneTimeTokens,
        Self::Devices,
        Self::SignInFailures,
        Self::RequestCounts,
        Self::Mails,
        Self::DoneJobs,
        Self::ClosedWorkItems,
        Self::UnprovenAddresses,
        Self::EventReasons,
        Self::PartnerDays,
        Self::RegistrationLines,
    ];

    /// How long it is kept.
    pub fn kept(self, rules: &ApplicationRules) -> TimeDelta {
        match self {
            Self::IdempotencyKeys => IDEMPOTENCY_KEYS_KEPT,
            Self::SignInFailures => SIGN_IN_FAILURES_KEPT,
            Self::ApplicantTokens => TimeDelta::days(rules.token_days.into()),
            Self::RefreshTokens | Self::OneTimeTokens | Self::Devices => TimeDelta::days(1),
            Self::RequestCounts | Self::UnprovenAddresses => TimeDelta::days(2),
            Self::DoneJobs => TimeDelta::days(7),
            Self::Mails | Self::RegistrationLines => TimeDelta::days(90),
            Self::PartnerDays => TimeDelta::days(31),
            Self::ClosedWorkItems => TimeDelta::days(365),
            Self::EventReasons => TimeDelta::days(5 * 366),
        }
    }
}

/// How long a key is answered as it was the first time.
pub const IDEMPOTENCY_KEYS_KEPT: TimeDelta = TimeDelta::hours(24);
/// How long after the last failed sign-in those before it count.
pub const SIGN_IN_FAILURES_KEPT: TimeDelta = TimeDelta::days(1);

/// A table, with every column of it that could say something of a person. Ids, moments and truth values say nothing by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub name: &'static str,
    pub stay: Stay,
    pub personal: &'static [Personal],
    /// The other texts, numbers and dates, with blanks between.
    pub other: &'static str,
}

/// A column that holds what is personal, or a secret of a person.
#[derive(Debug, Clone, Copy)]
pub struct Personal {
    pub column: &'static str,
    /// The columns that what is in it is copied to, as `table.column`.
    pub copied_to: &'static [&'static str],
    /// Until when it stays where that is less than its row.
    pub sooner: Option<&'static str>,
}

impl Personal {
    const fn of(column: &'static str) -> Self {
        Self {
            column,
            copied_to: &[],
            sooner: None,
        }
    }

    const fn copied_to(self, copied_to: &'static [&'static str]) -> Self {
        Self { copied_to, ..self }
    }

    const fn until(self, sooner: &'static str) -> Self {
        Self {
            sooner: Some(sooner),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_sweep_is_the_end_of_a_table_and_none_is_left_out() {
        let swept: HashSet<Sweep> = TABLES
            .iter()
            .filter_map(|table| match table.stay {
                Stay::Until(sweep) => Some(sweep),
                Stay::Kept(_) => None,
            })
            .collect();
        assert_eq!(swept, HashSet::from(Sweep::ALL));
    }

    #[test]
    fn what_is_kept_has_its_reason() {
        for table in TABLES {
            if let Stay::Kept(reason) = table.stay {
                assert!(reason.len() > 20, "{}: {reason}", table.name);
            }
        }
    }

    #[test]
    fn a_copy_is_a_personal_column_itself() {
        let personal: HashSet<String> = TABLES
            .iter()
            .flat_map(|table| {
                let columns = table.personal.iter();
                columns.map(|one| format!("{}.{}", table.name, one.column))
            })
            .collect();
        for copy in TABLES.iter().flat_map(|table| table.personal) {
            for place in copy.copied_to {
                assert!(personal.contains(*place), "{}: {place}", copy.column);
            }
        }
    }
}
