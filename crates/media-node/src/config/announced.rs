//! The addresses told to clients.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};

use edge::setting;

use super::error::ConfigError;

/// Marks an entry that is the path of a file with such a list: where a machine learns its public address only when
/// it starts, whatever runs before this process can leave it there.
const FILE: &str = "file:";

/// Largest file that is read, bytes; a list of addresses is far shorter.
const LARGEST_FILE: u64 = 4096;

/// Resolves the comma list `text` of addresses, host names and files with such lists, in its order, without repeats.
pub(super) fn resolve(text: &str, bind: IpAddr) -> Result<Vec<IpAddr>, ConfigError> {
    let list = with_files_read(text)?;
    let mut announced = Vec::new();
    for entry in setting::entries(&list) {
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

/// The list with each `file:` entry replaced by what the file holds. Files named in files are not followed.
fn with_files_read(text: &str) -> Result<String, ConfigError> {
    let entries = setting::entries(text).map(|entry| match entry.strip_prefix(FILE) {
        Some(path) => read(path),
        None => Ok(entry.to_owned()),
    });
    Ok(entries.collect::<Result<Vec<_>, _>>()?.join(","))
}

fn read(path: &str) -> Result<String, ConfigError> {
    let unreadable = |reason: String| ConfigError::AnnouncedFile {
        path: path.to_owned(),
        reason,
    };
    let mut content = String::new();
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let read = file.take(LARGEST_FILE).read_to_string(&mut content);
    read.map_err(|error| unreadable(error.to_string()))?;
    match content.trim() {
        "" => Err(unreadable("it is empty".into())),
        list => Ok(list.to_owned()),
    }
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
