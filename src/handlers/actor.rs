//! Who acted, as readers see it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::access::UserId;
use crate::domain::actor::{ActorKind, parse};

/// Who acted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActorView {
    pub kind: ActorKind,
    /// The user, the account or the job behind it. Of staff an account learns the kind alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "usr_0000000000007000800000000000006f")]
    pub id: Option<String>,
}

impl ActorView {
    /// What a reader sees of an actor as it is stored; only staff see who of the staff it was, and what the service acted for.
    pub fn of(stored: &str, reader_is_staff: bool) -> Self {
        let (kind, id) = parse(stored).unwrap_or((ActorKind::Service, ""));
        let is_shown = match kind {
            ActorKind::User | ActorKind::Applicant => true,
            ActorKind::Staff | ActorKind::Service => reader_is_staff,
        };
        Self {
            kind,
            id: (is_shown && !id.is_empty()).then(|| id.to_owned()),
        }
    }

    /// The user behind it, where the reader may know.
    pub fn user(&self) -> Option<UserId> {
        self.id.as_deref().and_then(|id| id.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_learns_of_staff_that_it_was_staff() {
        let (user, staff) = (
            "user:usr_0000000000007000800000000000006f",
            "staff:usr_00000000000070008000000000000067",
        );
        assert!(ActorView::of(user, false).user().is_some());
        assert!(ActorView::of(staff, false).user().is_none());
        assert!(ActorView::of(staff, true).user().is_some());
        let job = ActorView::of("service:job_1", false);
        assert_eq!((job.kind, job.id), (ActorKind::Service, None));
    }
}
