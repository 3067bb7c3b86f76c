//! From the `Authorization` header to the caller: the token first, then its session, remembered for at most 5 seconds.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant as Tick};

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use chrono::DateTime;

use super::tokens::{Claims, SigningKeys};
use crate::clock::Clock;
use crate::domain::access::{APPLICANT_PREFIX, Caller, SessionId};
use crate::domain::permissions::Role;
use crate::error::{Code, Error, Result};
use crate::repository::{Db, accounts, sessions};
use crate::secrets::sha256_hex;
use crate::types::Instant;

/// How long an ended session may go on at most.
const REMEMBERED: Duration = Duration::from_secs(5);
/// More sessions than this are not remembered.
const MOST_REMEMBERED: usize = 100_000;

/// Who a request comes from, or why its credentials do not hold; put beside every request.
#[derive(Debug, Clone)]
pub struct Identity {
    pub caller: Result<Caller, Code>,
    /// When the token runs out.
    pub expires_at: Option<Instant>,
}

impl Identity {
    fn of(caller: Result<Caller, Code>) -> Self {
        Self {
            caller,
            expires_at: None,
        }
    }
}

/// The version of a session's user, none when the session has ended; and when that was read.
type Remembered = HashMap<SessionId, (Option<i64>, Tick)>;

/// Tells who calls.
#[derive(Clone)]
pub struct Authenticator {
    db: Db,
    clock: Clock,
    keys: SigningKeys,
    remembered: Arc<RwLock<Remembered>>,
}

impl Authenticator {
    /// An authenticator that remembers nothing yet.
    pub fn new(db: Db, clock: Clock, keys: SigningKeys) -> Self {
        Self {
            db,
            clock,
            keys,
            remembered: Arc::default(),
        }
    }

    /// The caller of a request; an error only where the database fails.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Identity> {
        let Some(header) = headers.get(AUTHORIZATION) else {
            return Ok(Identity::of(Ok(Caller::Anyone)));
        };
        let text = header.to_str().unwrap_or_default();
        let token = match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Ok(Identity::of(Err(Code::Unauthenticated))),
        };
        let found = match token.starts_with(APPLICANT_PREFIX) {
            true => self.applicant(token).await,
            false => self.signed_in(token).await,
        };
        match found {
            Ok(identity) => Ok(identity),
            Err(Error::Refused(refusal)) => Ok(Identity::of(Err(refusal.code))),
            Err(error) => Err(error),
        }
    }

    async fn applicant(&self, token: &str) -> Result<Identity> {
        let hash = sha256_hex(token.as_bytes());
        let account_id = self
            .db
            .fetch(move |conn| accounts::id_of_applicant_token(conn, &hash))
            .await?;
        let account_id = account_id.ok_or(Code::Unauthenticated)?;
        Ok(Identity::of(Ok(Caller::Applicant { account_id })))
    }

    async fn signed_in(&self, token: &str) -> Result<Identity> {
        let claims = self.keys.verify(token, self.clock.now())?;
        if self.version(claims.sid).await? != Some(claims.ver) {
            return Err(Code::Unauthenticated.into());
        }
        let expires_at = DateTime::from_timestamp(claims.exp, 0).map(Instant::from_utc);
        Ok(Identity {
            caller: Ok(caller(claims)?),
            expires_at,
        })
    }

    async fn version(&self, session: SessionId) -> Result<Option<i64>> {
        let known = self
            .remembered
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&session)
            .copied();
        if let Some((version, read_at)) = known
            && read_at.elapsed() < REMEMBERED
        {
            return Ok(version);
        }
        let read_at = Tick::now();
        let version = self
            .db
            .fetch(move |conn| sessions::live_version(conn, session))
            .await?;
        let mut remembered = self
            .remembered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(session, (version, read_at));
        Ok(version)
    }

    /// Asks the database again for this session, at once.
    pub fn forget(&self, session: SessionId) {
        self.remembered
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&session);
    }

    /// Asks the database again for every session, at once: a password changed or a user was removed here.
    pub fn forget_all(&self) {
        self.remembered
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

fn caller(claims: Claims) -> Result<Caller, Code> {
    match claims.account_id {
        Some(account_id) => {
            let role = claims
                .roles
                .first()
                .copied()
                .filter(|role: &Role| role.is_account_user())
                .ok_or(Code::Unauthenticated)?;
            Ok(Caller::Member {
                user_id: claims.sub,
                session_id: claims.sid,
                account_id,
                role,
            })
        }
        None => Ok(Caller::Staff {
            user_id: claims.sub,
            session_id: claims.sid,
            roles: claims.roles,
        }),
    }
}
