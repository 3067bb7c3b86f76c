//! The proof of a partner's system, and what it may reach of its customers.

use super::{AccountAccess, Caller, ServiceAccess, stamp};
use crate::domain::account::AccountId;
use crate::domain::actor::{Acting, Actor, Stamp};
use crate::domain::partner::{CredentialId, PartnerId, Scope};
use crate::domain::permissions::Action;
use crate::error::{Code, Refusal};
use crate::types::Instant;

impl Caller {
    /// The partner whose system calls.
    pub fn partner_id(&self) -> Option<PartnerId> {
        self.actor.and_then(Actor::partner)
    }

    /// The credential that the partner's system is signed in with.
    pub fn credential_id(&self) -> Option<CredentialId> {
        self.actor.and_then(Actor::credential)
    }

    /// What a partner's system may do; nobody else has scopes.
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }
}

/// The proof that a system of a partner may do what one of its scopes is for, on what is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerAccess {
    partner_id: PartnerId,
    credential_id: CredentialId,
    actor: Actor,
    request_id: Option<String>,
}

impl PartnerAccess {
    /// Whether `caller` is a partner's system with the scope of `action`; which scope that is the refusal says.
    pub fn admit(action: Action, caller: &Caller) -> Result<Self, Refusal> {
        let actor = caller.actor.ok_or(Code::Unauthenticated)?;
        let system = actor.partner().zip(actor.credential());
        let (partner_id, credential_id) = system.ok_or(Code::Forbidden)?;
        let scope = action.scope().ok_or(Code::Forbidden)?;
        if !caller.scopes.contains(&scope) {
            return Err(Code::ScopeMissing.with("scope", scope));
        }
        Ok(Self {
            partner_id,
            credential_id,
            actor,
            request_id: caller.request_id.clone(),
        })
    }

    /// The partner.
    pub fn partner_id(&self) -> PartnerId {
        self.partner_id
    }

    /// The credential that its system is signed in with.
    pub fn credential_id(&self) -> CredentialId {
        self.credential_id
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// What is written with it says who and when.
    pub fn stamp(&self, now: Instant) -> Stamp {
        stamp(self.actor, now, self.request_id.as_ref())
    }
}

impl AccountAccess {
    /// The access of a partner to the account that a line of it named. `workflows/registrations/matching.rs` alone calls it.
    pub fn of_match(partner: &PartnerAccess, account_id: AccountId) -> Self {
        Self {
            account_id,
            actor: partner.actor,
            request_id: partner.request_id.clone(),
            applicant_token: None,
        }
    }
}

impl ServiceAccess {
    /// The partner's system that sent a batch, while the service works through it.
    pub fn on_batch(
        self,
        (partner_id, credential_id): (PartnerId, CredentialId),
        request_id: Option<String>,
    ) -> PartnerAccess {
        let acting = Acting::Partner {
            partner: partner_id,
            credential: credential_id,
        };
        PartnerAccess {
            partner_id,
            credential_id,
            actor: Actor::new(acting),
            request_id,
        }
    }
}
