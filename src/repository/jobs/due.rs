//! Which jobs are due, and whose they become. States and queues are literals in the texts: only so SQLite proves its partial indexes.

use std::sync::LazyLock;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::Job;
use crate::domain::job::{JobId, JobQueue};
use crate::each;
use crate::error::Result;
use crate::repository::DbConn;
use crate::types::{Instant, SqlId, SqlInstant};

/// Real time, as each database says it; `$ahead` is how many seconds from now.
macro_rules! real_time {
    (postgres $ahead:literal) => {
        concat!("now() + interval '", $ahead, " seconds'")
    };
    (sqlite $ahead:literal) => {
        concat!(
            "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '+",
            $ahead,
            " seconds')"
        )
    };
}

/// The text of a statement on either database.
macro_rules! on {
    ($conn:expr, $postgres:expr, $sqlite:expr) => {
        match $conn {
            DbConn::Postgres(_) => $postgres,
            DbConn::Sqlite(_) => $sqlite,
        }
    };
}

/// SQLite numbers parameters as they come, so they come in order. An IN may be planned so that its select runs again and takes more than it should: hence the CTE.
const CLAIM_POSTGRES: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT id FROM jobs WHERE state = 'ready' AND queue = $3 AND run_at <= $2
        AND (seller_key IS NULL OR seller_key = $4) ORDER BY run_at, id LIMIT $5 FOR UPDATE SKIP LOCKED)
     UPDATE jobs SET state = 'running', attempts = attempts + 1, lease = $1, tried_since = COALESCE(tried_since, $2), leased_until = ",
    real_time!(postgres "60"),
    " FROM due WHERE jobs.id = due.id RETURNING jobs.*"
);
const CLAIM_SQLITE: &str = concat!(
    "UPDATE jobs SET state = 'running', attempts = attempts + 1, lease = $1, tried_since = COALESCE(tried_since, $2), leased_until = ",
    real_time!(sqlite "60"),
    " WHERE id IN (SELECT id FROM jobs WHERE state = 'ready' AND queue = $3 AND run_at <= $2
        AND (seller_key IS NULL OR seller_key = $4) ORDER BY run_at, id LIMIT $5) RETURNING *"
);

/// Takes at most `most` jobs of a queue that are due at `now` and in nobody's name or that of `seller_key`, the oldest first, for 60 seconds of
/// real time.
pub fn claim(
    conn: &mut DbConn,
    (queue, seller_key): (JobQueue, &str),
    lease: &str,
    now: Instant,
    most: i64,
) -> Result<Vec<Job>> {
    let text = on!(conn, CLAIM_POSTGRES, CLAIM_SQLITE);
    let claimed: QueryResult<Vec<Job>> = each!(conn, c => diesel::sql_query(text)
        .bind::<Text, _>(lease)
        .bind::<SqlInstant, _>(now)
        .bind::<Text, _>(queue)
        .bind::<Text, _>(seller_key)
        .bind::<BigInt, _>(most)
        .load(c));
    let mut claimed = claimed?;
    claimed.sort_by_key(|job| (job.run_at, job.id));
    Ok(claimed)
}

const RENEW_POSTGRES: &str = concat!(
    "UPDATE jobs SET leased_until = ",
    real_time!(postgres "60"),
    " WHERE id = $1 AND lease = $2 AND state = 'running'"
);
const RENEW_SQLITE: &str = concat!(
    "UPDATE jobs SET leased_until = ",
    real_time!(sqlite "60"),
    " WHERE id = $1 AND lease = $2 AND state = 'running'"
);

/// Holds a job for 60 seconds from now; false where somebody else has it by now.
pub fn renew(conn: &mut DbConn, id: JobId, lease: &str) -> Result<bool> {
    let text = on!(conn, RENEW_POSTGRES, RENEW_SQLITE);
    let renewed = each!(conn, c => diesel::sql_query(text)
        .bind::<SqlId, _>(id)
        .bind::<Text, _>(lease)
        .execute(c))?;
    Ok(renewed == 1)
}

