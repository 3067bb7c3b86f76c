//! What happens to a user: of the account's stream, or of the operator's where the user is staff.

use super::Event;
use crate::domain::access::{SessionId, UserId};
use crate::domain::account::AccountId;

impl Event {
    /// A user has another password.
    pub fn password_changed(account: Option<AccountId>, user_id: UserId) -> Self {
        match account {
            Some(account_id) => Self::UserPasswordChanged {
                account_id,
                user_id,
            },
            None => Self::StaffPasswordChanged { user_id },
        }
    }

    /// A user set the first password.
    pub fn user_activated(account: Option<AccountId>, user_id: UserId) -> Self {
        match account {
            Some(account_id) => Self::UserActivated {
                account_id,
                user_id,
            },
            None => Self::StaffActivated { user_id },
        }
    }

    /// Every session of a user was ended.
    pub fn sessions_ended(account: Option<AccountId>, user_id: UserId) -> Self {
        match account {
            Some(account_id) => Self::UserSessionsEnded {
                account_id,
                user_id,
            },
            None => Self::StaffSessionsEnded { user_id },
        }
    }

    /// A user ended one of their sessions.
    pub fn session_ended(
        account: Option<AccountId>,
        user_id: UserId,
        session_id: SessionId,
    ) -> Self {
        match account {
            Some(account_id) => Self::UserSessionEnded {
                account_id,
                user_id,
                session_id,
            },
            None => Self::StaffSessionEnded {
                user_id,
                session_id,
            },
        }
    }

    /// What of a user changed.
    pub fn user_changed(
        account: Option<AccountId>,
        user_id: UserId,
        (renamed, language): (bool, bool),
    ) -> Self {
        match account {
            Some(account_id) => Self::UserChanged {
                account_id,
                user_id,
                renamed,
                language,
            },
            None => Self::StaffChanged {
                user_id,
                renamed,
                language,
            },
        }
    }
}
