//! How many businesses are registered from one address in a day: counted in the database, so that several instances are no way
//! around it.

use actix_web::dev::ServiceRequest;
use actix_web::web::Data;
use chrono::{NaiveTime, TimeDelta};

use super::MiddlewareState;
use super::rate_limits::{Client, Key};
use crate::error::{Code, Error, Refusal, Result};
use crate::handlers::service::Service;
use crate::repository::request_counts::{self, Counted};
use crate::types::Instant;

/// What is counted.
const POLICY: &str = "register";

/// Counts one more registration, or refuses it until the next day begins in UTC.
pub async fn count(
    request: &ServiceRequest,
    state: &MiddlewareState,
    client: Client,
) -> Result<()> {
    let service = request
        .app_data::<Data<Service>>()
        .ok_or_else(|| Error::internal("counting a registration")("the service is not set up"))?;
    let Key::Address(Some(address)) = client.address else {
        return Ok(());
    };
    let now = service.now();
    let counted = Counted {
        policy: POLICY,
        caller_hash: service.sealer.fingerprint(&address.to_string()),
        day: now.utc().date_naive(),
    };
    let count = service
        .db
        .write(move |conn| request_counts::count(conn, &counted))
        .await?;
    if count <= i64::from(state.rate_limits.registrations_a_day) {
        return Ok(());
    }
    Err(Refusal::from(Code::RateLimited)
        .retry_after(seconds_left(now))
        .into())
}

/// Until the day ends in UTC.
fn seconds_left(now: Instant) -> u64 {
    let since_midnight = now.utc().time() - NaiveTime::MIN;
    let left = TimeDelta::days(1) - since_midnight;
    u64::try_from(left.num_seconds() + 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_day_is_as_far_as_the_clock_says() {
        let left = |at: &str| seconds_left(at.parse().unwrap());
        assert_eq!(left("2026-06-01T00:00:00Z"), 86_401);
        assert_eq!(left("2026-06-01T23:59:59.5Z"), 1);
        assert_eq!(left("2026-06-01T22:00:00Z"), 7_201);
    }
}
