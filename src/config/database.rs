//! Where the database is: which addresses are taken, and in live mode what of them is safe.

use super::environment::Reader;
use super::hosts::is_loopback;
use super::libpq::Target;

const NAME: &str = "DATABASE_URL";
/// What libpq takes from the environment; each fills in, or overrides, what the address says. A password may come that way.
const FROM_OUTSIDE: [&str; 43] = [
    "PGAPPNAME",
    "PGCHANNELBINDING",
    "PGCLIENTENCODING",
    "PGCONNECT_TIMEOUT",
    "PGDATABASE",
    "PGDATESTYLE",
    "PGGEQO",
    "PGGSSDELEGATION",
    "PGGSSENCMODE",
    "PGGSSLIB",
    "PGHOST",
    "PGHOSTADDR",
    "PGKRBSRVNAME",
    "PGLOADBALANCEHOSTS",
    "PGLOCALEDIR",
    "PGMAXPROTOCOLVERSION",
    "PGMINPROTOCOLVERSION",
    "PGOAUTHDEBUG",
    "PGOPTIONS",
    "PGPORT",
    "PGREALM",
    "PGREQUIREAUTH",
    "PGREQUIREPEER",
    "PGREQUIRESSL",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSSLCERT",
    "PGSSLCERTMODE",
    "PGSSLCOMPRESSION",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGSSLKEY",
    "PGSSLKEYLOGFILE",
    "PGSSLMAXPROTOCOLVERSION",
    "PGSSLMINPROTOCOLVERSION",
    "PGSSLMODE",
    "PGSSLNEGOTIATION",
    "PGSSLROOTCERT",
    "PGSSLSNI",
    "PGSYSCONFDIR",
    "PGTARGETSESSIONATTRS",
    "PGTZ",
    "PGUSER",
];
const SSL_MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

/// The address of the database.
pub fn database_url(reader: &mut Reader, is_live: bool) -> String {
    let url = reader.text(NAME).unwrap_or("sqlite://data/cps.db");
    if let Some(path) = url.strip_prefix("sqlite://") {
        sqlite(reader, path);
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        match Target::read(url) {
            Ok(target) => postgres(reader, &target, is_live),
            Err(fault) => reader.fault(NAME, fault),
        }
    } else {
        reader.fault(
            NAME,
            "begins with none of sqlite://, postgres://, postgresql://",
        );
    }
    url.to_owned()
}

fn sqlite(reader: &mut Reader, path: &str) {
    if path.is_empty() {
        reader.fault(NAME, "names no file behind sqlite://");
    } else if path.starts_with(':') || path.starts_with("file:") || path.ends_with('/') {
        reader.fault(NAME, "names no plain path of a file behind sqlite://");
    }
}

fn postgres(reader: &mut Reader, target: &Target, is_live: bool) {
    let modes: Vec<&str> = target.values("sslmode").collect();
    if modes.iter().any(|mode| !SSL_MODES.contains(mode)) {
        reader.fault(NAME, "has an sslmode that libpq does not know");
    }
    if !is_live {
        return;
    }
    for name in target
        .names()
        .filter(|name| target.values(name).count() > 1)
    {
        let fault = format!("{NAME} says {name} twice");
        if !reader.faults.contains(&fault) {
            reader.faults.push(fault);
        }
    }
    for (name, why) in [
        ("hostaddr", "past the name that sslmode=verify-full checks"),
        ("service", "to a file of its own"),
        ("servicefile", "to a file of its own"),
        ("sslkeylogfile", "the keys of its connections into a file"),
    ] {
        if target.values(name).next().is_some() {
            reader.fault(NAME, format_args!("holds {name}, which leads {why}"));
        }
    }
    for name in reader.names().filter(|name| FROM_OUTSIDE.contains(name)) {
        let fault = "is set, and would change how the database is reached: say it in DATABASE_URL";
        reader.fault(name, fault);
    }
    encryption(reader, target, modes.first().copied());
}

/// Each host beyond this machine is reached by TLS.
fn encryption(reader: &mut Reader, target: &Target, mode: Option<&str>) {
    let is_here =
        |host: &&str| host.is_empty() || host.starts_with(['/', '@']) || is_loopback(host);
    let far = target.hosts_tried().into_iter().find(|host| !is_here(host));
    let Some(far) = far else {
        return;
    };
    match mode {
        Some("verify-full") => {}
        Some("require" | "verify-ca") => reader.warn(
            NAME,
            format_args!("does not check that it is {far} who answers: sslmode=verify-full does"),
        ),
        _ => reader.fault(
            NAME,
            format_args!("reaches PostgreSQL at {far}, beyond this machine, without TLS: add sslmode=verify-full"),
        ),
    }
}
