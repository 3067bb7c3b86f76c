//! Running a batch: chunk after chunk, each a transaction of its own, so that other writers take their turn between two of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Worker;
use crate::domain::access::ServiceAccess;
use crate::domain::registration_batch::{BatchId, Pace};
use crate::error::{Error, Result};
use crate::repository::{Db, DbConn, Kind, registration_batches};
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
    let of = worker.clone();
    if !batch.dry_run {
        let work =
            move |conn: &mut DbConn, most| batches::work(conn, &of.context(), service, id, most);
        return in_chunks(&worker.db, work).await;
    }
    let context = worker.context();
    let rehearse = move |conn: &mut DbConn| batches::rehearse(conn, &context, service, id);
    let rehearsal = Arc::new(worker.db.read(rehearse).await?);
    let note = move |conn: &mut DbConn, most| {
        batches::note_rehearsed(conn, &of.context(), service, (id, &rehearsal), most)
    };
    in_chunks(&worker.db, note).await
}

/// Does `chunk` with as many lines as the last one had time for, until nothing is left. Where other writers were in its way again and again, it is
/// done with half as many, down to a line that is decided alone.
async fn in_chunks<F>(db: &Db, chunk: F) -> Result<()>
where
    F: Fn(&mut DbConn, i64) -> Result<Progress> + Clone + Send + 'static,
{
    let pace = pace(db.kind());
    let mut most = pace.first;
    loop {
        let chunk = chunk.clone();
        let timed = move |conn: &mut DbConn| {
            let began = Instant::now();
            let progress = chunk(conn, most)?;
            Ok((progress, began.elapsed()))
        };
        most = match db.write(timed).await {
            Ok((Progress::Over, _)) => return Ok(()),
            Ok((Progress::More, took)) => pace.next(most, took),
            Err(Error::Contended) if most > 1 => most / 2,
            Err(error) => return Err(error),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_chunk_that_others_are_in_the_way_of_is_done_with_fewer_lines() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let db = Db::open(&url, 2).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = asked.clone();
        let chunk = move |_: &mut DbConn, most| {
            let mut asked = told.lock().unwrap();
            let was_halved = asked.contains(&50);
            asked.push(most);
            match (most, was_halved) {
                (_, true) => Ok(Progress::Over),
                (50, false) => Ok(Progress::More),
                _ => Err(Error::Contended),
            }
        };
        in_chunks(&db, chunk).await.unwrap();
        let mut asked = asked.lock().unwrap().clone();
        asked.dedup();
        assert_eq!(asked, [100, 50, 100]);
    }
}
