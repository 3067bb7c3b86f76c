//! Addresses of the web: our own, that of the pages which mails link to, the origins that may call, the proxies that are believed.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv6Net};
use reqwest::Url;

use super::environment::Reader;
use super::hosts::{is_example, is_loopback, unreachable};

/// The widest network of either kind that still can be one house's proxies.
const WIDEST: (u8, u8) = (8, 16);

/// An address to listen at; on the loopback when it is not set.
pub fn bind(reader: &mut Reader, name: &str, port: u16) -> SocketAddr {
    let loopback = SocketAddr::from(([127, 0, 0, 1], port));
    reader.parsed(name, loopback, "an address like 127.0.0.1:8080")
}

/// Names a port that two listeners would want.
pub fn refuse_one_port_twice(reader: &mut Reader, api: SocketAddr, metrics: SocketAddr) {
    let overlap =
        api.ip() == metrics.ip() || api.ip().is_unspecified() || metrics.ip().is_unspecified();
    if api.port() == metrics.port() && api.port() != 0 && overlap {
        reader.fault("CPS_METRICS_BIND", "is the address that CPS_BIND has");
    }
}

/// The parts of an http or https address that is written plainly: no credentials, no query, no fragment, nothing that a reader may read
/// in two ways.
fn plain(text: &str) -> Result<Url, &'static str> {
    let (_, rest) = text
        .split_once("://")
        .ok_or("is not an http or https address")?;
    if rest.starts_with('/')
        || text.contains(['\\', '*', ' ', '"', '<', '>', '|', '^', '`', '{', '}'])
    {
        return Err("is not an http or https address");
    }
    if text.contains('@') {
        return Err("holds credentials");
    }
    if text.contains(['?', '#']) {
        return Err("holds a query or a fragment");
    }
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or("is not an http or https address")?;
    if url.port() == Some(0) {
        return Err("names port 0");
    }
    match url.host_str() {
        None => Err("names no host"),
        Some(host) if host.ends_with('.') => Err("names a host with a dot at its end"),
        Some(_) => Ok(url),
    }
}

/// Whether a path is made of whole segments that every reader reads alike; one slash at its end is left off.
fn is_plain_path(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let is_good = |segment: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        !segment.is_empty()
            && segment.bytes().all(is_plain)
            && segment.bytes().any(|byte| byte != b'.')
    };
    path.is_empty()
        || path
            .strip_prefix('/')
            .is_some_and(|path| path.split('/').all(is_good))
}

/// The path of an address as it is written: the parser follows its dots.
fn path_of(text: &str) -> &str {
    let behind = text.split_once("://").map_or("", |(_, rest)| rest);
    behind
        .find('/')
        .and_then(|at| behind.get(at..))
        .unwrap_or("")
}

/// The address of a service of ours, without a slash at its end.
pub fn address(
    reader: &mut Reader,
    name: &str,
    is_live: bool,
    may_have_path: bool,
) -> Option<String> {
    let text = reader.text(name)?;
    let url = match plain(text) {
        Ok(url) => url,
        Err(fault) => {
            reader.fault(name, fault);
            return None;
        }
    };
    let path = path_of(text);
    if !is_plain_path(path) || (!may_have_path && !matches!(path, "" | "/")) {
        reader.fault(name, "has a path that it must not have");
    }
    if is_live {
        demand_public(reader, name, &url);
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn demand_public(reader: &mut Reader, name: &str, url: &Url) {
    if url.scheme() != "https" {
        reader.fault(name, "is not an https address");
    }
    let host = url.host_str().unwrap_or_default();
    if let Some(why) = unreachable(host) {
        reader.fault(name, why);
    } else if is_example(host) {
        reader.warn(name, "stands under a name that is kept for examples");
    }
}

/// The origins whose pages may call, as browsers write them.
pub fn origins(reader: &mut Reader, is_live: bool) -> Vec<String> {
    const NAME: &str = "CPS_CORS_ORIGINS";
    let mut origins = Vec::new();
    for text in reader.list(NAME) {
        match plain(text) {
            Ok(url) if matches!(path_of(text), "" | "/") => {
                if is_live && url.scheme() == "http" && !url.host_str().is_some_and(is_loopback) {
                    reader.fault(NAME, format_args!("holds {text}, which is not https"));
                }
                origins.push(url.origin().ascii_serialization());
            }
            Ok(_) => reader.fault(
                NAME,
                format_args!(
                    "holds {text}, which has a path: an origin is https://host or https://host:port"
                ),
            ),
            Err(_) => reader.fault(
                NAME,
                format_args!(
                    "holds {text}, which is no origin like https://host or https://host:port"
                ),
            ),
        }
    }
    origins
}

/// The networks whose word on where a request comes from is believed.
pub fn proxies(reader: &mut Reader, is_live: bool) -> Vec<IpNet> {
    const NAME: &str = "CPS_TRUSTED_PROXIES";
    let mut nets = Vec::new();
    for text in reader.list(NAME) {
        let net = text
            .parse()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match net {
            Some(net) => nets.push(net),
            None => reader.fault(
                NAME,
                format_args!("holds {text}, which is neither an address nor a network"),
            ),
        }
    }
    // Halves of the whole are the whole.
    let joined = IpNet::aggregate(&nets);
    if is_live && let Some(wide) = nets.iter().chain(&joined).find(|net| is_too_wide(net)) {
        reader.fault(
            NAME,
            format_args!(
                "holds {wide}, a network so wide that anybody could name their own address"
            ),
        );
    }
    nets
}

fn is_too_wide(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => net.prefix_len() < WIDEST.0,
        IpNet::V6(net) => net.prefix_len() < WIDEST.1 && !is_private(net) || maps_too_much(net),
    }
}

/// Whether too much of IPv4 is in `net`, written as IPv6: all of it stands behind `::ffff:0:0/96`.
fn maps_too_much(net: &Ipv6Net) -> bool {
    const MAPPED: u128 = 0xffff << 32;
    const MAPPED_BITS: u8 = 96;
    let (first, bits) = (net.network().to_bits(), net.prefix_len());
    let shared = 128 - u32::from(bits.min(MAPPED_BITS));
    let is_related =
        first.checked_shr(shared).unwrap_or(0) == MAPPED.checked_shr(shared).unwrap_or(0);
    is_related && bits < MAPPED_BITS + WIDEST.0
}

fn is_private(net: &Ipv6Net) -> bool {
    let first = net
        .network()
        .segments()
        .first()
        .copied()
        .unwrap_or_default();
    net.prefix_len() >= 7 && first & 0xfe00 == 0xfc00
        || net.prefix_len() >= 10 && first & 0xffc0 == 0xfe80
}
