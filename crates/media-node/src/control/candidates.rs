//! The host candidates of a worker, as clients are told (contract §1.4, §1.8.9).

use std::net::IpAddr;

use sfu::spec::WorkerAddresses;
use signalling::client_node::{CandidateProtocol, CandidateType, IceCandidate, TcpType};

/// Which protocols a client wants to be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// UDP, and TCP where it is on.
    All,
    /// TCP only.
    TcpOnly,
}

/// Type preference of a host candidate (RFC 8445 §5.1.2.2).
const HOST: u32 = 126;
/// TCP is worse than every UDP candidate (RFC 6544 §4.2): a lost packet holds up all behind it.
const HOST_TCP: u32 = 90;

/// One UDP and one TCP candidate per announced address, the preferred address first.
pub(crate) fn candidates(
    announced: &[IpAddr],
    addresses: WorkerAddresses,
    offered: Offered,
) -> Vec<IceCandidate> {
    let mut candidates = Vec::with_capacity(announced.len() * 2);
    let udp = Some(addresses.udp.port()).filter(|_| offered == Offered::All);
    let tcp = addresses.tcp.map(|address| address.port());
    for (protocol, port) in [(CandidateProtocol::Udp, udp), (CandidateProtocol::Tcp, tcp)] {
        let Some(port) = port else { continue };
        for (index, address) in announced.iter().enumerate() {
            candidates.push(candidate(*address, protocol, port, index));
        }
    }
    candidates
}

fn candidate(address: IpAddr, protocol: CandidateProtocol, port: u16, index: usize) -> IceCandidate {
    let address = address.to_string();
    let (name, preference, tcp_type) = match protocol {
        CandidateProtocol::Udp => ("udp", HOST, None),
        CandidateProtocol::Tcp => ("tcp", HOST_TCP, Some(TcpType::Passive)),
    };
    IceCandidate {
        // Candidates share a foundation when base address and protocol are the same (RFC 8445 §5.1.1.3).
        foundation: format!("{name}{index}"),
        priority: priority(preference, index),
        ip: address.clone(),
        address,
        protocol,
        port,
        kind: CandidateType::Host,
        tcp_type,
    }
}

/// RFC 8445 §5.1.2.1 for the only component there is.
fn priority(type_preference: u32, index: usize) -> u32 {
    const COMPONENT: u32 = 1;
    let local_preference = 65_535 - u32::try_from(index).unwrap_or(u32::MAX).min(65_535);
    (type_preference << 24) | (local_preference << 8) | (256 - COMPONENT)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;

    const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5));
    const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 5));

    fn addresses(tcp: bool) -> WorkerAddresses {
        let bound = SocketAddr::from(([0, 0, 0, 0], 10_000));
        WorkerAddresses {
            udp: bound,
            tcp: tcp.then_some(bound),
        }
    }

    fn shape(candidates: &[IceCandidate]) -> Vec<(&str, CandidateProtocol, u16)> {
        candidates
            .iter()
            .map(|one| (one.address.as_str(), one.protocol, one.port))
            .collect()
    }

    #[test]
    fn announced_addresses_are_offered_and_never_the_bound_one() {
        use CandidateProtocol::{Tcp, Udp};
        let all = candidates(&[FIRST, SECOND], addresses(true), Offered::All);
        let expected = [
            ("203.0.113.5", Udp, 10_000),
            ("192.168.1.5", Udp, 10_000),
            ("203.0.113.5", Tcp, 10_000),
            ("192.168.1.5", Tcp, 10_000),
        ];
        assert_eq!(shape(&all), expected);
        assert!(all.iter().all(|candidate| candidate.ip == candidate.address));
        assert!(
            all.is_sorted_by(|one, next| one.priority > next.priority),
            "UDP and the first address lead"
        );
    }

    #[test]
    fn tcp_alone_on_request_and_udp_alone_where_tcp_is_off() {
        let forced = candidates(&[FIRST], addresses(true), Offered::TcpOnly);
        assert_eq!(shape(&forced), [("203.0.113.5", CandidateProtocol::Tcp, 10_000)]);
        assert_eq!(forced[0].tcp_type, Some(TcpType::Passive));
        let udp = candidates(&[FIRST], addresses(false), Offered::All);
        assert_eq!(shape(&udp), [("203.0.113.5", CandidateProtocol::Udp, 10_000)]);
        assert!(candidates(&[FIRST], addresses(false), Offered::TcpOnly).is_empty());
    }

    #[test]
    fn priorities_follow_the_formula() {
        // RFC 8445 §5.1.2.1: 126 << 24 | 65535 << 8 | 255.
        assert_eq!(priority(126, 0), 2_130_706_431);
    }
}
