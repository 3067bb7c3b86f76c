//! The environment, read once. Every variable is checked before the port opens, all faults in one message.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

/// Whether made-up data and a settable clock are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Sandbox,
    Live,
}

/// How mails leave.
#[derive(Debug, Clone)]
pub enum MailRoute {
    /// They stay in the sandbox mailbox.
    Mailbox,
    /// `smtp://user:password@host:port`.
    Smtp(SecretString),
}

/// What the environment says.
#[derive(Debug, Clone)]
pub struct Config {
    pub mode: Mode,
    pub bind: SocketAddr,
    pub metrics_bind: SocketAddr,
    pub database_url: SecretString,
    pub pool_size: u32,
    /// The folder that verification documents are kept in.
    pub document_folder: PathBuf,
    pub mail: MailRoute,
    pub mail_from: String,
    pub signing_keys: Option<PathBuf>,
    pub programme: Option<PathBuf>,
    /// Where this API is reached, without a slash at the end; from the bind address when not set.
    pub public_url: Option<String>,
    /// Where the pages that mails link to are, without a slash at the end.
    pub frontend_url: Option<String>,
    pub cors_origins: Vec<String>,
    pub trusted_proxies: Vec<IpNet>,
    /// How long the service goes on serving after `/readyz` said that it drains.
    pub drain_delay: Duration,
    /// Requests in work at once; one more is answered 503.
    pub max_in_flight: usize,
}

/// Reads variables, keeps every fault.
struct Reader<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty())
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str, default: T, what: &str) -> T {
        match self.text(name).map(|value| value.parse()) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.faults.push(format!("{name} is not {what}"));
                default
            }
        }
    }

    fn list<T: std::str::FromStr>(&mut self, name: &str, what: &str) -> Vec<T> {
        let value = self.text(name).unwrap_or_default();
        let parts = value
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let parsed: Vec<_> = parts.map(str::parse).collect();
        let whole = parsed.len();
        let good: Vec<T> = parsed.into_iter().filter_map(Result::ok).collect();
        if good.len() < whole {
            self.faults
                .push(format!("{name} holds something that is not {what}"));
        }
        good
    }

    fn url(&mut self, name: &str) -> Option<String> {
        let value = self.text(name)?;
        let host = value
            .strip_prefix("https://")
            .or_else(|| value.strip_prefix("http://"));
        if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
            self.faults
                .push(format!("{name} is not an http or https address"));
        }
        Some(value.trim_end_matches('/').to_owned())
    }

    fn after_scheme(&mut self, name: &str, default: &str, scheme: &str) -> String {
        let value = self.text(name).unwrap_or_else(|| default.to_owned());
        match value.strip_prefix(scheme) {
            Some(path) if !path.is_empty() => path.to_owned(),
            _ => {
                self.faults
                    .push(format!("{name} does not begin with {scheme} and a path"));
                String::new()
            }
        }
    }
}

impl Config {
    /// The configuration in the process's environment.
    pub fn from_env() -> Result<Self, String> {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// The configuration that `get` answers for; every fault, one a line, when it cannot be used.
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut reader = Reader {
            get,
            faults: Vec::new(),
        };
        let config = Self::of(&mut reader);
        if config.mail_from.parse::<lettre::Address>().is_err() {
            let fault = "CPS_MAIL_FROM is not an e-mail address";
            reader.faults.push(fault.to_owned());
        }
        if config.mode == Mode::Live {
            refuse_sandbox_defaults(&mut reader);
        }
        if reader.faults.is_empty() {
            Ok(config)
        } else {
            Err(reader.faults.join("\n"))
        }
    }

    fn of(reader: &mut Reader) -> Self {
        let mode = mode(reader);
        let connections = u32::try_from(2 * cores()).unwrap_or(4);
        let drain_seconds = if mode == Mode::Live { 5 } else { 0 };
        let store = ("file://data/documents", "file://");
        Self {
            mode,
            bind: address(reader, "CPS_BIND", 8080),
            metrics_bind: address(reader, "CPS_METRICS_BIND", 9090),
            database_url: database_url(reader).into(),
            pool_size: reader
                .parsed("CPS_POOL_SIZE", connections, "a number of connections")
                .max(1),
            document_folder: reader
                .after_scheme("CPS_DOCUMENT_STORE", store.0, store.1)
                .into(),
            mail: mail_route(reader),
            mail_from: reader
                .text("CPS_MAIL_FROM")
                .unwrap_or_else(|| "donotreply@localhost".to_owned()),
            signing_keys: reader.text("CPS_SIGNING_KEYS").map(PathBuf::from),
            programme: reader.text("CPS_PROGRAMME").map(PathBuf::from),
            public_url: reader.url("CPS_PUBLIC_URL"),
            frontend_url: reader.url("CPS_FRONTEND_URL"),
            cors_origins: reader.list("CPS_CORS_ORIGINS", "an origin"),
            trusted_proxies: proxies(reader),
            drain_delay: Duration::from_secs(reader.parsed(
                "CPS_DRAIN_SECONDS",
                drain_seconds,
                "a number of seconds",
            )),
            max_in_flight: reader.parsed("CPS_MAX_IN_FLIGHT", 512, "a number of requests"),
        }
    }
}

