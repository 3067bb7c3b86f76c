//! The real binary as a process of its own, with its own environment and folder.

use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use cps_api::auth::tokens::SigningKeys;
use cps_api::secrets::Sealer;
use reqwest::{Method, RequestBuilder};

use crate::client::client;
use crate::support::{Answer, Database, Sending, Token};

/// How long a process may take to do what it is asked.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the binary is started.
#[derive(Clone)]
pub struct Setup {
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

/// What a command that ended has said.
#[derive(Debug)]
pub struct Said {
    pub ok: bool,
    pub stdout: String,
    pub stderr: String,
}

/// A service that answers.
pub struct Served {
    child: Child,
    /// Where it is.
    pub url: String,
    /// What it printed when it was ready, line by line.
    pub printed: Vec<String>,
    log: PathBuf,
    client: reqwest::Client,
}

/// A port that nobody had a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Setup {
    /// Nothing set but the ports.
    pub fn new(folder: &Path) -> Self {
        let setup = Self {
            folder: folder.to_owned(),
            variables: Vec::new(),
        };
        setup
            .with("CPS_BIND", "127.0.0.1:0")
            .with("CPS_METRICS_BIND", "127.0.0.1:0")
    }

    /// A sandbox on the database under test.
    pub fn on(database: &Database) -> Self {
        Self::new(database.folder()).with("DATABASE_URL", &database.url())
    }

    /// Everything that live mode asks for; mails go to `smtp`.
    pub fn live(database: &Database, smtp: &str) -> Self {
        let keys = database.folder().join("keys.pem");
        std::fs::write(&keys, SigningKeys::generate().unwrap()).unwrap();
        std::fs::set_permissions(&keys, Permissions::from_mode(0o600)).unwrap();
        let sealing = database.folder().join("sealing.keys");
        std::fs::write(&sealing, Sealer::generate().unwrap()).unwrap();
        std::fs::set_permissions(&sealing, Permissions::from_mode(0o600)).unwrap();
        let programme = database.folder().join("programme.toml");
        let shipped = include_str!("../../programme.toml");
        std::fs::write(
            &programme,
            shipped.replacen("\nexample = true", "\nexample = false", 1),
        )
        .unwrap();
        Self::on(database)
            .with("CPS_BIND", &format!("127.0.0.1:{}", free_port()))
            .with("CPS_MODE", "live")
            .with("CPS_DOCUMENT_STORE", "file://documents")
            .with("CPS_MAIL", smtp)
            .with("CPS_MAIL_FROM", "donotreply@cps.example")
            .with("CPS_SIGNING_KEYS", &keys.display().to_string())
            .with("CPS_SEALING_KEYS", &sealing.display().to_string())
            .with("CPS_PROGRAMME", &programme.display().to_string())
            .with("CPS_PUBLIC_URL", "https://api.cps.example")
            .with("CPS_FRONTEND_URL", "https://cps.example")
            .with("CPS_DRAIN_SECONDS", "0")
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cps-api"));
        command.args(arguments);
        self.prepared(command)
    }