/// The first tries are given back at once. From then on each took an instance with it: the pause doubles, to an hour.
const EXPIRED_POSTGRES: &str = concat!(
    "UPDATE jobs SET state = 'ready', lease = NULL, leased_until = NULL,
        run_at = CASE WHEN attempts < 4 THEN run_at ELSE CAST($1 AS TIMESTAMPTZ) + make_interval(secs => LEAST(3600, power(2, LEAST(attempts, 12)))) END
     WHERE state = 'running' AND leased_until < ",
    real_time!(postgres "0")
);
const EXPIRED_SQLITE: &str = concat!(
    "UPDATE jobs SET state = 'ready', lease = NULL, leased_until = NULL,
        run_at = CASE WHEN attempts < 4 THEN run_at
            ELSE strftime('%Y-%m-%dT%H:%M:%f000Z', $1, '+' || MIN(3600, 1 << MIN(attempts, 12)) || ' seconds') END
     WHERE state = 'running' AND leased_until < ",
    real_time!(sqlite "0")
);

/// Gives back the jobs whose holder has gone; how many there were.
pub fn return_expired(conn: &mut DbConn, now: Instant) -> Result<usize> {
    let text = on!(conn, EXPIRED_POSTGRES, EXPIRED_SQLITE);
    let returned = each!(conn, c => diesel::sql_query(text).bind::<SqlInstant, _>(now).execute(c));
    Ok(returned?)
}

/// One piece of text for each queue, joined.
fn of_each_queue(piece: impl Fn(&JobQueue) -> String) -> String {
    let pieces: Vec<String> = JobQueue::ALL.iter().map(piece).collect();
    pieces.join(" UNION ALL ")
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = Text)]
    queue: JobQueue,
}

/// Whether anything of a queue is due. It asks for the first: whether there is any at all PostgreSQL may find out by reading the whole table.
fn has_due(queue: &JobQueue) -> String {
    format!(
        "(SELECT id FROM jobs WHERE state = 'ready' AND queue = '{queue}' AND run_at <= $1
            AND (seller_key IS NULL OR seller_key = $2) ORDER BY run_at, id LIMIT 1) IS NOT NULL"
    )
}

static DUE: LazyLock<String> = LazyLock::new(|| {
    of_each_queue(|queue| format!("SELECT '{queue}' AS queue WHERE {}", has_due(queue)))
});

/// The queues in which something is due at `now` that `seller_key` may take.
pub fn due_queues(conn: &mut DbConn, now: Instant, seller_key: &str) -> Result<Vec<JobQueue>> {
    let due: QueryResult<Vec<Due>> = each!(conn, c => diesel::sql_query(&*DUE)
        .bind::<SqlInstant, _>(now)
        .bind::<Text, _>(seller_key)
        .load(c));
    Ok(due?.into_iter().map(|due| due.queue).collect())
}

#[derive(QueryableByName)]
struct Open {
    #[diesel(sql_type = Bool)]
    is_open: bool,
}

static OPEN: LazyLock<String> = LazyLock::new(|| {
    let ready: Vec<String> = JobQueue::ALL.iter().map(has_due).collect();
    format!(
        "SELECT {} OR EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND run_at <= $1
            AND (seller_key IS NULL OR seller_key = $2)) AS is_open",
        ready.join(" OR ")
    )
});

/// Whether a job that fell due at or before `until` and that `seller_key` may take is not done yet, whether it runs already or not.
pub fn is_open(conn: &mut DbConn, until: Instant, seller_key: &str) -> Result<bool> {
    let found: QueryResult<Open> = each!(conn, c => diesel::sql_query(&*OPEN)
        .bind::<SqlInstant, _>(until)
        .bind::<Text, _>(seller_key)
        .get_result(c));
    Ok(found?.is_open)
}

#[derive(QueryableByName)]
struct Earliest {
    #[diesel(sql_type = Nullable<SqlInstant>)]
    run_at: Option<Instant>,
}

static NEXT: LazyLock<String> = LazyLock::new(|| {
    let ready = of_each_queue(|queue| {
        format!(
            "SELECT * FROM (SELECT run_at FROM jobs WHERE state = 'ready' AND queue = '{queue}' AND run_at > $1 AND run_at <= $2
                AND (seller_key IS NULL OR seller_key = $3) ORDER BY run_at, id LIMIT 1) AS of_{queue}"
        )
    });
    format!("SELECT MIN(run_at) AS run_at FROM ({ready}) AS ready")
});

