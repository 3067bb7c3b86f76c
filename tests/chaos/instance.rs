//! Instances of the real binary that a test kills.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an instance may take to come up.
pub const START: Duration = Duration::from_secs(60);

/// What all instances of a test share: the folder of their documents and logs.
#[derive(Clone)]
pub struct Settings(Arc<tempfile::TempDir>);

impl Settings {
    pub fn shared() -> Self {
        Self(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// A file in that folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

pub struct Instance {
    settings: Settings,
    database: String,
    port: u16,
    child: Child,
    log: PathBuf,
}

impl Instance {
    /// Starts a sandbox on `database`, without waiting for it.
    pub fn start(settings: &Settings, database: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let log = settings.0.path().join(format!("log-{port}"));
        let child = spawn(settings, database, port, &log);
        Self {
            settings: settings.clone(),
            database: database.to_owned(),
            port,
            child,
            log,
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it without any warning.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.settings, &self.database, self.port, &self.log);
    }

    /// Waits until it can serve; it has to within `limit`.
    pub async fn ready(&self, limit: Duration) {
        let begun = Instant::now();
        loop {
            let answer = reqwest::get(format!("{}/readyz", self.url())).await;
            let status = answer.map(|answer| answer.status().as_u16());
            match status {
                Ok(200) => return,
                Ok(500) => panic!("/readyz failed: {}", self.log()),
                _ => {}
            }
            assert!(
                begun.elapsed() < limit,
                "not ready after {limit:?}: {status:?}\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs a command of the binary on the same database; what it printed.
    pub fn command(&self, arguments: &[&str]) -> (bool, String) {
        let output = command(&self.settings, &self.database, self.port)
            .args(arguments)
            .output()
            .unwrap();
        let told = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&told).into_owned(),
        )
    }

    /// The end of what it has logged.
    pub fn log(&self) -> String {
        let whole = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = whole.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Whether it, or one before it, has panicked.
    pub fn has_panicked(&self) -> bool {
        std::fs::read_to_string(&self.log).is_ok_and(|log| log.contains("panicked at"))
    }
}

fn command(settings: &Settings, database: &str, port: u16) -> Command {
    let folder = settings.0.path();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cps-api"));
    command
        .current_dir(folder)
        .env_clear()
        .env("DATABASE_URL", database)
        .env("CPS_BIND", format!("127.0.0.1:{port}"))
        .env("CPS_METRICS_BIND", "127.0.0.1:0")
        .env("CPS_POOL_SIZE", "4")
        .env(
            "CPS_DOCUMENT_STORE",
            format!("file://{}", folder.join("documents").display()),
        );
    command
}

fn spawn(settings: &Settings, database: &str, port: u16, log: &PathBuf) -> Child {
    let log = File::options().create(true).append(true).open(log).unwrap();
    command(settings, database, port)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Drop for Instance {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
