//! How a connection of the pool is opened, and how it is found out that it broke.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::r2d2::R2D2Connection;
use r2d2::ManageConnection;

use crate::repository::DbConn;

/// Opens connections for r2d2.
pub struct Manager {
    url: String,
    read_only: bool,
    /// How often a connection of the pool has broken.
    breaks: Arc<AtomicU64>,
}

/// A connection of the pool.
pub struct Pooled {
    pub conn: DbConn,
    /// How often a connection of this pool had broken when this one was last known to work.
    breaks_seen: u64,
}

impl Manager {
    pub(super) fn new(url: &str, read_only: bool, breaks: Arc<AtomicU64>) -> Self {
        Self {
            url: url.to_owned(),
            read_only,
            breaks,
        }
    }
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        let breaks_seen = self.breaks.load(Ordering::Acquire);
        let conn = DbConn::open(&self.url, self.read_only)
            .map_err(diesel::r2d2::Error::ConnectionError)?;
        Ok(Pooled { conn, breaks_seen })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Self::Error> {
        pooled.conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        std::thread::panicking() || pooled.conn.is_broken()
    }
}

impl Pooled {
    /// Whether the connection still works; it is asked only where another one broke since it last did.
    pub(super) fn is_sound(&mut self, breaks: u64) -> bool {
        if self.breaks_seen == breaks {
            return true;
        }
        self.breaks_seen = breaks;
        let answers = self.conn.ping().is_ok();
        if !answers {
            self.conn.give_up();
        }
        answers
    }
}
