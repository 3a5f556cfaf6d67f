//! URLs of STUN and TURN servers (RFC 7064 §3.1, RFC 7065 §3.1).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// The port unless the URL names one.
const PORT: u16 = 3478;
/// The same over TLS.
const TLS_PORT: u16 = 5349;

/// What a server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `stun:`, `stuns:`
    Stun,
    /// `turn:`, `turns:`
    Turn,
}

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// An encrypted stream.
    Tls,
}

/// A host as a URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(formatter),
            Self::Name(name) => name.fmt(formatter),
        }
    }
}

/// A STUN or TURN server's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    /// What it is for.
    pub service: Service,
    /// Where it is.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// How it is reached.
    pub way: Way,
}

/// A text is no such URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It begins otherwise.
    #[error("it does not begin with stun:, stuns:, turn: or turns:")]
    Scheme,
    /// There is no host, or one that cannot be.
    #[error("it names no host")]
    Host,
    /// The port is none.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// The transport is none that browsers know.
    #[error("its transport is neither udp nor tcp")]
    Transport,
    /// Datagrams over TLS are not spoken by browsers.
    #[error("turns: goes over tcp only")]
    Dtls,
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once(':').ok_or(UrlError::Scheme)?;
        let (service, secure) = match scheme.to_ascii_lowercase().as_str() {
            "stun" => (Service::Stun, false),
            "stuns" => (Service::Stun, true),
            "turn" => (Service::Turn, false),
            "turns" => (Service::Turn, true),
            _ => return Err(UrlError::Scheme),
        };
        let (place, query) = rest
            .split_once('?')
            .map_or((rest, None), |(place, query)| (place, Some(query)));
        let (host, port) = host_and_port(place)?;
        let transport = match query {
            None => None,
            Some(query) => Some(query.strip_prefix("transport=").ok_or(UrlError::Transport)?),
        };
        let way = match (secure, transport.map(str::to_ascii_lowercase).as_deref()) {
            (false, None | Some("udp")) => Way::Udp,
            (false, Some("tcp")) => Way::Tcp,
            (true, None | Some("tcp")) => Way::Tls,
            (true, Some("udp")) => return Err(UrlError::Dtls),
            _ => return Err(UrlError::Transport),
        };
        let usual = if secure { TLS_PORT } else { PORT };
        Ok(Self {
            service,
            host,
            port: port.unwrap_or(usual),
            way,
        })
    }
}

fn host_and_port(place: &str) -> Result<(Host, Option<u16>), UrlError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or(UrlError::Host)?;
            let address: IpAddr = address.parse().map_err(|_| UrlError::Host)?;
            let port = match after {
                "" => None,
                _ => Some(after.strip_prefix(':').ok_or(UrlError::Host)?),
            };
            (Host::Address(address), port)
        }
        None => {
            let (name, port) = place
                .split_once(':')
                .map_or((place, None), |(name, port)| (name, Some(port)));
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_plain) {
                return Err(UrlError::Host);
            }
            let host = name
                .parse()
                .map_or_else(|_| Host::Name(name.to_owned()), Host::Address);
            (host, port)
        }
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0).ok_or(UrlError::Port));
    Ok((host, port.transpose()?))
}

impl ServerUrl {
    /// The first address of the host.
    ///
    /// # Errors
    /// [`crate::Fault::Unresolvable`].
    pub(crate) async fn resolve(&self) -> Result<SocketAddr, crate::Fault> {
        let name = match &self.host {
            Host::Address(address) => return Ok(SocketAddr::new(*address, self.port)),
            Host::Name(name) => name,
        };
        let found = tokio::net::lookup_host((name.as_str(), self.port)).await.ok();
        found
            .and_then(|mut addresses| addresses.next())
            .ok_or_else(|| crate::Fault::Unresolvable { name: name.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_the_standards_say() {
        use Service::{Stun, Turn};
        let name = |name: &str| Host::Name(name.to_owned());
        let address = |text: &str| Host::Address(text.parse().expect("an address"));
        let table = [
            ("stun:example.org", Stun, name("example.org"), 3478, Way::Udp),
            (
                "stun:example.org:19302",
                Stun,
                name("example.org"),
                19302,
                Way::Udp,
            ),
            ("stuns:example.org", Stun, name("example.org"), 5349, Way::Tls),
            ("turn:192.0.2.1", Turn, address("192.0.2.1"), 3478, Way::Udp),
            (
                "turn:[2001:db8::1]:80?transport=tcp",
                Turn,
                address("2001:db8::1"),
                80,
                Way::Tcp,
            ),
            ("TURN:a.b?transport=UDP", Turn, name("a.b"), 3478, Way::Udp),
            ("turns:a.b:443?transport=tcp", Turn, name("a.b"), 443, Way::Tls),
        ];
        for (text, service, host, port, way) in table {
            let expected = ServerUrl {
                service,
                host,
                port,
                way,
            };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        let wrong = [
            ("", UrlError::Scheme),
            ("http://a", UrlError::Scheme),
            ("turn:", UrlError::Host),
            ("turn://a", UrlError::Host),
            ("turn:[::1", UrlError::Host),
            ("turn:[::1]80", UrlError::Host),
            ("turn:a:0", UrlError::Port),
            ("turn:a:70000", UrlError::Port),
            ("turn:a:", UrlError::Port),
            ("turn:a?transport=sctp", UrlError::Transport),
            ("turn:a?x=y", UrlError::Transport),
            ("turns:a?transport=udp", UrlError::Dtls),
        ];
        for (text, expected) in wrong {
            assert_eq!(text.parse::<ServerUrl>(), Err(expected), "{text}");
        }
    }
}
