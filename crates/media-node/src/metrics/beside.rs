//! Metrics rendered beside the recorder: those whose values it cannot hold. Its counters are whole numbers, and CPU
//! seconds are not; its histograms take single samples, and the workers' come in buckets.

use std::fmt::Write;

use super::ProcessUsage;
use super::names::{self, ALL};
use crate::worker::{FORWARD_BOUNDS, ForwardLatency};

/// CPU and memory of this process.
pub(crate) fn process(usage: &ProcessUsage) -> String {
    let values = [
        (names::CPU_SECONDS, usage.cpu.as_secs_f64()),
        (names::RESIDENT_BYTES, usage.resident_bytes as f64),
        (names::HEAP_BYTES, usage.heap_bytes as f64),
    ];
    let mut text = String::new();
    for (name, value) in values {
        head(&mut text, name);
        line(&mut text, name, "", value);
        text.push('\n');
    }
    text
}

/// How long packets stay in the workers.
pub(crate) fn forward_latency(latency: &ForwardLatency) -> String {
    let name = names::FORWARD_LATENCY;
    let mut text = String::new();
    head(&mut text, name);
    let bounds = FORWARD_BOUNDS.iter().map(|bound| bound.as_secs_f64().to_string());
    let mut total = 0;
    for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(latency.buckets) {
        total += count;
        line(
            &mut text,
            name,
            &format!("_bucket{{le=\"{bound}\"}}"),
            total as f64,
        );
    }
    line(&mut text, name, "_sum", latency.sum.as_secs_f64());
    line(&mut text, name, "_count", total as f64);
    text.push('\n');
    text
}

fn head(text: &mut String, name: &str) {
    if let Some(entry) = ALL.iter().find(|entry| entry.name == name) {
        let kind = entry.kind.as_str();
        writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", entry.help)
            .expect("writing to a string cannot fail");
    }
}

fn line(text: &mut String, name: &str, suffix: &str, value: f64) {
    writeln!(text, "{name}{suffix} {value}").expect("writing to a string cannot fail");
}
