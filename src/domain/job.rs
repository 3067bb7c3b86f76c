//! What the rules know of a job: its identity, for whoever acts by it. The queue is in `jobs`.

use crate::types::id;

id!(
    /// One job.
    JobId, "job_"
);
