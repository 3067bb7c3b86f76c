//! How a connection of the pool is opened, and how it is found out that it broke.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::{
    Connection, Instrumentation, InstrumentationEvent, get_default_instrumentation,
};
use diesel::r2d2::R2D2Connection;
use diesel::result::{ConnectionError, DatabaseErrorKind, Error};
use r2d2::ManageConnection;

use crate::repository::DbConn;

/// What the connections of a pool have found out about their database.
pub(super) struct Signs {
    opened: Instant,
    /// When the database last answered a statement, in milliseconds after `opened`.
    heard: AtomicU64,
    /// How often a connection has broken.
    breaks: AtomicU64,
    /// Set once no connection is to be kept or opened any more.
    closed: AtomicBool,
}

impl Signs {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            heard: AtomicU64::new(0),
            breaks: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    fn hear(&self) {
        let elapsed = self.opened.elapsed().as_millis();
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        self.heard.store(elapsed, Ordering::Release);
    }

    /// When the database last answered a statement.
    pub(super) fn heard(&self) -> Instant {
        self.opened + Duration::from_millis(self.heard.load(Ordering::Acquire))
    }

    /// From here on every connection that comes back is closed.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Notes that a connection broke: the others that are as old are asked before they are used again.
    pub(super) fn note_break(&self) {
        self.breaks.fetch_add(1, Ordering::AcqRel);
    }
}

/// Opens connections for r2d2.
pub struct Manager {
    url: String,
    read_only: bool,
    signs: Arc<Signs>,
}

/// A connection of the pool.
pub struct Pooled {
    pub conn: DbConn,
    /// How often a connection of this pool had broken when this one was last known to work.
    breaks_seen: u64,
}

impl Manager {
    pub(super) fn new(url: &str, read_only: bool, signs: Arc<Signs>) -> Self {
        Self {
            url: url.to_owned(),
            read_only,
            signs,
        }
    }
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        if self.signs.is_closed() {
            let closed = ConnectionError::BadConnection("the pool is closed".to_owned());
            return Err(diesel::r2d2::Error::ConnectionError(closed));
        }
        let breaks_seen = self.signs.breaks.load(Ordering::Acquire);
        let mut conn = DbConn::open(&self.url, self.read_only)
            .map_err(diesel::r2d2::Error::ConnectionError)?;
        let signs = self.signs.clone();
        // Whoever listens to every connection hears this one, too.
        let mut others = get_default_instrumentation();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::FinishQuery { error, .. } = &event
                && !error.is_some_and(is_loss)
            {
                signs.hear();
            }
            if let Some(others) = &mut others {
                others.on_connection_event(event);
            }
        });
        Ok(Pooled { conn, breaks_seen })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Self::Error> {
        pooled.conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        std::thread::panicking() || pooled.conn.is_broken() || self.signs.is_closed()
    }
}

/// Whether a statement ended because its connection did: nothing was heard of the database then.
fn is_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _
        )
    )
}

impl Pooled {
    /// Whether the connection still works; it is asked only where another one broke since it last did.
    pub(super) fn is_sound(&mut self, signs: &Signs) -> bool {
        let breaks = signs.breaks.load(Ordering::Acquire);
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

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;

    use super::*;

    #[test]
    fn a_connection_that_is_lost_is_no_sign_of_life() {
        let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
            return;
        };
        let signs = Arc::new(Signs::new());
        let manager = Manager::new(&url, false, signs.clone());
        let mut pooled = manager.connect().unwrap();
        let mut ask = |statement: &str| {
            std::thread::sleep(Duration::from_millis(5));
            pooled.conn.batch_execute(statement).is_ok()
        };
        let before = signs.heard();
        assert!(ask("SELECT 1"));
        let heard = signs.heard();
        assert!(heard > before);
        assert!(!ask("SELECT 1 / 0"));
        let refused = signs.heard();
        assert!(refused > heard, "an error is an answer");
        assert!(!ask("SELECT pg_terminate_backend(pg_backend_pid())"));
        assert!(!ask("SELECT 1"));
        assert_eq!(signs.heard(), refused);
    }
}
