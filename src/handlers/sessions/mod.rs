//! Signing in and out, and passwords. Who a token is, and which other sessions its user has, is in `me`.

mod passwords;

use actix_web::web::Data;
use actix_web::{delete, post};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tracing::warn;
use utoipa::ToSchema;

use super::{Callers, RateLimit, Routes, problem};
use crate::auth::tokens::{ACCESS_SECONDS, Bearer};
use crate::auth::{Authenticator, Signed};
use crate::domain::values::Email;
use crate::error::{Code, Result};
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Body, Plain};
use crate::handlers::service::Service;
use crate::repository::sessions;
use crate::types::Instant;
use crate::workflows;
use crate::workflows::sessions::{SignedIn, begin, open};

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(create_session, Callers::Anybody, RateLimit::SignIn)
        .service(refresh_session, Callers::Anybody, RateLimit::PerCaller)
        .service(end_session, Callers::User, RateLimit::PerCaller)
        .configure(passwords::routes);
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "mette@fjordfoto.example", "password": "Sandbox-Adgang-2026" }))]
struct SignIn {
    email: Email,
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 128)]
    password: SecretString,
    /// What signing in on this device with this address returned before: tries from elsewhere do not make it wait. One that is not known is no fault.
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200)]
    device_token: Option<SecretString>,
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

/// A new session's tokens, and what the device keeps.
#[derive(Serialize, ToSchema)]
struct SignedInView {
    /// A bearer token for 10 minutes.
    access_token: String,
    /// Gets the next pair, once.
    refresh_token: String,
    /// Seconds until the access token runs out.
    #[schema(example = 600)]
    expires_in: i64,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Keep it on the device, for this user, and send it with the next sign-in. It is good for 90 days from the last one, and ends with a new password.
    device_token: String,
}

impl SignedInView {
    fn of(session: SessionView, device_token: &SecretString) -> Self {
        Self {
            access_token: session.access_token,
            refresh_token: session.refresh_token,
            expires_in: session.expires_in,
            token_type: session.token_type,
            device_token: device_token.expose_secret().to_owned(),
        }
    }
}

fn session_view(service: &Service, signed_in: SignedIn) -> Result<SessionView> {
    let SignedIn {
        user,
        session,
        refresh_token,
    } = signed_in;
    let bearer = Bearer::User {
        sub: user.id,
        sid: session,
        roles: user.roles()?,
        account_id: user.account_id,
    };
    let version = user.session_version;
    let access_token = service.keys.issue(bearer, version, service.now())?;
    Ok(SessionView {
        access_token,
        refresh_token: refresh_token.expose_secret().to_owned(),
        expires_in: ACCESS_SECONDS,
        token_type: "Bearer",
    })
}

/// Takes a counted try back, whose password was right; nobody waits for it.
fn take_back(service: &Service, counted: String, tried_at: Instant) {
    let db = service.db.clone();
    tokio::spawn(async move {
        let taken = db.write(move |conn| workflows::sessions::take_back(conn, &counted, tried_at));
        if let Err(cause) = taken.await {
            warn!(%cause, "a sign-in that was not refused stays counted");
        }
    });
}

/// Sign in
///
/// A wrong password, an unknown address and an account that is not approved yet all get the same 401 `invalid_credentials`, in the same time.
/// After 5 failed tries an address waits, longer each time, at most 15 minutes: 429 `too_many_attempts`. A device that sends its `device_token` is counted
/// by itself, with the same waits.
#[utoipa::path(
    tag = "sessions",
    operation_id = "createSession",
    request_body = SignIn,
    responses(
        (status = 201, description = "The tokens", body = SignedInView),
        (status = 401, description = "`invalid_credentials`", content_type = "application/problem+json", body = crate::handlers::problem::Problem)
    )
)]
#[post("/sessions")]
async fn create_session(service: Data<Service>, body: Body<SignIn>) -> Result<Answer> {
    let SignIn {
        email,
        password,
        device_token,
    } = body.value;
    // First: a try counts only where its password will be compared.
    let place = service.hasher.reserve()?;
    let context = service.context();
    let counted = service
        .db
        .write(move |conn| begin(conn, &context, &email, device_token))
        .await?;
    let stored = counted
        .user
        .as_ref()
        .and_then(|user| user.password_hash.clone());
    if !service.hasher.verify(place, password, stored).await? {
        return Err(Code::InvalidCredentials.into());
    }
    let (context, matched) = (service.context(), counted.clone());
    let opened = service
        .db
        .write(move |conn| open(conn, &context, matched))
        .await;
    if opened.as_ref().is_err_and(problem::is_failure) {
        take_back(&service, counted.counted, counted.at);
    }
    let (signed_in, device_token) = opened?;
    let view = SignedInView::of(session_view(&service, signed_in)?, &device_token);
    Ok(Answer::created(&view)?.header("Cache-Control", "no-store"))
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
