//! Prometheus metrics: named and explained in one table per server, and kept apart from those of other servers in the
//! same process.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, SharedString};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

mod exposition;
mod limits;
mod process;

pub use exposition::{Exporter, PROCESS, head, process_exposition};
pub use metrics::Label as MetricLabel;
pub use process::{ProcessUsage, process_usage};

static METADATA: Metadata<'static> = Metadata::new("edge", Level::INFO, None);

/// The content type of the text format.
pub const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Distribution.
    Histogram,
}

impl Kind {
    /// As Prometheus writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Labels whose values are known beforehand; the series of all combinations exist from the start.
    pub labels: &'static [(&'static str, &'static [&'static str])],
    /// Label names whose values appear with use.
    pub open_labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

const fn describe(name: &'static str, kind: Kind, help: &'static str) -> Description {
    Description {
        name,
        kind,
        labels: &[],
        open_labels: &[],
        help,
    }
}

/// Something that only grows.
#[must_use]
pub const fn counter(name: &'static str, help: &'static str) -> Description {
    describe(name, Kind::Counter, help)
}

/// Something that goes up and down.
#[must_use]
pub const fn gauge(name: &'static str, help: &'static str) -> Description {
    describe(name, Kind::Gauge, help)
}

/// A distribution.
#[must_use]
pub const fn histogram(name: &'static str, help: &'static str) -> Description {
    describe(name, Kind::Histogram, help)
}

impl Description {
    /// With labels whose values are known beforehand.
    #[must_use]
    pub const fn with(mut self, labels: &'static [(&'static str, &'static [&'static str])]) -> Self {
        self.labels = labels;
        self
    }

    /// With labels whose values appear with use.
    #[must_use]
    pub const fn open(mut self, labels: &'static [&'static str]) -> Self {
        self.open_labels = labels;
        self
    }

    /// Every combination of the fixed labels; empty for metrics with open labels.
    fn fixed_labels(&self) -> Vec<Vec<Label>> {
        if !self.open_labels.is_empty() {
            return Vec::new();
        }
        let mut combinations = vec![Vec::new()];
        for (name, values) in self.labels {
            combinations = combinations
                .into_iter()
                .flat_map(|labels: Vec<Label>| {
                    values.iter().map(move |value| {
                        let mut labels = labels.clone();
                        labels.push(Label::from_static_parts(name, value));
                        labels
                    })
                })
                .collect();
        }
        combinations
    }
}

/// What a server's metrics are.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Every metric.
    pub all: &'static [Description],
    /// Names of those that the server writes itself, beside this registry.
    pub beside: &'static [&'static str],
    /// The bounds of histograms, by name; the others become summaries.
    pub buckets: &'static [(&'static str, &'static [f64])],
}

/// The metrics of one server.
pub struct Registry {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
}

impl Registry {
    /// A fresh set: every name is described, and those with a fixed set of labels start at zero.
    ///
    /// # Panics
    /// If a list of bounds is empty.
    #[must_use]
    pub fn new(table: &Table) -> Self {
        let mut builder = PrometheusBuilder::new();
        for (name, bounds) in table.buckets {
            builder = builder
                .set_buckets_for_metric(Matcher::Full((*name).to_owned()), bounds)
                .expect("lists of bounds are not empty");
        }
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        let registry = Self { recorder, handle };
        registry.describe(table.all);
        registry.start_at_zero(table);
        registry
    }

    /// The Prometheus text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds recorded samples into buckets; bounds memory when nobody scrapes.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// A counter's series.
    pub fn counter(&self, name: &'static str, labels: Vec<Label>) -> Counter {
        self.recorder.register_counter(&key(name, labels), &METADATA)
    }

    /// A gauge's series.
    pub fn gauge(&self, name: &'static str, labels: Vec<Label>) -> Gauge {
        self.recorder.register_gauge(&key(name, labels), &METADATA)
    }

    /// A histogram's series.
    pub fn histogram(&self, name: &'static str, labels: Vec<Label>) -> Histogram {
        self.recorder.register_histogram(&key(name, labels), &METADATA)
    }

