//! The load: Debian's `wrk` with a script that picks an account at random for each request, so that nothing of the servers' own runs in it.

use std::path::Path;
use std::process::Command;

use crate::fill::PRODUCTS_EACH;

const SCRIPT: &str = include_str!("load.lua");

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    Points,
    Products,
    Entries,
    Register,
}

impl Work {
    fn word(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Products => "products",
            Self::Entries => "points/entries",
            Self::Register => "register",
        }
    }

    pub fn title(self) -> String {
        match self {
            Self::Points => "GET .../points".to_owned(),
            Self::Products => format!("GET .../products ({PRODUCTS_EACH} a page)"),
            Self::Entries => "GET .../points/entries (10 a page)".to_owned(),
            Self::Register => "POST .../products".to_owned(),
        }
    }
}

/// Whom to ask, as whom, about what.
pub struct Load<'a> {
    pub address: &'a str,
    /// Of staff, who may read every account.
    pub reader: &'a str,
    /// Those of the first accounts, each its own.
    pub writers: &'a [String],
    pub accounts: u64,
    pub model: &'a str,
}

/// What came of one turn: requests a second, milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
}

impl Load<'_> {
    /// Asks for `seconds` over `connections`; serial numbers begin with `prefix`, which no other turn has.
    pub fn run(
        &self,
        folder: &Path,
        work: Work,
        connections: u64,
        seconds: u64,
        prefix: u64,
    ) -> Turn {
        std::fs::write(folder.join("load.lua"), SCRIPT).unwrap();
        std::fs::write(folder.join("writers"), self.writers.join("\n")).unwrap();
        let threads = connections.min(2).to_string();
        let done = Command::new("wrk")
            .current_dir(folder)
            .args(["-t", &threads, "-c", &connections.to_string()])
            .args([
                "-d",
                &format!("{seconds}s"),
                "--timeout",
                "20s",
                "-s",
                "load.lua",
            ])
            .arg(format!("http://{}", self.address))
            .args(["--", work.word(), &self.accounts.to_string(), self.reader])
            .args([self.model, &prefix.to_string()])
            .output()
            .expect("wrk: apt-get install wrk");
        let told = String::from_utf8(done.stdout).unwrap();
        let line = told.lines().find(|line| line.starts_with("result "));
        let numbers: Vec<f64> = line
            .unwrap_or_else(|| panic!("{told}"))
            .split(' ')
            .skip(1)
            .map(|number| number.parse().unwrap())
            .collect();
        assert_eq!(numbers[4], 0.0, "refused or failed: {told}");
        Turn {
            rate: numbers[0] / numbers[1] * 1e6,
            p50: numbers[2] / 1000.0,
            p99: numbers[3] / 1000.0,
        }
    }
}
