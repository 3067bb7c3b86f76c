//! Requests a minute, per caller or address, told in every answer. Where an address comes from is in `address`.

mod address;
mod store;

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Instant;

use actix_web::HttpMessage;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
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

impl Key {
    /// Of the address that was put beside a request.
    pub fn address(extensions: &Extensions) -> Self {
        let address = extensions.get::<ClientAddress>();
        Self::Address(address.map(|address| network(address.0)))
    }
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
        let address = Key::address(&extensions);
        let caller = extensions
            .get::<Identity>()
            .and_then(|identity| identity.caller.as_ref().ok())
            .and_then(key_of);
        Self {
            address,
            caller: caller.unwrap_or(address),
        }
    }
}

/// The user behind a caller, whatever session it is, or the application.
fn key_of(caller: &Caller) -> Option<Key> {
    let user = caller.user_id().map(Key::User);
    user.or_else(|| caller.account_id().map(Key::Applicant))
}

/// Time as the limiter reads it: what has passed, and how far the sandbox was moved ahead. Whoever sets the machine's clock moves
/// nothing here, and a sandbox that begins again takes nothing back.
#[derive(Clone)]
struct Ticks {
    begun: Instant,
    clock: Clock,
}

impl Ticks {
    fn new(clock: &Clock) -> Self {
        Self {
            begun: Instant::now(),
            clock: clock.clone(),
        }
    }
}

impl GovernorClock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let ahead = u64::try_from(self.clock.advanced_micros()).unwrap_or(0);
        let passed = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Nanos::from(passed.saturating_add(ahead.saturating_mul(1000)))
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
    fn new(name: &'static str, per_minute: u32, clock: &Ticks) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let limiter = RateLimiter::new(quota, BoundedStore::default(), clock.clone());
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
    /// Tokens that nobody knows, looked up: as many as there may be requests of nobody.
    look_up: Policy,
    sign_in: Policy,
    reset: Policy,
    register: Policy,
    /// Registrations a day from one address, over all instances.
    pub registrations_a_day: u32,
}

/// What is left of an allowance, for the answer's headers.
pub struct Remaining {
    name: &'static str,
    header: Option<HeaderValue>,
    left: u32,
}

impl RateLimits {
    /// The policies of `rules`, by the service's clock.
    pub fn new(rules: &RateLimitRules, clock: &Clock) -> Self {
        let clock = &Ticks::new(clock);
        Self {
            clock: clock.clone(),
            credential: Policy::new("credential", rules.per_credential, clock),
            anonymous: Policy::new("anonymous", rules.anonymous_per_address, clock),
            look_up: Policy::new("anonymous", rules.anonymous_per_address, clock),
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
            &self.look_up,
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
    ) -> (Option<Remaining>, Result<(), Refusal>) {
        match self.policy(limit, client) {
            Some((policy, key)) => {
                let (remaining, counted) = self.count_by(policy, key);
                (Some(remaining), counted)
            }
            None => (None, Ok(())),
        }
    }

    /// Counts a token that is looked up without anybody having proved anything.
    pub fn count_look_up(&self, address: Key) -> (Remaining, Result<(), Refusal>) {
        self.count_by(&self.look_up, address)
    }

    fn count_by(&self, policy: &Policy, key: Key) -> (Remaining, Result<(), Refusal>) {
        let remaining = |left| Remaining {
            name: policy.name,
            header: policy.header.clone(),
            left,
        };
        match policy.limiter.check_key(&policy.callers.hash_one(key)) {
            Ok(state) => (remaining(state.remaining_burst_capacity()), Ok(())),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now()).as_secs() + 1;
                let refusal = Refusal::from(Code::RateLimited).retry_after(wait);
                (remaining(0), Err(refusal))
            }
        }
    }
}

impl Remaining {
    /// Nothing is left where a request was refused, by whichever of the limits.
    pub fn or_nothing(mut self, is_refused: bool) -> Self {
        if is_refused {
            self.left = 0;
        }
        self
    }

    /// Tells the caller.
    pub fn tell<B>(&self, response: &mut ServiceResponse<B>) {
        let text = format!("\"{}\";r={};t=60", self.name, self.left);
        let state = HeaderValue::from_str(&text).ok();
        for (name, value) in [(POLICY, self.header.clone()), (STATE, state)] {
            if let Some(value) = value {
                response.headers_mut().insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limiter_s_time_is_what_has_passed_and_how_far_the_sandbox_is_ahead() {
        let clock = Clock::default();
        let ticks = Ticks::new(&clock);
        let minute = 60_000_000_000;
        // Not the time of day.
        assert!(ticks.now().as_u64() < minute);
        clock.set_offset_micros(60_000_000);
        assert!((minute..2 * minute).contains(&ticks.now().as_u64()));
        clock.set_offset_micros(0);
        assert!((minute..2 * minute).contains(&ticks.now().as_u64()));
        clock.set_offset_micros(60_000_000);
        assert!((2 * minute..3 * minute).contains(&ticks.now().as_u64()));
    }
}
