//! The proof of somebody who may do something where no account is named.

use super::{AccountAccess, Caller, PartnerAccess, StaffAccess};
use crate::domain::partner::PartnerId;
use crate::domain::permissions::Action;
use crate::error::{Code, Refusal};

/// The proof that somebody may do something where no account is named: each on what is theirs, staff on all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnywhereAccess {
    /// On what is of every account and partner.
    Staff(StaffAccess),
    /// On what is the own account's.
    Account(AccountAccess),
    /// On what is the own partner's.
    Partner(PartnerAccess),
}

impl AnywhereAccess {
    /// Whether `caller` may do `action`.
    pub fn admit(action: Action, caller: &Caller) -> Result<Self, Refusal> {
        let actor = caller.actor.ok_or(Code::Unauthenticated)?;
        if actor.partner().is_some() {
            return PartnerAccess::admit(action, caller).map(Self::Partner);
        }
        let access = match caller.account_id {
            Some(own) => AccountAccess::admit(action, caller, own).map(Self::Account),
            None => StaffAccess::admit(action, caller).map(Self::Staff),
        };
        access.map_err(Refusal::from)
    }

    /// Whose lines are read: those of one partner, or of all where staff read.
    pub fn reads_lines_of(&self) -> Result<Option<PartnerId>, Code> {
        match self {
            Self::Staff(_) => Ok(None),
            Self::Partner(partner) => Ok(Some(partner.partner_id())),
            Self::Account(_) => Err(Code::Forbidden),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{SessionId, UserId};
    use crate::domain::account::AccountId;
    use crate::domain::partner::{CredentialId, Scope};
    use crate::domain::permissions::Role;

    #[test]
    fn each_is_let_in_to_what_is_theirs_and_told_which_scope_is_missing() {
        let now = "2026-06-01T10:00:00Z".parse().unwrap();
        let user = |account, role| {
            Caller::user(UserId::new(now), SessionId::new(now), account, vec![role])
        };
        let system = |scopes| Caller::partner(PartnerId::new(now), CredentialId::new(now), scopes);
        let admit = |caller: &Caller| AnywhereAccess::admit(Action::RegistrationsRead, caller);
        let refused = |caller: &Caller| admit(caller).unwrap_err();
        assert!(matches!(
            admit(&user(None, Role::Support)),
            Ok(AnywhereAccess::Staff(_))
        ));
        assert!(matches!(
            admit(&system(vec![Scope::RegistrationsRead])),
            Ok(AnywhereAccess::Partner(_))
        ));
        assert_eq!(refused(&Caller::anyone()).code, Code::Unauthenticated);
        assert_eq!(refused(&user(None, Role::Finance)).code, Code::Forbidden);
        let member = user(Some(AccountId::new(now)), Role::Superuser);
        assert_eq!(refused(&member).code, Code::Forbidden);
        assert!(matches!(
            AnywhereAccess::admit(Action::PartnersRead, &member),
            Ok(AnywhereAccess::Account(_))
        ));
        let writes = system(vec![Scope::RegistrationsWrite]);
        assert_eq!(
            refused(&writes),
            Code::ScopeMissing.with("scope", "registrations:read")
        );
        let manage = AnywhereAccess::admit(Action::PartnersManage, &writes);
        assert_eq!(manage.unwrap_err().code, Code::Forbidden);
    }
}
