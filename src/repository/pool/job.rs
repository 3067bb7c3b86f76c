//! One piece of work that waits for a connection of the pool, and how long its caller waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::r2d2::R2D2Connection;

use super::connection::Signs;
use crate::error::Result;
use crate::repository::DbConn;
use crate::repository::wakeups::Wakeups;

/// Who sees to the transactions of a pool.
pub enum Transactions {
    /// The work itself.
    ByTheWork,
    /// The pool: what waits shares a transaction, and whoever waits for what it made is woken.
    InGroups(Arc<Wakeups>),
}

/// How long a caller waits.
#[derive(Clone, Copy)]
pub struct Patience {
    /// Until when work may begin.
    pub begin_by: Instant,
    /// How long work that has begun may go on while no connection of this pool gets any answer: the database has gone silent then.
    pub silence: Option<Duration>,
    /// Since when the caller waits: silence is reckoned from then on.
    pub since: Instant,
}

/// What is done with a connection, or told why there is none.
pub(super) type Work = Box<dyn FnOnce(Result<&mut DbConn>) -> Done + Send>;

/// Tells the caller what came of its work, or why the transaction around it was not committed.
pub(super) type Answer = Box<dyn FnOnce(Result<()>)>;

/// Work that was done, and that its caller has not been told of.
pub(super) struct Done {
    /// Whether it went well: what it wrote is to be committed.
    pub is_kept: bool,
    /// What the database told where it failed for want of room.
    pub storage_full: Option<String>,
    pub answer: Answer,
}

/// One piece of work. Whoever sets `begun` first has it: a thread that does it, or its caller who has waited too long.
pub(super) struct Job {
    pub begun: Arc<AtomicBool>,
    pub begin_by: Instant,
    pub work: Work,
}

impl Job {
    /// Takes the job; false where its caller has given it up.
    pub fn begin(&self) -> bool {
        !self.begun.swap(true, Ordering::AcqRel)
    }
}

/// Does a piece of work that sees to its own transaction; whether the connection can be used again.
pub(super) fn run_alone(conn: &mut DbConn, work: Work, signs: &Signs) -> bool {
    let work = AssertUnwindSafe(|| work(Ok(conn)));
    let Ok(done) = catch_unwind(work) else {
        return false;
    };
    // Before the caller is told, who may come again at once.
    if conn.is_broken() {
        signs.note_break();
    }
    (done.answer)(Ok(()));
    true
}
