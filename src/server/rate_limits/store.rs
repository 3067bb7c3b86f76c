//! What is remembered of each caller, bounded: whoever calls with many names pushes out those names, not the counters of others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

/// Parts that are locked on their own.
const SHARDS: usize = 16;
/// Callers in each part, of at most 34 bytes.
const CALLERS: usize = 4096;

/// By caller, when their next request would have come if they called evenly: the later, the more was used.
type Shard = HashMap<u64, u64>;

/// The counters of at most 65,536 callers.
pub struct BoundedStore(Box<[Mutex<Shard>]>);

impl Default for BoundedStore {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BoundedStore {
    fn shard(&self, key: u64) -> Option<MutexGuard<'_, Shard>> {
        let at = usize::try_from(key >> 32).unwrap_or_default() % SHARDS;
        self.0.get(at).map(lock)
    }
}

/// Makes room: a quarter goes, of those who used least.
fn evict(shard: &mut Shard) {
    let mut used: Vec<u64> = shard.values().copied().collect();
    let (mut leaving, last) = (used.len() / 4, used.len() / 4);
    if last >= used.len() {
        return;
    }
    let (_, bound, _) = used.select_nth_unstable(last);
    let bound = *bound;
    shard.retain(|_, used| {
        let stays = *used > bound || leaving == 0;
        leaving -= usize::from(!stays);
        stays
    });
}

impl StateStore for BoundedStore {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let Some(mut shard) = self.shard(*key) else {
            return decide(None).map(|(decision, _)| decision);
        };
        let before = shard.get(key).copied();
        let (decision, after) = decide(before.map(Nanos::from))?;
        if before.is_none() && shard.len() >= CALLERS {
            evict(&mut shard);
        }
        shard.insert(*key, after.as_u64());
        Ok(decision)
    }
}

impl ShrinkableKeyedStateStore<u64> for BoundedStore {
    fn retain_recent(&self, drop_below: Nanos) {
        for shard in &self.0 {
            lock(shard).retain(|_, used| *used > drop_below.as_u64());
        }
    }

    fn len(&self) -> usize {
        self.0.iter().map(|shard| lock(shard).len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};
    use std::num::NonZeroU32;

    use governor::clock::FakeRelativeClock;
    use governor::middleware::NoOpMiddleware;
    use governor::{Quota, RateLimiter};

    use super::*;

    type Limiter = RateLimiter<u64, BoundedStore, FakeRelativeClock, NoOpMiddleware<Nanos>>;

    #[test]
    fn a_flood_of_names_stays_bounded_and_resets_nobody_who_called_often() {
        let quota = Quota::per_minute(NonZeroU32::new(10).unwrap());
        let store = BoundedStore::default();
        let limiter: Limiter = RateLimiter::new(quota, store, FakeRelativeClock::default());
        let names = RandomState::new();
        let victims: Vec<u64> = (0..20).map(|n| names.hash_one(("victim", n))).collect();
        for victim in &victims {
            for _ in 0..10 {
                limiter.check_key(victim).unwrap();
            }
        }
        for n in 0..200_000 {
            assert!(limiter.check_key(&names.hash_one(n)).is_ok());
        }
        assert!(limiter.len() <= SHARDS * CALLERS, "{}", limiter.len());
        for victim in &victims {
            assert!(limiter.check_key(victim).is_err());
        }
    }

    #[test]
    fn who_is_refused_takes_no_room_and_who_has_rested_is_forgotten() {
        let quota = Quota::per_minute(NonZeroU32::new(1).unwrap());
        let clock = FakeRelativeClock::default();
        let limiter: Limiter = RateLimiter::new(quota, BoundedStore::default(), clock.clone());
        assert!(limiter.check_key(&7).is_ok() && limiter.check_key(&7).is_err());
        assert_eq!(limiter.len(), 1);
        clock.advance(std::time::Duration::from_secs(200));
        limiter.retain_recent();
        assert!(limiter.is_empty());
        assert!(limiter.check_key(&7).is_ok());
    }
}
