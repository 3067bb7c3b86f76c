//! What becomes of a job that failed for good: staff are told of it, and have it tried again. Running jobs is in `jobs`.

use super::Context;
use super::registration_batches;
use super::tasks::Task;
use super::work_items::{self, matter};
use crate::domain::actor::Stamp;
use crate::domain::event::Event;
use crate::domain::job::{JobId, JobKind, JobState};
use crate::domain::work_item::WorkItemKind;
use crate::error::{Code, Error, Result};
use crate::repository::jobs::{self, Job};
use crate::repository::{DbConn, events, mails, sessions};

/// Tells staff that a job is dead.
pub fn record_dead(conn: &mut DbConn, context: &Context, stamp: &Stamp, job: &Job) -> Result<()> {
    let item = matter(context, WorkItemKind::DeadJob, job.id);
    let mut happened = vec![Event::JobDead {
        job_id: job.id,
        kind: job.kind.clone(),
        attempts: job.attempts,
    }];
    happened.extend(work_items::open(conn, &[item])?);
    events::record(conn, stamp, &happened)?;
    match job.payload.decode() {
        Ok(Task::SendMail { mail_id }) => mails::wait_no_longer(conn, mail_id),
        Ok(Task::RunBatch { batch_id, .. }) => {
            registration_batches::fail(conn, context, stamp, batch_id)
        }
        _ => Ok(()),
    }
}

/// Records that a job is tried again, by whom and why.
fn record_retried(conn: &mut DbConn, stamp: &Stamp, job: &Job) -> Result<()> {
    let closed = work_items::close(conn, stamp, WorkItemKind::DeadJob, &[job.id.to_string()])?;
    let mut happened = vec![Event::JobRetried {
        job_id: job.id,
        kind: job.kind.clone(),
    }];
    happened.extend(closed);
    events::record(conn, stamp, &happened)
}

/// Has a dead job tried again, with all its tries: the job as it is then.
pub fn retry(conn: &mut DbConn, stamp: &Stamp, id: JobId) -> Result<Job> {
    sessions::confirm(conn, stamp.actor)?;
    let mut job = jobs::lock(conn, id)?.ok_or(Code::NotFound)?;
    if job.state != JobState::Dead {
        return Err(Code::JobNotDead.into());
    }
    jobs::revive(conn, &mut job, stamp.now)?;
    if let Ok(Task::RunBatch { batch_id, .. }) = job.payload.decode() {
        registration_batches::revive(conn, batch_id)?;
    }
    record_retried(conn, stamp, &job)?;
    Ok(job.into_row())
}

/// Has at most `limit` dead jobs tried again, of a kind or of all; how many there were.
pub fn retry_dead(
    conn: &mut DbConn,
    stamp: &Stamp,
    kind: Option<JobKind>,
    limit: i64,
) -> Result<usize> {
    let mut revived = 0;
    for id in jobs::dead_ids(conn, kind, limit)? {
        match retry(conn, stamp, id) {
            // Somebody else was faster.
            Err(Error::Refused(refusal)) if refusal.code == Code::JobNotDead => {}
            outcome => {
                outcome?;
                revived += 1;
            }
        }
    }
    Ok(revived)
}
