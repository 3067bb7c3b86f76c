//! Files that nobody wants: those whose rows say so, and those of our own names that have no row. What else is forgotten is in
//! `housekeeping`.

use std::time::{Duration, Instant as Moment};

use chrono::{TimeDelta, Utc};
use tracing::warn;

use super::Worker;
use crate::error::Result;
use crate::repository::{files, settings};
use crate::types::Instant;

/// How long the bytes of a file may be expected, by the clock: an upload takes a minute.
const EXPECTED: TimeDelta = TimeDelta::hours(1);
/// How many files one transaction is about at most.
const FILES: usize = 200;

/// Gives up the files whose bytes did not come, and deletes those that nobody wants any more, until none is left.
pub async fn sweep(worker: &Worker) -> Result<()> {
    let now = worker.clock.now();
    let before = now.plus(-EXPECTED);
    let refuse = move |conn: &mut _| files::refuse_abandoned(conn, before, most(), now);
    while worker.db.write(refuse).await? >= FILES {}
    let (mut after, mut failed) = (String::new(), None);
    loop {
        let from = after.clone();
        let keys = worker
            .db
            .fetch(move |conn| files::unwanted(conn, &from, most()))
            .await?;
        let Some(last) = keys.last() else {
            return failed.map_or(Ok(()), Err);
        };
        after.clone_from(last);
        let (deleted, refused) = delete(worker, keys).await;
        failed = failed.or(refused);
        worker
            .db
            .write(move |conn| files::forget(conn, &deleted))
            .await?;
    }
}

fn most() -> i64 {
    i64::try_from(FILES).unwrap_or(i64::MAX)
}

/// Deletes files from the store; which of them are gone, and why one is not.
async fn delete(worker: &Worker, keys: Vec<String>) -> (Vec<String>, Option<crate::error::Error>) {
    let (mut deleted, mut failed) = (Vec::new(), None);
    for key in keys {
        match worker.store.delete(&key).await {
            Ok(()) => deleted.push(key),
            Err(cause) => failed = Some(cause),
        }
    }
    (deleted, failed)
}

/// Where the walk over the store goes on.
const WALKED: &str = "files_walked_to";
/// How many keys are listed at a time: a folder is read as a whole for them.
const LISTED: usize = 10_000;
/// How long one walk takes at most; the next one goes on where it stopped.
const TIME: Duration = Duration::from_secs(10);
/// A file that is younger may have come from an instance of an older version, whose rows come after the bytes.
const ORPHAN_AGE: TimeDelta = TimeDelta::days(1);

/// Deletes files that no row names: what a restored database does not know of, say. Other names than ours are left alone.
pub async fn walk(worker: &Worker) -> Result<()> {
    let begun = Moment::now();
    let reached = worker.db.fetch(|conn| settings::get(conn, WALKED)).await?;
    let mut after = reached.unwrap_or_default();
    loop {
        let listed = worker.store.keys_after(&after, LISTED).await?;
        for part in listed.chunks(FILES) {
            delete_unnamed(worker, part).await?;
            after = part.last().map(|(key, _)| key.clone()).unwrap_or_default();
            note_reached(worker, &after).await?;
            if begun.elapsed() > TIME {
                return Ok(());
            }
        }
        if listed.len() < LISTED {
            return note_reached(worker, "").await;
        }
    }
}

async fn note_reached(worker: &Worker, key: &str) -> Result<()> {
    let key = key.to_owned();
    let note = worker
        .db
        .write(move |conn| settings::put(conn, WALKED, &key));
    note.await
}

async fn delete_unnamed(worker: &Worker, listed: &[(String, Instant)]) -> Result<()> {
    // The store dates its files by the machine's time, whatever the sandbox's clock shows.
    let before = Instant::from_utc(Utc::now()).plus(-ORPHAN_AGE);
    let old = listed.iter().filter(|(_, stored_at)| *stored_at < before);
    let keys: Vec<String> = old.map(|(key, _)| key.clone()).collect();
    let unnamed = worker
        .db
        .read(move |conn| files::unnamed(conn, keys.clone()))
        .await?;
    if !unnamed.is_empty() {
        warn!(files = unnamed.len(), "files that no row names are deleted");
    }
    let (_, failed) = delete(worker, unnamed).await;
    failed.map_or(Ok(()), Err)
}
