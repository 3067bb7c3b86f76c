//! Whose a database is: a sandbox's or a live service's. It says so itself, from the first who comes, and never becomes the other's: the
//! passwords of a sandbox are published. Until it is this mode's nothing of it is served.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::concurrency::is_probe;
use crate::config::Mode;
use crate::error::{Code, Error, Refusal, Result};
use crate::handlers::operation::Health;
use crate::repository::{Db, DbConn, settings};

/// What a live service leaves in its database.
const HOUSE_KEPT: &str = "house_kept_since";
/// What a sandbox, or any service, leaves in a database that does not say it yet.
const TRACES: [(&str, Mode); 2] = [(settings::SEEDED, Mode::Sandbox), (HOUSE_KEPT, Mode::Live)];

/// That a database is the other mode's: no time and no other try changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("DATABASE_URL: {0}")]
pub struct Foreign(&'static str);

/// Whether a database may be used.
pub type Verdict = std::result::Result<(), Foreign>;

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Sandbox => "sandbox",
        Mode::Live => "live",
    }
}

/// What the database says, or what was left in it.
fn found(conn: &mut DbConn) -> Result<Option<String>> {
    if let Some(said) = settings::get(conn, settings::MODE)? {
        return Ok(Some(said));
    }
    for (trace, mode) in TRACES {
        if settings::get(conn, trace)?.is_some() {
            return Ok(Some(word(mode).to_owned()));
        }
    }
    Ok(None)
}

/// Has the database be that of `mode` from now on, unless it is the other's. Of two who come at once the second waits here.
pub fn claim(conn: &mut DbConn, mode: Mode) -> Result<Verdict> {
    let own = word(mode);
    let said = found(conn)?.unwrap_or_else(|| own.to_owned());
    Ok(judge(
        &settings::put_once(conn, settings::MODE, &said)?,
        mode,
    ))
}

/// Looks whose the database is before anything is done to it; one that nobody has used is anybody's.
pub async fn look(db: &Db, mode: Mode) -> Result<Verdict> {
    let said = db
        .fetch(move |conn| match conn.has_table("settings")? {
            true => found(conn),
            false => Ok(None),
        })
        .await?;
    Ok(said.map_or(Ok(()), |said| judge(&said, mode)))
}

fn judge(said: &str, mode: Mode) -> Verdict {
    if said == word(mode) {
        return Ok(());
    }
    Err(Foreign(match mode {
        Mode::Live => {
            "a sandbox has used this database, where people sign in with published passwords: live mode does not"
        }
        Mode::Sandbox => "this is the database of a live service: a sandbox does not touch it",
    }))
}

/// Answers 503 as long as the database may become another's. Health is always told.
pub async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let health = request.app_data::<Data<Health>>();
    let is_claimed = health.is_some_and(|health| health.is_claimed());
    if is_claimed || is_probe(&request) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refusal = Refusal::from(Code::DatabaseUnavailable).retry_after(1);
    Ok(request
        .error_response(Error::from(refusal))
        .map_into_right_body())
}
