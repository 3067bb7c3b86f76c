//! From the `Authorization` header to the caller: the token first, then its session, remembered for at most 5 seconds.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use chrono::DateTime;
use quick_cache::sync::Cache;

use super::memory::Memory;
use super::tokens::{Bearer, Claims, SigningKeys};
use crate::clock::Clock;
use crate::domain::access::{APPLICANT_PREFIX, Anonymous, ApplicantToken, Caller, SessionId};
use crate::domain::account::ApplicationRules;
use crate::domain::applicant_token::{TokenReach, reach};
use crate::domain::partner::CredentialId;
use crate::error::{Code, Error, Result};
use crate::repository::credentials::{self, Standing};
use crate::repository::{Db, applicant_tokens, sessions};
use crate::secrets::{is_random_token, sha256_hex};
use crate::types::{Instant, is_within};

/// Of more tokens than this the signature is checked again where they were used least.
const MOST_PROVEN: usize = 10_000;
/// Of more tokens of applicants than this those that were used least are strangers again.
const MOST_HELD: usize = 10_000;

/// Who a request comes from, or why its credentials do not hold; put beside every request.
#[derive(Debug, Clone)]
pub struct Identity {
    pub caller: Result<Caller, Code>,
    /// For what makes somebody of a request without a token.
    pub anonymous: Anonymous,
    /// When the token runs out.
    pub expires_at: Option<Instant>,
}

/// Where a request comes from and what it is called.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// As far as trusted proxies tell.
    pub address: Option<IpAddr>,
    pub request_id: Option<String>,
}

/// Tells who calls.
#[derive(Clone)]
pub struct Authenticator {
    db: Db,
    clock: Clock,
    keys: SigningKeys,
    rules: Arc<ApplicationRules>,
    /// The version of a session's user, none when the session has ended.
    sessions: Arc<Memory<SessionId, Option<i64>>>,
    /// Where a credential stands, none when it was revoked or its partner is suspended.
    credentials: Arc<Memory<CredentialId, Option<Arc<Standing>>>>,
    /// Tokens whose signature was checked, with what they say.
    proven: Arc<Cache<String, Arc<Claims>>>,
    /// Hashes of the applicants' tokens that held when they were looked up last.
    held: Arc<Cache<String, ()>>,
}

impl Authenticator {
    /// An authenticator that remembers nothing yet.
    pub fn new(db: Db, clock: Clock, keys: SigningKeys, rules: ApplicationRules) -> Self {
        Self {
            db,
            clock,
            keys,
            rules: Arc::new(rules),
            sessions: Arc::default(),
            credentials: Arc::default(),
            proven: Arc::new(Cache::new(MOST_PROVEN)),
            held: Arc::new(Cache::new(MOST_HELD)),
        }
    }

    /// The caller of a request; an error only where the database fails.
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever sends this request and nothing else"
    )]
    pub async fn identify(&self, headers: &HeaderMap, origin: Origin) -> Result<Identity> {
        let request_id = origin.request_id;
        let (caller, expires_at) = match self.caller(headers, origin.address).await {
            Ok((caller, expires_at)) => (Ok(caller.on_request(request_id.clone())), expires_at),
            Err(Error::Refused(refusal)) => (Err(refusal.code), None),
            Err(error) => return Err(error),
        };
        Ok(Identity {
            caller,
            anonymous: Anonymous::new(request_id),
            expires_at,
        })
    }

    /// Whether the database has to be asked for a token that has not held before, and may be made up.
    pub fn is_stranger(&self, headers: &HeaderMap) -> bool {
        let token = headers.get(AUTHORIZATION).and_then(bearer);
        let Some(token) = token.filter(|token| is_random_token(APPLICANT_PREFIX, token)) else {
            return false;
        };
        self.held.get(&sha256_hex(token.as_bytes())).is_none()
    }

    async fn caller(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Result<(Caller, Option<Instant>)> {
        let Some(header) = headers.get(AUTHORIZATION) else {
            return Ok((Caller::anyone(), None));
        };
        let token = bearer(header).ok_or(Code::Unauthenticated)?;
        match token.starts_with(APPLICANT_PREFIX) {
            true => Ok((self.applicant(token).await?, None)),
            false => self.signed_in(token, address).await,
        }
    }

    async fn applicant(&self, token: &str) -> Result<Caller> {
        if !is_random_token(APPLICANT_PREFIX, token) {
            return Err(Code::Unauthenticated.into());
        }
        let hash = sha256_hex(token.as_bytes());
        let found = self.applicant_by(hash.clone()).await;
        if found.is_ok() {
            self.held.insert(hash, ());
        } else if matches!(found, Err(Error::Refused(_))) {
            self.held.remove(&hash);
        }
        found
    }

    #[expect(clippy::disallowed_methods, reason = "a token proves its bearer")]
    async fn applicant_by(&self, hash: String) -> Result<Caller> {
        let wanted = hash.clone();
        let found = self
            .db
            .fetch(move |conn| applicant_tokens::find(conn, &wanted))
            .await?;
        let found = found.ok_or(Code::Unauthenticated)?;
        match reach(found.facts, self.clock.now(), &self.rules) {
            TokenReach::Nothing => Err(Code::Unauthenticated.into()),
            reach => {
                let is_mailed = found.is_mailed;
                let token = ApplicantToken { hash, is_mailed };
                Ok(Caller::applicant(found.account_id, reach, token))
            }
        }
    }

    async fn signed_in(
        &self,
        token: &str,
        address: Option<IpAddr>,
    ) -> Result<(Caller, Option<Instant>)> {
        let claims = self.claims(token)?;
        self.check(&claims, address).await?;
        let expires_at = DateTime::from_timestamp(claims.exp, 0).map(Instant::from_utc);
        Ok((caller(&claims.bearer)?, expires_at))
    }

    /// Refuses a token whose bearer's tokens were ended since, or that is not to be used from `address`.
    async fn check(&self, claims: &Claims, address: Option<IpAddr>) -> Result<()> {
        let (version, networks) = match claims.bearer {
            Bearer::User { sid, .. } => (self.version(sid).await?, None),
            Bearer::Partner { sub, .. } => {
                let standing = self.standing(sub).await?;
                let version = standing.as_ref().map(|standing| standing.token_version);
                (version, standing)
            }
        };
        if version != Some(claims.ver) {
            return Err(Code::Unauthenticated.into());
        }
        match networks {
            Some(standing) if !is_within(&standing.networks, address) => {
                Err(Code::NetworkNotAllowed.into())
            }
            _ => Ok(()),
        }
    }

    /// What a token says that is valid now. A signature is checked once: it costs more than all else that a read does.
    fn claims(&self, token: &str) -> Result<Arc<Claims>, Code> {
        let now = self.clock.now();
        let claims = match self.proven.get(token) {
            Some(claims) => claims,
            None => {
                let claims = Arc::new(self.keys.claims_of(token)?);
                self.proven.insert(token.to_owned(), claims.clone());
                claims
            }
        };
        if claims.hold_at(now) {
            Ok(claims)
        } else {
            Err(Code::Unauthenticated)
        }
    }

    async fn version(&self, session: SessionId) -> Result<Option<i64>> {
        let read = self
            .db
            .fetch(move |conn| sessions::live_version(conn, session));
        self.sessions.recall(session, read).await
    }

    async fn standing(&self, credential: CredentialId) -> Result<Option<Arc<Standing>>> {
        let read = self
            .db
            .fetch(move |conn| Ok(credentials::standing(conn, credential)?.map(Arc::new)));
        self.credentials.recall(credential, read).await
    }

    /// Asks the database again for this session, at once.
    pub fn forget(&self, session: SessionId) {
        self.sessions.forget(&session);
    }

    /// Asks the database again for every session and credential, at once: something that ends tokens happened here.
    pub fn forget_all(&self) {
        self.sessions.forget_all();
        self.credentials.forget_all();
    }
}