/// When the next job that `seller_key` may take falls due after `after`, and at or before `until`.
pub fn next_ready(
    conn: &mut DbConn,
    (after, until): (Instant, Instant),
    seller_key: &str,
) -> Result<Option<Instant>> {
    let found: QueryResult<Earliest> = each!(conn, c => diesel::sql_query(&*NEXT)
        .bind::<SqlInstant, _>(after)
        .bind::<SqlInstant, _>(until)
        .bind::<Text, _>(seller_key)
        .get_result(c));
    Ok(found?.run_at)
}

/// How a queue stands.
#[derive(Debug, QueryableByName)]
pub struct QueueState {
    #[diesel(sql_type = Text)]
    pub queue: JobQueue,
    /// When the job that waits for longest falls due, or fell.
    #[diesel(sql_type = Nullable<SqlInstant>)]
    pub oldest: Option<Instant>,
    /// Since when the job is tried that fails for longest.
    #[diesel(sql_type = Nullable<SqlInstant>)]
    pub failing: Option<Instant>,
    #[diesel(sql_type = BigInt)]
    pub dead: i64,
}

static STANDINGS: LazyLock<String> = LazyLock::new(|| {
    of_each_queue(|queue| {
        format!(
            "SELECT '{queue}' AS queue, (SELECT run_at FROM jobs WHERE state = 'ready' AND queue = '{queue}' ORDER BY run_at, id LIMIT 1) AS oldest,
                (SELECT tried_since FROM jobs WHERE state = 'ready' AND queue = '{queue}' AND tried_since IS NOT NULL ORDER BY tried_since LIMIT 1) AS failing,
                (SELECT COUNT(*) FROM jobs WHERE state = 'dead' AND queue = '{queue}') AS dead"
        )
    })
});

/// How every queue stands.
pub fn queue_states(conn: &mut DbConn) -> Result<Vec<QueueState>> {
    let found: QueryResult<Vec<QueueState>> =
        each!(conn, c => diesel::sql_query(&*STANDINGS).load(c));
    Ok(found?)
}

#[cfg(test)]
mod tests {
    use super::super::list::text;
    use super::*;
    use crate::domain::job::JobState;
    use crate::repository::testing::Explained;

    const AT: &str = "'2026-06-01T10:00:00.000000Z'";
    const SELLER: &str = "'NL999999990B51'";

    /// `text` with something in the place of its parameters.
    fn filled(text: &str, parameters: &[&str]) -> String {
        let numbered = parameters.iter().enumerate();
        numbered.fold(text.to_owned(), |text, (n, value)| {
            text.replace(&format!("${}", n + 1), value)
        })
    }

    #[tokio::test]
    async fn whatever_is_done_nobody_who_looks_for_work_sees_it() {
        let database = Explained::with_jobs().await;
        let claim = match database.is_postgres() {
            true => CLAIM_POSTGRES,
            false => CLAIM_SQLITE,
        };
        let expired = match database.is_postgres() {
            true => EXPIRED_POSTGRES,
            false => EXPIRED_SQLITE,
        };
        for (statement, indexes) in [
            (
                filled(claim, &["'lease'", AT, "'mail'", SELLER, "16"]),
                vec!["jobs_ready_idx"],
            ),
            (filled(expired, &[AT]), vec!["jobs_running_idx"]),
            (filled(&DUE, &[AT, SELLER]), vec!["jobs_ready_idx"]),
            (
                filled(&OPEN, &[AT, SELLER]),
                vec!["jobs_ready_idx", "jobs_running_idx"],
            ),
            (filled(&NEXT, &[AT, AT, SELLER]), vec!["jobs_ready_idx"]),
            (
                STANDINGS.clone(),
                vec!["jobs_ready_idx", "jobs_failing_idx", "jobs_dead_idx"],
            ),
            (
                filled(&text(Some(JobState::Dead)), &["NULL", "NULL", "NULL", "26"]),
                vec!["jobs_dead_idx"],
            ),
        ] {
            let plan = database.explain(&statement).await;
            for index in indexes {
                assert!(plan.contains(index), "{statement}\n{plan}");
            }
            assert!(
                !plan.contains("Seq Scan on jobs") && !scans(&plan),
                "{statement}\n{plan}"
            );
        }
    }

    /// Whether a plan of SQLite reads all rows of the table: `SCAN jobs` without one of the small indexes.
    fn scans(plan: &str) -> bool {
        plan.lines()
            .any(|line| line.contains("SCAN jobs") && !line.contains("_idx"))
    }
}
