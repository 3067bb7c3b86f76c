//! Running a batch: chunk after chunk, each a transaction of its own, so that other writers take their turn between two of them.

use std::time::{Duration, Instant};

use super::Worker;
use crate::domain::access::ServiceAccess;
use crate::domain::registration_batch::{BatchId, Pace};
use crate::error::Result;
use crate::repository::Kind;
use crate::workflows::registration_batches::{self as batches, Progress};

/// As long as a chunk may keep others waiting on this database.
const fn pace(kind: Kind) -> Pace {
    match kind {
        Kind::Sqlite => Pace {
            first: 100,
            aim: Duration::from_millis(40),
        },
        Kind::Postgres => Pace {
            first: 500,
            aim: Duration::from_millis(250),
        },
    }
}

/// Works through a batch until it is over.
pub async fn run(worker: &Worker, service: ServiceAccess, id: BatchId) -> Result<()> {
    let pace = pace(worker.db.kind());
    let mut most = pace.first;
    loop {
        let context = worker.context();
        let chunk = move |conn: &mut _| {
            let began = Instant::now();
            let progress = batches::work(conn, &context, service, id, most)?;
            Ok((progress, began.elapsed()))
        };
        let (progress, took) = worker.db.write(chunk).await?;
        if progress == Progress::Over {
            return Ok(());
        }
        most = pace.next(most, took);
    }
}
