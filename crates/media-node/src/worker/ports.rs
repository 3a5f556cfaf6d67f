//! The sockets workers start with: one UDP socket and one TCP listener per worker, on the same port number.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;

/// Tries at finding a port the system gives out for UDP that is free for TCP as well.
const EPHEMERAL_TRIES: usize = 64;

/// The sockets of one worker.
#[derive(Debug)]
pub struct BoundPorts {
    /// Bound, blocking as it comes from the system; the worker thread makes it non-blocking.
    pub udp: UdpSocket,
    /// Listening on the UDP socket's port number, where TCP was asked for.
    pub tcp: Option<TcpListener>,
    /// The port number.
    pub port: u16,
}

/// Why the workers' ports could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Fewer ports are free than there are workers.
    #[error(
        "{workers} workers need a port each, but only {free} of the ports {first}-{last} are free: \
         widen RTC_MIN_PORT-RTC_MAX_PORT or start fewer workers"
    )]
    TooFew {
        /// Ports needed.
        workers: usize,
        /// Ports that could be bound.
        free: usize,
        /// `RTC_MIN_PORT`.
        first: u16,
        /// `RTC_MAX_PORT`.
        last: u16,
    },
    /// A port could not be bound for another reason than being in use.
    #[error("cannot bind {address} (RTC_MIN_PORT-RTC_MAX_PORT): {source}")]
    Bind {
        /// What was to be bound.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
}

/// Binds one UDP socket, and with `tcp` one TCP listener of the same port number, for each of `workers`, taking free
/// ports of `range` from its lower end. The range `0..=0` leaves the choice to the system.
///
/// # Errors
/// When too few ports are free, or `ip` cannot be bound at all.
pub fn bind_ports(
    ip: IpAddr,
    range: RangeInclusive<u16>,
    workers: usize,
    tcp: bool,
) -> Result<Vec<BoundPorts>, PortError> {
    if range == (0..=0) {
        return (0..workers).map(|_| bind_ephemeral(ip, tcp)).collect();
    }
    let (first, last) = (*range.start(), *range.end());
    let mut bound = Vec::with_capacity(workers);
    for port in range {
        if bound.len() == workers {
            break;
        }
        bound.extend(bind(SocketAddr::new(ip, port), tcp)?);
    }
    if bound.len() < workers {
        return Err(PortError::TooFew {
            workers,
            free: bound.len(),
            first,
            last,
        });
    }
    Ok(bound)
}

/// Binds both sockets of a port; `None` when it is in use.
fn bind(address: SocketAddr, tcp: bool) -> Result<Option<BoundPorts>, PortError> {
    let Some(udp) = unless_in_use(UdpSocket::bind(address), address)? else {
        return Ok(None);
    };
    let port = udp
        .local_addr()
        .map_err(|source| PortError::Bind { address, source })?
        .port();
    if !tcp {
        return Ok(Some(BoundPorts { udp, tcp: None, port }));
    }
    let address = SocketAddr::new(address.ip(), port);
    let listener = unless_in_use(TcpListener::bind(address), address)?;
    Ok(listener.map(|listener| BoundPorts {
        udp,
        tcp: Some(listener),
        port,
    }))
}

fn bind_ephemeral(ip: IpAddr, tcp: bool) -> Result<BoundPorts, PortError> {
    for _ in 0..EPHEMERAL_TRIES {
        if let Some(bound) = bind(SocketAddr::new(ip, 0), tcp)? {
            return Ok(bound);
        }
    }
    Err(PortError::TooFew {
        workers: 1,
        free: 0,
        first: 0,
        last: 0,
    })
}

fn unless_in_use<S>(result: io::Result<S>, address: SocketAddr) -> Result<Option<S>, PortError> {
    match result {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        Err(source) => Err(PortError::Bind { address, source }),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// A range of `count` ports that were free a moment ago, below the range the system hands out by itself.
    fn free_range(count: u16) -> RangeInclusive<u16> {
        // Tests run at once in one process and maybe in several: start at a place of our own.
        let base = 12_000 + u16::try_from(std::process::id() % 10_000).expect("below 10,000");
        (base..32_000)
            .step_by(usize::from(count))
            .map(|first| first..=first + count - 1)
            .find(|range| {
                range
                    .clone()
                    .all(|port| matches!(bind(SocketAddr::new(LOOPBACK, port), true), Ok(Some(_))))
            })
            .expect("some consecutive ports are free")
    }

    #[test]
    fn every_worker_gets_one_number_for_both_protocols_and_busy_ones_are_skipped() {
        let range = free_range(6);
        let first = *range.start();
        let _udp_taken = UdpSocket::bind((LOOPBACK, first)).expect("was free");
        let _tcp_taken = TcpListener::bind((LOOPBACK, first + 2)).expect("was free");
        let bound = bind_ports(LOOPBACK, range, 3, true).expect("four are free");
        assert_eq!(
            bound.iter().map(|ports| ports.port).collect::<Vec<_>>(),
            [first + 1, first + 3, first + 4]
        );
        for ports in &bound {
            assert_eq!(ports.udp.local_addr().expect("bound").port(), ports.port);
            let tcp = ports.tcp.as_ref().expect("asked for");
            assert_eq!(tcp.local_addr().expect("bound").port(), ports.port);
        }
    }

    #[test]
    fn a_range_too_small_says_what_was_free_and_which_variables_to_change() {
        let range = free_range(3);
        let first = *range.start();
        let _taken = UdpSocket::bind((LOOPBACK, first)).expect("was free");
        let error = bind_ports(LOOPBACK, range.clone(), 3, false).expect_err("two of three");
        assert!(
            matches!(
                error,
                PortError::TooFew {
                    workers: 3,
                    free: 2,
                    ..
                }
            ),
            "{error:?}"
        );
        let text = error.to_string();
        for part in [
            "RTC_MIN_PORT",
            "RTC_MAX_PORT",
            "only 2 ",
            &format!("{first}-{}", range.end()),
        ] {
            assert!(text.contains(part), "{text} lacks {part}");
        }
        let again = bind_ports(LOOPBACK, first + 1..=first + 2, 2, false);
        assert!(again.is_ok(), "a failed attempt holds no port: {again:?}");
    }

    #[test]
    fn the_system_chooses_where_no_range_is_given() {
        let bound = bind_ports(LOOPBACK, 0..=0, 2, true).expect("ports are free");
        let [one, other] = bound.as_slice() else {
            panic!("two workers: {bound:?}")
        };
        assert_ne!(one.port, other.port);
        assert!(one.port > 0 && one.tcp.is_some());
        let udp_only = bind_ports(LOOPBACK, 0..=0, 1, false).expect("a port is free");
        assert!(udp_only.iter().all(|ports| ports.tcp.is_none()));
    }

    #[test]
    fn an_address_of_another_host_is_an_error_of_its_own() {
        let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let error = bind_ports(elsewhere, 20_000..=20_010, 1, true).expect_err("not our address");
        assert!(matches!(error, PortError::Bind { .. }), "{error:?}");
    }
}
