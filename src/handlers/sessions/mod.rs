//! Signing in and out, and who a token is.

mod passwords;

use actix_web::web::Data;
use actix_web::{delete, get, post};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tracing::warn;
use utoipa::ToSchema;

use super::{Callers, RateLimit, Routes, problem};
use crate::auth::tokens::ACCESS_SECONDS;
use crate::auth::{Authenticator, Signed};
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::domain::permissions::Role;
use crate::domain::values::Email;
use crate::error::{Code, Result};
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Body, Plain};
use crate::handlers::service::Service;
use crate::repository::{sessions, users};
use crate::types::{Instant, text_enum};
use crate::workflows;
use crate::workflows::sessions::SignedIn;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(create_session, Callers::Anybody, RateLimit::SignIn)
        .service(refresh_session, Callers::Anybody, RateLimit::PerCaller)
        .service(end_session, Callers::User, RateLimit::PerCaller)
        .configure(passwords::routes)
        .service(read_me, Callers::TokenHolder, RateLimit::PerCaller);
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "mette@fjordfoto.example", "password": "Sandbox-Adgang-2026" }))]
struct SignIn {
    email: Email,
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 128)]
    password: SecretString,
}

impl Plain for SignIn {}

/// A session's tokens.
#[derive(Serialize, ToSchema)]
struct SessionView {
    /// A bearer token for 10 minutes.
    access_token: String,
    /// Gets the next pair, once.
    refresh_token: String,
    /// Seconds until the access token runs out.
    #[schema(example = 600)]
    expires_in: i64,
    #[schema(example = "Bearer")]
    token_type: &'static str,
}

fn session_view(service: &Service, signed_in: SignedIn) -> Result<SessionView> {
    let SignedIn {
        user,
        session,
        refresh_token,
    } = signed_in;
    let roles = user.roles()?;
    let access_token = service.keys.issue(
        user.id,
        session,
        user.session_version,
        roles,
        user.account_id,
        service.now(),
    )?;
    Ok(SessionView {
        access_token,
        refresh_token: refresh_token.expose_secret().to_owned(),
        expires_in: ACCESS_SECONDS,
        token_type: "Bearer",
    })
}

/// Takes a counted try back, whose password was right; nobody waits for it.
fn take_back(service: &Service, email_key: String, tried_at: Instant) {
    let db = service.db.clone();
    tokio::spawn(async move {
        let taken =
            db.write(move |conn| workflows::sessions::take_back(conn, &email_key, tried_at));
        if let Err(cause) = taken.await {
            warn!(%cause, "a sign-in that was not refused stays counted");
        }
    });
}

/// Sign in
///
/// A wrong password, an unknown address and an account that is not approved yet all get the same 401 `invalid_credentials`, in the same time.
/// After 5 failed tries an address waits, longer each time, at most 15 minutes: 429 `too_many_attempts`.
#[utoipa::path(
    tag = "sessions",
    operation_id = "createSession",
    request_body = SignIn,
    responses(
        (status = 201, description = "The tokens", body = SessionView),
        (status = 401, description = "`invalid_credentials`", content_type = "application/problem+json", body = crate::handlers::problem::Problem)
    )
)]
#[post("/sessions")]
async fn create_session(service: Data<Service>, body: Body<SignIn>) -> Result<Answer> {
    let SignIn { email, password } = body.value;
    // First: a try counts only where its password will be compared.
    let place = service.hasher.reserve()?;
    let context = service.context();
    let tried_at = context.now;
    let user = service
        .db
        .write(move |conn| workflows::sessions::begin(conn, &context, &email))
        .await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    let matches = service.hasher.verify(place, password, stored).await?;
    let user = user.filter(|_| matches).ok_or(Code::InvalidCredentials)?;
    let (context, key) = (service.context(), user.email_key.clone());
    let opened = service
        .db
        .write(move |conn| workflows::sessions::open(conn, &context, &user))
        .await;
    if opened.as_ref().is_err_and(problem::is_failure) {
        take_back(&service, key, tried_at);
    }
    Ok(Answer::created(&session_view(&service, opened?)?)?.header("Cache-Control", "no-store"))
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "refresh_token": "cpr_mJ0p9hDJb2b4a2m7o1yJ7v9S0m0lqk5Jc3vYw1dZx8E" }))]
struct RefreshRequest {
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    refresh_token: SecretString,
}

