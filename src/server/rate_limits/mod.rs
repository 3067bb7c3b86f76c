//! Requests a minute, per caller or address, told in every answer. Where an address comes from is in `address`.

mod address;
mod store;

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;

use actix_web::HttpMessage;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};

use crate::auth::Identity;
use crate::clock::Clock;
use crate::domain::access::{Caller, UserId};
use crate::domain::account::AccountId;
use crate::error::{Code, Refusal};
use crate::handlers::{ClientAddress, RateLimit};
use crate::programme::RateLimitRules;
use store::BoundedStore;

pub use address::{client_address, network};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// Whom a request counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    User(UserId),
    Applicant(AccountId),
    /// Of nobody in particular, or of somebody whose token does not hold.
    Address(Option<IpAddr>),
}

/// Where a request comes from, and from whom.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    pub address: Key,
    pub caller: Key,
}

impl Client {
    /// The client of a request that was identified.
    pub fn of(request: &ServiceRequest) -> Self {
        let extensions = request.extensions();
        let address = extensions.get::<ClientAddress>();
        let address = Key::Address(address.map(|address| network(address.0)));
        let caller = extensions
            .get::<Identity>()
            .and_then(|identity| identity.caller.as_ref().ok())
            .and_then(known);
        Self {
            address,
            caller: caller.unwrap_or(address),
        }
    }
}

/// The user behind a caller, whatever session it is, or the application.
fn known(caller: &Caller) -> Option<Key> {
    let user = caller.user_id().map(Key::User);
    user.or_else(|| caller.account_id().map(Key::Applicant))
}

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

/// Callers are told apart by a keyed hash: nobody can look for two that meet.
type Limiter = RateLimiter<u64, BoundedStore, Ticks, StateInformationMiddleware>;

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
        let limiter = RateLimiter::new(quota, BoundedStore::default(), Ticks(clock.clone()));
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
    /// Registrations a day from one address, over all instances.
    pub registrations_a_day: u32,
}

/// What is left of an allowance, for the answer's headers.
pub struct Standing<'p> {
    policy: &'p Policy,
    left: u32,
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
            registrations_a_day: rules.registrations_a_day_per_address,
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

    fn policy(&self, limit: RateLimit, client: &Client) -> Option<(&Policy, Key)> {
        match (limit, client.caller) {
            (RateLimit::Unlimited, _) => None,
            (RateLimit::PerCaller, Key::Address(_)) => Some((&self.anonymous, client.address)),
            (RateLimit::PerCaller, caller) => Some((&self.credential, caller)),
            (RateLimit::SignIn, _) => Some((&self.sign_in, client.address)),
            (RateLimit::Reset, _) => Some((&self.reset, client.address)),
            (RateLimit::Register, _) => Some((&self.register, client.address)),
        }
    }

    /// Counts a request: what is left (nothing to tell where it is not limited), and a refusal with the time to wait where
    /// nothing is.
    pub fn count(
        &self,
        limit: RateLimit,
        client: &Client,
    ) -> (Option<Standing<'_>>, Result<(), Refusal>) {
        let Some((policy, key)) = self.policy(limit, client) else {
            return (None, Ok(()));
        };
        let standing = |left| Some(Standing { policy, left });
        match policy.limiter.check_key(&policy.callers.hash_one(key)) {
            Ok(state) => (standing(state.remaining_burst_capacity()), Ok(())),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now()).as_secs() + 1;
                let refusal = Refusal::from(Code::RateLimited).retry_after(wait);
                (standing(0), Err(refusal))
            }
        }
    }
}

impl Standing<'_> {
    /// Tells the caller.
    pub fn tell<B>(&self, response: &mut ServiceResponse<B>) {
        let text = format!("\"{}\";r={};t=60", self.policy.name, self.left);
        let state = HeaderValue::from_str(&text).ok();
        for (name, value) in [(POLICY, self.policy.header.clone()), (STATE, state)] {
            if let Some(value) = value {
                response.headers_mut().insert(name, value);
            }
        }
    }
}
