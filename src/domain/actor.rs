//! Who acts, as events and ledger entries name them. Whether they may is decided in `access`.

use crate::domain::access::{SessionId, UserId};
use crate::domain::account::AccountId;
use crate::domain::job::JobId;
use crate::domain::partner::{CredentialId, PartnerId};
use crate::types::{Instant, text_enum};

/// Who acts. Made from a proof in `access` alone; `clippy.toml` and `tests/api/layers.rs` hold who may make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor(Acting);

/// The kinds of actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acting {
    /// A user of an account or a member of staff; without a session where a mailed token sets a password.
    User {
        user: UserId,
        session: Option<SessionId>,
        staff: bool,
    },
    /// The bearer of an application's token.
    Applicant { account: AccountId },
    /// A system of a partner.
    Partner {
        partner: PartnerId,
        credential: CredentialId,
    },
    /// The service itself.
    Service { cause: Cause },
}

/// What has the service act by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Job(JobId),
    /// A command of the binary, by its name.
    Command(&'static str),
    /// The seed of a sandbox.
    Seed,
}

impl Actor {
    /// The actor of `acting`.
    pub fn new(acting: Acting) -> Self {
        Self(acting)
    }

    /// Who it is.
    pub fn acting(self) -> Acting {
        self.0
    }

    /// The user who acts, of an account or of the staff.
    pub fn user(self) -> Option<UserId> {
        match self.0 {
            Acting::User { user, .. } => Some(user),
            Acting::Applicant { .. } | Acting::Partner { .. } | Acting::Service { .. } => None,
        }
    }

    /// The member of staff who acts.
    pub fn staff(self) -> Option<UserId> {
        match self.0 {
            Acting::User {
                user, staff: true, ..
            } => Some(user),
            _ => None,
        }
    }

    /// The session that the actor is signed in with.
    pub fn session(self) -> Option<SessionId> {
        match self.0 {
            Acting::User { session, .. } => session,
            Acting::Applicant { .. } | Acting::Partner { .. } | Acting::Service { .. } => None,
        }
    }

    /// The partner whose system acts.
    pub fn partner(self) -> Option<PartnerId> {
        match self.0 {
            Acting::Partner { partner, .. } => Some(partner),
            _ => None,
        }
    }

    /// The credential that the partner's system is signed in with.
    pub fn credential(self) -> Option<CredentialId> {
        match self.0 {
            Acting::Partner { credential, .. } => Some(credential),
            _ => None,
        }
    }
}

/// As it is stored: `user:usr_…`, `staff:usr_…`, `applicant:acc_…`, `partner:ptn_…:crd_…`, `service:job_…`, `service:import-models`, `service:seed`.
impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Acting::User {
                user, staff: true, ..
            } => write!(f, "staff:{user}"),
            Acting::User { user, .. } => write!(f, "user:{user}"),
            Acting::Applicant { account } => write!(f, "applicant:{account}"),
            Acting::Partner {
                partner,
                credential,
            } => write!(f, "partner:{partner}:{credential}"),
            Acting::Service { cause } => match cause {
                Cause::Job(job) => write!(f, "service:{job}"),
                Cause::Command(name) => write!(f, "service:{name}"),
                Cause::Seed => f.write_str("service:seed"),
            },
        }
    }
}

text_enum! {
    /// What kind of actor it is.
    pub enum ActorKind {
        /// A user of an account.
        User = "user",
        /// A member of staff.
        Staff = "staff",
        /// The bearer of an application's token.
        Applicant = "applicant",
        /// A system of a dealer.
        Partner = "partner",
        /// The service itself.
        Service = "service",
    }
}

/// An actor as it was stored: its kind, and the id or name behind it.
pub fn parse(stored: &str) -> Option<(ActorKind, &str)> {
    let (kind, id) = stored.split_once(':')?;
    Some((kind.parse().ok()?, id))
}

/// When something happens, by whom, on which request and why: whatever writes an event or an entry takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub now: Instant,
    pub actor: Actor,
    pub request_id: Option<String>,
    /// In the words of whoever acts.
    pub reason: Option<String>,
}

impl Stamp {
    /// The same, for this reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_stored_as_one_word_with_its_kind() {
        let now: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
        let (user, account, job) = (UserId::new(now), AccountId::new(now), JobId::new(now));
        let text = |acting| Actor(acting).to_string();
        let of = |staff| Acting::User {
            user,
            session: None,
            staff,
        };
        let by = |cause| Acting::Service { cause };
        assert_eq!(text(of(false)), format!("user:{user}"));
        assert_eq!(text(of(true)), format!("staff:{user}"));
        assert_eq!(
            text(Acting::Applicant { account }),
            format!("applicant:{account}")
        );
        let (partner, credential) = (PartnerId::new(now), CredentialId::new(now));
        let dealer = Acting::Partner {
            partner,
            credential,
        };
        assert_eq!(text(dealer), format!("partner:{partner}:{credential}"));
        assert_eq!(text(by(Cause::Job(job))), format!("service:{job}"));
        assert_eq!(
            text(by(Cause::Command("import-models"))),
            "service:import-models"
        );
        assert_eq!(text(by(Cause::Seed)), "service:seed");
        let stored = text(of(true));
        assert_eq!(
            parse(&stored),
            Some((ActorKind::Staff, user.to_string().as_str()))
        );
        assert_eq!(parse("nobody"), None);
    }
}
