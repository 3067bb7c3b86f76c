//! The schema made anew with nothing in it, as a sandbox begins again: tables that only grow go as a whole.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::MigrationHarness;

use super::{DbConn, POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};
use crate::domain::personal_data::TABLES;
use crate::error::{Error, Result};

/// Where Diesel notes which migrations have run.
const MIGRATIONS: &str = "__diesel_schema_migrations";

/// A function of PostgreSQL with its arguments.
#[derive(QueryableByName)]
struct Function {
    #[diesel(sql_type = Text)]
    signature: String,
}

impl DbConn {
    /// Drops every table of ours with all that is in it and runs all migrations again, within the transaction at hand.
    pub fn make_anew(&mut self) -> Result<()> {
        match self {
            DbConn::Postgres(conn) => anew_on_postgres(conn),
            DbConn::Sqlite(conn) => anew_on_sqlite(conn),
        }
    }
}

fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name).chain([MIGRATIONS])
}

/// An instance that starts meanwhile waits, as it does for one that migrates; what the triggers call goes with them.
fn anew_on_postgres(conn: &mut PgConnection) -> Result<()> {
    conn.batch_execute("SELECT pg_advisory_xact_lock(720911, hashtext(current_schema()))")?;
    let quoted: Vec<String> = tables().map(|name| format!("'{name}'")).collect();
    let functions: Vec<Function> = diesel::sql_query(format!(
        "SELECT DISTINCT tgfoid::regprocedure::text AS signature FROM pg_trigger
         JOIN pg_class ON pg_class.oid = tgrelid
         WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace AND relname IN ({})",
        quoted.join(", ")
    ))
    .load(conn)?;
    let names: Vec<&str> = tables().collect();
    conn.batch_execute(&format!(
        "DROP TABLE IF EXISTS {} CASCADE",
        names.join(", ")
    ))?;
    for function in functions {
        conn.batch_execute(&format!("DROP FUNCTION {}", function.signature))?;
    }
    migrated(conn.run_pending_migrations(POSTGRES_MIGRATIONS))
}

/// What refers to a table is judged at the end, when all of them are gone.
fn anew_on_sqlite(conn: &mut SqliteConnection) -> Result<()> {
    conn.batch_execute("PRAGMA defer_foreign_keys = ON")?;
    for name in tables() {
        conn.batch_execute(&format!("DROP TABLE IF EXISTS {name}"))?;
    }
    conn.batch_execute("PRAGMA defer_foreign_keys = OFF")?;
    migrated(conn.run_pending_migrations(SQLITE_MIGRATIONS))
}

fn migrated<T>(done: diesel::migration::Result<T>) -> Result<()> {
    done.map(drop)
        .map_err(Error::internal("making the schema anew"))
}
