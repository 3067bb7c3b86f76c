//! What the service asks its database, statement by statement: for tests that compare what two requests ask. All tests of a process are heard.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static IS_LISTENING: AtomicBool = AtomicBool::new(false);
static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
/// Each with the connection that was asked.
static ASKED: Mutex<Vec<(usize, String)>> = Mutex::new(Vec::new());

fn asked() -> MutexGuard<'static, Vec<(usize, String)>> {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection of the service.
pub struct Connection(usize);

impl Connection {
    pub fn new() -> Self {
        Self(CONNECTIONS.fetch_add(1, Ordering::Relaxed))
    }

    /// Notes a statement, without what is filled in.
    pub fn note(&self, statement: &str) {
        if IS_LISTENING.load(Ordering::Relaxed) {
            asked().push((self.0, statement.to_owned()));
        }
    }
}

/// Forgets what was asked before.
pub fn listen() {
    IS_LISTENING.store(true, Ordering::Relaxed);
    asked().clear();
}

const BOUNDS: [&str; 5] = ["BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK"];

/// The statements of each piece of work that mentions `word`: a transaction, or its own part of one that is shared.
pub fn heard(word: &str) -> Vec<Vec<String>> {
    let asked = asked();
    let connections = asked.iter().map(|(connection, _)| *connection);
    let connections: std::collections::BTreeSet<usize> = connections.collect();
    let mut pieces = Vec::new();
    for connection in connections {
        let own = asked.iter().filter(|(other, _)| *other == connection);
        let own: Vec<&String> = own.map(|(_, statement)| statement).collect();
        let is_bound = |statement: &&String| BOUNDS.iter().any(|word| statement.starts_with(word));
        let some = own.split(is_bound);
        pieces.extend(some.map(|some| some.iter().map(ToString::to_string).collect::<Vec<_>>()));
    }
    pieces.retain(|piece| piece.iter().any(|statement| statement.contains(word)));
    pieces
}
