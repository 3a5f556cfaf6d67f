//! What this process may use: the machine's cores and memory, or what a control group leaves of them.
//!
//! An alert on load compares with this, and a container's limit is not what the machine has.

use std::path::{Path, PathBuf};

use super::process::{kibibytes, read};

/// Where control groups are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

/// How much this process may use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Cores; a quota may leave a part of one.
    pub(super) cores: f64,
    /// Bytes; nothing where neither the machine nor a group tells.
    pub(super) memory: Option<u64>,
}

/// Reads them anew: a group's limits may be changed while it runs.
pub(super) fn limits() -> Limits {
    let present = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let installed = kibibytes(&read("/proc/meminfo"), "MemTotal:");
    let groups = groups(Path::new(CGROUPS), &read("/proc/self/cgroup"));
    Limits {
        cores: groups
            .iter()
            .filter_map(Group::cores)
            .fold(present as f64, f64::min),
        memory: groups
            .iter()
            .filter_map(Group::memory)
            .chain((installed > 0).then_some(installed))
            .min(),
    }
}

/// One group of one controller, or of all of them (version 2).
struct Group(PathBuf);

impl Group {
    fn cores(&self) -> Option<f64> {
        let quota = match self.file("cpu.max") {
            // `max 100000`: none.
            Some(text) => {
                let (quota, period) = text.split_once(' ')?;
                (number(quota)?, number(period)?)
            }
            // -1: none.
            None => (
                number(&self.file("cpu.cfs_quota_us")?)?,
                number(&self.file("cpu.cfs_period_us")?)?,
            ),
        };
        (quota.0 > 0.0 && quota.1 > 0.0).then(|| quota.0 / quota.1)
    }

    fn memory(&self) -> Option<u64> {
        let text = self
            .file("memory.max")
            .or_else(|| self.file("memory.limit_in_bytes"))?;
        // `max`, or in version 1 a number nobody has that much of, are no limit.
        text.trim().parse().ok()
    }

    fn file(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(name)).ok()
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// The groups that this process is in, with those around them: each of them may limit. `own` is cgroups(7)
/// `/proc/self/cgroup`: a number, controllers and a path in each line, with the controllers left out in version 2.
/// In a container the path may be that of the machine; the groups it can see begin at the root, which is always tried.
fn groups(root: &Path, own: &str) -> Vec<Group> {
    let mut found = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let mount = match controllers {
            "" => root.to_owned(),
            _ if controllers
                .split(',')
                .any(|each| each == "cpu" || each == "memory") =>
            {
                root.join(controllers)
            }
            _ => continue,
        };
        let around = Path::new(path).ancestors();
        found.extend(around.map(|path| Group(mount.join(path.strip_prefix("/").unwrap_or(path)))));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up mount, deleted at the end.
    struct Mount(PathBuf);

    impl Mount {
        fn with(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("meeshy-cgroup-{name}-{}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
                std::fs::write(path, text).expect("it can be written");
            }
            Self(root)
        }

        fn smallest(&self, own: &str) -> (Option<f64>, Option<u64>) {
            let groups = groups(&self.0, own);
            let cores = groups.iter().filter_map(Group::cores).reduce(f64::min);
            (cores, groups.iter().filter_map(Group::memory).min())
        }
    }

    impl Drop for Mount {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_tightest_group_around_the_process_counts() {
        let mount = Mount::with(
            "two",
            &[
                ("pod/cpu.max", "150000 100000\n"),
                ("pod/memory.max", "8589934592\n"),
                ("pod/box/cpu.max", "max 100000\n"),
                ("pod/box/memory.max", "4294967296\n"),
            ],
        );
        assert_eq!(mount.smallest("0::/pod/box\n"), (Some(1.5), Some(4 << 30)));
        assert_eq!(mount.smallest("0::/pod\n"), (Some(1.5), Some(8 << 30)));
    }

    #[test]
    fn a_path_of_the_machine_leads_to_the_root_of_the_container() {
        let mount = Mount::with("root", &[("cpu.max", "50000 100000\n"), ("memory.max", "max\n")]);
        assert_eq!(mount.smallest("0::/kubepods/pod1/abc\n"), (Some(0.5), None));
    }

    #[test]
    fn groups_of_version_one_are_read_by_controller() {
        let mount = Mount::with(
            "one",
            &[
                ("cpu,cpuacct/a/cpu.cfs_quota_us", "200000\n"),
                ("cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"),
                ("cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
                ("cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
                ("memory/b/memory.limit_in_bytes", "1073741824\n"),
                ("pids/c/cpu.max", "1 100000\n"),
            ],
        );
        let own = "4:cpu,cpuacct:/a\n3:memory:/b\n2:pids:/c\n";
        assert_eq!(mount.smallest(own), (Some(2.0), Some(1 << 30)));
    }

    #[test]
    fn nothing_told_is_no_limit() {
        let mount = Mount::with("none", &[]);
        assert_eq!(mount.smallest("0::/\nnonsense\n"), (None, None));
        assert_eq!(mount.smallest(""), (None, None));
    }

    #[test]
    fn this_process_may_use_something() {
        let limits = limits();
        assert!(limits.cores > 0.0);
        assert!(limits.memory.is_none_or(|memory| memory > 1 << 20), "{limits:?}");
    }
}
