//! The sessions that a user is signed in with: seen, and ended one by one. Signing in and out is in `sessions`.

use actix_web::web::{Data, Path};
use actix_web::{delete, get};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::Authenticator;
use crate::domain::access::{SessionId, UserAccess};
use crate::error::Result;
use crate::handlers::answer::Answer;
use crate::handlers::extract::{Cursor, PageParams, Pages, Params, list_params};
use crate::handlers::service::Service;
use crate::handlers::{Callers, RateLimit, Routes};
use crate::repository::sessions::{self, LiveSession};
use crate::types::Instant;
use crate::workflows;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(list_own_sessions, Callers::User, RateLimit::PerCaller)
        .service(end_own_session, Callers::User, RateLimit::PerCaller);
}

/// A session of the caller that goes on.
#[derive(Serialize, ToSchema)]
struct OwnSession {
    id: SessionId,
    /// When the user signed in.
    created_at: Instant,
    /// When it got its newest tokens.
    refreshed_at: Instant,
    /// When it ends if it is not used until then.
    expires_at: Instant,
    /// Whether it is the one that asks.
    is_current: bool,
}

impl OwnSession {
    fn of(live: LiveSession, access: &UserAccess) -> Self {
        Self {
            is_current: live.session.id == access.session_id(),
            id: live.session.id,
            created_at: live.session.created_at,
            refreshed_at: live.refreshed_at,
            expires_at: live.expires_at,
        }
    }
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
struct OwnSessionPage {
    items: Vec<OwnSession>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

list_params! {
    /// Which sessions to list.
    struct OwnSessionsParams {}
}

/// List your sessions
///
/// Where you are signed in, newest first: the sessions that go on. What was signed out of or has run out is not there.
#[utoipa::path(
    tag = "sessions",
    operation_id = "listOwnSessions",
    security(("bearer" = [])),
    params(OwnSessionsParams),
    responses((status = 200, description = "The sessions", body = OwnSessionPage))
)]
#[get("/me/sessions")]
async fn list_own_sessions(
    service: Data<Service>,
    access: UserAccess,
    params: Params<OwnSessionsParams>,
    pages: Pages,
) -> Result<Answer> {
    let (size, now, user) = (params.0.size(), service.now(), access.user_id());
    let before = pages.after(&params.0)?.map(|cursor| cursor.id.into());
    let rows = service
        .db
        .read(move |conn| sessions::list_live(conn, user, now, before, size + 1))
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |live| Cursor::of_id(live.session.id.uuid()));
    let items = rows.into_iter().map(|live| OwnSession::of(live, &access));
    let items = items.collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&OwnSessionPage { items, next_cursor })?.header_if("Link", link))
}

/// Names one session of the caller in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OwnSessionPath {
    /// The session.
    #[param(example = "ses_00000000000070008000000000000001")]
    session_id: SessionId,
}

/// End one of your sessions
///
/// Signs out there: its tokens end at once. The one that asks can be ended too.
#[utoipa::path(
    tag = "sessions",
    operation_id = "endOwnSession",
    security(("bearer" = [])),
    params(OwnSessionPath),
    responses((status = 204, description = "The session has ended"))
)]
#[delete("/me/sessions/{session_id}")]
async fn end_own_session(
    service: Data<Service>,
    authenticator: Data<Authenticator>,
    access: UserAccess,
    path: Path<OwnSessionPath>,
) -> Result<Answer> {
    let (context, id) = (service.context(), path.session_id);
    service
        .db
        .write(move |conn| workflows::me::end_session(conn, &context, &access, id))
        .await?;
    authenticator.forget(id);
    Ok(Answer::no_content())
}
