//! At which addresses others in the network reach this machine.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use edge::setting::given;

/// Where this machine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// The one to tell people.
    pub(crate) primary: IpAddr,
    /// All that others may use, loopback excepted.
    pub(crate) all: BTreeSet<IpAddr>,
    /// Its name, if it has one.
    pub(crate) name: Option<String>,
}

/// Of this machine; `bind` limits it to the address the server listens on.
pub(crate) fn of_this_machine(bind: Option<&str>) -> Addresses {
    let found: BTreeSet<IpAddr> = own()
        .into_iter()
        .filter(|address| is_for_others(*address))
        .collect();
    let bound = given(&bind.map(str::to_owned))
        .and_then(|text| text.parse::<IpAddr>().ok())
        .filter(|address| !address.is_unspecified());
    let primary = bound
        .or_else(|| routed().filter(|address| is_for_others(*address)))
        .or_else(|| found.iter().copied().find(IpAddr::is_ipv4))
        .or_else(|| found.first().copied())
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let all = match bound {
        Some(address) => BTreeSet::from([address]),
        None => found,
    };
    Addresses {
        primary,
        all,
        name: host_name(),
    }
}

/// Every address of every interface.
pub(crate) fn own() -> BTreeSet<IpAddr> {
    // A machine that does not tell has none.
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.into_iter().map(|interface| interface.ip()).collect()
}

fn is_for_others(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local() && !ip.is_unspecified(),
        // Link-local ones need a zone, which a URL cannot name.
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local() && !ip.is_unspecified(),
    }
}

/// The address from which this machine would reach others. Connecting a socket for datagrams sends nothing; it only
/// makes the system choose a route, here to documentation (RFC 5737) and private (RFC 1918) addresses.
fn routed() -> Option<IpAddr> {
    const TARGETS: [Ipv4Addr; 4] = [
        Ipv4Addr::new(192, 0, 2, 1),
        Ipv4Addr::new(192, 168, 255, 254),
        Ipv4Addr::new(10, 255, 255, 254),
        Ipv4Addr::new(172, 31, 255, 254),
    ];
    TARGETS.iter().find_map(|target| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect(SocketAddr::from((*target, 9))).ok()?;
        Some(socket.local_addr().ok()?.ip())
    })
}

/// What this machine calls itself, as far as that can stand in a certificate.
fn host_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = text.trim().to_ascii_lowercase();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let is_name = !name.is_empty() && name.len() < 64 && name.bytes().all(is_plain);
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_it_listens_on_is_the_one_to_tell() {
        let addresses = of_this_machine(Some("127.0.0.1"));
        assert_eq!(addresses.primary, IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(addresses.all.len(), 1);
        for unspecified in [None, Some("0.0.0.0"), Some("::"), Some("")] {
            let addresses = of_this_machine(unspecified);
            assert!(
                addresses.all.iter().all(|address| is_for_others(*address)),
                "{addresses:?}"
            );
            let is_own = addresses.all.contains(&addresses.primary);
            assert!(is_own || addresses.primary.is_loopback(), "{addresses:?}");
        }
    }

    #[test]
    fn loopback_and_link_local_addresses_are_not_for_others() {
        for own in ["127.0.0.1", "::1", "169.254.7.7", "fe80::1", "0.0.0.0"] {
            assert!(!is_for_others(own.parse().expect("an address")), "{own}");
        }
        for others in ["192.168.1.7", "10.0.0.1", "fd00::1", "2001:db8::1"] {
            assert!(is_for_others(others.parse().expect("an address")), "{others}");
        }
    }
}
