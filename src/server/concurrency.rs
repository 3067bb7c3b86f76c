//! How many requests are in work at once: one more gets 503 and a time to come back, not a place in an endless queue.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::MiddlewareState;
use crate::error::{Code, Refusal};

/// Counts the requests in work, over all workers.
#[derive(Clone)]
pub struct ConcurrencyLimit {
    running: Arc<AtomicUsize>,
    most: usize,
}

/// One of the places.
struct Permit(Arc<AtomicUsize>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl ConcurrencyLimit {
    /// A limit of `most` at once.
    pub fn new(most: usize) -> Self {
        Self {
            running: Arc::default(),
            most,
        }
    }

    fn acquire(&self) -> Option<Permit> {
        let (before, permit) = self.count();
        (before < self.most).then_some(permit)
    }

    /// One more in work, and how many there were before.
    fn count(&self) -> (usize, Permit) {
        let before = self.running.fetch_add(1, Ordering::AcqRel);
        (before, Permit(self.running.clone()))
    }
}

/// The place of a request with a body: given back while the body is on its way, taken again when it is there.
#[derive(Clone)]
pub struct Place {
    limit: ConcurrencyLimit,
    permit: Rc<RefCell<Option<Permit>>>,
}

impl Place {
    /// Gives the place back.
    pub fn leave(&self) {
        drop(self.permit.take());
    }

    /// Takes a place again unless there is one, over the limit where it must be: what is in work counts.
    pub fn retake(&self) {
        let mut permit = self.permit.borrow_mut();
        permit.get_or_insert_with(|| self.limit.count().1);
    }

    /// Takes a place again; a refusal where all are taken.
    pub fn take(&self) -> Result<(), Refusal> {
        let permit = self.limit.acquire().ok_or_else(overloaded)?;
        self.permit.replace(Some(permit));
        Ok(())
    }
}

/// Whether a request asks after the health of the service.
pub fn is_probe(request: &ServiceRequest) -> bool {
    matches!(request.path(), "/healthz" | "/readyz")
}

fn overloaded() -> Refusal {
    Refusal::from(Code::Overloaded).retry_after(1)
}

/// Takes a place for a request, or answers 503. Health is always told: a busy service is not a dead one.
pub async fn limit<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let limit = request
        .app_data::<Data<MiddlewareState>>()
        .map(|state| state.concurrency.clone());
    let permit = limit.as_ref().and_then(ConcurrencyLimit::acquire);
    if permit.is_none() && !is_probe(&request) {
        let error = crate::error::Error::from(overloaded());
        return Ok(request.error_response(error).map_into_right_body());
    }
    let payload = request.take_payload();
    let has_body = !matches!(payload, Payload::None);
    request.set_payload(payload);
    let Some(limit) = limit.filter(|_| has_body) else {
        let response = next.call(request).await?;
        drop(permit);
        return Ok(response.map_into_left_body());
    };
    let place = Place {
        limit,
        permit: Rc::new(RefCell::new(permit)),
    };
    request.extensions_mut().insert(place.clone());
    let response = next.call(request).await?;
    place.leave();
    Ok(response.map_into_left_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_to_go_on_counts_over_the_limit_and_once() {
        let limit = ConcurrencyLimit::new(1);
        let place = Place {
            permit: Rc::new(RefCell::new(limit.acquire())),
            limit: limit.clone(),
        };
        let in_work = || limit.running.load(Ordering::Acquire);
        place.leave();
        let other = limit.acquire();
        assert!(other.is_some() && place.take().is_err());
        place.retake();
        place.retake();
        assert_eq!(in_work(), 2);
        drop(other);
        assert!(limit.acquire().is_none());
        place.leave();
        assert_eq!(in_work(), 0);
    }
}
