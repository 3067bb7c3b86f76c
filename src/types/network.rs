//! Networks of addresses, as `192.0.2.0/24` or `2001:db8::/32`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
use serde_with::{DeserializeFromStr, SerializeDisplay};

/// A network. What is written behind its length is not part of it: `192.0.2.7/24` is `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct Network(IpNet);

/// The text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a network in CIDR notation")]
pub struct BadNetwork;

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let network: IpNet = text.trim().parse().map_err(|_| BadNetwork)?;
        Ok(Self(network.trunc()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether an address is in one of these networks; where there are none, every address is, and one that is not known.
pub fn is_within(networks: &[Network], address: Option<IpAddr>) -> bool {
    let is_in = |address: IpAddr| networks.iter().any(|network| network.0.contains(&address));
    networks.is_empty() || address.is_some_and(|address| is_in(address.to_canonical()))
}

/// What counts as one caller: an IPv4 address, or the /64 of an IPv6 address, of which one household has them all.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_household_is_one_caller() {
        let of = |text: &str| household(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2::"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:3::1"), of("2001:db8:1:2::1"));
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn an_address_is_in_a_network_or_there_are_none() {
        let networks: Vec<Network> = ["192.0.2.7/24", "2001:db8::/32"]
            .map(|text| text.parse().unwrap())
            .into();
        assert_eq!(networks[0].to_string(), "192.0.2.0/24");
        let at = |text: &str| is_within(&networks, Some(text.parse().unwrap()));
        assert!(at("192.0.2.200") && at("::ffff:192.0.2.200") && at("2001:db8:1::1"));
        assert!(!at("192.0.3.1") && !at("2001:db9::1") && !is_within(&networks, None));
        assert!(is_within(&[], None));
        for text in ["", "192.0.2.0", "192.0.2.0/33", "net", "2001:db8::/129"] {
            assert_eq!(text.parse::<Network>(), Err(BadNetwork), "{text}");
        }
    }
}
