//! Who is calling, whether they may touch what they name, and the proofs of it. Reading tokens is in `auth`.
#![expect(
    clippy::disallowed_methods,
    reason = "the proofs of access are what an actor comes out of"
)]

mod anywhere;
mod partner;
mod signed_in;

use crate::domain::account::AccountId;
use crate::domain::actor::{Acting, Actor, Cause, Stamp};
use crate::domain::applicant_token::TokenReach;
use crate::domain::partner::{CredentialId, PartnerId, Scope};
use crate::domain::permissions::{Action, Reach, Role, reach};
use crate::error::Code;
use crate::types::{Instant, id};

pub use anywhere::AnywhereAccess;
pub use partner::PartnerAccess;
pub use signed_in::{StaffAccess, UserAccess};

id!(
    /// A user, of an account or of the staff.
    UserId, "usr_"
);
id!(
    /// One signed-in session.
    SessionId, "ses_"
);

/// What the bearer token of an application begins with.
pub const APPLICANT_PREFIX: &str = "cpa_";

/// Who sent a request. Made by `auth` alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// None: nobody that the service knows.
    actor: Option<Actor>,
    account_id: Option<AccountId>,
    roles: Vec<Role>,
    request_id: Option<String>,
    /// Of an applicant: whether the application is decided, so that the token only reads.
    is_decided: bool,
    applicant_token: Option<ApplicantToken>,
    /// Of a partner's system: what it may do.
    scopes: Vec<Scope>,
}

/// The token by which an applicant acts, to be looked at again where it changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicantToken {
    pub hash: String,
    /// Whether it came by mail, so that its bearer has the mailbox.
    pub is_mailed: bool,
}

impl Caller {
    /// Nobody that the service knows.
    pub fn anyone() -> Self {
        Self::default()
    }

    /// The bearer of an application's token, which came by mail or from registering.
    pub fn applicant(account: AccountId, reach: TokenReach, token: ApplicantToken) -> Self {
        Self {
            actor: Some(Actor::new(Acting::Applicant { account })),
            account_id: Some(account),
            roles: vec![Role::Applicant],
            request_id: None,
            is_decided: reach != TokenReach::Changes,
            applicant_token: Some(token),
            scopes: Vec::new(),
        }
    }

    /// A system of a partner.
    pub fn partner(partner: PartnerId, credential: CredentialId, scopes: Vec<Scope>) -> Self {
        let acting = Acting::Partner {
            partner,
            credential,
        };
        Self {
            actor: Some(Actor::new(acting)),
            scopes,
            ..Self::default()
        }
    }

    /// A user with a session: of `account_id`, or of the staff where there is none.
    pub fn user(
        user: UserId,
        session: SessionId,
        account_id: Option<AccountId>,
        roles: Vec<Role>,
    ) -> Self {
        let acting = Acting::User {
            user,
            session: Some(session),
            staff: account_id.is_none(),
        };
        Self {
            actor: Some(Actor::new(acting)),
            account_id,
            roles,
            ..Self::default()
        }
    }

    /// The same caller, on the request of this id.
    #[must_use]
    pub fn on_request(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }

    /// Whether nobody is signed in.
    pub fn is_anyone(&self) -> bool {
        self.actor.is_none()
    }

    /// Whether a member of staff calls.
    pub fn is_staff(&self) -> bool {
        self.actor.is_some_and(|actor| actor.staff().is_some())
    }

    /// Who acts.
    pub fn actor(&self) -> Option<Actor> {
        self.actor
    }

    /// The account that the caller belongs to.
    pub fn account_id(&self) -> Option<AccountId> {
        self.account_id
    }

    /// The user behind the caller, where there is one.
    pub fn user_id(&self) -> Option<UserId> {
        self.actor.and_then(Actor::user)
    }

    /// The session that the caller is signed in with.
    pub fn session_id(&self) -> Option<SessionId> {
        self.actor.and_then(Actor::session)
    }

    /// Every role of the caller.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    fn reach(&self, action: Action) -> Reach {
        let reaches = self.roles.iter().map(|role| reach(action, *role));
        reaches.max().unwrap_or(Reach::None)
    }
}

/// The proof that somebody may do something on one account; repository functions on an account ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAccess {
    account_id: AccountId,
    actor: Actor,
    request_id: Option<String>,
    applicant_token: Option<ApplicantToken>,
}

