//! Mail servers: one that keeps what it is handed, and a door before it that lets callers in, hang, or throws them out.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A mail server of aiosmtpd.
pub struct Sink {
    child: Child,
    pub folder: tempfile::TempDir,
    pub port: u16,
}

/// A Python that has aiosmtpd; Debian's own, perhaps, behind another one on the path.
fn python() -> &'static str {
    let has = |python: &&str| {
        let mut asked = Command::new(python);
        asked.args(["-c", "import aiosmtpd"]).stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    };
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(has)
        .expect("these tests need a mail server: aiosmtpd for Python 3 (Debian: python3-aiosmtpd)")
}

impl Sink {
    pub fn start() -> Self {
        Self::start_at(0)
    }

    pub fn start_at(port: u16) -> Self {
        Self::start_as(port, "plain")
    }

    /// One that is `plain`, offers `starttls`, or is a `bare` listener.
    pub fn start_as(port: u16, kind: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp_sink.py");
        let mut child = Command::new(python())
            .arg(script)
            .arg(folder.path())
            .arg(port.to_string())
            .arg(kind)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        Self {
            child,
            folder,
            port: line.trim().parse().expect("the mail server does not start"),
        }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub fn refuse(&self) -> std::path::PathBuf {
        self.folder.path().join("refuse")
    }

    /// What it was handed so far, refused or not.
    pub fn mails(&self) -> Vec<Value> {
        read(&self.folder.path().join("mails"))
    }
}

/// A mail server that takes every mail and never answers who says goodbye; its port, and how many mails it took.
pub fn silent_at_goodbye() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, taken) = (listener.local_addr().unwrap().port(), Arc::default());
    let count = Arc::clone(&taken);
    std::thread::spawn(move || {
        for caller in listener.incoming().map_while(Result::ok) {
            let count = Arc::clone(&count);
            std::thread::spawn(move || take_one(caller, &count));
        }
    });
    (port, taken)
}

/// Takes a caller's mail.
fn take_one(mut caller: TcpStream, taken: &AtomicUsize) {
    let mut lines = BufReader::new(caller.try_clone().unwrap()).lines();
    let mut next = || lines.next().and_then(Result::ok);
    caller.write_all(b"220 here\r\n").unwrap();
    while let Some(line) = next() {
        let answer: &[u8] = match line.as_str() {
            "DATA" => {
                caller.write_all(b"354 go on\r\n").unwrap();
                while next().is_some_and(|line| line != ".") {}
                taken.fetch_add(1, Ordering::AcqRel);
                b"250 taken\r\n"
            }
            "QUIT" => continue,
            _ if line.starts_with("EHLO") => b"250-here\r\n250 8BITMIME\r\n",
            _ => b"250 well\r\n",
        };
        caller.write_all(answer).unwrap();
    }
}

fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // A line that is being written is not whole yet.
    let lines = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a door does with who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Leads to the mail server.
    Open,
    /// Takes the call and says nothing.
    Hang,
    /// Hangs up at once.
    Reset,
}

/// A port that leads to a mail server, or not.
pub struct Door {
    mode: Arc<Mutex<Mode>>,
    held: Arc<Mutex<Vec<TcpStream>>>,
}

impl Door {
    /// A door at `port`, which lives as long as the test.
    pub fn at(port: u16, sink: &Sink) -> Self {
        let door = Self {
            mode: Arc::new(Mutex::new(Mode::Open)),
            held: Arc::default(),
        };
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let (mode, held, sink) = (door.mode.clone(), door.held.clone(), sink.port);
        std::thread::spawn(move || {
            for caller in listener.incoming().map_while(Result::ok) {
                match *mode.lock().unwrap() {
                    Mode::Reset => drop(caller),
                    Mode::Hang => held.lock().unwrap().push(caller),
                    Mode::Open => lead(caller, sink),
                }
            }
        });
        door
    }

    /// Does this from now on; those who hang are thrown out.
    pub fn be(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
        self.held.lock().unwrap().clear();
    }
}

/// Leads a caller to the mail server at `port`, in both directions.
fn lead(caller: TcpStream, port: u16) {
    let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    for (mut from, mut to) in [
        (caller.try_clone().unwrap(), server.try_clone().unwrap()),
        (server, caller),
    ] {
        std::thread::spawn(move || {
            // Either end hangs up.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    }
}
