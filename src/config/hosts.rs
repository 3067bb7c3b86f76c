//! Hosts, as addresses name them: which are this machine, which can never be reached by others.

use std::net::IpAddr;

/// Whether `host` is this machine and no other: `localhost`, 127.0.0.0/8 or ::1, with or without brackets.
pub fn is_loopback(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = bare.unwrap_or(host).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
}

/// Why nobody else can reach `host`, if that is so.
pub fn unreachable(host: &str) -> Option<&'static str> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = bare.unwrap_or(host).parse::<IpAddr>().ok();
    let mapped = address.map(|ip| ip.to_canonical());
    if is_loopback(host) || mapped.is_some_and(|ip| ip.is_loopback() || ip.is_unspecified()) {
        return Some("names this machine alone");
    }
    let host = host.to_ascii_lowercase();
    let is_under = |top: &&str| host == **top || host.ends_with(&format!(".{top}"));
    ["localhost", "invalid", "local", "localdomain"]
        .iter()
        .any(is_under)
        .then_some("names a host that only this machine or its network knows")
}

/// Whether `host` stands under a name that is kept for documents and tests (RFC 2606, RFC 6761).
pub fn is_example(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    [
        "example",
        "test",
        "example.com",
        "example.net",
        "example.org",
    ]
    .iter()
    .any(|kept| host == *kept || host.ends_with(&format!(".{kept}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in [
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "[::1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.cps.dk",
            "0.0.0.0",
            "128.0.0.1",
            "127.0.0.1.cps.dk",
            "",
            "[::2]",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn names_that_nobody_else_reaches_are_told_from_those_of_documents() {
        for host in [
            "localhost",
            "cps.localhost",
            "0.0.0.0",
            "[::ffff:127.0.0.1]",
            "cps.local",
        ] {
            assert!(unreachable(host).is_some() && !is_example(host), "{host}");
        }
        for host in ["cps.example", "www.example.com", "cps.test"] {
            assert!(is_example(host) && unreachable(host).is_none(), "{host}");
        }
        for host in ["cps.dk", "example.dk", "10.0.0.5", "contest"] {
            assert!(!is_example(host) && unreachable(host).is_none(), "{host}");
        }
    }
}