fn mode(reader: &mut Reader) -> Mode {
    match reader.text("CPS_MODE").as_deref() {
        None | Some("sandbox") => Mode::Sandbox,
        Some("live") => Mode::Live,
        Some(_) => {
            let fault = "CPS_MODE is neither sandbox nor live";
            reader.faults.push(fault.to_owned());
            Mode::Sandbox
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

fn address(reader: &mut Reader, name: &str, port: u16) -> SocketAddr {
    let loopback = SocketAddr::from(([127, 0, 0, 1], port));
    reader.parsed(name, loopback, "an address like 127.0.0.1:8080")
}

fn database_url(reader: &mut Reader) -> String {
    let url = reader
        .text("DATABASE_URL")
        .unwrap_or_else(|| "sqlite://data/cps.db".to_owned());
    let known = ["sqlite://", "postgres://", "postgresql://"];
    if !known.iter().any(|scheme| {
        url.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    }) {
        reader.faults.push(
            "DATABASE_URL begins with none of sqlite://, postgres://, postgresql://".to_owned(),
        );
    }
    url
}

fn mail_route(reader: &mut Reader) -> MailRoute {
    match reader.text("CPS_MAIL") {
        None => MailRoute::Mailbox,
        Some(url) => {
            if !url.starts_with("smtp://") && !url.starts_with("smtps://") {
                reader.faults.push(
                    "CPS_MAIL is not an address like smtp://user:password@host:587".to_owned(),
                );
            }
            MailRoute::Smtp(url.into())
        }
    }
}

fn proxies(reader: &mut Reader) -> Vec<IpNet> {
    let texts: Vec<String> = reader.list("CPS_TRUSTED_PROXIES", "an address");
    let parsed: Vec<Option<IpNet>> = texts
        .iter()
        .map(|text| {
            text.parse()
                .ok()
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
        })
        .collect();
    if parsed.iter().any(Option::is_none) {
        reader.faults.push(
            "CPS_TRUSTED_PROXIES holds something that is neither an address nor a network"
                .to_owned(),
        );
    }
    parsed.into_iter().flatten().collect()
}

fn refuse_sandbox_defaults(reader: &mut Reader) {
    let needed = [
        "DATABASE_URL",
        "CPS_DOCUMENT_STORE",
        "CPS_MAIL",
        "CPS_MAIL_FROM",
        "CPS_SIGNING_KEYS",
        "CPS_PUBLIC_URL",
        "CPS_FRONTEND_URL",
    ];
    for name in needed {
        if reader.text(name).is_none() {
            reader
                .faults
                .push(format!("{name} must be set when CPS_MODE is live"));
        }
    }
    let url = SecretString::from(reader.text("DATABASE_URL").unwrap_or_default());
    if is_open_to_listeners(url.expose_secret()) {
        reader.faults.push("DATABASE_URL reaches PostgreSQL beyond this machine without TLS: add sslmode=verify-full".to_owned());
    }
}

fn is_open_to_listeners(url: &str) -> bool {
    if !url.starts_with("postgres") {
        return false;
    }
    let Ok(parsed) = reqwest::Url::parse(url) else {
        return true;
    };
    let named_in_query = parsed
        .query_pairs()
        .find(|(name, _)| name == "host")
        .map(|(_, host)| host.into_owned());
    let host = named_in_query
        .or_else(|| parsed.host_str().map(str::to_owned))
        .unwrap_or_default();
    let ip = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    let is_here = host.is_empty()
        || host.starts_with('/')
        || host == "localhost"
        || ip.is_ok_and(|ip| ip.is_loopback());
    let has_tls = parsed.query_pairs().any(|(name, value)| {
        name == "sslmode" && matches!(&*value, "require" | "verify-ca" | "verify-full")
    });
    !is_here && !has_tls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables: Vec<(String, String)> = variables
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect();
        Config::read(&|name| {
            variables
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.clone())
        })
    }

    #[test]
    fn an_empty_environment_is_the_sandbox() {
        let config = read(&[]).unwrap();
        assert_eq!((config.mode, config.bind.port()), (Mode::Sandbox, 8080));
    }

    #[test]
    fn every_fault_is_in_one_message() {
        let faults = read(&[
            ("CPS_BIND", "here"),
            ("DATABASE_URL", "mysql://x"),
            ("CPS_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
        ])
        .unwrap_err();
        for name in ["CPS_BIND", "DATABASE_URL", "CPS_TRUSTED_PROXIES"] {
            assert!(faults.contains(name), "{faults}");
        }
    }

    #[test]
    fn live_refuses_each_sandbox_default() {
        let faults = read(&[("CPS_MODE", "live")]).unwrap_err();
        assert_eq!(faults.lines().count(), 7, "{faults}");
    }

    #[test]
    fn live_refuses_a_far_database_without_tls() {
        assert!(is_open_to_listeners("postgres://u:p@db.example/cps"));
        assert!(is_open_to_listeners("postgres:///cps?host=db.example"));
        assert!(!is_open_to_listeners(
            "postgres://u:p@db.example/cps?sslmode=verify-full"
        ));
        assert!(!is_open_to_listeners("postgres://u:p@127.0.0.1/cps"));
    }
}
