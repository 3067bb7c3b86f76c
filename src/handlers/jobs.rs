//! What the service does later, as administrators see it: the jobs, and those that failed for good tried again.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::extract::{Body, Cursor, PageParams, Pages, Params, Plain, list_params};
use super::service::Service;
use super::{Callers, RateLimit, Routes};
use crate::auth::StaffOnly;
use crate::domain::job::{JobError, JobId, JobKind, JobQueue, JobState};
use crate::domain::permissions::JobsManage;
use crate::domain::values::Text;
use crate::error::Result;
use crate::repository::jobs::{self, Filter, Job};
use crate::types::Instant;
use crate::workflows;
use crate::workflows::tasks::Task;

/// Registers the operations of this module.
pub fn routes(config: &mut impl Routes) {
    config
        .service(list_jobs, Callers::staff(JobsManage), RateLimit::PerCaller)
        .service(retry_job, Callers::staff(JobsManage), RateLimit::PerCaller);
}

/// The job that a path names.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct JobPath {
    /// The job.
    #[param(example = "job_00000000000070008000000000000001")]
    job_id: JobId,
}

list_params! {
    /// Which jobs to list.
    struct JobsParams {
        /// Only those that stand so.
        #[param(inline, nullable = false)]
        state: Option<JobState>,
        /// Only those of this queue.
        #[param(inline, nullable = false)]
        queue: Option<JobQueue>,
        /// Only those that do this.
        #[param(inline, nullable = false)]
        kind: Option<JobKind>,
    }
}

/// One job, without what it carries.
#[derive(Serialize, ToSchema)]
struct JobView {
    id: JobId,
    /// What it does.
    #[schema(value_type = JobKind)]
    kind: String,
    queue: JobQueue,
    state: JobState,
    /// How often it was begun since it came, or since it was last retried.
    #[schema(minimum = 0, example = 75)]
    attempts: i64,
    /// When it is due, or was.
    run_at: Instant,
    created_at: Instant,
    /// When it was done, or failed for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<Instant>,
    /// The class of what it failed with last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_error: Option<JobError>,
    /// The id of what it is about: an account, a mail, a membership, a document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "mai_00000000000070008000000000000001")]
    about: Option<String>,
}

impl JobView {
    fn of(job: Job) -> Self {
        let task: Option<Task> = job.payload.decode().ok();
        Self {
            id: job.id,
            kind: job.kind,
            queue: job.queue,
            state: job.state,
            attempts: job.attempts,
            run_at: job.run_at,
            created_at: job.created_at,
            finished_at: job.finished_at,
            last_error: job.error_class,
            about: task.and_then(|task| task.about()),
        }
    }
}

/// A page of jobs.
#[derive(Serialize, ToSchema)]
struct JobPage {
    items: Vec<JobView>,
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// List the jobs
///
/// What the service does later and outside, newest first: what waits, runs, was done in the last days, or failed for good (`state=dead`).
#[utoipa::path(
    tag = "jobs",
    operation_id = "listJobs",
    security(("bearer" = [])),
    params(JobsParams),
    responses((status = 200, description = "The jobs", body = JobPage))
)]
#[get("/jobs")]
async fn list_jobs(
    service: Data<Service>,
    _staff: StaffOnly<JobsManage>,
    params: Params<JobsParams>,
    pages: Pages,
) -> Result<Answer> {
    let size = params.0.size();
    let filter = Filter {
        state: params.0.state,
        queue: params.0.queue,
        kind: params.0.kind,
        before: pages.after(&params.0)?.map(|cursor| JobId::from(cursor.id)),
        limit: size + 1,
    };
    let rows = service
        .db
        .fetch(move |conn| jobs::list(conn, &filter))
        .await?;
    let (rows, next_cursor) = pages.cut(rows, size, |job| Cursor::of_id(job.id.uuid()));
    let items = rows.into_iter().map(JobView::of).collect();
    let link = pages.link_next(next_cursor.as_deref());
    Ok(Answer::ok(&JobPage { items, next_cursor })?.header_if("Link", link))
}

/// Why a job is tried again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "The mail server is back." }))]
struct RetryJob {
    /// For the record that staff keep.
    reason: Text<1000>,
}

impl Plain for RetryJob {}

/// Retry a job
///
/// Has a job that failed for good begin anew, at once and with all its tries; 409 `job_not_dead` where it waits, runs or is done.
#[utoipa::path(
    tag = "jobs",
    operation_id = "retryJob",
    security(("bearer" = [])),
    params(JobPath),
    request_body = RetryJob,
    responses((status = 200, description = "The job", body = JobView))
)]
#[post("/jobs/{job_id}/retry")]
async fn retry_job(
    service: Data<Service>,
    access: StaffOnly<JobsManage>,
    path: Path<JobPath>,
    body: Body<RetryJob>,
) -> Result<Answer> {
    let stamp = access.staff.stamp(service.now());
    let (id, stamp) = (path.job_id, stamp.because(body.value.reason.to_string()));
    let job = service
        .db
        .write(move |conn| workflows::jobs::retry(conn, &stamp, id))
        .await?;
    Answer::ok(&JobView::of(job))
}
