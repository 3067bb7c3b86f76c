//! `cps-api jobs`: the jobs as those who operate the service see them, and dead ones tried again.

use clap::Subcommand;

use crate::domain::actor::Stamp;
use crate::domain::job::{JobId, JobKind, JobState};
use crate::error::Result;
use crate::repository::Db;
use crate::repository::jobs::{self, Filter, Job};
use crate::workflows::jobs::{retry, retry_dead};
use crate::workflows::tasks::Task;

/// How many jobs are read, or revived, at once.
const PAGE: i64 = 500;

/// What to do with jobs.
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, newest first: id, kind, state, attempts, when it is or was due, the class of its last error, what it is about.
    List {
        /// ready, running, done or dead.
        #[arg(long, default_value = "dead")]
        state: JobState,
        /// Only those of one kind: send_mail, say.
        #[arg(long)]
        kind: Option<JobKind>,
    },
    /// Have dead jobs tried again, with all their tries.
    Retry {
        #[arg(required_unless_present_any = ["kind", "all"], conflicts_with_all = ["kind", "all"])]
        ids: Vec<JobId>,
        /// All dead ones of one kind.
        #[arg(long, conflicts_with = "all")]
        kind: Option<JobKind>,
        /// All dead ones.
        #[arg(long)]
        all: bool,
    },
}

/// Does what the command says, and hands each line of its answer to `tell`.
pub async fn run(
    db: &Db,
    stamp: Stamp,
    command: JobsCommand,
    mut tell: impl FnMut(&str),
) -> Result<()> {
    match command {
        JobsCommand::List { state, kind } => list(db, state, kind, tell).await,
        JobsCommand::Retry { ids, kind, .. } => {
            let revived = match ids.is_empty() {
                true => retry_all(db, stamp, kind).await?,
                false => retry_named(db, stamp, ids).await?,
            };
            tell(&format!("{revived} jobs are tried again."));
            Ok(())
        }
    }
}

async fn list(
    db: &Db,
    state: JobState,
    kind: Option<JobKind>,
    mut tell: impl FnMut(&str),
) -> Result<()> {
    let mut filter = Filter {
        state: Some(state),
        queue: None,
        kind,
        before: None,
        limit: PAGE,
    };
    loop {
        let page = db.fetch(move |conn| jobs::list(conn, &filter)).await?;
        page.iter().for_each(|job| tell(&line(job)));
        match page.last() {
            Some(last) => filter.before = Some(last.id),
            None => return Ok(()),
        }
    }
}

fn line(job: &Job) -> String {
    let task: Option<Task> = job.payload.decode().ok();
    let about = task.and_then(|task| task.about());
    format!(
        "{}\t{}\t{}\t{}\t{}\t{}\t{}",
        job.id,
        job.kind,
        job.state,
        job.attempts,
        job.run_at,
        job.error_class.map_or("-", |class| class.as_str()),
        about.as_deref().unwrap_or("-")
    )
}

async fn retry_named(db: &Db, stamp: Stamp, ids: Vec<JobId>) -> Result<usize> {
    let retried = db.write(move |conn| {
        ids.iter()
            .try_for_each(|id| retry(conn, &stamp, *id).map(drop))?;
        Ok(ids.len())
    });
    retried.await
}

async fn retry_all(db: &Db, stamp: Stamp, kind: Option<JobKind>) -> Result<usize> {
    let mut all = 0;
    loop {
        let stamp = stamp.clone();
        let revived = db
            .write(move |conn| retry_dead(conn, &stamp, kind, PAGE))
            .await?;
        all += revived;
        if revived == 0 {
            return Ok(all);
        }
    }
}
