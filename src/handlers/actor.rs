//! Who acted, as readers see it.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::access::UserId;
use crate::domain::actor::{ActorKind, parse};

/// Who acted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ActorView {
    pub kind: ActorKind,
    /// The user, the account or the job behind it. An account learns it of its own users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "usr_0000000000007000800000000000006f")]
    pub id: Option<String>,
}

/// Who reads.
#[derive(Debug, Clone)]
pub enum Reader {
    /// Staff see who of the staff it was, whose user, and what the service acted for.
    Staff,
    /// An account learns the ids of these, its own users, and of others the kind alone.
    Account(BTreeSet<UserId>),
}

/// The users among actors as they are stored.
pub fn users_of<'a>(stored: impl Iterator<Item = &'a str>) -> Vec<UserId> {
    let users = stored.filter_map(|text| match parse(text)? {
        (ActorKind::User, id) => id.parse().ok(),
        _ => None,
    });
    users.collect()
}

impl ActorView {
    /// What a reader sees of an actor as it is stored.
    pub fn of(stored: &str, reader: &Reader) -> Self {
        let (kind, id) = parse(stored).unwrap_or((ActorKind::Service, ""));
        let is_shown = match (kind, reader) {
            (_, Reader::Staff) => true,
            (ActorKind::User, Reader::Account(own)) => {
                id.parse().is_ok_and(|user| own.contains(&user))
            }
            (ActorKind::Applicant | ActorKind::Partner, Reader::Account(_)) => true,
            (ActorKind::Staff | ActorKind::Service, Reader::Account(_)) => false,
        };
        // Which of its systems it was, a partner knows.
        let id = id.split_once(':').map_or(id, |(partner, _)| partner);
        Self {
            kind,
            id: (is_shown && !id.is_empty()).then(|| id.to_owned()),
        }
    }

    /// The same, where no partner is named to an account: another customer's dealer made it.
    #[must_use]
    pub fn of_a_stranger(self, reader: &Reader) -> Self {
        match (self.kind, reader) {
            (ActorKind::Partner, Reader::Account(_)) => Self { id: None, ..self },
            _ => self,
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
    fn an_account_learns_of_others_what_kind_of_actor_it_was() {
        let (text, staff) = (
            "user:usr_0000000000007000800000000000006f",
            "staff:usr_00000000000070008000000000000067",
        );
        let users = users_of([text, staff].into_iter());
        let own = Reader::Account(users.iter().copied().collect());
        let other = Reader::Account(BTreeSet::new());
        assert_eq!(users.len(), 1);
        assert_eq!(ActorView::of(text, &own).user(), users.first().copied());
        assert!(ActorView::of(text, &other).user().is_none());
        assert!(ActorView::of(staff, &own).user().is_none());
        assert!(ActorView::of(staff, &Reader::Staff).user().is_some());
        let dealer = || ActorView::of("partner:ptn_1:crd_1", &own);
        assert_eq!(dealer().id.as_deref(), Some("ptn_1"));
        assert_eq!(dealer().of_a_stranger(&own).id, None);
        let job = ActorView::of("service:job_1", &own);
        assert_eq!((job.kind, job.id), (ActorKind::Service, None));
    }
}
