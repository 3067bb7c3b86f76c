//! One row for each change of state, with a gapless sequence per resource; and the record of what staff did.

use diesel::prelude::*;
use serde_json::Value;

use super::DbConn;
use super::schema::{events, staff_actions};
use crate::domain::access::UserId;
use crate::domain::account::AccountId;
use crate::error::Result;
use crate::types::{Instant, Json, id};

id!(
    /// One event.
    EventId, "evt_"
);
id!(
    /// One act of a member of staff.
    StaffActionId, "act_"
);

/// Records that `resource` changed; its holder is locked by the caller.
pub fn record(
    conn: &mut DbConn,
    resource: impl ToString,
    kind: &str,
    payload: Value,
    now: Instant,
) -> Result<()> {
    let resource = resource.to_string();
    let last: Option<i64> = events::table
        .filter(events::resource.eq(&resource))
        .select(diesel::dsl::max(events::seq))
        .first(conn)?;
    diesel::insert_into(events::table)
        .values((
            events::id.eq(EventId::new(now)),
            events::resource.eq(resource),
            events::seq.eq(last.unwrap_or(0) + 1),
            events::kind.eq(kind),
            events::payload.eq(Json(payload)),
            events::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Records what a member of staff did, to which account, and why.
pub fn record_staff(
    conn: &mut DbConn,
    staff: UserId,
    action: &str,
    account: Option<AccountId>,
    reason: Option<&str>,
    now: Instant,
) -> Result<()> {
    diesel::insert_into(staff_actions::table)
        .values((
            staff_actions::id.eq(StaffActionId::new(now)),
            staff_actions::user_id.eq(staff),
            staff_actions::action.eq(action),
            staff_actions::account_id.eq(account),
            staff_actions::reason.eq(reason),
            staff_actions::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
