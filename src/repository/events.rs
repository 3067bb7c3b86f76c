//! Where events were recorded before `event_log`; its callers go.

use serde_json::Value;

use super::DbConn;
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::error::Result;
use crate::types::Instant;

/// Records nothing.
pub fn record(
    _conn: &mut DbConn,
    _resource: impl ToString,
    _kind: &str,
    _payload: Value,
    _now: Instant,
) -> Result<()> {
    Ok(())
}

/// Records nothing.
pub fn record_staff(
    _conn: &mut DbConn,
    _staff: UserId,
    _action: &str,
    _account: Option<AccountId>,
    _reason: Option<&str>,
    _now: Instant,
) -> Result<()> {
    Ok(())
}
