//! Which pages of other origins may call, and what they may read of the answers.

use actix_cors::Cors;
use actix_web::http::header::HeaderName;

use crate::config::{Config, is_loopback};

/// The headers that pages from other origins may read.
const EXPOSED: [&str; 11] = [
    "accept-patch",
    "allow",
    "content-language",
    "etag",
    "idempotency-replayed",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-request-id",
];

/// Lets the configured origins call, and no other; a sandbox that names none, every port of this machine.
pub fn cors(config: &Config) -> Cors {
    let cors = match &config.cors_origins {
        Some(origins) => {
            let origins = origins.iter();
            origins.fold(Cors::default(), |cors, origin| cors.allowed_origin(origin))
        }
        None => Cors::default()
            .allowed_origin_fn(|origin, _| origin.to_str().is_ok_and(is_of_this_machine)),
    };
    cors.allow_any_method()
        .allow_any_header()
        .expose_headers(EXPOSED.map(HeaderName::from_static))
        .block_on_origin_mismatch(false)
        .max_age(3600)
}

fn is_of_this_machine(origin: &str) -> bool {
    let schemes = ["http://", "https://"];
    let Some(rest) = schemes
        .iter()
        .find_map(|scheme| origin.strip_prefix(scheme))
    else {
        return false;
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let host = rest
        .rsplit_once(':')
        .filter(|(_, port)| is_port(port))
        .map_or(rest, |(host, _)| host);
    is_loopback(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_are_its_own() {
        for origin in [
            "http://localhost:5173",
            "https://localhost",
            "http://127.0.0.1:3000",
            "http://[::1]:80",
            "http://[::1]",
        ] {
            assert!(is_of_this_machine(origin), "{origin}");
        }
        for origin in [
            "null",
            "*",
            "https://localhost.cps.example",
            "https://cps.example:80",
            "http://localhost:80:80",
            "http://localhost@cps.example",
            "ftp://localhost",
            "localhost",
        ] {
            assert!(!is_of_this_machine(origin), "{origin}");
        }
    }
}