impl AccountAccess {
    /// Whether `caller` may do `action` on the account: what they may not know of answers as what is not there.
    pub fn admit(action: Action, caller: &Caller, account_id: AccountId) -> Result<Self, Code> {
        let actor = caller.actor.ok_or(Code::Unauthenticated)?;
        let granted = Self {
            account_id,
            actor,
            request_id: caller.request_id.clone(),
            applicant_token: caller.applicant_token.clone(),
        };
        match caller.reach(action) {
            Reach::All => Ok(granted),
            Reach::Own
                if caller.account_id == Some(account_id)
                    && caller.is_decided
                    && action != Action::AccountRead =>
            {
                Err(Code::ApplicationNotEditable)
            }
            reach if caller.account_id == Some(account_id) => match reach {
                Reach::Own => Ok(granted),
                Reach::None | Reach::All => Err(Code::Forbidden),
            },
            _ if caller.is_staff() => Err(Code::Forbidden),
            _ => Err(Code::NotFound),
        }
    }

    /// The account.
    pub fn account_id(&self) -> AccountId {
        self.account_id
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The member of staff who acts.
    pub fn staff(&self) -> Option<UserId> {
        self.actor.staff()
    }

    /// The token by which an applicant acts.
    pub fn applicant_token(&self) -> Option<&ApplicantToken> {
        self.applicant_token.as_ref()
    }

    /// What is written with it says who and when.
    pub fn stamp(&self, now: Instant) -> Stamp {
        stamp(self.actor, now, self.request_id.as_ref())
    }
}

/// The service's own proof: of a job, a command, a seed. `clippy.toml` and `tests/api/layers.rs` hold who may make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceAccess {
    actor: Actor,
}

impl ServiceAccess {
    /// The service, for this cause.
    pub fn new(cause: Cause) -> Self {
        let actor = Actor::new(Acting::Service { cause });
        Self { actor }
    }

    /// Its access to one account.
    pub fn on(self, account_id: AccountId) -> AccountAccess {
        AccountAccess {
            account_id,
            actor: self.actor,
            request_id: None,
            applicant_token: None,
        }
    }

    /// What is written with it says who and when.
    pub fn stamp(self, now: Instant) -> Stamp {
        stamp(self.actor, now, None)
    }
}

/// A request without a token whose content makes it somebody: a new application, or a mailed token. Made by `auth` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anonymous {
    request_id: Option<String>,
}

impl Anonymous {
    /// Whoever sends the request of this id.
    pub fn new(request_id: Option<String>) -> Self {
        Self { request_id }
    }

    /// The applicant of the account that a registration makes.
    pub fn as_applicant(self, account_id: AccountId) -> AccountAccess {
        let acting = Acting::Applicant {
            account: account_id,
        };
        AccountAccess {
            account_id,
            actor: Actor::new(acting),
            request_id: self.request_id,
            applicant_token: None,
        }
    }

    /// The user whose mailed token came with the request; of the staff where there is no account.
    pub fn as_owner(&self, user: UserId, account_id: Option<AccountId>, now: Instant) -> Stamp {
        let acting = Acting::User {
            user,
            session: None,
            staff: account_id.is_none(),
        };
        stamp(Actor::new(acting), now, self.request_id.as_ref())
    }
}

fn stamp(actor: Actor, now: Instant, request_id: Option<&String>) -> Stamp {
    Stamp {
        now,
        actor,
        request_id: request_id.cloned(),
        reason: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_may_not_know_of_is_not_there_and_what_they_may_not_do_is_forbidden() {
        let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let (own, other) = (AccountId::new(now), AccountId::new(now));
        let (user, session) = (UserId::new(now), SessionId::new(now));
        let caller = Caller::user(user, session, Some(own), vec![Role::ReadOnly]);
        let admit = |action, caller: &Caller, account| {
            AccountAccess::admit(action, caller, account).map(drop)
        };
        assert_eq!(admit(Action::ProductsRead, &caller, own), Ok(()));
        assert_eq!(
            admit(Action::ProductsChange, &caller, own),
            Err(Code::Forbidden)
        );
        assert_eq!(
            admit(Action::ProductsRead, &caller, other),
            Err(Code::NotFound)
        );
        assert_eq!(
            admit(Action::ProductsRead, &Caller::anyone(), own),
            Err(Code::Unauthenticated)
        );
        assert_eq!(
            StaffAccess::admit(Action::ReviewsRead, &caller).map(drop),
            Err(Code::Forbidden)
        );
        let staff = Caller::user(user, session, None, vec![Role::Support]);
        assert_eq!(
            admit(Action::PointsAdjust, &staff, own),
            Err(Code::Forbidden)
        );
        assert_eq!(admit(Action::ProductsRead, &staff, own), Ok(()));
    }
}
