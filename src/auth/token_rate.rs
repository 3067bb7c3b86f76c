//! How many tokens a credential gets in a minute, on this instance. Who gets one is the sign-in's matter.

use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::{Clock, Ticks};
use crate::domain::partner::CredentialId;
use crate::error::{Code, Refusal};

type Limiter =
    RateLimiter<CredentialId, DashMapStateStore<CredentialId>, Ticks, NoOpMiddleware<Nanos>>;

/// Counts the tokens of each credential; those that signed in alone are counted, so there are no more of them than credentials.
#[derive(Clone)]
pub struct TokenRate {
    limiter: Arc<Limiter>,
    clock: Ticks,
}

impl TokenRate {
    /// So many tokens a minute.
    pub fn new(per_minute: u32, clock: &Clock) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        let clock = Ticks::new(clock);
        let store = DashMapStateStore::default();
        Self {
            limiter: Arc::new(RateLimiter::new(quota, store, clock.clone())),
            clock,
        }
    }

    /// Counts one more token, or says when there is the next.
    pub fn count(&self, credential: CredentialId) -> Result<(), Refusal> {
        self.limiter.check_key(&credential).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now()).as_secs() + 1;
            Refusal::from(Code::RateLimited).retry_after(wait)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_credential_has_its_own_minute() {
        let clock = Clock::default();
        let rate = TokenRate::new(2, &clock);
        let [one, other] = [(); 2].map(|()| CredentialId::new(clock.now()));
        assert!(rate.count(one).is_ok() && rate.count(one).is_ok());
        let refused = rate.count(one).unwrap_err();
        assert!((1..=31).contains(&refused.retry_after.unwrap()));
        assert!(rate.count(other).is_ok());
        clock.set_offset_micros(60_000_000);
        assert!(rate.count(one).is_ok());
    }
}