    fn describe(&self, all: &[Description]) {
        for entry in all {
            let name = KeyName::from_const_str(entry.name);
            let help = SharedString::const_str(entry.help);
            match entry.kind {
                Kind::Counter => self.recorder.describe_counter(name, None, help),
                Kind::Gauge => self.recorder.describe_gauge(name, None, help),
                Kind::Histogram => self.recorder.describe_histogram(name, None, help),
            }
        }
    }

    /// A series that does not exist yet cannot be alerted on, so every known series exists from the start.
    fn start_at_zero(&self, table: &Table) {
        let own = table
            .all
            .iter()
            .filter(|entry| !table.beside.contains(&entry.name));
        for entry in own {
            for labels in entry.fixed_labels() {
                match entry.kind {
                    Kind::Counter => self.counter(entry.name, labels).increment(0),
                    Kind::Gauge => self.gauge(entry.name, labels).set(0.0),
                    Kind::Histogram => drop(self.histogram(entry.name, labels)),
                }
            }
        }
    }
}

fn key(name: &'static str, labels: Vec<Label>) -> Key {
    Key::from_parts(KeyName::from_const_str(name), labels)
}

/// One label whose value is known beforehand.
#[must_use]
pub fn label(name: &'static str, value: &'static str) -> Vec<Label> {
    vec![Label::from_static_parts(name, value)]
}

/// The request's series by route, method and status, and how long it took by route and method.
pub fn http_request(
    registry: &Registry,
    (requests, duration): (&'static str, &'static str),
    (route, method): (&str, &'static str),
    status: u16,
    took: Duration,
) {
    let mut labels = vec![
        Label::new("route", route.to_owned()),
        Label::from_static_parts("method", method),
    ];
    registry
        .histogram(duration, labels.clone())
        .record(took.as_secs_f64());
    labels.push(Label::new("status", status.to_string()));
    registry.counter(requests, labels).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table {
        all: &[
            counter("a_total", "Things that happened.")
                .with(&[("kind", &["x", "y"]), ("side", &["in", "out"])]),
            gauge("b", "Things that are."),
            histogram("c_seconds", "How long things take."),
            counter("d_total", "Things by place.").open(&["place"]),
            counter("e_total", "Written beside."),
        ],
        beside: &["e_total"],
        buckets: &[("c_seconds", &[0.5, 1.0])],
    };

    #[test]
    fn what_is_known_beforehand_starts_at_zero() {
        let text = Registry::new(&TABLE).render();
        for line in [
            "a_total{kind=\"x\",side=\"in\"} 0",
            "a_total{kind=\"y\",side=\"out\"} 0",
            "b 0",
            "c_seconds_bucket{le=\"0.5\"} 0",
            "# HELP a_total Things that happened.",
        ] {
            assert!(
                text.lines().any(|candidate| candidate == line),
                "{line} in\n{text}"
            );
        }
        assert!(
            !text.contains("d_total{") && !text.contains("e_total 0"),
            "{text}"
        );
    }

    #[test]
    fn requests_are_counted_and_timed() {
        const REQUESTS: Table = Table {
            all: &[
                counter("requests_total", "Requests.").open(&["route", "method", "status"]),
                histogram("request_seconds", "Their time.").open(&["route", "method"]),
            ],
            beside: &[],
            buckets: &[("request_seconds", &[1.0])],
        };
        let registry = Registry::new(&REQUESTS);
        let names = ("requests_total", "request_seconds");
        http_request(&registry, names, ("/a", "GET"), 200, Duration::from_millis(500));
        let text = registry.render();
        for line in [
            "requests_total{route=\"/a\",method=\"GET\",status=\"200\"} 1",
            "request_seconds_sum{route=\"/a\",method=\"GET\"} 0.5",
        ] {
            assert!(
                text.lines().any(|candidate| candidate == line),
                "{line} in\n{text}"
            );
        }
    }
}
