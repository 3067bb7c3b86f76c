//! What the rules know of a job: its identity, for whoever acts by it, and that of what staff are to look at. The queue is in `jobs`.

use crate::types::id;

id!(
    /// One job.
    JobId, "job_"
);

id!(
    /// One thing that waits for staff.
    WorkItemId, "wrk_"
);
