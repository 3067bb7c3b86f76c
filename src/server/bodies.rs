//! Bodies on their way: how many there may be, for all, from one address and from one caller, and how slow they may come.
//! A request whose body has not come has no place among those in work.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep, timeout_at};

use super::concurrency::Place;
use super::rate_limits::{Client, Key};
use crate::error::{Code, Error, Refusal};
use crate::handlers::extract::{BodyBounds, Limits, MinimumRate};

/// How often a body that found all taken tries again.
const RETRY: Duration = Duration::from_millis(50);
/// Many short bodies at once take turns for as long as this.
const TURNS: Duration = Duration::from_secs(2);
/// Seconds after which it makes sense to come back.
const COME_BACK: u64 = 5;

#[derive(Default)]
struct Counts {
    all: usize,
    by_address: Tally,
    by_caller: Tally,
}

/// Only those who have any.
#[derive(Default)]
struct Tally(HashMap<Key, usize>);

impl Tally {
    fn of(&self, key: Key) -> usize {
        self.0.get(&key).copied().unwrap_or(0)
    }

    fn add(&mut self, key: Key) {
        *self.0.entry(key).or_default() += 1;
    }

    fn remove(&mut self, key: Key) {
        match self.of(key) {
            0 | 1 => self.0.remove(&key),
            more => self.0.insert(key, more - 1),
        };
    }
}

/// Counts the bodies on their way, over all workers.
#[derive(Clone)]
pub struct Bodies {
    counts: Arc<Mutex<Counts>>,
    bounds: BodyBounds,
}

/// One body on its way.
struct Permit {
    bodies: Bodies,
    client: Client,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.bodies.lock();
        counts.all = counts.all.saturating_sub(1);
        counts.by_address.remove(self.client.address);
        counts.by_caller.remove(self.client.caller);
    }
}

impl Bodies {
    /// Bodies within `bounds`.
    pub fn new(bounds: BodyBounds) -> Self {
        Self {
            counts: Arc::default(),
            bounds,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more body of `client`, or says which bound is met: 429 for its own, 503 for that of all.
    fn acquire(&self, client: Client) -> Result<Permit, Refusal> {
        let mut counts = self.lock();
        let (address, caller) = (client.address, client.caller);
        if counts.by_caller.of(caller) >= self.bounds.caller
            || counts.by_address.of(address) >= self.bounds.address
        {
            return Err(Refusal::from(Code::RateLimited).retry_after(COME_BACK));
        }
        if counts.all >= self.bounds.all {
            return Err(Refusal::from(Code::Overloaded).retry_after(COME_BACK));
        }
        counts.all += 1;
        counts.by_address.add(address);
        counts.by_caller.add(caller);
        drop(counts);
        Ok(Permit {
            bodies: self.clone(),
            client,
        })
    }

    async fn turn(&self, client: Client) -> Result<Permit, Refusal> {
        let until = Instant::now() + TURNS;
        loop {
            match self.acquire(client) {
                Err(_) if Instant::now() < until => sleep(RETRY).await,
                decided => return decided,
            }
        }
    }
}

/// A body that is being received.
struct Incoming {
    payload: Payload,
    bodies: Bodies,
    client: Client,
    place: Place,
    rate: MinimumRate,
    received: u64,
    /// None until the first of it is asked for.
    begun: Option<(Permit, Instant)>,
}

/// Has the body of a request counted and its pace watched from the moment that somebody reads it.
pub fn watch(request: &mut ServiceRequest, bodies: &Bodies, limits: &Limits, client: Client) {
    let place = request.extensions().get::<Place>().cloned();
    let Some(place) = place else {
        return;
    };
    let incoming = Incoming {
        payload: request.take_payload(),
        bodies: bodies.clone(),
        client,
        place,
        rate: limits.body_rate,
        received: 0,
        begun: None,
    };
    let chunks = stream::unfold(Some(incoming), |state| async {
        let mut incoming = state?;
        match incoming.chunk().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(incoming))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    request.set_payload(Payload::Stream {
        payload: Box::pin(chunks.fuse()),
    });
}

/// A form ends before its body does, and then nobody asks for the end: the request has its place again all the same.
impl Drop for Incoming {
    fn drop(&mut self) {
        if self.begun.is_some() {
            self.place.retake();
        }
    }
}

fn refused(refusal: impl Into<Error>) -> PayloadError {
    PayloadError::Io(io::Error::other(refusal.into()))
}

impl Incoming {
    /// The next part of the body; none at its end, when the request has its place again.
    async fn chunk(&mut self) -> Result<Option<Bytes>, PayloadError> {
        let since = match &self.begun {
            Some((_, since)) => *since,
            None => {
                self.place.leave();
                let permit = self.bodies.turn(self.client).await.map_err(refused)?;
                let now = Instant::now();
                self.begun = Some((permit, now));
                now
            }
        };
        let deadline = since + self.rate.time_for(self.received);
        match timeout_at(deadline, self.payload.next()).await {
            Ok(Some(Ok(chunk))) => {
                self.received += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                Ok(Some(chunk))
            }
            Ok(Some(Err(error))) => Err(error),
            Ok(None) => {
                self.begun = None;
                self.place.take().map_err(refused)?;
                Ok(None)
            }
            Err(_) => Err(refused(Code::BodyTooSlow)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::UserId;
    use crate::types::Instant as Moment;

    #[tokio::test]
    async fn each_bound_is_told_by_its_own_refusal_and_what_has_come_makes_room() {
        let bounds = BodyBounds {
            all: 5,
            address: 4,
            caller: 2,
        };
        let bodies = Bodies::new(bounds);
        let now: Moment = "2026-06-01T10:00:00Z".parse().unwrap();
        let address = |n: u8| Key::Address(Some([192, 0, 2, n].into()));
        let user = |n| Client {
            address: address(n),
            caller: Key::User(UserId::new(now)),
        };
        let refused = |client| bodies.acquire(client).map(drop).unwrap_err().code;
        let (first, second, third) = (user(1), user(1), user(1));
        let mut held: Vec<Permit> = [first, first, second, second]
            .map(|client| bodies.acquire(client).unwrap())
            .into();
        assert_eq!(refused(first), Code::RateLimited);
        assert_eq!(refused(third), Code::RateLimited);
        held.push(bodies.acquire(user(2)).unwrap());
        assert_eq!(refused(user(3)), Code::Overloaded);
        held.clear();
        assert!(bodies.lock().by_address.0.is_empty() && bodies.lock().by_caller.0.is_empty());
        // Who is nobody in particular is one caller, whoever else is at the address.
        let nobody = Client {
            address: address(1),
            caller: address(1),
        };
        let held = [first, first, nobody, nobody].map(|client| bodies.acquire(client).unwrap());
        assert_eq!(refused(nobody), Code::RateLimited);
        drop(held);
        assert_eq!(bodies.lock().all, 0);
    }
}
