//! What the bearer token of an application still does (rules, section 1). Reading tokens is in `auth`.

use chrono::TimeDelta;

use super::account::{AccountStatus, ApplicationRules};
use crate::types::Instant;

/// What is known of a token and of its application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFacts {
    pub created_at: Instant,
    pub status: AccountStatus,
    /// When the application was decided.
    pub decided_at: Option<Instant>,
}

/// What a token does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenReach {
    /// Fills the application in, submits and withdraws it.
    Changes,
    /// Reads the decided account and its requirements.
    Reads,
    /// Nothing: it has run out, or its time is over.
    Nothing,
}

/// What a token does at `now`: it lives for its days; behind the decision it only reads, until the first password is set.
pub fn reach(facts: TokenFacts, now: Instant, rules: &ApplicationRules) -> TokenReach {
    let is_within = |since: Instant, days: u32| now < since.plus(TimeDelta::days(days.into()));
    if !is_within(facts.created_at, rules.token_days) {
        return TokenReach::Nothing;
    }
    let is_decided = matches!(
        facts.status,
        AccountStatus::Approved | AccountStatus::Rejected
    );
    match facts.decided_at {
        _ if facts.status.is_open_application() => TokenReach::Changes,
        Some(at) if is_decided && is_within(at, rules.token_reads_days) => TokenReach::Reads,
        _ => TokenReach::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programme::{Programme, SHIPPED};

    #[test]
    fn a_token_lives_ninety_days_and_reads_for_thirty_behind_the_decision() {
        let rules = Programme::parse(SHIPPED).unwrap().application;
        let begun: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let decided = begun.plus(TimeDelta::days(10));
        let at = |status, decided_at, days| {
            let facts = TokenFacts {
                created_at: begun,
                status,
                decided_at,
            };
            reach(facts, begun.plus(TimeDelta::days(days)), &rules)
        };
        for open in [
            AccountStatus::Draft,
            AccountStatus::Submitted,
            AccountStatus::InReview,
            AccountStatus::InformationRequested,
        ] {
            assert_eq!(at(open, None, 89), TokenReach::Changes, "{open}");
            assert_eq!(at(open, None, 90), TokenReach::Nothing, "{open}");
        }
        for status in [AccountStatus::Approved, AccountStatus::Rejected] {
            assert_eq!(at(status, Some(decided), 39), TokenReach::Reads, "{status}");
            assert_eq!(
                at(status, Some(decided), 40),
                TokenReach::Nothing,
                "{status}"
            );
        }
        for over in [
            AccountStatus::Active,
            AccountStatus::Suspended,
            AccountStatus::Closed,
            AccountStatus::Withdrawn,
            AccountStatus::Expired,
        ] {
            assert_eq!(at(over, Some(decided), 11), TokenReach::Nothing, "{over}");
        }
    }
}
