//! The addresses told to clients.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};

use edge::setting;

use super::error::ConfigError;

/// Resolves the comma list `text` of addresses and host names, in its order, without repeats.
pub(super) fn resolve(text: &str, bind: IpAddr) -> Result<Vec<IpAddr>, ConfigError> {
    let mut announced = Vec::new();
    for entry in setting::entries(text) {
        for address in resolve_one(entry, bind)? {
            if address.is_unspecified() || address.is_multicast() {
                return Err(ConfigError::Unreachable { address });
            }
            if !serves(bind, address) {
                return Err(ConfigError::Family {
                    announced: address,
                    bind,
                });
            }
            if !announced.contains(&address) {
                announced.push(address);
            }
        }
    }
    if announced.is_empty() {
        let expected = "a comma list of addresses or host names";
        return Err(setting::invalid("ANNOUNCED_IP", text, expected).into());
    }
    Ok(announced)
}

/// What is announced when nothing is configured: loopback, and for sockets on all interfaces also the machine's
/// primary address, because phones need it and Firefox gathers no loopback candidates.
pub(super) fn for_this_machine(bind: IpAddr) -> Vec<IpAddr> {
    if !bind.is_unspecified() {
        return vec![bind];
    }
    let mut announced = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    announced.extend(primary_address());
    announced
}

/// The IPv4 address from which this machine would reach others, if it is connected to anything.
fn primary_address() -> Option<IpAddr> {
    // Connecting a UDP socket sends nothing; it only makes the system choose a route. The targets are
    // documentation (RFC 5737) and private (RFC 1918) addresses: one of them has a route on most machines.
    const TARGETS: [Ipv4Addr; 4] = [
        Ipv4Addr::new(192, 0, 2, 1),
        Ipv4Addr::new(192, 168, 255, 254),
        Ipv4Addr::new(10, 255, 255, 254),
        Ipv4Addr::new(172, 31, 255, 254),
    ];
    TARGETS.iter().find_map(|target| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect((*target, 9)).ok()?;
        let address = socket.local_addr().ok()?.ip();
        (!address.is_loopback() && !address.is_unspecified()).then_some(address)
    })
}

fn resolve_one(entry: &str, bind: IpAddr) -> Result<Vec<IpAddr>, ConfigError> {
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    let unresolvable = |reason: String| ConfigError::Unresolvable {
        name: entry.to_owned(),
        reason,
    };
    let found = (entry, 0)
        .to_socket_addrs()
        .map_err(|error| unresolvable(error.to_string()))?;
    let found: Vec<IpAddr> = found.map(|address: SocketAddr| address.ip()).collect();
    // A name often has addresses of both families; those the sockets cannot serve are left out.
    let usable: Vec<IpAddr> = found
        .iter()
        .copied()
        .filter(|address| serves(bind, *address))
        .collect();
    match (usable.is_empty(), found.first()) {
        (false, _) => Ok(usable),
        (true, Some(other)) => Err(ConfigError::Family {
            announced: *other,
            bind,
        }),
        (true, None) => Err(unresolvable("the name has no address".into())),
    }
}

/// Whether a socket bound to `bind` can be reached at an address of the family of `announced`.
fn serves(bind: IpAddr, announced: IpAddr) -> bool {
    let dual_stack = bind.is_ipv6() && bind.is_unspecified();
    dual_stack || bind.is_ipv4() == announced.is_ipv4()
}
