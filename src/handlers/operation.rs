//! Health, keys, and nothing of the programme.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::error::{Code, Refusal, Result};
use crate::repository::settings;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(read_health, Callers::Anybody, RateLimit::Unlimited)
        .service(read_readiness, Callers::Anybody, RateLimit::Unlimited)
        .service(read_keys, Callers::Anybody, RateLimit::PerCaller);
}

/// Whether this instance may serve yet, and whether it is on its way out.
#[derive(Clone, Default)]
pub struct Health {
    claimed: Arc<AtomicBool>,
    draining: Arc<AtomicBool>,
}

impl Health {
    /// From now on the database is up to date and this mode's own: before, nothing of it is served.
    pub fn claim(&self) {
        self.claimed.store(true, Ordering::Release);
    }

    /// Whether the database can be served from.
    pub fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Acquire)
    }

    /// From now on `/readyz` answers 503, so that nobody sends more requests.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }
}

/// That the process lives.
#[derive(Serialize, ToSchema)]
struct HealthView {
    #[schema(pattern = "^ok$")]
    status: &'static str,
}

/// What an instance needs to serve.
#[derive(Serialize, ToSchema)]
struct ReadinessView {
    #[schema(pattern = "^ready$")]
    status: &'static str,
}

/// Tell whether the process lives
///
/// Answers as long as the process can answer at all; it asks nothing else. For a restart decision.
#[utoipa::path(tag = "operation", operation_id = "readHealth", responses((status = 200, description = "It lives", body = HealthView)))]
#[get("/healthz")]
async fn read_health() -> Result<Answer> {
    Ok(Answer::ok(&HealthView { status: "ok" })?.header("Cache-Control", "no-store"))
}

/// Tell whether this instance can serve
///
/// 503 while the database is away or not migrated, or while the instance is stopping; never for what waits. For a load balancer.
#[utoipa::path(tag = "operation", operation_id = "readReadiness", responses((status = 200, description = "It can serve", body = ReadinessView)))]
#[get("/readyz")]
async fn read_readiness(service: Data<Service>, health: Data<Health>) -> Result<Answer> {
    if health.draining.load(Ordering::Acquire) {
        return Err(Refusal::from(Code::Draining).retry_after(5).into());
    }
    if !health.is_claimed() {
        return Err(Refusal::from(Code::DatabaseUnavailable)
            .retry_after(5)
            .into());
    }
    service.db.probe(settings::reach).await?;
    let view = ReadinessView { status: "ready" };
    Ok(Answer::ok(&view)?.header("Cache-Control", "no-store"))
}

/// The public halves of the signing keys (RFC 7517).
#[derive(Serialize, ToSchema)]
#[allow(dead_code)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// One Ed25519 public key (RFC 8037).
#[derive(Serialize, ToSchema)]
#[allow(dead_code)]
struct Jwk {
    #[schema(example = "OKP")]
    kty: String,
    #[schema(example = "Ed25519")]
    crv: String,
    #[schema(example = "sig")]
    r#use: String,
    #[schema(example = "EdDSA")]
    alg: String,
    kid: String,
    x: String,
}

/// Read the public keys
///
/// The JWK set that access tokens are verified with; two keys while they rotate.
#[utoipa::path(tag = "operation", operation_id = "readKeys", responses((status = 200, description = "The keys", body = JwkSet)))]
#[get("/.well-known/jwks.json")]
async fn read_keys(service: Data<Service>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("Cache-Control", "public, max-age=300"))
        .json(service.keys.jwks())
}
