//! What the server's process costs, and what the system lost on the tester's side, as Linux tells.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::Duration;

/// Ticks per second of process times, which Linux has fixed for what it tells programs.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time and memory of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Of all its threads, in the kernel and outside.
    pub(crate) cpu: Duration,
    /// Resident memory, bytes.
    pub(crate) memory: u64,
}

impl Usage {
    /// Of the process with this id.
    ///
    /// # Errors
    /// If there is no such process, or no `/proc`.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        Self::read(&pid.to_string())
    }

    /// Of the tester itself.
    ///
    /// # Errors
    /// If there is no `/proc`.
    pub(crate) fn own() -> io::Result<Self> {
        Self::read("self")
    }

    fn read(process: &str) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let strange = || io::Error::new(io::ErrorKind::InvalidData, "/proc is not as known");
        Ok(Self {
            cpu: cpu(&stat).ok_or_else(strange)?,
            memory: memory(&status).ok_or_else(strange)?,
        })
    }
}

/// Fields 14 and 15 of `stat`; the second, a name in parentheses, may hold anything.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1_000 / TICKS_PER_SECOND))
}

fn memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1_024)
}

/// Datagrams that came for sockets with these ports and did not fit their buffers: lost by the tester, not by the
/// server. Nothing where the system does not tell.
pub(crate) fn overflowed(ports: &HashSet<u16>) -> u64 {
    let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"];
    let tables = tables.iter().filter_map(|table| fs::read_to_string(table).ok());
    tables.map(|table| drops(&table, ports)).sum()
}

/// The last column of lines whose local port is one of ours.
fn drops(table: &str, ports: &HashSet<u16>) -> u64 {
    let of_line = |line: &str| {
        let local = line.split_whitespace().nth(1)?;
        let port = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
        let drops = line.split_whitespace().next_back()?;
        ports.contains(&port).then(|| drops.parse().unwrap_or(0))
    };
    table.lines().skip(1).filter_map(of_line).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_confuse() {
        let stat = "4242 (me ) shy (x) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0 20 0 5 0 100";
        assert_eq!(cpu(stat), Some(Duration::from_secs(4)));
        assert_eq!(cpu("4242 (short) S 1"), None);
    }

    #[test]
    fn resident_memory_is_found() {
        assert_eq!(memory("Name:\tx\nVmRSS:\t   1024 kB\nThreads:\t3"), Some(1 << 20));
        assert_eq!(memory("Name:\tx"), None);
    }

    #[test]
    fn drops_of_our_ports_are_added() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
   10: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0000000000000000 7
   11: 0100007F:1F91 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0000000000000000 5
   12: 0100007F:1F92 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 0000000000000000 1";
        let ports = [8_080, 8_082].into();
        assert_eq!(drops(table, &ports), 8);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn our_own_process_is_read() {
        let usage = Usage::own().expect("there is /proc");
        assert!(usage.memory > 100_000);
        assert!(Usage::of(u32::MAX).is_err());
    }
}
