//! The sandbox that most tests begin with: the first of them seeds it, and each has a copy.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::{Database, TestApp};

/// How long one serves: what it holds goes by the time that it was seeded at.
const SERVES: Duration = Duration::from_secs(600);
/// How long what the seed asks for may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// What stands for the schema in the statements that fill it.
const SCHEMA: &str = "seeded_schema";
/// How much is left of what the seed asks for at once.
const AT_WORK: &str = "SELECT (SELECT COUNT(*) FROM jobs WHERE state <> 'done' AND run_at <= created_at) + (SELECT COUNT(*) FROM event_inbox) AS n";

/// A folder with the documents of a seeded sandbox, and its database: a file of SQLite, or the statements that fill
/// the tables of PostgreSQL.
pub struct Seeded(PathBuf);

impl Seeded {
    /// The one of these minutes, of this very binary.
    pub async fn of_now() -> Self {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seeded");
        std::fs::create_dir_all(&all).unwrap();
        let seeded = Self(all.join(name()));
        // Another process waits here for the first.
        let lock = File::create(all.join("lock")).unwrap();
        lock.lock().unwrap();
        if !seeded.0.exists() {
            take_away_old(&all);
            let part = all.join("part");
            drop(std::fs::remove_dir_all(&part));
            std::fs::create_dir(&part).unwrap();
            make(&part).await;
            std::fs::rename(&part, &seeded.0).unwrap();
        }
        seeded
    }

    pub fn copy_documents(&self, to: &Path) {
        copy(&self.0.join("documents"), to);
    }

    pub fn copy_file(&self, to: &Path) {
        std::fs::copy(self.0.join("test.db"), to).unwrap();
    }

    pub fn statements(&self, schema: &str) -> String {
        let statements = std::fs::read_to_string(self.0.join("test.sql")).unwrap();
        statements.replace(SCHEMA, schema)
    }
}

/// Of the binary and the kind of database, and of the minutes.
fn name() -> String {
    let mut of = DefaultHasher::new();
    let binary = std::env::current_exe().unwrap();
    binary.metadata().unwrap().modified().unwrap().hash(&mut of);
    binary.hash(&mut of);
    std::env::var_os("TEST_DATABASE_URL").hash(&mut of);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("{:x}-{}", of.finish(), now.as_secs() / SERVES.as_secs())
}

/// Those that nobody copies any more.
fn take_away_old(all: &Path) {
    for entry in std::fs::read_dir(all).unwrap().flatten() {
        let made = entry.metadata().and_then(|it| it.modified()).unwrap();
        if made.elapsed().unwrap_or_default() > SERVES * 3 {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

async fn make(folder: &Path) {
    let app = TestApp::on(Database::create(), &[]).await;
    let begun = Instant::now();
    while app.database.numbers(AT_WORK) != [0] {
        assert!(begun.elapsed() < PATIENCE, "the seed is never done");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let database = app.stop().await;
    copy(&database.folder().join("documents"), folder);
    match database.schema() {
        None => {
            let file = folder.join("test.db");
            database.execute(&format!("VACUUM INTO '{}'", file.display()));
        }
        Some(schema) => {
            let statements = dumped(&database.url(), schema);
            std::fs::write(folder.join("test.sql"), statements).unwrap();
        }
    }
}

/// What fills the tables of a schema that was migrated as this one was, as they are: nothing is checked or told again.
fn dumped(url: &str, schema: &str) -> String {
    let mut dump = Command::new("pg_dump");
    dump.args(["--data-only", "--rows-per-insert=500"]);
    dump.args(["--on-conflict-do-nothing", "--schema", schema, url]);
    let output = dump.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let statements = String::from_utf8(output.stdout).unwrap();
    let statements = statements.replace(schema, SCHEMA);
    // What begins so is meant for its own client.
    let statements = statements.lines().filter(|line| !line.starts_with('\\'));
    let all = std::iter::once("SET session_replication_role = replica;").chain(statements);
    all.collect::<Vec<_>>().join("\n")
}

fn copy(from: &Path, to: &Path) {
    let mut cp = Command::new("cp");
    assert!(cp.arg("-R").args([from, to]).status().unwrap().success());
}
