//! How the jobs of each queue are run: how many at once, how long, how often again. What is in which queue is said by `domain::job`.

use std::time::Duration;

use crate::domain::job::{JobQueue, Retries};

/// How one queue is run. Whatever fails after its retries is dead, and waits for staff.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How many of its jobs an instance runs at once.
    pub at_once: usize,
    /// How long a job may take, less than its lease; none where it is many short transactions, and the lease is renewed.
    pub limit: Option<Duration>,
    /// When a job that failed is tried again.
    pub retries: Retries,
}

/// How `queue` is run.
pub const fn rules(queue: JobQueue) -> Rules {
    let (at_once, limit, retries) = match queue {
        JobQueue::Rules => (2, Some(10), Retries::Doubling),
        JobQueue::Mail => (4, Some(20), Retries::Mail),
        JobQueue::Invoices => (2, Some(20), Retries::Doubling),
        JobQueue::Batches => (2, None, Retries::Batches),
        JobQueue::Bank => (1, None, Retries::Doubling),
        JobQueue::Terms => (1, Some(20), Retries::Doubling),
        JobQueue::Files => (2, Some(30), Retries::Doubling),
        JobQueue::Housekeeping => (1, None, Retries::Hourly),
    };
    Rules {
        at_once,
        limit: match limit {
            Some(seconds) => Some(Duration::from_secs(seconds)),
            None => None,
        },
        retries,
    }
}
