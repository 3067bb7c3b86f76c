//! Running a batch: chunk after chunk, each a transaction of its own, so that other writers take their turn between two of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Worker;
use crate::domain::access::ServiceAccess;
use crate::domain::registration_batch::{BatchId, Pace};
use crate::error::Result;
use crate::repository::{DbConn, Kind, registration_batches};
use crate::workflows::Context;
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
    let find = move |conn: &mut DbConn| registration_batches::find(conn, None, id);
    let batch = worker.db.fetch(find).await?;
    if !batch.dry_run {
        let work = move |conn: &mut DbConn, context: &Context, most| {
            batches::work(conn, context, service, id, most)
        };
        return in_chunks(worker, work).await;
    }
    let context = worker.context();
    let rehearse = move |conn: &mut DbConn| batches::rehearse(conn, &context, service, id);
    let rehearsal = Arc::new(worker.db.read(rehearse).await?);
    let note = move |conn: &mut DbConn, context: &Context, most| {
        batches::note_rehearsed(conn, context, service, (id, &rehearsal), most)
    };
    in_chunks(worker, note).await
}

/// Does `chunk` with as many lines as the last one had time for, until nothing is left.
async fn in_chunks<F>(worker: &Worker, chunk: F) -> Result<()>
where
    F: Fn(&mut DbConn, &Context, i64) -> Result<Progress> + Clone + Send + 'static,
{
    let pace = pace(worker.db.kind());
    let mut most = pace.first;
    loop {
        let (context, chunk) = (worker.context(), chunk.clone());
        let timed = move |conn: &mut DbConn| {
            let began = Instant::now();
            let progress = chunk(conn, &context, most)?;
            Ok((progress, began.elapsed()))
        };
        let (progress, took) = worker.db.write(timed).await?;
        if progress == Progress::Over {
            return Ok(());
        }
        most = pace.next(most, took);
    }
}
