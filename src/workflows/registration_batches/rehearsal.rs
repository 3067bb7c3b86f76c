//! A dry run: every line is decided in memory by what is known at one moment, the lines before it included; only results are written.

use std::collections::BTreeMap;

use super::chunks::{Progress, acting, answered, next, note, read_all};
use crate::domain::access::ServiceAccess;
use crate::domain::quota::Used;
use crate::domain::registration::Line;
use crate::domain::registration_batch::BatchId;
use crate::error::{Error, Partial, Result};
use crate::repository::DbConn;
use crate::repository::registration_batches::{self as batches, BatchLine, LineListing};
use crate::workflows::Context;
use crate::workflows::registrations;

/// A line with what it would come to.
#[derive(Debug, Clone)]
struct Foreseen {
    line: BatchLine,
    is_missed: bool,
    is_matched: bool,
}

/// What the lines of a batch would come to, by their numbers.
#[derive(Debug, Clone)]
pub struct Rehearsal(BTreeMap<i64, Foreseen>);

/// Decides every line of a batch, also those that have their result already: later lines see them.
pub fn rehearse(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    id: BatchId,
) -> Result<Rehearsal> {
    let batch = batches::find(conn, None, id)?;
    let listing = LineListing {
        limit: batch.lines,
        ..LineListing::default()
    };
    let lines = batches::list_lines(conn, id, listing)?.into_iter();
    let (read, refused) = read_all(lines.filter(|line| line.body.is_some()).collect())?;
    let partials: Vec<Partial<Line>> = read.iter().map(|(_, line)| line.clone()).collect();
    let partner = acting(service, &batch);
    let outcomes = registrations::rehearse(conn, context, &partner, &partials)?;
    let refused = refused.into_iter().map(|line| Foreseen {
        line,
        is_missed: false,
        is_matched: false,
    });
    let mut foreseen: BTreeMap<i64, Foreseen> = refused.map(|one| (one.line.line, one)).collect();
    for ((line, _), outcome) in read.into_iter().zip(outcomes) {
        let number = line.line;
        let result = Foreseen {
            // What is not written has no id.
            line: BatchLine {
                registration_id: None,
                ..answered(line, outcome.answered)?
            },
            is_missed: outcome.is_missed,
            is_matched: outcome.is_matched,
        };
        foreseen.insert(number, result);
    }
    Ok(Rehearsal(foreseen))
}

/// Writes the next results of a rehearsal, at most `most` of them; its customers are counted against the partner's day.
pub fn note_rehearsed(
    conn: &mut DbConn,
    context: &Context,
    service: ServiceAccess,
    (id, rehearsal): (BatchId, &Rehearsal),
    most: i64,
) -> Result<Progress> {
    let Some((mut batch, lines)) = next(conn, context, service, id, most)? else {
        return Ok(Progress::Over);
    };
    let foreseen = lines.iter().map(|line| rehearsal.0.get(&line.line));
    let foreseen: Option<Vec<&Foreseen>> = foreseen.collect();
    let foreseen = foreseen.ok_or(Error::Contended)?;
    let count = |is: fn(&Foreseen) -> bool| {
        let counted = foreseen.iter().filter(|one| is(one)).count();
        i64::try_from(counted).unwrap_or(i64::MAX)
    };
    let partner = acting(service, &batch);
    let more = Used {
        unmatched: count(|one| one.is_missed),
        silent_matches: count(|one| one.is_matched),
        ..Used::default()
    };
    registrations::count(conn, context, &partner, &more)?;
    let results: Vec<BatchLine> = foreseen.iter().map(|one| one.line.clone()).collect();
    note(conn, &mut batch, &results)?;
    Ok(Progress::More)
}
