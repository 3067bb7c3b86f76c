//! What the database said a moment ago of those who call, so that not every request asks it.

use std::hash::Hash;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use crate::error::Result;

/// How long what has ended may go on at most.
pub const REMEMBERED: Duration = Duration::from_secs(5);
/// Of more than this those that were used least are not remembered.
const MOST_REMEMBERED: usize = 100_000;

/// What was read of each key, and when.
pub struct Memory<K, V>(Cache<K, (V, Instant)>);

impl<K: Hash + Eq, V: Clone> Memory<K, V> {
    /// What was read of `key` in the last 5 seconds, or what is read by `read`.
    pub async fn recall(&self, key: K, read: impl Future<Output = Result<V>>) -> Result<V> {
        if let Some((known, read_at)) = self.0.get(&key)
            && read_at.elapsed() < REMEMBERED
        {
            return Ok(known);
        }
        let read_at = Instant::now();
        let found = read.await?;
        self.0.insert(key, (found.clone(), read_at));
        Ok(found)
    }

    /// Has the next who asks for this key read it.
    pub fn forget(&self, key: &K) {
        self.0.remove(key);
    }

    /// Has every key read anew.
    pub fn forget_all(&self) {
        self.0.clear();
    }
}

impl<K: Hash + Eq, V: Clone> Default for Memory<K, V> {
    fn default() -> Self {
        Self(Cache::new(MOST_REMEMBERED))
    }
}
