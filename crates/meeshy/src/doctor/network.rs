//! Ports, and the addresses told to clients.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};

use edge::tls::client::Trust;
use media_node::config::{Environment, IceTcp};
use media_node::worker::{PortError, bind_ports};

use super::finding::Finding;
use super::{Patient, ask};
use crate::ask::{Scheme, Server};
use crate::lan;

/// Whether the server runs while we look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Running {
    /// It answers on its port.
    Yes,
    /// Its port is free, or somebody else's.
    No,
}

/// What was seen of the port of HTTP.
pub(super) struct HttpPort {
    pub(super) findings: Vec<Finding>,
    pub(super) running: Running,
}

const HTTP: &str = "http.port";

/// The port of the page, REST and Socket.IO.
pub(super) async fn http_port(patient: &Patient) -> HttpPort {
    let gateway = patient.gateway.as_ref().map(|gateway| gateway.http.listen);
    let node = patient.node.as_ref().map(|node| node.http.listen);
    let Some(address) = gateway.or(node) else {
        return HttpPort {
            findings: Vec::new(),
            running: Running::No,
        };
    };
    let no = |finding| HttpPort {
        findings: vec![finding],
        running: Running::No,
    };
    let Err(error) = std::net::TcpListener::bind(address) else {
        let message = format!("TCP {address} is free; the server does not run");
        return no(Finding::ok(HTTP, message));
    };
    match error.kind() {
        ErrorKind::AddrInUse => {}
        ErrorKind::PermissionDenied => {
            let remedy = "set PORT to 1024 or higher behind a proxy, or give the binary CAP_NET_BIND_SERVICE";
            return no(
                Finding::problem(HTTP, format!("TCP {address} may not be used: {error}")).remedy(remedy),
            );
        }
        ErrorKind::AddrNotAvailable => {
            let message = format!("{} is no address of this machine", address.ip());
            return no(Finding::problem(HTTP, message).remedy("set BIND_IP to 0.0.0.0 or an own address"));
        }
        _ => {
            return no(
                Finding::problem(HTTP, format!("TCP {address}: {error}")).remedy("set PORT and BIND_IP")
            );
        }
    }
    in_use(patient, address).await
}

/// Who is it?
async fn in_use(patient: &Patient, address: SocketAddr) -> HttpPort {
    let secure = patient.told.tls.files().ok().flatten().is_some();
    let mut servers = vec![Scheme::Https(Trust::Anybody), Scheme::Http];
    if !secure {
        servers.reverse();
    }
    for scheme in servers {
        let host = match address.ip() {
            ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let server = Server {
            scheme,
            host,
            port: address.port(),
        };
        let Ok(answer) = ask(&server, "/health").await else {
            continue;
        };
        if !is_ours(&answer.body) {
            continue;
        }
        let finding = match answer.status {
            200 => Finding::ok(HTTP, format!("a server of ours answers at {address} and is well")),
            status => Finding::problem(
                HTTP,
                format!(
                    "a server of ours answers at {address} with {status}: {}",
                    answer.body.trim()
                ),
            )
            .remedy("look at its log"),
        };
        return HttpPort {
            findings: vec![finding],
            running: Running::Yes,
        };
    }
    let finding = Finding::problem(HTTP, format!("TCP {address} is taken by another program"))
        .remedy("set PORT to a free port, or stop what has it (`ss -ltnp` names it)");
    HttpPort {
        findings: vec![finding],
        running: Running::No,
    }
}

/// Whether an answer to `/health` is one of ours: it names status and version.
fn is_ours(body: &str) -> bool {
    let answer: Option<serde_json::Value> = serde_json::from_str(body).ok();
    answer.is_some_and(|answer| answer["status"].is_string() && answer["version"].is_string())
}

/// Whether the media ports can be had.
pub(super) fn media_ports(patient: &Patient, running: Running) -> Option<Finding> {
    const NAME: &str = "media.ports";
    let media = &patient.node.as_ref()?.media;
    let range = media.ports.min..=media.ports.max;
    let (first, last) = (media.ports.min, media.ports.max);
    let workers = media.workers.get();
    let what = if media.tcp == IceTcp::Enabled {
        "UDP and TCP"
    } else {
        "UDP"
    };
    Some(
        match bind_ports(media.bind_ip, range, workers, media.tcp == IceTcp::Enabled) {
            Ok(_) if (first, last) == (0, 0) => {
                let message =
                    "the system chooses the media ports, new ones with each start: no firewall can know them";
                Finding::warning(NAME, message)
                    .remedy("set RTC_MIN_PORT and RTC_MAX_PORT, and open that range")
            }
            Ok(_) => Finding::ok(
                NAME,
                format!("{workers} port(s) of {first}-{last} are free for {what}"),
            ),
            Err(PortError::TooFew { .. }) if running == Running::Yes => Finding::ok(
                NAME,
                format!("the running server has its {workers} port(s) of {first}-{last}"),
            ),
            Err(error) => Finding::problem(NAME, error.to_string()).remedy(
                "set RTC_MIN_PORT and RTC_MAX_PORT to a range that no other program uses, or lower WORKERS",
            ),
        },
    )
}

/// Whether clients can reach what they are told.
pub(super) fn announced(patient: &Patient) -> Vec<Finding> {
    let Some(node) = &patient.node else {
        return Vec::new();
    };
    let own: BTreeSet<IpAddr> = lan::own_addresses();
    let is_production = node.environment == Environment::Production;
    judge_announced(&node.media.announced, &own, is_production)
}

/// From where an address can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Machine,
    Network,
    World,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        _ if address.is_loopback() => Reach::Machine,
        IpAddr::V4(ip) => {
            // RFC 6598: shared by the customers of a provider.
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xC0 == 64;
            if ip.is_private() || ip.is_link_local() || shared {
                Reach::Network
            } else {
                Reach::World
            }
        }
        IpAddr::V6(ip) if ip.is_unique_local() || ip.is_unicast_link_local() => Reach::Network,
        IpAddr::V6(_) => Reach::World,
    }
}

