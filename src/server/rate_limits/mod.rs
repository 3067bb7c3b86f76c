//! Requests a minute, per caller or address, told in every answer. Where an address comes from is in `address`.

mod address;
mod store;

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;

use actix_web::HttpMessage;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::{Quota, RateLimiter};

use crate::auth::Identity;
use crate::clock::{Clock, Ticks};
use crate::domain::access::{Caller, UserId};
use crate::domain::account::AccountId;
use crate::domain::partner::PartnerId;
use crate::error::{Code, Refusal};
use crate::handlers::{ClientAddress, RateLimit};
use crate::programme::RateLimitRules;
use crate::types::household;
use store::BoundedStore;

pub use address::client_address;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// Whom a request counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    User(UserId),
    Applicant(AccountId),
    Partner(PartnerId),
    /// Of nobody in particular, or of somebody whose token does not hold.
    Address(Option<IpAddr>),
}

impl Key {
    /// Of the address that was put beside a request.
    pub fn address(extensions: &Extensions) -> Self {
        let address = extensions.get::<ClientAddress>();
        Self::Address(address.map(|address| household(address.0)))
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

/// The user behind a caller, whatever session it is, the partner, whichever of its systems, or the application.
fn key_of(caller: &Caller) -> Option<Key> {
    let user = caller.user_id().map(Key::User);
    let known = user.or_else(|| caller.partner_id().map(Key::Partner));
    known.or_else(|| caller.account_id().map(Key::Applicant))
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
