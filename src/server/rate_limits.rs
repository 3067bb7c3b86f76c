//! Requests a minute, per credential or address, told in every answer.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;

use super::Surroundings;
use crate::clock::Clock;
use crate::error::{Code, Error, Refusal};
use crate::programme::RateLimitRules;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// The service's clock as the limiter reads it.
#[derive(Clone)]
struct Ticks(Clock);

impl GovernorClock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let now = self.0.now();
        Nanos::new(now.unix_seconds() * 1_000_000_000 + u64::from(now.subsecond_nanos()))
    }
}

/// Callers are told apart by a hash of what they call with: no credential is kept, and nobody can look for two that meet.
type Limiter = RateLimiter<u64, DashMapStateStore<u64>, Ticks, StateInformationMiddleware>;

struct Policy {
    name: &'static str,
    /// The `RateLimit-Policy` header.
    header: Option<HeaderValue>,
    callers: RandomState,
    limiter: Limiter,
}

impl Policy {
    fn new(name: &'static str, per_minute: u32, clock: &Clock) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), Ticks(clock.clone()));
        Self {
            name,
            header: HeaderValue::from_str(&format!("\"{name}\";q={per_minute};w=60")).ok(),
            callers: RandomState::new(),
            limiter,
        }
    }
}

/// Every policy of the programme.
pub struct RateLimits {
    clock: Ticks,
    credential: Policy,
    anonymous: Policy,
    sign_in: Policy,
    reset: Policy,
    register: Policy,
}

impl RateLimits {
    /// The policies of `rules`, by the service's clock.
    pub fn new(rules: &RateLimitRules, clock: &Clock) -> Self {
        Self {
            clock: Ticks(clock.clone()),
            credential: Policy::new("credential", rules.per_credential, clock),
            anonymous: Policy::new("anonymous", rules.anonymous_per_address, clock),
            sign_in: Policy::new("sign_in", rules.sign_in_per_address, clock),
            reset: Policy::new("reset", rules.reset_per_address, clock),
            register: Policy::new("register", rules.register_per_address, clock),
        }
    }

    /// Forgets who has not called for a while.
    pub fn tidy(&self) {
        for policy in [
            &self.credential,
            &self.anonymous,
            &self.sign_in,
            &self.reset,
            &self.register,
        ] {
            policy.limiter.retain_recent();
        }
    }

    fn policy(&self, request: &ServiceRequest) -> &Policy {
        match (request.method(), request.path()) {
            (&Method::POST, "/v1/sessions") => &self.sign_in,
            (&Method::POST, "/v1/password-resets" | "/v1/applicant-links" | "/v1/passwords") => {
                &self.reset
            }
            (&Method::POST, "/v1/accounts") => &self.register,
            _ if request.headers().contains_key(AUTHORIZATION) => &self.credential,
            _ => &self.anonymous,
        }
    }
}

/// Counts the request, or answers 429 with the time to wait.
pub async fn limit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let Some(around) = request.app_data::<Data<Surroundings>>().cloned() else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    if matches!(request.path(), "/healthz" | "/readyz") {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let limits = &around.rate_limits;
    let policy = limits.policy(&request);
    let key = match request.headers().get(AUTHORIZATION) {
        Some(header) if std::ptr::eq(policy, &limits.credential) => {
            policy.callers.hash_one(header.as_bytes())
        }
        _ => {
            let address = client_address(&request, &around.config.trusted_proxies);
            policy.callers.hash_one(address)
        }
    };
    match policy.limiter.check_key(&key) {
        Ok(state) => {
            let mut response = next.call(request).await?;
            tell(&mut response, policy, state.remaining_burst_capacity());
            Ok(response.map_into_left_body())
        }
        Err(until) => {
            let wait = until.wait_time_from(limits.clock.now()).as_secs() + 1;
            let error = Error::from(Refusal::from(Code::RateLimited).retry_after(wait));
            let mut response = request.error_response(error);
            tell(&mut response, policy, 0);
            Ok(response.map_into_right_body())
        }
    }
}

fn tell<B>(response: &mut ServiceResponse<B>, policy: &Policy, left: u32) {
    let state = HeaderValue::from_str(&format!("\"{}\";r={left};t=60", policy.name)).ok();
    for (name, value) in [(POLICY, policy.header.clone()), (STATE, state)] {
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
}

/// The address of the client: that of the peer, or behind trusted proxies the last one that they did not add themselves.
pub fn client_address(request: &ServiceRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let peer = request.peer_addr()?.ip();
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let headers = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok());
    let hops: Vec<IpAddr> = headers
        .flat_map(|value| value.split(','))
        .filter_map(|hop| hop.trim().parse().ok())
        .collect();
    Some(
        hops.into_iter()
            .rev()
            .find(|hop| !is_trusted(hop))
            .unwrap_or(peer),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let request = |peer: &str| {
            TestRequest::default()
                .peer_addr(format!("{peer}:1").parse().unwrap())
                .insert_header(("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.1.1.1"))
                .to_srv_request()
        };
        assert_eq!(
            client_address(&request("10.0.0.2"), &trusted),
            "203.0.113.9".parse().ok()
        );
        assert_eq!(
            client_address(&request("198.51.100.7"), &trusted),
            "198.51.100.7".parse().ok()
        );
    }
}
