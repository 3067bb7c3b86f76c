//! How many requests are in work at once: one more gets 503 and a time to come back, not a place in an endless queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::Surroundings;
use crate::error::{Code, Error, Refusal};

/// Counts the requests in work, over all workers.
#[derive(Clone)]
pub struct Gate {
    inside: Arc<AtomicUsize>,
    most: usize,
}

struct Pass(Arc<AtomicUsize>);

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Gate {
    /// A gate that lets `most` in at once.
    pub fn new(most: usize) -> Self {
        Self {
            inside: Arc::default(),
            most,
        }
    }

    fn enter(&self) -> Option<Pass> {
        let before = self.inside.fetch_add(1, Ordering::AcqRel);
        let pass = Pass(self.inside.clone());
        (before < self.most).then_some(pass)
    }
}

/// Lets a request in, or answers 503. Health is asked past the gate: a busy service is not a dead one.
pub async fn enter<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let gate = request
        .app_data::<Data<Surroundings>>()
        .map(|around| around.gate.clone());
    let is_probe = matches!(request.path(), "/healthz" | "/readyz");
    let pass = gate.and_then(|gate| gate.enter());
    if pass.is_none() && !is_probe {
        let error = Error::from(Refusal::from(Code::Overloaded).retry_after(1));
        return Ok(request.error_response(error).map_into_right_body());
    }
    let response = next.call(request).await?;
    drop(pass);
    Ok(response.map_into_left_body())
}
