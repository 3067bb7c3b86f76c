//! The address of a PostgreSQL as libpq reads it, so that what is judged is what is connected to. Nothing is judged here.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What libpq takes in a URI, up to PostgreSQL 18.
const PARAMETERS: [&str; 51] = [
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_issuer",
    "oauth_scope",
    "options",
    "passfile",
    "password",
    "port",
    "replication",
    "require_auth",
    "requirepeer",
    "scram_client_key",
    "scram_server_key",
    "service",
    "servicefile",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslkeylogfile",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// The parameters of a `postgres://` address, in order; those that the address itself names come first.
#[derive(Debug, Default)]
pub struct Target(Vec<(&'static str, String)>);

impl Target {
    /// The parameters of `uri`, or why libpq could not read it.
    pub fn read(uri: &str) -> Result<Self, String> {
        let rest = ["postgres://", "postgresql://"]
            .iter()
            .find_map(|scheme| uri.strip_prefix(scheme))
            .ok_or("is no address of a PostgreSQL")?;
        let mut target = Self::default();
        let rest = target.user(rest)?;
        let rest = target.hosts(rest)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let database = path.strip_prefix('/').unwrap_or(path);
        if !database.is_empty() {
            target.add("dbname", database)?;
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            target.parameter(pair)?;
        }
        Ok(target)
    }

    /// Every value of a parameter.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(known, _)| *known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Every parameter's name, as often as it is given.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// Each host that may be connected to; an empty one is the socket of this machine.
    pub fn hosts_tried(&self) -> Vec<&str> {
        let named = self.values("host").flat_map(|hosts| hosts.split(','));
        let mut hosts: Vec<&str> = named.collect();
        if hosts.is_empty() {
            hosts.push("");
        }
        hosts
    }

    fn add(&mut self, name: &'static str, value: &str) -> Result<(), String> {
        let value = decoded(value)?;
        self.0.push((name, value));
        Ok(())
    }

    fn user<'u>(&mut self, rest: &'u str) -> Result<&'u str, String> {
        // libpq looks for the end of the user up to the first slash, whatever stands before it.
        let end = rest.find(['@', '/']).unwrap_or(rest.len());
        let Some((user, behind)) = rest
            .split_at_checked(end)
            .and_then(|(user, behind)| Some((user, behind.strip_prefix('@')?)))
        else {
            return Ok(rest);
        };
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        if !name.is_empty() {
            self.add("user", name)?;
        }
        if !password.is_empty() {
            self.add("password", password)?;
        }
        Ok(behind)
    }

    fn hosts<'u>(&mut self, rest: &'u str) -> Result<&'u str, String> {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, behind) = rest
            .split_at_checked(end)
            .ok_or("holds no host that libpq can read")?;
        if authority.contains('@') {
            return Err("holds an @ that has to be written as %40".to_owned());
        }
        let (mut hosts, mut ports) = (Vec::new(), Vec::new());
        for one in authority.split(',') {
            let (host, port) = match one.strip_prefix('[') {
                Some(inner) => {
                    let (host, port) = inner.split_once(']').ok_or("has no ] behind its [")?;
                    (host, port.strip_prefix(':').unwrap_or(port))
                }
                None => one.split_once(':').unwrap_or((one, "")),
            };
            if !port.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err("holds a port that is no number".to_owned());
            }
            hosts.push(host);
            ports.push(port);
        }
        let is_given = |parts: &[&str]| parts.iter().any(|part| !part.is_empty());
        if is_given(&hosts) {
            self.add("host", &hosts.join(","))?;
        }
        if is_given(&ports) {
            self.add("port", &ports.join(","))?;
        }
        Ok(behind)
    }

    fn parameter(&mut self, pair: &str) -> Result<(), String> {
        let (name, value) = pair
            .split_once('=')
            .filter(|(_, value)| !value.contains('='))
            .ok_or("holds a parameter that is not name=value")?;
        let (name, value) = (decoded(name)?, decoded(value)?);
        // As JDBC writes it.
        if (name.as_str(), value.as_str()) == ("ssl", "true") {
            self.0.push(("sslmode", "require".to_owned()));
            return Ok(());
        }
        let known = PARAMETERS.iter().find(|known| **known == name);
        let known = known.ok_or_else(|| format!("holds `{name}`, which libpq does not know"))?;
        self.0.push((known, value));
        Ok(())
    }
}

/// `text` with its escapes read.
fn decoded(text: &str) -> Result<String, String> {
    let mut escapes = text.split('%').skip(1);
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit) && two != b"00")
    };
    if !escapes.all(is_escape) {
        return Err("holds a % that is no escape".to_owned());
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Cow::into_owned)
        .map_err(|_| "holds escapes that are not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(uri: &str) -> Vec<String> {
        let target = Target::read(uri).unwrap();
        target
            .hosts_tried()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_way_to_name_a_host_is_read() {
        for (uri, expected) in [
            ("postgres://", vec![""]),
            ("postgres:///cps", vec![""]),
            (
                "postgres://u:p@db.one:5432/cps?sslmode=require",
                vec!["db.one"],
            ),
            (
                "postgresql://a,b:5433,[::1]:5434/cps",
                vec!["a", "b", "::1"],
            ),
            ("postgres://%64b.one/cps", vec!["db.one"]),
            (
                "postgres://127.0.0.1%2Cdb.one/cps",
                vec!["127.0.0.1", "db.one"],
            ),
            ("postgres://%2Fvar%2Frun/cps", vec!["/var/run"]),
            ("postgres:///cps?%68ost=db.one", vec!["db.one"]),
            (
                "postgres://localhost/cps?host=db.one",
                vec!["localhost", "db.one"],
            ),
            (
                "postgres://localhost?host=db.one,",
                vec!["localhost", "db.one", ""],
            ),
        ] {
            assert_eq!(hosts(uri), expected, "{uri}");
        }
    }

    #[test]
    fn what_libpq_would_not_read_is_named() {
        for uri in [
            "postgres://[::1/cps",
            "postgres://db:port/cps",
            "postgres://db/cps?sslmode",
            "postgres://db/cps?sslmode=a=b",
            "postgres://db/cps?sslmod=require",
            "postgres://db/cps?sslmode=%zz",
            "postgres://db/cps?sslmode=%00",
            "postgres://u@h@db/cps",
        ] {
            assert!(Target::read(uri).is_err(), "{uri}");
        }
    }
}
