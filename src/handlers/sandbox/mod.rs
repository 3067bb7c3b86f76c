//! The sandbox's own operations, neither routed nor documented in live mode: the card, the clock, the way back; the mailbox and the bank have their own files.

mod card;
mod mailbox;
mod transfers;

use actix_web::web::Data;
use actix_web::{get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::extract::{Body, Plain};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::Authenticator;
use crate::error::{Fault, FaultCode, Result};
use crate::jobs::Worker;
use crate::types::Instant;
use crate::workflows::sandbox::PASSWORD;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(read_sandbox, Callers::Anybody, RateLimit::PerCaller)
        .service(read_clock, Callers::Anybody, RateLimit::PerCaller)
        .service(set_clock, Callers::Anybody, RateLimit::PerCaller)
        .service(
            transfers::create_bank_transfer,
            Callers::Anybody,
            RateLimit::PerCaller,
        )
        .service(start_again, Callers::Anybody, RateLimit::PerCaller)
        .configure(mailbox::routes);
}

/// Read the sandbox card
///
/// What is seeded: who can sign in, which legacy accounts wait, and the values that do something special.
#[utoipa::path(tag = "sandbox", operation_id = "readSandbox", responses((status = 200, description = "The card", body = card::SandboxCard)))]
#[get("/sandbox")]
async fn read_sandbox(service: Data<Service>) -> Result<Answer> {
    let links = service.links.clone();
    let card = service
        .db
        .read(move |conn| card::load(conn, &links))
        .await?;
    Ok(Answer::ok(&card)?.header("Cache-Control", "no-store"))
}

/// The service's clock.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "now": super::prefilled::TOMORROW }))]
struct ClockView {
    now: Instant,
}

impl Plain for ClockView {}

/// How far the clock moves at once.
const MOST_MONTHS: u32 = 120;

/// Read the clock
///
/// What the whole service takes for now: tokens, due dates, limits and jobs go by it.
#[utoipa::path(tag = "sandbox", operation_id = "readClock", responses((status = 200, description = "Now", body = ClockView)))]
#[get("/sandbox/clock")]
async fn read_clock(service: Data<Service>) -> Result<Answer> {
    Ok(Answer::ok(&ClockView { now: service.now() })?.header("Cache-Control", "no-store"))
}

/// Move the clock forward
///
/// Steps from one due moment to the next, so that each job sees its own time, and answers when all of them are done. Backwards, or more than
/// 10 years ahead at once, is refused. The whole sandbox goes along, and there is no way back but `resetSandbox`: access tokens end after 10 minutes
/// of this clock, so sign in again afterwards.
#[utoipa::path(tag = "sandbox", operation_id = "setClock", request_body = ClockView, responses((status = 200, description = "The new time", body = ClockView)))]
#[put("/sandbox/clock")]
async fn set_clock(
    service: Data<Service>,
    worker: Data<Worker>,
    body: Body<ClockView>,
) -> Result<Answer> {
    let target = body.value.now;
    let now = service.now();
    if target < now {
        return Err(Fault::new("#/now", FaultCode::Backwards).into());
    }
    let furthest = now.plus_months(MOST_MONTHS);
    if target > furthest {
        let fault = Fault::new("#/now", FaultCode::TooFarAhead);
        return Err(fault.with("max", furthest).into());
    }
    worker.step_to(target).await?;
    Answer::ok(&ClockView { now: service.now() })
}

/// Begin again
///
/// Everything is as it was seeded and the clock is right again; whatever was done since is gone, for everybody who uses this sandbox. Tokens from
/// before are refused.
#[utoipa::path(tag = "sandbox", operation_id = "resetSandbox", responses((status = 200, description = "The time of the sandbox that begins", body = ClockView)))]
#[post("/sandbox/reset")]
async fn start_again(
    service: Data<Service>,
    worker: Data<Worker>,
    authenticator: Data<Authenticator>,
) -> Result<Answer> {
    let hash = service.hasher.hash(PASSWORD.into()).await?;
    worker.start_again(hash).await?;
    authenticator.forget_all();
    Answer::ok(&ClockView { now: service.now() })
}
