//! What this process uses, as the kernel counts it.

use std::time::Duration;

/// Linux reports CPU time in hundredths of a second to user space, whatever the kernel's own tick
/// (`USER_HZ`, fixed in the ABI).
const TICK: Duration = Duration::from_millis(10);

/// CPU and memory of this process. All zero where `/proc` does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessUsage {
    /// CPU time of all threads, user and system.
    pub cpu: Duration,
    /// Resident memory.
    pub resident_bytes: u64,
    /// Resident anonymous memory: what allocators and stacks hold.
    pub heap_bytes: u64,
}

/// Reads `/proc/self`.
pub fn process_usage() -> ProcessUsage {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    ProcessUsage {
        cpu: cpu_time(&read("/proc/self/stat")),
        resident_bytes: kibibytes(&status, "VmRSS:"),
        heap_bytes: kibibytes(&status, "RssAnon:"),
    }
}

/// Fields 14 and 15 of proc(5) `stat`, counted behind the command's closing bracket (it may hold spaces).
fn cpu_time(stat: &str) -> Duration {
    let Some((_, fields)) = stat.rsplit_once(')') else {
        return Duration::ZERO;
    };
    let ticks: u32 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    TICK * ticks
}

fn kibibytes(status: &str, field: &str) -> u64 {
    let value = status.lines().find_map(|line| line.strip_prefix(field));
    let number = value
        .and_then(|value| value.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_survives_a_command_with_brackets_and_spaces() {
        let stat = "17 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0 100 0 0";
        assert_eq!(cpu_time(stat), Duration::from_secs(3));
        assert_eq!(cpu_time(""), Duration::ZERO);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tx\nVmRSS:\t    2048 kB\nRssAnon:\t 1024 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), 2 << 20);
        assert_eq!(kibibytes(status, "RssAnon:"), 1 << 20);
        assert_eq!(kibibytes(status, "Nothing:"), 0);
    }
}
