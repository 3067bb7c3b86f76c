//! The environment, read once: what it may say. Every variable is checked before the port opens, all faults in one message.

mod addresses;
mod database;
mod documents;
mod environment;
mod hosts;
mod libpq;
mod mail;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

pub use documents::DocumentPlace;
pub use environment::Environment;
use environment::Reader;
pub use hosts::{is_example, is_loopback};
pub use mail::{MailRoute, MailServer, MailTls};

/// Whether made-up data and a settable clock are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Sandbox,
    Live,
}

/// How lines of the log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: an object a line.
    Json,
}

/// What the environment says.
#[derive(Debug, Clone)]
pub struct Config {
    pub mode: Mode,
    pub bind: SocketAddr,
    pub metrics_bind: SocketAddr,
    pub database_url: SecretString,
    pub pool_size: u32,
    /// Where verification documents are kept.
    pub documents: DocumentPlace,
    pub mail: MailRoute,
    pub mail_from: String,
    pub signing_keys: Option<PathBuf>,
    pub sealing_keys: Option<PathBuf>,
    pub programme: Option<PathBuf>,
    /// Where this API is reached, without a slash at the end; from the bind address when not set.
    pub public_url: Option<String>,
    /// Where the pages that mails link to are, without a slash at the end.
    pub frontend_url: Option<String>,
    /// The origins whose pages may call, as browsers write them. None in the sandbox: those of this machine.
    pub cors_origins: Option<Vec<String>>,
    pub trusted_proxies: Vec<IpNet>,
    /// How long the service goes on serving after `/readyz` said that it drains.
    pub drain_delay: Duration,
    /// None: for people on a terminal, for programs elsewhere.
    pub log: Option<LogFormat>,
    /// Which events are logged, as `tracing` writes it.
    pub log_filter: String,
    /// Requests in work at once; one more is answered 503.
    pub max_in_flight: usize,
    /// What is doubtful, one a line.
    pub warnings: Vec<String>,
}

/// What must be set in live mode.
const NEEDED: [&str; 8] = [
    "DATABASE_URL",
    "CPS_DOCUMENT_STORE",
    "CPS_MAIL",
    "CPS_MAIL_FROM",
    "CPS_SIGNING_KEYS",
    "CPS_SEALING_KEYS",
    "CPS_PUBLIC_URL",
    "CPS_FRONTEND_URL",
];

impl Config {
    /// The configuration in the process's environment.
    pub fn from_env() -> Result<Self, String> {
        Self::read(&Environment::of_process())
    }

    /// The configuration of `environment`; every fault, one a line, when it cannot be used.
    pub fn read(environment: &Environment) -> Result<Self, String> {
        let (config, faults) = Self::gather(environment);
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(faults.join("\n"))
        }
    }

    /// The configuration, with defaults where a variable cannot be used, and each fault.
    pub fn gather(environment: &Environment) -> (Self, Vec<String>) {
        let mut reader = Reader::new(environment);
        let mode = mode(&mut reader);
        let mut config = Self::of(&mut reader, mode);
        if mode == Mode::Live {
            refuse_sandbox_defaults(&mut reader);
        }
        addresses::refuse_one_port_twice(&mut reader, config.bind, config.metrics_bind);
        reader.unread(mode == Mode::Live);
        config.warnings = reader.warnings;
        (config, reader.faults)
    }

    fn of(reader: &mut Reader, mode: Mode) -> Self {
        let is_live = mode == Mode::Live;
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let connections = u32::try_from(2 * cores).unwrap_or(4);
        let drain_seconds = if is_live { 5 } else { 0 };
        let origins = addresses::origins(reader, is_live);
        let is_open_to_this_machine = !is_live && reader.text("CPS_CORS_ORIGINS").is_none();
        Self {
            mode,
            bind: addresses::bind(reader, "CPS_BIND", 8080),
            metrics_bind: addresses::bind(reader, "CPS_METRICS_BIND", 9090),
            database_url: database::database_url(reader, is_live).into(),
            pool_size: reader.number("CPS_POOL_SIZE", connections, 1..=500),
            documents: documents::place(reader),
            mail: mail::route(reader),
            mail_from: mail::sender(reader, is_live),
            signing_keys: reader.text("CPS_SIGNING_KEYS").map(PathBuf::from),
            sealing_keys: reader.text("CPS_SEALING_KEYS").map(PathBuf::from),
            programme: reader.text("CPS_PROGRAMME").map(PathBuf::from),
            public_url: addresses::address(reader, "CPS_PUBLIC_URL", is_live, false),
            frontend_url: addresses::address(reader, "CPS_FRONTEND_URL", is_live, true),
            cors_origins: (!is_open_to_this_machine).then_some(origins),
            trusted_proxies: addresses::proxies(reader, is_live),
            drain_delay: Duration::from_secs(reader.number(
                "CPS_DRAIN_SECONDS",
                drain_seconds,
                0..=600,
            )),
            log: log_format(reader),
            log_filter: log_filter(reader),
            max_in_flight: reader.number("CPS_MAX_IN_FLIGHT", 512, 1..=100_000),
            warnings: Vec::new(),
        }
    }
}

fn mode(reader: &mut Reader) -> Mode {
    match reader.text("CPS_MODE") {
        None | Some("sandbox") => Mode::Sandbox,
        Some("live") => Mode::Live,
        Some(_) => {
            reader.fault("CPS_MODE", "is neither sandbox nor live");
            Mode::Sandbox
        }
    }
}

fn log_format(reader: &mut Reader) -> Option<LogFormat> {
    match reader.text("CPS_LOG") {
        None => None,
        Some("text") => Some(LogFormat::Text),
        Some("json") => Some(LogFormat::Json),
        Some(_) => {
            reader.fault("CPS_LOG", "is neither text nor json");
            None
        }
    }
}

fn log_filter(reader: &mut Reader) -> String {
    let filter = reader.text("RUST_LOG").unwrap_or("info");
    if let Err(cause) = EnvFilter::builder().parse(filter) {
        reader.fault("RUST_LOG", format_args!("cannot be read: {cause}"));
    }
    filter.to_owned()
}

fn refuse_sandbox_defaults(reader: &mut Reader) {
    for name in NEEDED {
        if reader.text(name).is_none() {
            reader.fault(name, "must be set when CPS_MODE is live");
        }
    }
    if reader.text("CPS_WEBHOOK_ALLOW").is_some() {
        reader.fault("CPS_WEBHOOK_ALLOW", "is for the sandbox alone");
    }
    if reader.text("CPS_PAYMENT_PROVIDER") == Some("sandbox") {
        reader.fault("CPS_PAYMENT_PROVIDER", "names the provider of the sandbox");
    }
}
