//! Whose events a caller reads.

use super::{AccountAccess, Caller, PartnerAccess, StaffAccess};
use crate::domain::partner::Scope;
use crate::domain::permissions::Action;
use crate::error::Code;

/// The proof that a caller may read what happened, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedAccess {
    /// All of it.
    Everybody(StaffAccess),
    /// To the own account.
    Account(AccountAccess),
    /// To the own partner.
    Partner(PartnerAccess),
}

impl FeedAccess {
    /// Whose events `caller` reads.
    pub fn admit(caller: &Caller) -> Result<Self, Code> {
        let actor = caller.actor().ok_or(Code::Unauthenticated)?;
        if actor.partner().is_some() {
            return PartnerAccess::admit(Scope::Webhooks, caller).map(Self::Partner);
        }
        match caller.account_id() {
            None => StaffAccess::admit(Action::EventsRead, caller).map(Self::Everybody),
            Some(own) => AccountAccess::admit(Action::EventsRead, caller, own).map(Self::Account),
        }
    }
}
