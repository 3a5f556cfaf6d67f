//! What this process uses, as the kernel counts it.

use std::sync::LazyLock;
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
    let status = read("/proc/self/status");
    ProcessUsage {
        cpu: cpu_time(&read("/proc/self/stat")),
        resident_bytes: kibibytes(&status, "VmRSS:"),
        heap_bytes: kibibytes(&status, "RssAnon:"),
    }
}

/// When this process began, since the Unix epoch; zero where `/proc` does not exist. Read once: the kernel's boot time
/// moves with the clock, and a start that moves looks like a restart.
pub(super) fn start_time() -> Duration {
    static BEGAN: LazyLock<Duration> = LazyLock::new(|| {
        let boot = field(&read("/proc/stat"), "btime").unwrap_or(0);
        Duration::from_secs(boot) + since_boot(&read("/proc/self/stat"))
    });
    *BEGAN
}

/// Files, sockets and pipes that are open, and how many may be.
pub(super) fn file_descriptors() -> (u64, Option<u64>) {
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let limits = read("/proc/self/limits");
    // The listing itself had one open.
    ((open as u64).saturating_sub(1), field(&limits, "Max open files"))
}

pub(super) fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Fields 14 and 15 of proc(5) `stat`.
fn cpu_time(stat: &str) -> Duration {
    let ticks: u32 = behind_command(stat)
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    TICK * ticks
}

/// Field 22 of proc(5) `stat`: when it began, after the machine did.
fn since_boot(stat: &str) -> Duration {
    let ticks = behind_command(stat).nth(19).and_then(|field| field.parse().ok());
    TICK.saturating_mul(ticks.unwrap_or(0))
}

/// The fields of `stat` from the third on: the second, the command in brackets, may hold spaces and brackets itself.
fn behind_command(stat: &str) -> impl Iterator<Item = &str> {
    let (_, fields) = stat.rsplit_once(')').unwrap_or_default();
    fields.split_whitespace()
}

pub(super) fn kibibytes(status: &str, name: &str) -> u64 {
    field(status, name).unwrap_or(0) * 1024
}

/// The first number behind a name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "17 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0 100 0 0";

    #[test]
    fn fields_are_found_behind_a_command_with_brackets_and_spaces() {
        assert_eq!(cpu_time(STAT), Duration::from_secs(3));
        assert_eq!(since_boot(STAT), Duration::from_secs(1));
        assert_eq!((cpu_time(""), since_boot("")), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tx\nVmRSS:\t    2048 kB\nRssAnon:\t 1024 kB\n";
        assert_eq!(kibibytes(status, "VmRSS:"), 2 << 20);
        assert_eq!(kibibytes(status, "RssAnon:"), 1 << 20);
        assert_eq!(kibibytes(status, "Nothing:"), 0);
    }

    #[test]
    fn a_limit_that_is_none_is_no_number() {
        let limits =
            |soft: &str| format!("Limit  Soft Limit  Hard Limit\nMax open files  {soft}  4096  files\n");
        assert_eq!(field(&limits("1024"), "Max open files"), Some(1024));
        assert_eq!(field(&limits("unlimited"), "Max open files"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_began_a_while_ago_and_has_files_open() {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
        let age = now.saturating_sub(start_time());
        // The boot time is in whole seconds.
        assert!(
            start_time() <= now + Duration::from_secs(1) && age < Duration::from_secs(86_400),
            "{age:?}"
        );
        let (before, limit) = file_descriptors();
        assert!(
            before >= 3 && limit.is_none_or(|limit| before <= limit),
            "{before} of {limit:?}"
        );
    }
}
