//! How many businesses are registered from one address in a day: counted in the database, so that several instances are no way
//! around it.

use actix_web::dev::ServiceRequest;
use actix_web::web::Data;

use super::MiddlewareState;
use super::rate_limits::{Client, Key};
use crate::domain::quota::seconds_left;
use crate::error::{Code, Error, Refusal, Result};
use crate::handlers::service::Service;
use crate::repository::request_counts::{self, Counted};

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
