//! PostgreSQL servers that a test starts, restarts, kills, copies and promotes.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// How long a server may take to do what it is told.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with its own folder, gone with its owner. It trusts whoever reaches its loopback port.
pub struct Server {
    folder: tempfile::TempDir,
    port: u16,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The folder of PostgreSQL's programs, 15 or newer as `tests/needs` has made sure.
fn programs() -> PathBuf {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    for root in [
        "/usr/lib/postgresql",
        "/usr/local/pgsql",
        "/opt/homebrew/opt",
    ] {
        let folders = std::fs::read_dir(root).into_iter().flatten().flatten();
        found.extend(folders.map(|folder| folder.path().join("bin")));
        found.push(Path::new(root).join("bin"));
    }
    found.sort();
    let is_whole = |folder: &PathBuf| {
        let needed = ["postgres", "initdb", "pg_ctl", "pg_basebackup"];
        needed.iter().all(|name| folder.join(name).exists())
    };
    found.into_iter().rfind(is_whole).expect("no PostgreSQL")
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}

impl Server {
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::Builder::new()
            .prefix("cps-chaos.")
            .tempdir()
            .unwrap();
        if is_root() {
            // PostgreSQL refuses to run as root.
            let given = Command::new("chown")
                .arg("postgres")
                .arg(folder.path())
                .status();
            assert!(given.unwrap().success());
        }
        folder
    }

    /// A running server.
    pub fn create() -> Self {
        let server = Self {
            folder: Self::folder(),
            port: free_port(),
        };
        let data = server.data();
        let make = [
            "-D",
            &data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ];
        server.run("initdb", &make);
        // What is written is synced to nothing: a killed process loses none of it, and no machine fails here.
        server.configure(&format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 100
fsync = off\nfull_page_writes = off\nsynchronous_commit = on\nwal_level = replica\nshared_buffers = 32MB\n",
            server.port,
            server.folder.path().display()
        ));
        server.start();
        server
    }

    /// A copy that follows this server and is waited for by every commit.
    pub fn standby(&self) -> Self {
        self.standby_at(free_port())
    }

    /// The same, on a port that is known already.
    pub fn standby_at(&self, port: u16) -> Self {
        let standby = Self {
            folder: Self::folder(),
            port,
        };
        let (data, from) = (standby.data(), self.port.to_string());
        let copy = [
            "-D",
            &data,
            "-h",
            "127.0.0.1",
            "-p",
            &from,
            "-U",
            "postgres",
            "-X",
            "stream",
            "-R",
            "-c",
            "fast",
        ];
        standby.run("pg_basebackup", &copy);
        standby.configure(&format!(
            "port = {port}\nunix_socket_directories = '{}'\n",
            standby.folder.path().display()
        ));
        standby.start();
        self.execute("ALTER SYSTEM SET synchronous_commit = 'remote_apply'");
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.execute("SELECT pg_reload_conf()");
        let begun = Instant::now();
        while self.number("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 0
        {
            assert!(begun.elapsed() < PATIENCE, "the standby does not follow");
            std::thread::sleep(Duration::from_millis(50));
        }
        standby
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Whichever of the two takes writes.
    pub fn url_with(&self, other: &Self) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
            self.port, other.port
        )
    }

    /// Stops as a crash does, and starts again.
    pub fn restart_at_once(&self) {
        self.control(&["restart", "-m", "immediate"]);
    }

    /// Ends the server without any warning.
    pub fn kill(&self) {
        let path = self.folder.path().join("data/postmaster.pid");
        let pids = std::fs::read_to_string(&path).unwrap();
        let pid = pids.lines().next().unwrap();
        let killed = Command::new("kill").args(["-9", pid]).status();
        assert!(killed.unwrap().success());
        // Somebody else may have its number soon.
        std::fs::remove_file(path).unwrap();
    }

    /// Makes a primary of a standby, which waits for nobody then.
    pub fn promote(&self) {
        self.configure("synchronous_standby_names = ''\n");
        let auto = self.folder.path().join("data/postgresql.auto.conf");
        let set = std::fs::read_to_string(&auto).unwrap();
        let kept = set.lines().filter(|line| !line.starts_with("synchronous_"));
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        std::fs::write(&auto, kept).unwrap();
        self.control(&["reload"]);
        self.control(&["promote"]);
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn configure(&self, settings: &str) {
        let path = self.folder.path().join("data/postgresql.conf");
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(settings.as_bytes()).unwrap();
    }

    fn start(&self) {
        self.control(&["start"]);
    }

    fn control(&self, what: &[&str]) {
        let (data, log) = (self.data(), self.folder.path().join("log"));
        let log = log.display().to_string();
        let mut arguments = vec!["-D", &data, "-s"];
        if !what.contains(&"reload") {
            arguments.extend(["-w", "-t", "60", "-l", &log]);
        }
        self.run("pg_ctl", &[&arguments, what].concat());
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = programs().join(program);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(&program);
                command
            }
            false => Command::new(&program),
        };
        let status = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(status.success(), "{program:?} {arguments:?}: {log}");
    }

    fn execute(&self, statement: &str) {
        let mut conn = PgConnection::establish(&self.url()).unwrap();
        conn.batch_execute(statement).unwrap();
    }

    fn number(&self, query: &str) -> i64 {
        let mut conn = PgConnection::establish(&self.url()).unwrap();
        diesel::select(diesel::dsl::sql::<BigInt>(&format!("({query})")))
            .get_result(&mut conn)
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pids = self.folder.path().join("data/postmaster.pid");
        let Ok(pids) = std::fs::read_to_string(pids) else {
            return;
        };
        // It ends its children, and what it leaves does not matter.
        let pid = pids.lines().next().unwrap_or_default().to_owned();
        let _ = Command::new("kill")
            .args(["-QUIT", &pid])
            .stderr(Stdio::null())
            .status();
        std::thread::sleep(Duration::from_millis(300));
    }
}
