//! Metrics rendered beside the recorder, whose histograms take single samples: the workers' come in buckets.

use std::fmt::Write;

use edge::metrics::head;

use super::names::{self, ALL};
use crate::worker::{FORWARD_BOUNDS, ForwardLatency};

/// How long packets stay in the workers.
pub(crate) fn forward_latency(latency: &ForwardLatency) -> String {
    let name = names::FORWARD_LATENCY;
    let mut text = String::new();
    head(&mut text, ALL, name);
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

fn line(text: &mut String, name: &str, suffix: &str, value: f64) {
    writeln!(text, "{name}{suffix} {value}").expect("writing to a string cannot fail");
}
