//! What every server tells of its own process, rendered beside its registry, whose counters are whole numbers.

use std::fmt::Write;

use super::limits::limits;
use super::process::{file_descriptors, process_usage, start_time};
use super::{Description, counter, gauge};

const CPU_SECONDS: &str = "process_cpu_seconds_total";
const RESIDENT_BYTES: &str = "process_resident_memory_bytes";
const HEAP_BYTES: &str = "nodejs_heap_size_total_bytes";
const START_TIME: &str = "process_start_time_seconds";
const OPEN_FDS: &str = "process_open_fds";
const MAX_FDS: &str = "process_max_fds";
const BUILD: &str = "meeshy_build_info";
const CPU_LIMIT: &str = "meeshy_cpu_limit_cores";
const MEMORY_LIMIT: &str = "meeshy_memory_limit_bytes";

/// Which server it is. Not `service`: in Kubernetes scrapers write their own into that one.
const ROLE: &[&str] = &["role"];

/// The metrics of the process, the same for every server.
pub const PROCESS: &[Description] = &[
    counter(
        CPU_SECONDS,
        "CPU time used by this process, user and system, in seconds.",
    ),
    gauge(RESIDENT_BYTES, "Resident memory of this process, in bytes."),
    gauge(
        HEAP_BYTES,
        "Anonymous memory of this process (heap and stacks), in bytes; named as dashboards expect it.",
    ),
    gauge(
        START_TIME,
        "When this process began, in seconds since the Unix epoch.",
    ),
    gauge(OPEN_FDS, "Files, sockets and pipes that this process has open."),
    gauge(MAX_FDS, "How many of them it may have open."),
    gauge(BUILD, "Always 1; the version that runs, and where.").open(&["role", "version", "region"]),
    gauge(
        CPU_LIMIT,
        "Cores this process may use: those of the machine, or what a control group leaves of them.",
    )
    .open(ROLE),
    gauge(
        MEMORY_LIMIT,
        "Memory this process may use, in bytes: the machine's, or what a control group leaves of it.",
    )
    .open(ROLE),
];

/// Who exports.
#[derive(Clone, Copy, Debug)]
pub struct Exporter<'a> {
    /// `gateway` or `media`.
    pub role: &'static str,
    /// Where it stands; empty if nobody said.
    pub region: &'a str,
}

/// The text of [`PROCESS`] as things are now.
#[must_use]
pub fn process_exposition(exporter: Exporter<'_>) -> String {
    let role = format!("{{role=\"{}\"}}", exporter.role);
    let build = format!(
        "{{role=\"{}\",version=\"{}\",region=\"{}\"}}",
        exporter.role,
        signalling::version::SOFTWARE,
        escaped(exporter.region),
    );
    let (usage, limits) = (process_usage(), limits());
    let (open, most) = file_descriptors();
    let values = [
        (CPU_SECONDS, "", Some(usage.cpu.as_secs_f64())),
        (RESIDENT_BYTES, "", Some(usage.resident_bytes as f64)),
        (HEAP_BYTES, "", Some(usage.heap_bytes as f64)),
        (START_TIME, "", Some(start_time().as_secs_f64())),
        (OPEN_FDS, "", Some(open as f64)),
        (MAX_FDS, "", most.map(|most| most as f64)),
        (BUILD, build.as_str(), Some(1.0)),
        (CPU_LIMIT, role.as_str(), Some(limits.cores)),
        (
            MEMORY_LIMIT,
            role.as_str(),
            limits.memory.map(|bytes| bytes as f64),
        ),
    ];
    let mut text = String::new();
    for (name, labels, value) in values {
        if let Some(value) = value {
            head(&mut text, PROCESS, name);
            writeln!(text, "{name}{labels} {value}\n").expect("strings take everything");
        }
    }
    text
}

/// The two comment lines of one of `table`'s metrics.
pub fn head(text: &mut String, table: &[Description], name: &str) {
    if let Some(entry) = table.iter().find(|entry| entry.name == name) {
        let kind = entry.kind.as_str();
        writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", entry.help)
            .expect("strings take everything");
    }
}

/// A label's value as the text format wants it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_tells_what_it_is_and_what_it_may_use() {
        let text = process_exposition(Exporter {
            role: "media",
            region: "eu \"west\"\\",
        });
        let version = signalling::version::SOFTWARE;
        let build = format!(
            "meeshy_build_info{{role=\"media\",version=\"{version}\",region=\"eu \\\"west\\\"\\\\\"}} 1"
        );
        assert!(text.lines().any(|line| line == build), "{build} in\n{text}");
        for start in [
            "process_cpu_seconds_total ",
            "process_resident_memory_bytes ",
            "process_start_time_seconds ",
            "meeshy_cpu_limit_cores{role=\"media\"} ",
        ] {
            assert!(
                text.lines().any(|line| line.starts_with(start)),
                "{start} in\n{text}"
            );
        }
    }

    #[test]
    fn every_line_is_of_an_explained_metric() {
        let text = process_exposition(Exporter {
            role: "gateway",
            region: "",
        });
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let name = line.split(['{', ' ']).next().expect("a name");
            assert!(text.contains(&format!("# HELP {name} ")), "{line}");
        }
    }
}
