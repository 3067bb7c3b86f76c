//! Events.

use super::DbConn;
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::error::Result;

/// Records what happened.
pub fn record(_conn: &mut DbConn, _stamp: &Stamp, _events: &[Event]) -> Result<()> {
    Ok(())
}
