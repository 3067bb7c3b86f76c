//! The database of a test, empty or with a seeded sandbox: SQLite by default, a schema of its own where `TEST_DATABASE_URL=postgres://…` names a
//! PostgreSQL.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use cps_api::config::Config;
use cps_api::repository::{Db, DbConn};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::books;
use crate::plans::unheard;
use crate::raw;
use crate::seeded::Seeded;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// A database that goes away with the last test that holds it.
#[derive(Clone)]
pub struct Database(std::sync::Arc<Owned>);

struct Owned {
    folder: tempfile::TempDir,
    postgres: Option<Schema>,
    is_falsified: AtomicBool,
}

struct Schema {
    server: String,
    name: String,
}

impl Schema {
    fn create(server: String) -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let schema = Self { server, name };
        schema.on_server(&format!("CREATE SCHEMA {}", schema.name));
        schema
    }

    fn url(&self) -> String {
        format!("{}?options=-csearch_path%3D{}", self.server, self.name)
    }

    fn on_server(&self, statements: &str) {
        let mut conn = unheard(PgConnection::establish(&self.server).unwrap());
        conn.batch_execute(statements).unwrap();
    }
}

impl Database {
    /// An empty one.
    pub fn create() -> Self {
        Self(std::sync::Arc::new(Owned {
            folder: tempfile::tempdir().unwrap(),
            postgres: std::env::var("TEST_DATABASE_URL").ok().map(Schema::create),
            is_falsified: AtomicBool::new(false),
        }))
    }

    /// A sandbox that was started for the first time, some minutes ago, and has done what there was to do.
    pub async fn seeded() -> Self {
        let (seeded, database) = (Seeded::of_now().await, Self::create());
        seeded.copy_documents(database.folder());
        match &database.0.postgres {
            None => seeded.copy_file(&database.0.file_of_sqlite()),
            Some(schema) => {
                Db::open(&schema.url(), 1).unwrap().migrate().unwrap();
                schema.on_server(&seeded.statements(&schema.name));
            }
        }
        database
    }

    /// How a service is started on it, with further variables in its environment.
    pub fn config(&self, variables: &[(&str, &str)]) -> Config {
        let documents = self.folder().join("documents");
        let known = [
            ("DATABASE_URL", self.url()),
            (
                "CPS_DOCUMENT_STORE",
                format!("file://{}", documents.display()),
            ),
            ("CPS_POOL_SIZE", "4".to_owned()),
        ];
        let given = variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let all = known.into_iter().chain(given);
        Config::read(&all.map(|(name, value)| (name.to_owned(), value)).collect()).unwrap()
    }

    /// Its books are wrong from here on, since the test makes them so.
    pub fn falsified(&self) {
        self.0.is_falsified.store(true, Ordering::Relaxed);
    }

    /// Waits until the threads of a stopped service have let go of the file.
    pub async fn released(&self) {
        let path = self.folder().join("test.db.lock");
        while let Ok(file) = std::fs::File::options().write(true).open(&path) {
            if file.try_lock().is_ok() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Runs a command of the binary on this database; what it printed.
    pub fn command(&self, arguments: &[&str]) -> String {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_cps-api"))
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", self.url())
            .current_dir(self.folder())
            .output()
            .unwrap();
        let told = [output.stdout, output.stderr].concat();
        String::from_utf8(told).unwrap()
    }

    /// A file with this text, for a command to read.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn folder(&self) -> &std::path::Path {
        self.0.folder.path()
    }

    /// Whether several instances may use it at once.
    pub fn is_shared(&self) -> bool {
        self.0.postgres.is_some()
    }

    /// Runs statements beside the service: for what no caller can bring about, and what time alone would.
    pub fn execute(&self, statements: &str) {
        match &self.0.postgres {
            None => self.sqlite().batch_execute(statements).unwrap(),
            Some(_) => self.postgres().batch_execute(statements).unwrap(),
        }
    }

    /// The whole numbers of the column `n` of a query.
    pub fn numbers(&self, query: &str) -> Vec<i64> {
        let query = diesel::sql_query(query);
        let rows: Vec<Number> = match &self.0.postgres {
            None => query.load(&mut self.sqlite()).unwrap(),
            Some(_) => query.load(&mut self.postgres()).unwrap(),
        };
        rows.into_iter().map(|row| row.n).collect()
    }

    fn postgres(&self) -> PgConnection {
        unheard(PgConnection::establish(&self.url()).unwrap())
    }

    fn sqlite(&self) -> SqliteConnection {
        raw::sqlite(self.0.file_of_sqlite().to_str().unwrap())
    }

    /// The schema on the server, where there is one.
    pub fn schema(&self) -> Option<&str> {
        let schema = self.0.postgres.as_ref();
        schema.map(|schema| schema.name.as_str())
    }

    pub fn url(&self) -> String {
        self.0.url()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let look = AssertUnwindSafe(|| {
            if !self.is_falsified.load(Ordering::Relaxed) && !std::thread::panicking() {
                self.look_at_books();
            }
        });
        let looked = std::panic::catch_unwind(look);
        self.take_away();
        if let Err(wrong) = looked {
            std::panic::resume_unwind(wrong);
        }
    }
}

impl Owned {
    fn file_of_sqlite(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    fn url(&self) -> String {
        match &self.postgres {
            None => format!("sqlite://{}", self.file_of_sqlite().display()),
            Some(schema) => schema.url(),
        }
    }

    fn look_at_books(&self) {
        let url = self.url();
        match url.strip_prefix("sqlite://") {
            Some(path) if !std::path::Path::new(path).exists() => {}
            Some(path) => books::are_right(DbConn::Sqlite(raw::sqlite(path))),
            None => {
                let conn = unheard(PgConnection::establish(&url).unwrap());
                books::are_right(DbConn::Postgres(conn));
            }
        }
    }

    fn take_away(&self) {
        if let Some(Schema { server, name }) = &self.postgres {
            let dropped = PgConnection::establish(server)
                .map(|mut conn| conn.batch_execute(&format!("DROP SCHEMA {name} CASCADE")));
            drop(dropped);
        }
    }
}