    fn prepared(&self, mut command: Command) -> Command {
        command
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs a command that has to end by itself.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Said {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let read = |mut from: Box<dyn std::io::Read + Send>| {
            std::thread::spawn(move || {
                let mut text = String::new();
                from.read_to_string(&mut text).unwrap();
                text
            })
        };
        let (out, err) = (read(Box::new(out)), read(Box::new(err)));
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("{arguments:?} does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Said {
            ok: child.wait().unwrap().success(),
            stdout: out.join().unwrap(),
            stderr: err.join().unwrap(),
        }
    }

    /// Starts the service, without waiting for it.
    pub fn start(&self) -> Starting {
        self.begin(self.command(&[]))
    }

    fn begin(&self, mut command: Command) -> Starting {
        let log = self
            .folder
            .join(format!("log-{}", uuid::Uuid::new_v4().simple()));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let out = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // Nobody listens any more once the service is up.
                let _ = tell.send(line);
            }
        });
        let bind = self.variables.iter().find(|(name, _)| name == "CPS_BIND");
        let bind = bind.map(|(_, bind)| bind.clone()).unwrap_or_default();
        Starting {
            child,
            lines,
            log,
            bind,
        }
    }

    /// Starts the service from a shell with this umask; it answers when this returns.
    #[track_caller]
    pub fn serve_under_umask(&self, umask: &str) -> Served {
        let mut command = Command::new("/bin/sh");
        command.args([
            "-c",
            &format!("umask {umask} && exec \"$0\""),
            env!("CARGO_BIN_EXE_cps-api"),
        ]);
        self.begin(self.prepared(command))
            .ready()
            .unwrap_or_else(|said| panic!("it does not start: {said}"))
    }

    /// Starts the service where `folder` is a disk of so many mebibytes, which only it and `Served::sees` know of. Mounting takes a
    /// namespace of its own and no rights, where the system lets users have one.
    #[track_caller]
    pub fn serve_on_small_disk(&self, folder: &Path, mebibytes: u32) -> Served {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "/bin/sh", "-c"]);
        command.arg(format!(
            "mount -t tmpfs -o size={mebibytes}m tmpfs '{}' && exec \"$0\"",
            folder.display()
        ));
        command.arg(env!("CARGO_BIN_EXE_cps-api"));
        self.begin(self.prepared(command))
            .ready()
            .unwrap_or_else(|said| panic!("it does not start on a disk of its own: {said}"))
    }

    /// Starts the service; it answers when this returns.
    #[track_caller]
    pub fn serve(&self) -> Served {
        self.start()
            .ready()
            .unwrap_or_else(|said| panic!("it does not start: {said}"))
    }
}

/// A service that may come up.
pub struct Starting {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
    bind: String,
}

impl Starting {
    /// The service once it has said where it is; its log where it ended instead.
    pub fn ready(mut self) -> Result<Served, String> {
        let mut printed = Vec::new();
        while !printed
            .iter()
            .any(|line: &String| line.starts_with("Swagger UI"))
        {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => printed.push(line),
                Err(_) => {
                    // It has ended, or hangs: its log says which.
                    let _ = self.child.kill();
                    self.child.wait().unwrap();
                    return Err(std::fs::read_to_string(&self.log).unwrap());
                }
            }
        }
        printed.extend(self.lines.recv_timeout(Duration::from_millis(100)));
        // What is printed in live mode is where others reach it.
        let api = printed.iter().find(|line| line.starts_with("API"));
        let printed_url = api.unwrap().split_whitespace().last().unwrap();
        let url = match self.bind.ends_with(":0") {
            true => printed_url.trim_end_matches("/v1").to_owned(),
            false => format!("http://{}", self.bind),
        };
        Ok(Served {
            child: self.child,
            url,
            printed,
            log: self.log,
            client: client(),
        })
    }
}

impl Served {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).answer().await
    }

    pub async fn post(&self, path: &str, token: &Token, body: serde_json::Value) -> Answer {
        self.request(Method::POST, path)
            .sent_by(token)
            .json(&body)
            .answer()
            .await
    }

    /// Where a raw connection goes.
    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// Asks again until the answer has this status.
    #[track_caller]
    pub fn becomes(&self, path: &str, status: u16) -> impl Future<Output = Answer> {
        let caller = std::panic::Location::caller();
        async move {
            let begun = Instant::now();
            loop {
                let answer = self.get(path).await;
                if answer.status == status {
                    return answer;
                }
                assert!(
                    begun.elapsed() < PATIENCE,
                    "{caller}: {path} stays {}: {}",
                    answer.status,
                    answer.text
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Where the tests find what the service sees at `path`.
    pub fn sees(&self, path: &Path) -> PathBuf {
        let root = format!("/proc/{}/root", self.child.id());
        Path::new(&root).join(path.strip_prefix("/").unwrap())
    }

    /// How much time of a core it has taken so far.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // Behind the name in brackets the user's and the system's ticks are the 12th and the 13th.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks: u64 = fields[11..13]
            .iter()
            .map(|n| n.parse::<u64>().unwrap())
            .sum();
        Duration::from_millis(ticks * 10)
    }

    /// Its resident memory in KiB.
    pub fn resident(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.unwrap().split_whitespace().next().unwrap();
        number.parse().unwrap()
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let kill = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    /// How it ended.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it without any warning.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
