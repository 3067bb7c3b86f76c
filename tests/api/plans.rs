//! Every statement that a test has the service run is explained when that test ends: none reads a whole table that grows, but for those named here.

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use cps_api::domain::personal_data::TABLES;
use cps_api::repository::DbConn;
use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{Json, Text};
use serde_json::Value;

use crate::raw::Raw;
use crate::statements;
use crate::support::Database;

/// Tables that stay small: a handful of names, the catalogue, and what is emptied within a second.
const SMALL: [&str; 7] = [
    "seller_terms",
    "partners",
    "settings",
    "models",
    "model_points",
    "invoice_counters",
    "event_inbox",
];

/// What may read a whole table, by a part of its text, and why.
const SCANS: [(&str, &str); 4] = [
    (
        "`mails`.`sealed` IS NOT NULL",
        "the mailbox of a sandbox, the newest first",
    ),
    (
        "company_key",
        "staff search a part of a name, a page at a time",
    ),
    (
        "legacy_takeovers`.`legacy_account_id",
        "the sandbox's card shows the first old accounts",
    ),
    (
        "$3 IS NULL OR id < $3",
        "the newest jobs, a page at a time, in the order of their keys",
    ),
];

/// The statements that connections of this process were asked, without what is filled in.
static ASKED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// Those that were explained.
static EXPLAINED: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(Mutex::default);

fn locked(set: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Recorder(statements::Connection);

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let text = text.split(" -- binds: ").next().unwrap_or_default().trim();
            self.0.note(text);
            let is_read = ["SELECT", "UPDATE", "DELETE", "WITH"]
                .iter()
                .any(|word| text.starts_with(word));
            if is_read {
                locked(&ASKED).insert(text.to_owned());
            }
        }
    }
}

/// A connection of a test's own: what it asks is not the service's.
pub fn unheard<C: Connection>(mut conn: C) -> C {
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    conn
}

/// Looks at the plans of what a service asked, when it goes away.
pub struct Plans(Database);

impl Plans {
    /// From now on every connection of this process is listened to.
    pub fn watch(database: &Database) -> Self {
        diesel::connection::set_default_instrumentation(|| {
            Some(Box::new(Recorder(statements::Connection::new())))
        })
        .unwrap();
        Self(database.clone())
    }
}

impl Drop for Plans {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let asked: Vec<String> = locked(&ASKED)
            .difference(&locked(&EXPLAINED))
            .cloned()
            .collect();
        let mut raw = Raw::open(&self.0);
        prefer_indexes(&mut raw.0);
        let mut faults = Vec::new();
        for statement in asked {
            let is_named = SCANS.iter().any(|(part, _)| statement.contains(part));
            let read = whole_tables(&mut raw.0, &statement);
            if !is_named && !read.is_empty() {
                faults.push(format!("{read:?}: {statement}"));
            }
            locked(&EXPLAINED).insert(statement);
        }
        assert!(
            faults.is_empty(),
            "whole tables are read:\n{}",
            faults.join("\n")
        );
    }
}

/// Small tables are planned for as large ones would be, whatever is filled in.
fn prefer_indexes(conn: &mut DbConn) {
    if let DbConn::Postgres(conn) = conn {
        conn.batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
            .unwrap();
    }
}

#[test]
fn a_statement_that_has_no_index_is_found() {
    let database = Database::create();
    let mut raw = Raw::migrated(&database);
    prefer_indexes(&mut raw.0);
    for (statement, read) in [
        (
            "SELECT id FROM accounts WHERE city = 'Aarhus'",
            Some("accounts"),
        ),
        (
            "SELECT id FROM accounts WHERE contact_email_key = 'a'",
            None,
        ),
        ("DELETE FROM mails WHERE template = 'a'", Some("mails")),
        (
            "UPDATE users SET name = 'a' WHERE name = 'b'",
            Some("users"),
        ),
        ("SELECT name FROM settings WHERE value = 'a'", None),
    ] {
        let found = whole_tables(&mut raw.0, statement);
        assert_eq!(found, Vec::from_iter(read), "{statement}");
    }
}

/// The tables that grow which a statement reads from end to end.
fn whole_tables(conn: &mut DbConn, statement: &str) -> Vec<String> {
    let mut read = match conn {
        DbConn::Postgres(conn) => of_postgres(conn, statement),
        DbConn::Sqlite(conn) => of_sqlite(conn, statement),
    };
    let grows = |table: &String| {
        TABLES.iter().any(|one| one.name == table) && !SMALL.contains(&table.as_str())
    };
    read.retain(grows);
    read
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn of_sqlite(conn: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let plan = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
    let Ok(plan) = plan.load::<Step>(conn) else {
        // Of a database that was broken on purpose, or of another time.
        return Vec::new();
    };
    let scanned = plan.iter().filter_map(|step| {
        let table = step.detail.strip_prefix("SCAN ")?;
        // All rows in the order of their keys, to leave out those that do not fit.
        // A list that is empty.
        let is_nothing = statement.contains("1=0");
        let is_walk =
            table.contains(" USING INDEX sqlite_autoindex") && statement.contains(" WHERE ");
        let is_whole = !is_nothing && (is_walk || !table.contains(" USING "));
        is_whole.then(|| table.split(' ').next().unwrap_or(table).to_owned())
    });
    scanned.collect()
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Json, column_name = "QUERY PLAN")]
    plan: Value,
}

fn of_postgres(conn: &mut PgConnection, statement: &str) -> Vec<String> {
    let last = (1..100)
        .rev()
        .find(|n| statement.contains(&format!("${n}")));
    let nulls = vec!["NULL"; last.unwrap_or(0)].join(", ");
    let arguments = match last {
        Some(_) => format!("({nulls})"),
        None => String::new(),
    };
    let prepared = conn.batch_execute(&format!("DEALLOCATE ALL; PREPARE asked AS {statement}"));
    if prepared.is_err() {
        return Vec::new();
    }
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE asked{arguments}");
    let plan = diesel::sql_query(explain).get_result::<Plan>(conn);
    let mut read = Vec::new();
    if let Ok(plan) = plan {
        walk(&plan.plan[0]["Plan"], &mut read);
    }
    read
}

fn walk(node: &Value, read: &mut Vec<String>) {
    if node["Node Type"] == "Seq Scan" {
        read.extend(node["Relation Name"].as_str().map(str::to_owned));
    }
    for inner in node["Plans"].as_array().into_iter().flatten() {
        walk(inner, read);
    }
}
