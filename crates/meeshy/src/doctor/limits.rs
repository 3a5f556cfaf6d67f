//! What the system lets a process have.

use super::finding::Finding;
use super::{Patient, Role};

/// Files a process has open before anybody comes: the database, logs, listeners.
const OWN: u64 = 256;
/// Connections of one participant at worst: page, events, and two transports over TCP.
const PER_PERSON: u64 = 4;
/// What the media sockets ask the system to buffer, bytes (`worker/udp.rs` of the media node).
const BUFFER: u64 = 4 << 20;

pub(super) fn look(patient: &Patient) -> Vec<Finding> {
    let mut findings = vec![open_files(patient)];
    if patient.node.is_some() {
        let read = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse().ok();
        let sizes = (
            read("/proc/sys/net/core/rmem_max"),
            read("/proc/sys/net/core/wmem_max"),
        );
        findings.extend(buffers(sizes));
    }
    findings
}

fn open_files(patient: &Patient) -> Finding {
    let people = match (&patient.node, &patient.gateway) {
        (Some(node), _) => node.capacity.rooms as u64 * node.capacity.participants_per_room as u64,
        // As many as one media node takes.
        (None, Some(gateway)) => 10 * gateway.calls.max_participants as u64,
        (None, None) => 0,
    };
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    judge_files(soft_limit(&limits), people, patient.role)
}

/// The soft limit of open files; `None` if there is none or it is not told.
fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

fn judge_files(limit: Option<u64>, people: u64, role: Role) -> Finding {
    const NAME: &str = "limits.files";
    let Some(limit) = limit else {
        return Finding::ok(NAME, "open files are not limited");
    };
    let needed = OWN + people * PER_PERSON;
    let remedy = format!(
        "set LimitNOFILE={0} in the unit (systemd), `ulimit -n {0}` in a shell, --ulimit nofile={0} for a container",
        needed.next_power_of_two().max(65_536)
    );
    let full = match role {
        Role::Gateway => "ten full calls",
        Role::Serve | Role::Media => "MAX_ROOMS full rooms",
    };
    if limit < 2 * OWN {
        Finding::problem(NAME, format!("{limit} open files are hardly enough to start")).remedy(remedy)
    } else if limit < needed {
        let message = format!("{limit} open files are too few for {full}, which may take {needed}");
        Finding::warning(NAME, message).remedy(remedy)
    } else {
        Finding::ok(NAME, format!("{limit} open files; {full} may take {needed}"))
    }
}

/// Largest buffers of sockets, for reading and for writing, bytes.
fn buffers((read, write): (Option<u64>, Option<u64>)) -> Option<Finding> {
    const NAME: &str = "limits.buffers";
    let (read, write) = (read?, write?);
    Some(if read.min(write) >= BUFFER {
        Finding::ok(
            NAME,
            format!("media sockets may buffer {} MB", read.min(write) >> 20),
        )
    } else {
        let message = format!(
            "media sockets may buffer {} kB for reading and {} kB for writing; bursts of a busy node may be lost",
            read >> 10,
            write >> 10
        );
        Finding::warning(NAME, message).remedy(format!(
            "sysctl -w net.core.rmem_max={BUFFER} net.core.wmem_max={BUFFER} (a node with CAP_NET_ADMIN needs neither)"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn limits_are_held_against_what_a_full_node_takes() {
        let table = "Limit                     Soft Limit           Hard Limit           Units     \n\
                     Max processes             127                  127                  processes \n\
                     Max open files            1024                 524288               files     \n";
        assert_eq!(soft_limit(table), Some(1024));
        assert_eq!(
            soft_limit("Max open files            unlimited            unlimited            files"),
            None
        );
        assert_eq!(soft_limit(""), None);
        let verdict = |limit, people| judge_files(Some(limit), people, Role::Media).verdict;
        assert_eq!(verdict(1024, 500), Verdict::Warning);
        assert_eq!(verdict(65_536, 500), Verdict::Ok);
        assert_eq!(verdict(2256, 500), Verdict::Ok);
        assert_eq!(verdict(256, 0), Verdict::Problem);
        let told = judge_files(Some(1024), 500, Role::Media);
        assert!(told.remedy.is_some_and(|remedy| remedy.contains("65536")));
    }

    #[test]
    fn buffers_are_held_against_what_sockets_ask_for() {
        let verdict = |read, write| buffers((Some(read), Some(write))).map(|finding| finding.verdict);
        assert_eq!(verdict(212_992, 212_992), Some(Verdict::Warning));
        assert_eq!(verdict(4 << 20, 212_992), Some(Verdict::Warning));
        assert_eq!(verdict(4 << 20, 8 << 20), Some(Verdict::Ok));
        assert_eq!(buffers((None, None)), None);
    }
}
