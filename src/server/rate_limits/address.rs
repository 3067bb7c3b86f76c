//! Where a request comes from: the peer, or behind trusted proxies what the last of them tells. No counting.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::http::header::{HeaderMap, HeaderValue};
use ipnet::IpNet;

/// Each proxy appends who called it.
const FORWARDED: &str = "x-forwarded-for";

/// The address of the client. Behind trusted proxies it is the last one that they did not add themselves; where one of
/// them tells something that cannot be read, it is the proxy that told it, for what stands further left is the client's word.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut nearest = peer.to_canonical();
    if !is_trusted(&nearest) {
        return nearest;
    }
    let values: Vec<&HeaderValue> = headers.get_all(FORWARDED).collect();
    let hops = values
        .into_iter()
        .rev()
        .flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    for hop in hops {
        let Some(address) = address_of(hop) else {
            return nearest;
        };
        nearest = address;
        if !is_trusted(&nearest) {
            return nearest;
        }
    }
    nearest
}

/// One hop: `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`, each with a port or without, quoted or not (RFC 7239 section 6).
fn address_of(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim();
    let hop = match hop.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => hop,
    };
    if let Some(bracketed) = hop.strip_prefix('[') {
        let (address, behind) = bracketed.split_once(']')?;
        let address: Ipv6Addr = address.parse().ok()?;
        let is_whole = behind.is_empty() || behind.strip_prefix(':').is_some_and(is_port);
        return is_whole.then_some(IpAddr::V6(address).to_canonical());
    }
    let address = match hop.split_once(':') {
        Some((address, port)) if !port.contains(':') => is_port(port).then_some(address)?,
        _ => hop,
    };
    let address: IpAddr = address.parse().ok()?;
    Some(address.to_canonical())
}

/// A number, or the made-up name of a port.
fn is_port(port: &str) -> bool {
    let is_obfuscated = port
        .strip_prefix('_')
        .is_some_and(|name| !name.is_empty() && name.bytes().all(is_token));
    port.parse::<u16>().is_ok() || is_obfuscated
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    const PEER: &str = "10.0.0.2";

    fn told(peer: &str, values: &[&[u8]]) -> String {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"]
            .map(|net| net.parse().unwrap())
            .to_vec();
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value).unwrap();
            headers.append(HeaderName::from_static(FORWARDED), value);
        }
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let hops: &[&[u8]] = &[b"6.6.6.6, 203.0.113.9, 10.1.1.1"];
        assert_eq!(told(PEER, hops), "203.0.113.9");
        assert_eq!(told("::ffff:10.0.0.2", hops), "203.0.113.9");
        assert_eq!(told("198.51.100.7", hops), "198.51.100.7");
        assert_eq!(told("::ffff:198.51.100.7", hops), "198.51.100.7");
        assert_eq!(told(PEER, &[]), PEER);
        assert_eq!(told(PEER, &[b"10.1.1.1"]), "10.1.1.1");
        // Several lines are one list.
        assert_eq!(
            told(PEER, &[b"6.6.6.6", b"203.0.113.9", b"10.1.1.1"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn a_hop_is_read_in_every_spelling() {
        for (hop, address) in [
            ("203.0.113.9", "203.0.113.9"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("\"203.0.113.9:4711\"", "203.0.113.9"),
            ("203.0.113.9:_port", "203.0.113.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:DB8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:80", "203.0.113.9"),
            ("\t203.0.113.9 ", "203.0.113.9"),
        ] {
            let list = format!("6.6.6.6, {hop}, [fd00::1]:80");
            assert_eq!(told(PEER, &[list.as_bytes()]), address, "{hop}");
        }
    }

    #[test]
    fn what_cannot_be_read_ends_the_walk_and_names_nobody_further_left() {
        let unreadable: [&[u8]; 17] = [
            b"unknown",
            b"_x",
            b"",
            b"  ",
            b"1.2.3",
            b"1.2.3.4.5",
            b"01.2.3.4",
            b"1.2.3.4:",
            b"1.2.3.4:x",
            b"1.2.3.4:70000",
            b"\"1.2.3.4",
            b"1.2.3.4\"",
            b"[::1",
            b"::1]",
            b"[1.2.3.4]",
            b"fe80::1%eth0",
            b"\xff\xfe",
        ];
        for hop in unreadable {
            for at_proxy in ["", ", 10.1.1.1"] {
                let list = [b"6.6.6.6, ", hop, at_proxy.as_bytes()].concat();
                let nearest = if at_proxy.is_empty() {
                    PEER
                } else {
                    "10.1.1.1"
                };
                assert_eq!(
                    told(PEER, &[&list]),
                    nearest,
                    "{}",
                    String::from_utf8_lossy(&list)
                );
            }
        }
    }
}
