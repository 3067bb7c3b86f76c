//! Dealers whose systems report what they sold: who they are, what their credentials may do, and the numbers that bound them.

use serde::Deserialize;

use crate::types::{id, text_enum};

id!(
    /// A partner: a dealer in our records.
    PartnerId, "ptn_"
);
id!(
    /// What one system of a partner signs in with; it is its client id, too.
    CredentialId, "crd_"
);

/// What a client secret begins with, in live mode and in the sandbox.
pub const SECRET_PREFIXES: [&str; 2] = ["cps_live_", "cps_test_"];

text_enum! {
    /// Where a partner stands.
    pub enum PartnerStatus {
        /// Its systems sign in and report.
        Active = "active",
        /// None of its systems signs in; what it has reported stays.
        Suspended = "suspended",
    }
}

text_enum! {
    /// What a credential of a partner may do.
    pub enum Scope {
        /// Report what was sold, singly and in batches, and ask whether a member number is valid.
        RegistrationsWrite = "registrations:write",
        /// Read what was reported, and what came of it.
        RegistrationsRead = "registrations:read",
        /// Read the partner's events.
        Webhooks = "webhooks",
    }
}

/// The `format` of the schema of a scope that somebody sends.
pub const SCOPE: &str = "scope";

text_enum! {
    /// By what a partner stands out, so that staff look at it.
    pub enum AlertCause {
        /// Customers that it named and that are none.
        Unmatched = "unmatched",
        /// Customers who said that what it reported is not theirs.
        NotMine = "not_mine",
        /// Customers that it found by dry runs.
        SilentMatches = "silent_matches",
    }
}

/// Scopes as one text, with a blank between each (RFC 6749, 3.3).
pub fn scope_text(scopes: &[Scope]) -> String {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    words.join(" ")
}

/// Section `[dealers]` of the programme.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DealerRules {
    /// Days for which a customer may accept an offer.
    pub offer_days: u32,
    /// Days before its end on which the customer is reminded of it.
    pub offer_reminder_days: u32,
    /// Days after a registration within which it may be returned or corrected.
    pub change_days: u32,
    /// Days for which what a customer declined is not offered again.
    pub declined_days: u32,
    /// Lines of one batch.
    pub lines_per_batch: u32,
    /// Lines that a partner reports in a day of UTC, where it has no number of its own.
    pub lines_per_day: i64,
    /// Lines of dry runs in a day of UTC.
    pub dry_run_lines_per_day: i64,
    /// Customers not found in a day of UTC; after so many none is looked for.
    pub unmatched_per_day: i64,
    /// Batches of one partner that wait or run at once.
    pub open_batches: i64,
    /// Credentials of one partner that live at once.
    pub credentials: i64,
    /// Networks that one credential may be bound to.
    pub networks: usize,
    /// Sign-ins of one client from one address that failed, after which it waits.
    pub sign_in_failures: i64,
    /// Minutes that it waits then, and without a failure after which those before count no more.
    pub sign_in_wait_minutes: u32,
    /// Customers not found in a day, from which staff look at a partner.
    pub alert_unmatched: i64,
    /// Refusals as `not_mine` in 30 days, from which staff look at a partner.
    pub alert_not_mine: i64,
    /// Customers found by dry runs in a day, from which staff look at a partner.
    pub alert_silent_matches: i64,
}

/// No list of the contract is longer, whatever the programme says.
const MOST: [(&str, usize); 2] = [("networks", 100), ("lines_per_batch", 10_000)];

impl DealerRules {
    /// Whether no limit is above that of the contract; else the entry, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let lines = usize::try_from(self.lines_per_batch).unwrap_or(usize::MAX);
        let above = MOST.into_iter().zip([self.networks, lines]);
        let mut above = above.filter(|((_, most), limit)| limit > most);
        above.next().map_or(Ok(()), |((entry, most), limit)| {
            Err((
                entry,
                format!("{limit} is more than the {most} of the contract"),
            ))
        })
    }
}
