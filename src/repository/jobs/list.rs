//! Jobs as staff look at them.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::Job;
use super::jobs;
use crate::domain::job::{JobId, JobKind, JobQueue, JobState};
use crate::each;
use crate::error::Result;
use crate::repository::DbConn;
use crate::types::SqlId;

/// Which jobs to list, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    pub state: Option<JobState>,
    pub queue: Option<JobQueue>,
    pub kind: Option<JobKind>,
    /// Only those before it.
    pub before: Option<JobId>,
    pub limit: i64,
}

const FILTERS: &str =
    "($1 IS NULL OR queue = $1) AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR id < $3)";

/// Few are open or dead: they are found by the index of their state and sorted. Of those done, and of all, the newest are found by their ids.
pub(super) fn text(state: Option<JobState>) -> String {
    match state {
        None => format!("SELECT * FROM jobs WHERE {FILTERS} ORDER BY id DESC LIMIT $4"),
        Some(JobState::Done) => {
            format!("SELECT * FROM jobs WHERE state = 'done' AND {FILTERS} ORDER BY id DESC LIMIT $4")
        }
        Some(state) => format!(
            "WITH found AS MATERIALIZED (SELECT id FROM jobs WHERE state = '{state}' AND {FILTERS})
             SELECT * FROM jobs WHERE id IN (SELECT id FROM found ORDER BY id DESC LIMIT $4) ORDER BY id DESC"
        ),
    }
}

/// The jobs of a filter, newest first.
pub fn list(conn: &mut DbConn, filter: &Filter) -> Result<Vec<Job>> {
    let text = text(filter.state);
    let found: QueryResult<Vec<Job>> = each!(conn, c => diesel::sql_query(text)
        .bind::<Nullable<Text>, _>(filter.queue)
        .bind::<Nullable<Text>, _>(filter.kind)
        .bind::<Nullable<SqlId>, _>(filter.before)
        .bind::<BigInt, _>(filter.limit)
        .load(c));
    Ok(found?)
}

/// At most `limit` dead jobs, of a kind or of all.
pub fn dead_ids(conn: &mut DbConn, kind: Option<JobKind>, limit: i64) -> Result<Vec<JobId>> {
    let mut dead = jobs::table
        .filter(jobs::state.eq(sql::<Text>("'dead'")))
        .select(jobs::id)
        .into_boxed();
    if let Some(kind) = kind {
        dead = dead.filter(jobs::kind.eq(kind.as_str()));
    }
    Ok(dead.limit(limit).load(conn)?)
}
