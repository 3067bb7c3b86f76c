//! The variables as the process got them, and how one is read: every fault is kept, none ends the reading.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// What this version reads.
const READ: [&str; 17] = [
    "CPS_BIND",
    "CPS_CORS_ORIGINS",
    "CPS_DOCUMENT_STORE",
    "CPS_DRAIN_SECONDS",
    "CPS_FRONTEND_URL",
    "CPS_LOG",
    "CPS_MAIL",
    "CPS_MAIL_FROM",
    "CPS_MAX_IN_FLIGHT",
    "CPS_METRICS_BIND",
    "CPS_MODE",
    "CPS_POOL_SIZE",
    "CPS_PROGRAMME",
    "CPS_PUBLIC_URL",
    "CPS_SEALING_KEYS",
    "CPS_SIGNING_KEYS",
    "CPS_TRUSTED_PROXIES",
];
/// What the contract names and this version does not read.
const KNOWN: [&str; 6] = [
    "CPS_PAYMENT_PROVIDER",
    "CPS_STRIPE_PUBLISHABLE_KEY",
    "CPS_STRIPE_SECRET_KEY",
    "CPS_STRIPE_URL",
    "CPS_STRIPE_WEBHOOK_SECRETS",
    "CPS_WEBHOOK_ALLOW",
];

/// Variables by name. One that is not UTF-8 has no value, and is a fault where it is ours.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, Option<String>>);

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let pairs = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            Some((name, value.into_string().ok()))
        });
        Self(pairs.collect())
    }

    /// Every name, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.as_deref();
        value.filter(|value| !value.is_empty())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self(
            pairs
                .map(|(name, value)| (name.into(), Some(value.into())))
                .collect(),
        )
    }
}

/// Reads variables; what is wrong, and what is only doubtful, one a line.
pub struct Reader<'e> {
    environment: &'e Environment,
    pub faults: Vec<String>,
    pub warnings: Vec<String>,
}

impl<'e> Reader<'e> {
    /// A reader that has looked at what every variable of ours has to hold.
    pub fn new(environment: &'e Environment) -> Self {
        let mut reader = Self {
            environment,
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        let ours = |name: &&str| name.starts_with("CPS_") || *name == "DATABASE_URL";
        for name in environment.names().filter(ours) {
            match environment.0.get(name).and_then(Option::as_deref) {
                None => reader.fault(name, "is not UTF-8"),
                Some(value) if value != value.trim() || value.contains(char::is_control) => {
                    reader.fault(
                        name,
                        "begins or ends with a blank, or holds a control character",
                    );
                }
                Some(_) => {}
            }
        }
        reader
    }

    /// Notes what is wrong with `name`.
    pub fn fault(&mut self, name: &str, what: impl Display) {
        self.faults.push(format!("{name} {what}"));
    }

    /// Notes what is doubtful about `name`.
    pub fn warn(&mut self, name: &str, what: impl Display) {
        self.warnings.push(format!("{name} {what}"));
    }

    /// Every variable's name.
    pub fn names(&self) -> impl Iterator<Item = &'e str> + use<'e> {
        self.environment.names()
    }

    /// The variable; an empty one is not set.
    pub fn text(&self, name: &str) -> Option<&'e str> {
        self.environment.get(name)
    }

    /// The variable, read; `default` where it is not set, or is not `what`.
    pub fn parsed<T: FromStr>(&mut self, name: &str, default: T, what: &str) -> T {
        match self.text(name).map(str::parse) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                self.fault(name, format_args!("is not {what}"));
                default
            }
        }
    }

    /// A whole number in `range`.
    pub fn number<T>(&mut self, name: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let (least, most) = (*range.start(), *range.end());
        let what = format!("a whole number from {least} to {most}");
        let value = self.parsed(name, default, &what);
        if !range.contains(&value) {
            self.fault(name, format_args!("is not {what}"));
        }
        value
    }

    /// The parts of a list with commas.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &'e str> + use<'e> {
        let value = self.text(name).unwrap_or_default();
        value
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
    }

    /// Names what looks like ours and is read by nobody: a fault in live mode, where a mistyped name would leave a default in force.
    pub fn unread(&mut self, is_live: bool) {
        let ours = self.names().filter(|name| name.starts_with("CPS_"));
        for name in ours.filter(|name| !READ.contains(name)) {
            if KNOWN.contains(&name) {
                self.warn(name, "is not read by this version");
            } else if is_live {
                self.fault(name, "is no variable of this service");
            } else {
                self.warn(name, "is no variable of this service");
            }
        }
    }
}
