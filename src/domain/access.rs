//! Who is calling, and whether they may touch what they name. Reading tokens is in `auth`.

use crate::domain::account::AccountId;
use crate::domain::permissions::{Action, Reach, Role, reach};
use crate::error::Code;
use crate::types::id;

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

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody that the service knows.
    Anyone,
    /// The bearer of an application's token.
    Applicant { account_id: AccountId },
    /// A user of an account.
    Member {
        user_id: UserId,
        session_id: SessionId,
        account_id: AccountId,
        role: Role,
    },
    /// A user of the staff.
    Staff {
        user_id: UserId,
        session_id: SessionId,
        roles: Vec<Role>,
    },
}

impl Caller {
    /// The account that the caller belongs to.
    pub fn account_id(&self) -> Option<AccountId> {
        match self {
            Self::Applicant { account_id } | Self::Member { account_id, .. } => Some(*account_id),
            Self::Anyone | Self::Staff { .. } => None,
        }
    }

    /// The user behind the caller, where there is one.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Member { user_id, .. } | Self::Staff { user_id, .. } => Some(*user_id),
            Self::Anyone | Self::Applicant { .. } => None,
        }
    }

    /// The session that the caller is signed in with.
    pub fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::Member { session_id, .. } | Self::Staff { session_id, .. } => Some(*session_id),
            Self::Anyone | Self::Applicant { .. } => None,
        }
    }

    /// Every role of the caller.
    pub fn roles(&self) -> Vec<Role> {
        match self {
            Self::Anyone => Vec::new(),
            Self::Applicant { .. } => vec![Role::Applicant],
            Self::Member { role, .. } => vec![*role],
            Self::Staff { roles, .. } => roles.clone(),
        }
    }

    fn reach(&self, action: Action) -> Reach {
        self.roles()
            .into_iter()
            .map(|role| reach(action, role))
            .max()
            .unwrap_or(Reach::None)
    }
}

/// The proof that somebody may do something on one account; repository functions on an account ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAccess {
    account_id: AccountId,
    by: Option<UserId>,
    is_staff: bool,
}

impl AccountAccess {
    /// Whether `caller` may do `action` on the account: what they may not know of answers as what is not there.
    pub fn admit(action: Action, caller: &Caller, account_id: AccountId) -> Result<Self, Code> {
        let granted = Self {
            account_id,
            by: caller.user_id(),
            is_staff: matches!(caller, Caller::Staff { .. }),
        };
        match (caller.reach(action), caller) {
            (_, Caller::Anyone) => Err(Code::Unauthenticated),
            (Reach::All, _) => Ok(granted),
            (reach, _) if caller.account_id() == Some(account_id) => {
                if reach == Reach::Own {
                    Ok(granted)
                } else {
                    Err(Code::Forbidden)
                }
            }
            (_, Caller::Staff { .. }) => Err(Code::Forbidden),
            _ => Err(Code::NotFound),
        }
    }

    /// The access of the service itself: jobs, imports, seeds.
    pub fn of_service(account_id: AccountId) -> Self {
        Self {
            account_id,
            by: None,
            is_staff: false,
        }
    }

    /// The account.
    pub fn account_id(&self) -> AccountId {
        self.account_id
    }

    /// The user who acts.
    pub fn by(&self) -> Option<UserId> {
        self.by
    }

    /// The member of staff who acts: what they write leaves a record.
    pub fn staff(&self) -> Option<UserId> {
        self.by.filter(|_| self.is_staff)
    }
}

/// The proof that a member of staff may do something that is not about one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaffAccess {
    user_id: UserId,
}

impl StaffAccess {
    /// Whether `caller` may do `action`.
    pub fn admit(action: Action, caller: &Caller) -> Result<Self, Code> {
        match caller {
            Caller::Anyone => Err(Code::Unauthenticated),
            Caller::Staff { user_id, .. } if caller.reach(action) == Reach::All => {
                Ok(Self { user_id: *user_id })
            }
            _ => Err(Code::Forbidden),
        }
    }

    /// The member of staff.
    pub fn user_id(&self) -> UserId {
        self.user_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Instant;

    #[test]
    fn what_a_member_may_not_know_of_is_not_there_and_what_they_may_not_do_is_forbidden() {
        let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let (own, other) = (AccountId::new(now), AccountId::new(now));
        let caller = Caller::Member {
            user_id: UserId::new(now),
            session_id: SessionId::new(now),
            account_id: own,
            role: Role::ReadOnly,
        };
        assert!(AccountAccess::admit(Action::ProductsRead, &caller, own).is_ok());
        assert_eq!(
            AccountAccess::admit(Action::ProductsChange, &caller, own),
            Err(Code::Forbidden)
        );
        assert_eq!(
            AccountAccess::admit(Action::ProductsRead, &caller, other),
            Err(Code::NotFound)
        );
        assert_eq!(
            AccountAccess::admit(Action::ProductsRead, &Caller::Anyone, own),
            Err(Code::Unauthenticated)
        );
        assert_eq!(
            StaffAccess::admit(Action::ReviewsRead, &caller),
            Err(Code::Forbidden)
        );
    }
}
