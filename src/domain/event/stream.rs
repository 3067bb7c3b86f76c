//! Whose history an event is part of. Which events those are is in the list.

use crate::domain::account::AccountId;
use crate::domain::partner::PartnerId;

/// Whose history an event is part of; by its word it is of exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Account(AccountId),
    Partner(PartnerId),
    /// The operator's own.
    Operator,
}

/// As it is stored: `acc_…`, `ptn_…` or `operator`.
impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Partner(partner) => partner.fmt(f),
            Self::Operator => f.write_str("operator"),
        }
    }
}
