//! Devices that signed in before, each known by the hash of the token that it keeps.

use diesel::prelude::*;

use super::schema::devices;
use super::sweeping::{self, SweepText, sweep_text};
use super::{DbConn, MultiBackend};
use crate::domain::access::UserId;
use crate::each;
use crate::error::Result;
use crate::types::Instant;

/// A device of one user.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = devices, check_for_backend(MultiBackend))]
pub struct Device {
    pub token_hash: String,
    pub user_id: UserId,
    pub created_at: Instant,
    pub expires_at: Instant,
}

/// The device of a hash while it is known at `now`.
pub fn find(conn: &mut DbConn, token_hash: &str, now: Instant) -> Result<Option<Device>> {
    let found: Option<Device> = devices::table
        .find(token_hash)
        .select(Device::as_select())
        .first(conn)
        .optional()?;
    Ok(found.filter(|device| device.expires_at > now))
}

/// Stores a device, or until when it is known from now on.
pub fn put(conn: &mut DbConn, device: &Device) -> Result<()> {
    each!(conn, c => diesel::insert_into(devices::table)
        .values(device)
        .on_conflict(devices::token_hash)
        .do_update()
        .set(devices::expires_at.eq(device.expires_at))
        .execute(c))?;
    Ok(())
}

/// Forgets every device of a user.
pub fn end_all(conn: &mut DbConn, user: UserId) -> Result<()> {
    diesel::delete(devices::table.filter(devices::user_id.eq(user))).execute(conn)?;
    Ok(())
}

const SWEEP: SweepText = sweep_text!("devices", "token_hash", "expires_at < $1");

/// Forgets at most `limit` devices that were known until before `before`; how many there were.
pub fn sweep(conn: &mut DbConn, before: Instant, limit: i64) -> Result<usize> {
    sweeping::sweep(conn, &SWEEP, before, limit)
}
