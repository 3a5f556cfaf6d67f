//! Who is at the other end of a connection, as far as addresses tell.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;

use crate::proxies::TrustedProxies;

/// The address a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    address: IpAddr,
    /// Whether somebody forwarded the request whom nobody told us to trust.
    forwarded_by_stranger: bool,
}

impl ClientAddress {
    /// Takes the word of trusted proxies only: of `X-Forwarded-For`, entries are believed from the right for as long
    /// as a trusted proxy wrote them (contract §1.6: the last trusted proxy only).
    pub fn of(peer: SocketAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> Self {
        let mut address = peer.ip().to_canonical();
        let forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
        if !trusted.contains(address) {
            return Self {
                address,
                forwarded_by_stranger: forwarded,
            };
        }
        let lines: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            let Some(previous) = forwarded_address(entry) else {
                break;
            };
            address = previous.to_canonical();
            if !trusted.contains(address) {
                break;
            }
        }
        Self {
            address,
            forwarded_by_stranger: false,
        }
    }

    /// Where a request came from.
    #[must_use]
    pub fn of_request(request: &Request, trusted: &TrustedProxies) -> Self {
        let peer = request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0);
        // Unknown only where no connection is behind the request; such a request is from nowhere in particular.
        let peer = peer.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
        Self::of(peer, request.headers(), trusted)
    }

    /// The address to count requests by.
    pub fn key(&self) -> String {
        match self.address {
            IpAddr::V4(address) => address.to_string(),
            // One subscriber has a whole /64 (RFC 6177) and could otherwise use a new address per request.
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }

    /// Whether the client is on this machine or in a private network (contract §1.3: internal endpoints).
    ///
    /// A request forwarded by an unknown proxy may come from anywhere, so it is not.
    pub fn is_internal(&self) -> bool {
        if self.forwarded_by_stranger {
            return false;
        }
        match self.address {
            IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
            IpAddr::V6(address) => {
                address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
            }
        }
    }
}

/// An entry of `X-Forwarded-For`: an address, with some proxies also a port.
fn forwarded_address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    entry.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::proxies::IpRange;

    fn proxies(ranges: &[&str]) -> TrustedProxies {
        let parse = |range: &&str| range.parse::<IpRange>().expect("a range");
        TrustedProxies(ranges.iter().map(parse).collect())
    }

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> ClientAddress {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).expect("a header"));
        }
        let peer = SocketAddr::new(peer.parse().expect("an address"), 1);
        ClientAddress::of(peer, &headers, &proxies(trusted))
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let table: [(&str, &[&str], &[&str], &str); 8] = [
            ("203.0.113.5", &[], &[], "203.0.113.5"),
            ("203.0.113.5", &["198.51.100.7"], &[], "203.0.113.5"),
            ("10.0.0.1", &["198.51.100.7"], &["10.0.0.0/8"], "198.51.100.7"),
            // The client's own claim stands to the left of what our proxy saw.
            (
                "10.0.0.1",
                &["1.2.3.4, 198.51.100.7"],
                &["10.0.0.0/8"],
                "198.51.100.7",
            ),
            (
                "10.0.0.1",
                &["1.2.3.4, 198.51.100.7, 10.0.0.2"],
                &["10.0.0.0/8"],
                "198.51.100.7",
            ),
            (
                "10.0.0.1",
                &["1.2.3.4", "198.51.100.7"],
                &["10.0.0.1"],
                "198.51.100.7",
            ),
            ("10.0.0.1", &["198.51.100.7:4711"], &["10.0.0.1"], "198.51.100.7"),
            ("10.0.0.1", &["nonsense"], &["10.0.0.1"], "10.0.0.1"),
        ];
        for (peer, forwarded, trusted, expected) in table {
            assert_eq!(
                client(peer, forwarded, trusted).key(),
                expected,
                "{peer} {forwarded:?} {trusted:?}"
            );
        }
    }

    #[test]
    fn ipv6_clients_are_counted_by_their_network() {
        let one = client("2001:db8:1:2::1", &[], &[]).key();
        assert_eq!(one, client("2001:db8:1:2:ffff::9", &[], &[]).key());
        assert_ne!(one, client("2001:db8:1:3::1", &[], &[]).key());
        assert_eq!(client("::ffff:203.0.113.5", &[], &[]).key(), "203.0.113.5");
    }

    #[test]
    fn a_request_through_an_unknown_proxy_is_not_internal() {
        assert!(client("127.0.0.1", &[], &[]).is_internal());
        assert!(client("192.168.3.4", &[], &[]).is_internal());
        assert!(client("fd00::1", &[], &[]).is_internal());
        assert!(!client("203.0.113.5", &[], &[]).is_internal());
        assert!(!client("127.0.0.1", &["192.168.3.4"], &[]).is_internal());
        assert!(client("10.0.0.1", &["192.168.3.4"], &["10.0.0.1"]).is_internal());
        assert!(!client("10.0.0.1", &["203.0.113.5"], &["10.0.0.1"]).is_internal());
    }
}