/// The token of a header.
fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[expect(clippy::disallowed_methods, reason = "a token proves its bearer")]
fn caller(bearer: &Bearer) -> Result<Caller, Code> {
    match bearer {
        Bearer::User {
            sub,
            sid,
            roles,
            account_id,
        } => {
            let mut roles = roles.clone();
            if account_id.is_some() {
                roles.truncate(1);
                roles.retain(|role| role.is_account_user());
            }
            if roles.is_empty() {
                return Err(Code::Unauthenticated);
            }
            Ok(Caller::user(*sub, *sid, *account_id, roles))
        }
        Bearer::Partner {
            sub,
            partner_id,
            scope,
            ..
        } => {
            let scopes = scope.split(' ').filter_map(|scope| scope.parse().ok());
            Ok(Caller::partner(*partner_id, *sub, scopes.collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::memory::REMEMBERED;
    use crate::domain::access::UserId;
    use crate::domain::language::Language;
    use crate::domain::permissions::Role;
    use crate::programme::{Programme, SHIPPED};
    use crate::repository::sessions::Session;
    use crate::repository::users::{self, User};
    use crate::types::Json;

    fn user(now: Instant) -> User {
        User {
            id: UserId::new(now),
            version: 1,
            account_id: None,
            email: "a@cps.example".to_owned(),
            email_key: "a@cps.example".to_owned(),
            name: "A".to_owned(),
            roles: Json::of(&[Role::Admin]).unwrap(),
            language: Language::Da,
            password_hash: None,
            session_version: 1,
            created_at: now,
            removed_at: None,
            invited_until: None,
        }
    }

    async fn admits(instance: &Authenticator, token: &str) -> bool {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        headers.insert(AUTHORIZATION, value);
        instance
            .identify(&headers, Origin::default())
            .await
            .unwrap()
            .caller
            .is_ok()
    }

    #[tokio::test]
    async fn what_ends_on_one_instance_ends_within_five_seconds_on_another() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let db = Db::open(&url, 2).unwrap();
        db.migrate().unwrap();
        let clock = Clock::default();
        let keys = SigningKeys::read(&SigningKeys::generate().unwrap(), "http://here").unwrap();
        let (user, now) = (user(clock.now()), clock.now());
        let session = Session {
            id: SessionId::new(now),
            user_id: user.id,
            created_at: now,
            ended_at: None,
        };
        let (stored, opened) = (user.clone(), session.clone());
        let insert = db.write(move |conn| {
            users::insert(conn, &stored)?;
            sessions::insert(conn, &opened)
        });
        insert.await.unwrap();
        let bearer = Bearer::User {
            sub: user.id,
            sid: session.id,
            roles: vec![Role::Admin],
            account_id: None,
        };
        let token = keys.issue(bearer, 1, now).unwrap();
        let [here, there] = [(); 2].map(|()| {
            let rules = Programme::parse(SHIPPED).unwrap().application;
            Authenticator::new(db.clone(), clock.clone(), keys.clone(), rules)
        });
        assert!(admits(&here, &token).await && admits(&there, &token).await);

        let change = db.write(move |conn| {
            let mut held = users::lock(conn, user.id)?.unwrap();
            held.session_version += 1;
            users::store(conn, &mut held)
        });
        change.await.unwrap();
        here.forget_all();
        assert!(!admits(&here, &token).await);
        tokio::time::sleep(REMEMBERED).await;
        assert!(!admits(&there, &token).await);
    }
}