fn judge_announced(announced: &[IpAddr], own: &BTreeSet<IpAddr>, is_production: bool) -> Vec<Finding> {
    const NAME: &str = "media.announced";
    const REMEDY: &str = "set ANNOUNCED_IP to the address or name at which clients reach this machine";
    let widest = announced
        .iter()
        .copied()
        .map(reach)
        .max_by_key(|reach| *reach as u8);
    let mut findings: Vec<Finding> = announced
        .iter()
        .filter(|address| reach(**address) != Reach::Machine)
        .map(|address| match (own.contains(address), reach(*address)) {
            (true, _) => Finding::ok(NAME, format!("{address} is an address of this machine")),
            (false, Reach::World) => Finding::ok(
                NAME,
                format!("{address} is public and not this machine's: whoever has it must pass the media ports on, UDP and TCP"),
            ),
            (false, _) => Finding::warning(
                NAME,
                format!("{address} is private and not this machine's: only those reach it whom something passes on"),
            )
            .remedy(REMEDY),
        })
        .collect();
    match widest {
        Some(Reach::World) => {}
        Some(Reach::Network) => {
            let message = "only private addresses are announced: clients outside this network need TURN";
            let finding = if is_production {
                Finding::warning(NAME, message).remedy(REMEDY)
            } else {
                Finding::ok(NAME, message)
            };
            findings.push(finding);
        }
        Some(Reach::Machine) | None => {
            let message = "only loopback is announced: group calls work on this machine alone";
            let finding = if is_production {
                Finding::problem(NAME, message)
            } else {
                Finding::warning(NAME, message)
            };
            findings.push(finding.remedy(REMEDY));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Verdict, worst};
    use super::*;

    fn verdict(announced: &[&str], is_production: bool) -> Verdict {
        let parse = |text: &&str| text.parse().expect("an address");
        let own = BTreeSet::from(["192.168.1.7", "203.0.113.7"].map(|text| parse(&text)));
        let announced: Vec<IpAddr> = announced.iter().map(parse).collect();
        worst(&judge_announced(&announced, &own, is_production))
    }

    #[test]
    fn announced_addresses_are_judged_by_who_can_reach_them() {
        let table = [
            (&["203.0.113.7"][..], Verdict::Ok, Verdict::Ok),
            // Behind NAT, and of no interface.
            (&["198.51.100.1"], Verdict::Ok, Verdict::Ok),
            (&["127.0.0.1", "192.168.1.7"], Verdict::Ok, Verdict::Warning),
            (&["10.9.9.9"], Verdict::Warning, Verdict::Warning),
            (&["100.64.0.1"], Verdict::Warning, Verdict::Warning),
            (&["fd00::1"], Verdict::Warning, Verdict::Warning),
            (&["127.0.0.1"], Verdict::Warning, Verdict::Problem),
        ];
        for (announced, development, production) in table {
            assert_eq!(
                verdict(announced, false),
                development,
                "{announced:?} in development"
            );
            assert_eq!(
                verdict(announced, true),
                production,
                "{announced:?} in production"
            );
        }
    }

    #[test]
    fn others_answers_are_not_ours() {
        assert!(is_ours(r#"{"status":"healthy","version":"0.1.0","checks":{}}"#));
        for other in ["", "OK", "{}", r#"{"status":"UP"}"#, "<html>"] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
