//! Who is woken when a transaction commits: the sequencer for what was recorded, the queue for what was enqueued.

use std::cell::Cell;

use tokio::sync::Notify;

/// What a transaction has made that somebody waits for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Made {
    events: bool,
    jobs: bool,
}

impl Made {
    /// What others have made in the same transaction.
    pub(super) fn add(&mut self, other: Self) {
        self.events |= other.events;
        self.jobs |= other.jobs;
    }
}

/// Runs `work`, and says what it made.
pub(super) fn noted<T>(work: impl FnOnce() -> T) -> (T, Made) {
    MADE.set(Made::default());
    let done = work();
    (done, MADE.take())
}

thread_local! {
    /// Of the transaction on this thread: a connection's work stays on one thread from its beginning to its commit.
    static MADE: Cell<Made> = const { Cell::new(Made { events: false, jobs: false }) };
}

/// Says that this transaction has recorded events.
pub(super) fn recorded() {
    MADE.set(Made {
        events: true,
        ..MADE.get()
    });
}

/// Says that this transaction has enqueued jobs.
pub(super) fn enqueued() {
    MADE.set(Made {
        jobs: true,
        ..MADE.get()
    });
}

/// Those who wait, in this process; another one looks by itself.
#[derive(Debug, Default)]
pub struct Wakeups {
    pub recorded: Notify,
    pub enqueued: Notify,
}

impl Wakeups {
    /// Runs a transaction, and wakes who waits for what it made once it is committed.
    pub(super) fn around<T, E>(&self, transaction: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let (outcome, made) = noted(transaction);
        if outcome.is_ok() {
            self.wake(made);
        }
        outcome
    }

    /// Wakes who waits for what a transaction made that is committed.
    pub(super) fn wake(&self, made: Made) {
        if made.events {
            self.recorded.notify_one();
        }
        if made.jobs {
            self.enqueued.notify_one();
        }
    }
}
