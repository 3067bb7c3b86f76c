//! The servers as processes of their own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What all servers of one run share; the PostgreSQL schema goes away with it.
pub struct Folder {
    folder: tempfile::TempDir,
    base: String,
    schema: String,
    pub postgres: String,
    pub sqlite: String,
}

impl Folder {
    pub fn new(postgres: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let schema = format!("bench_{}", uuid::Uuid::new_v4().simple());
        let mut conn = PgConnection::establish(postgres).unwrap();
        conn.batch_execute(&format!("CREATE SCHEMA {schema}"))
            .unwrap();
        write_programme(folder.path());
        Self {
            sqlite: format!("sqlite://{}", folder.path().join("bench.db").display()),
            postgres: format!("{postgres}?options=-csearch_path%3D{schema}"),
            base: postgres.to_owned(),
            schema,
            folder,
        }
    }

    /// Where the files of this run are.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A sandbox on the database at `url`, with its usual log.
    pub fn service(&self, url: &str) -> Child {
        self.start(Path::new(env!("CARGO_BIN_EXE_cps-api")), url, None)
    }

    /// A sandbox of the program `binary`, with a shared object loaded before all others where one is named.
    pub fn start(&self, binary: &Path, url: &str, preload: Option<&Path>) -> Child {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap().to_string();
        drop(port);
        let mut command = Command::new(binary);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("CPS_BIND", &address)
            .env("CPS_METRICS_BIND", "127.0.0.1:0")
            .env("CPS_PROGRAMME", "programme.toml")
            .env("DATABASE_URL", url)
            .stdout(Stdio::null())
            .stderr(File::create(self.folder.path().join("log")).unwrap());
        if let Some(preload) = preload {
            command.env("LD_PRELOAD", preload);
        }
        let begun = Instant::now();
        Child {
            process: command.spawn().unwrap(),
            address,
            begun,
        }
    }

    /// The bare server on PostgreSQL; its writes record events only where `records` says so.
    pub fn bare(&self, records: bool) -> Child {
        let begun = Instant::now();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .env("BENCH_BARE", &self.postgres)
            .env("BENCH_RECORDS", records.to_string())
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut address = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut address).unwrap();
        Child {
            process,
            address: address.trim().to_owned(),
            begun,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let drop_schema = format!("DROP SCHEMA {} CASCADE", self.schema);
        if let Ok(mut conn) = PgConnection::establish(&self.base) {
            let _ = conn.batch_execute(&drop_schema);
        }
    }
}

/// The shipped programme, without limits on how often somebody asks.
fn write_programme(folder: &Path) {
    let shipped = cps_api::programme::SHIPPED;
    let (before, limits) = shipped.split_once("[rate_limits.sandbox]").unwrap();
    let limits: Vec<String> = limits
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some((name, _)) => format!("{name} = 4000000000"),
            None => line.to_owned(),
        })
        .collect();
    let text = format!("{before}[rate_limits.sandbox]{}", limits.join("\n"));
    std::fs::write(folder.join("programme.toml"), text).unwrap();
}

/// A server that runs.
pub struct Child {
    process: std::process::Child,
    pub address: String,
    begun: Instant,
}

impl Child {
    /// Waits until it can serve.
    pub async fn ready(&mut self) {
        self.first_answer().await;
    }

    /// How long after its start it answered for the first time that it can serve.
    pub async fn first_answer(&mut self) -> Duration {
        loop {
            assert!(self.begun.elapsed() < Duration::from_secs(30), "no answer");
            assert!(self.process.try_wait().unwrap().is_none(), "it has ended");
            if self.try_ask("GET", "/readyz", "none", "").await.is_some() {
                return self.begun.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The body of an answer that must be good.
    pub async fn ask(&self, method: &str, path: &str, credentials: &str, body: &str) -> String {
        let answer = self.try_ask(method, path, credentials, body).await;
        answer.expect("a good answer")
    }

    async fn try_ask(
        &self,
        method: &str,
        path: &str,
        credentials: &str,
        body: &str,
    ) -> Option<String> {
        let mut headers = String::new();
        if credentials != "none" {
            headers += &format!("Authorization: {credentials}\r\n");
        }
        if !body.is_empty() {
            headers += "Content-Type: application/json\r\n";
        }
        self.send(method, path, &headers, body).await
    }

    /// The body of a good answer to a request with these headers, each with its end of line.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.1 20").then(|| body.to_owned())
    }

    /// The memory that it has in hand.
    pub fn resident_mib(&self) -> f64 {
        self.mib("VmRSS:")
    }

    /// The most that it had in hand so far.
    pub fn peak_mib(&self) -> f64 {
        self.mib("VmHWM:")
    }

    fn mib(&self, what: &str) -> f64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(what));
        let kib = line
            .and_then(|line| line.split_whitespace().nth(1))
            .unwrap();
        kib.parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
