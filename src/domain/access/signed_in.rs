//! The proofs of those who are signed in where no account is named: staff, and a user on what is their own.

use super::{Caller, SessionId, UserId, stamp};
use crate::domain::actor::{Actor, Stamp};
use crate::domain::permissions::{Action, Reach, Role, reach};
use crate::error::Code;
use crate::types::Instant;

/// The proof that a member of staff may do something that is not about one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffAccess {
    actor: Actor,
    roles: Vec<Role>,
    request_id: Option<String>,
}

impl StaffAccess {
    /// Whether `caller` may do `action`.
    pub fn admit(action: Action, caller: &Caller) -> Result<Self, Code> {
        let actor = caller.actor.ok_or(Code::Unauthenticated)?;
        if caller.is_staff() && caller.reach(action) == Reach::All {
            Ok(Self {
                actor,
                roles: caller.roles.clone(),
                request_id: caller.request_id.clone(),
            })
        } else {
            Err(Code::Forbidden)
        }
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// Whether one of the roles is for this, too.
    pub fn may(&self, action: Action) -> bool {
        let reaches = self.roles.iter().map(|role| reach(action, *role));
        reaches.max() == Some(Reach::All)
    }

    /// What is written with it says who and when.
    pub fn stamp(&self, now: Instant) -> Stamp {
        stamp(self.actor, now, self.request_id.as_ref())
    }
}

/// The proof that a user, of an account or of the staff, is signed in: for their own name, password and sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAccess {
    user_id: UserId,
    session_id: SessionId,
    actor: Actor,
    request_id: Option<String>,
}

impl UserAccess {
    /// Whether `caller` is signed in; the bearer of an application's token is not.
    pub fn admit(caller: &Caller) -> Result<Self, Code> {
        let actor = caller.actor.ok_or(Code::Unauthenticated)?;
        let (user_id, session_id) = actor.user().zip(actor.session()).ok_or(Code::Forbidden)?;
        Ok(Self {
            user_id,
            session_id,
            actor,
            request_id: caller.request_id.clone(),
        })
    }

    /// The user.
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The session that asks.
    pub fn session_id(&self) -> SessionId {
        self.session_id
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