impl Plain for RefreshRequest {}

/// Stay signed in
///
/// Exchanges the refresh token for the next pair. A token that was used before ends the whole session; within 30 seconds a repeat gets a sibling.
/// A session ends after a time without use, and in the end however it is used; sooner for staff.
#[utoipa::path(
    tag = "sessions",
    operation_id = "refreshSession",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "The next tokens", body = SessionView),
        (status = 401, description = "`session_ended`", content_type = "application/problem+json", body = crate::handlers::problem::Problem)
    )
)]
#[post("/sessions/refresh")]
async fn refresh_session(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    body: Body<RefreshRequest>,
) -> Result<Answer> {
    let (context, token) = (service.context(), body.value.refresh_token);
    let refreshed = service
        .db
        .write(move |conn| workflows::sessions::refresh(conn, &context, token.expose_secret()))
        .await?;
    let Some(signed_in) = refreshed else {
        authenticator.forget_all();
        return Err(Code::SessionEnded.into());
    };
    Ok(Answer::ok(&session_view(&service, signed_in)?)?.header("Cache-Control", "no-store"))
}

/// Sign out
///
/// Ends the session of the token; its refresh tokens end with it.
#[utoipa::path(
    tag = "sessions",
    operation_id = "endSession",
    security(("bearer" = [])),
    responses((status = 204, description = "The session has ended"))
)]
#[delete("/sessions/current")]
async fn end_session(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    signed: Signed,
) -> Result<Answer> {
    let (session, now) = (
        signed.caller.session_id().ok_or(Code::Forbidden)?,
        service.now(),
    );
    service
        .db
        .write(move |conn| sessions::end(conn, session, now))
        .await?;
    authenticator.forget(session);
    Ok(Answer::no_content())
}

text_enum! {
    /// What kind of caller a token is.
    pub enum CallerKind {
        /// Whoever registered a business, until it is decided.
        Applicant = "applicant",
        /// A user of a business.
        Member = "member",
        /// One of the programme's staff.
        Staff = "staff",
    }
}

/// Who a token is.
#[derive(Serialize, ToSchema)]
struct MeView {
    caller: CallerKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// The account that the caller belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_id: Option<AccountId>,
    roles: Vec<Role>,
    /// What a dealer's system may do; empty for people.
    scopes: Vec<String>,
    /// When the access token runs out; an applicant's ends with the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<Instant>,
}

/// Tell who this token is
///
/// The caller behind the bearer token: who, of which account, with which roles, until when.
#[utoipa::path(
    tag = "accounts",
    operation_id = "readMe",
    security(("bearer" = [])),
    responses((status = 200, description = "The caller", body = MeView))
)]
#[get("/me")]
async fn read_me(service: Data<Service>, signed: Signed) -> Result<Answer> {
    let Signed { caller, expires_at } = signed;
    let user = match caller.user_id() {
        Some(id) => {
            service
                .db
                .fetch(move |conn| users::find_by_id(conn, id))
                .await?
        }
        None => None,
    };
    let kind = match (caller.is_staff(), caller.user_id()) {
        (true, _) => CallerKind::Staff,
        (false, Some(_)) => CallerKind::Member,
        (false, None) => CallerKind::Applicant,
    };
    Answer::ok(&MeView {
        caller: kind,
        user_id: caller.user_id(),
        email: user.as_ref().map(|user| user.email.clone()),
        name: user.map(|user| user.name),
        account_id: caller.account_id(),
        roles: caller.roles().to_vec(),
        scopes: Vec::new(),
        expires_at,
    })
}
