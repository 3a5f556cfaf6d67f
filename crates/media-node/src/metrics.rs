//! Every metric of the node, named in this one place (contract §8.5).
//!
//! The names of the first group are literal, also gauges that end in `_total`: operators' dashboards use them.
//! Each node has its own recorder, so that several nodes can live in one process (as tests do).

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use edge::metrics::{MetricLabel as Label, Registry, Table, label};

use crate::control::workers::{IoTotals, PlacedLoad};
use crate::worker::IoCount;

pub(crate) mod beside;
mod names;
#[cfg(test)]
mod tests;
mod traffic;

pub use edge::metrics::{Description, Kind};
pub(crate) use edge::metrics::{ProcessUsage, process_usage};
pub use names::ALL;
pub(crate) use traffic::Traffic;

/// Seconds, for what a person waits for: from a local round trip to giving up.
const WAIT_BUCKETS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Seconds, for work inside the process.
const WORK_BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0,
];

const TABLE: Table = Table {
    all: ALL,
    beside: &names::BESIDE,
    buckets: &[
        (names::TRANSPORT_CONNECTION, WAIT_BUCKETS),
        (names::DTLS_HANDSHAKE, WAIT_BUCKETS),
        (names::PRODUCER_CREATION, WORK_BUCKETS),
        (names::CONSUMER_CREATION, WORK_BUCKETS),
        (names::HTTP_DURATION, WORK_BUCKETS),
    ],
};

/// Counts, gauges and histograms of one node.
pub struct Metrics {
    registry: Registry,
    sockets: AtomicI64,
}

impl Metrics {
    /// A fresh set: every name is described, and those with a fixed set of labels start at zero.
    pub fn new() -> Self {
        Self {
            registry: Registry::new(&TABLE),
            sockets: AtomicI64::new(0),
        }
    }

    /// The Prometheus text format; call [`Self::set_process`] and the other setters first.
    pub(crate) fn render(&self) -> String {
        self.registry.render()
    }

    /// Folds recorded samples into buckets; bounds memory when nobody scrapes.
    pub(crate) fn upkeep(&self) {
        self.registry.upkeep();
    }

    /// A finished HTTP request.
    pub(crate) fn http_request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let names = (names::HTTP_REQUESTS, names::HTTP_DURATION);
        edge::metrics::http_request(&self.registry, names, (route, method), status, took);
        if status == 403 {
            self.registry
                .counter(names::ACCESS_DENIED, label("via", "media"))
                .increment(1);
        }
    }

    /// A request refused by a rate limit.
    pub(crate) fn rate_limited(&self, scope: &'static str) {
        self.registry
            .counter(names::RATE_LIMITED, label("scope", scope))
            .increment(1);
    }

    /// A request or socket refused for its token.
    pub(crate) fn auth_failed(&self) {
        self.registry
            .counter(names::AUTH_FAILURES, label("service", "media"))
            .increment(1);
    }

    /// A Socket.IO event received or sent.
    pub(crate) fn socket_event(&self, event: &'static str) {
        self.registry
            .counter(names::SOCKET_EVENTS, label("event", event))
            .increment(1);
    }

    /// A socket connected (`1`) or went away (`-1`).
    pub(crate) fn socket_count(&self, change: i64) {
        let now = self.sockets.fetch_add(change, Ordering::Relaxed) + change;
        self.registry.gauge(names::SOCKETS, Vec::new()).set(now as f64);
    }

    /// A transport's path is up: time from its creation, by direction (the client's view) and protocol.
    pub(crate) fn transport_connected(
        &self,
        direction: &'static str,
        protocol: &'static str,
        took: Duration,
    ) {
        let labels = vec![
            Label::new("direction", direction),
            Label::new("protocol", protocol),
        ];
        self.registry
            .histogram(names::TRANSPORT_CONNECTION, labels)
            .record(took.as_secs_f64());
    }

    /// A DTLS handshake finished.
    pub(crate) fn dtls_connected(&self, took: Duration) {
        self.registry
            .histogram(names::DTLS_HANDSHAKE, Vec::new())
            .record(took.as_secs_f64());
    }

    /// A client reached a transport for the first time, or did not in time.
    pub(crate) fn ice_attempted(&self, reached: bool) {
        let result = if reached { "success" } else { "failure" };
        let labels = vec![Label::new("side", "server"), Label::new("result", result)];
        self.registry.counter(names::ICE_ATTEMPTS, labels).increment(1);
    }

    /// A transport's ICE failed.
    pub(crate) fn ice_failed(&self) {
        self.registry
            .counter(names::ICE_FAILURES, label("side", "server"))
            .increment(1);
        self.registry
            .counter(names::TRANSPORT_ERRORS, label("kind", "ice"))
            .increment(1);
    }

    /// A transport's DTLS failed.
    pub(crate) fn dtls_failed(&self) {
        self.registry
            .counter(names::TRANSPORT_ERRORS, label("kind", "dtls"))
            .increment(1);
    }

    /// A worker thread died.
    pub(crate) fn worker_died(&self) {
        self.registry
            .counter(names::WORKER_DEATHS, Vec::new())
            .increment(1);
    }

    /// A producer was created.
    pub(crate) fn producer_created(&self, kind: &'static str, took: Duration) {
        self.registry
            .histogram(names::PRODUCER_CREATION, label("kind", kind))
            .record(took.as_secs_f64());
    }

    /// A consumer was created.
    pub(crate) fn consumer_created(&self, kind: &'static str, took: Duration) {
        self.registry
            .histogram(names::CONSUMER_CREATION, label("kind", kind))
            .record(took.as_secs_f64());
    }

    /// Sets a gauge without labels.
    pub(crate) fn set(&self, name: &'static str, value: f64) {
        self.registry.gauge(name, Vec::new()).set(value);
    }

    /// Rooms, participants and admission as they are now.
    pub(crate) fn set_occupancy(&self, occupancy: &Occupancy) {
        self.set(names::ROOMS, occupancy.rooms as f64);
        self.set(names::PARTICIPANTS, occupancy.participants as f64);
        self.set(names::CAPACITY_RATIO, occupancy.capacity_ratio);
        self.set(names::ADMISSION_STATE, f64::from(occupancy.admission_state));
        self.set(names::DRAINING, if occupancy.draining { 1.0 } else { 0.0 });
    }

    /// How busy each worker is.
    pub(crate) fn set_worker_loads(&self, loads: &[PlacedLoad]) {
        for one in loads {
            let load = &one.load;
            let worker = || Label::new("worker", one.index.to_string());
            let set = |name, value| self.registry.gauge(name, vec![worker()]).set(value);
            set(names::WORKER_BUSY, f64::from(load.busy));
            set(names::WORKER_QUEUE_DELAY, load.queue_delay.as_secs_f64());
            set(
                names::WORKER_QUEUE_DELAY_MAX,
                load.worst_queue_delay.as_secs_f64(),
            );
            set(names::WORKER_COMMANDS, load.queue as f64);
            set(names::WORKER_PARTICIPANTS, one.participants as f64);
            set(names::WORKER_CONSUMERS, one.consumers as f64);
            for (direction, rate) in [("in", load.packets_in), ("out", load.packets_out)] {
                let labels = vec![worker(), Label::new("direction", direction)];
                self.registry.gauge(names::WORKER_PACKETS, labels).set(rate);
            }
        }
    }

    /// What the workers' sockets have counted and dropped.
    pub(crate) fn set_io(&self, totals: &IoTotals) {
        let dropped = [
            ("send_buffer_control", IoCount::DroppedControl),
            ("send_buffer_audio", IoCount::DroppedAudio),
            ("send_buffer_video", IoCount::DroppedVideo),
            ("send_buffer_retransmission", IoCount::DroppedRetransmission),
            ("send_buffer_probe", IoCount::DroppedProbe),
            ("refused_by_kernel", IoCount::Refused),
        ];
        for (reason, count) in dropped {
            self.registry
                .counter(names::DROPPED, label("reason", reason))
                .absolute(totals.of(count));
        }
        let outcomes = [
            IoCount::StreamsAccepted,
            IoCount::StreamsTurnedAway,
            IoCount::StreamsUnproven,
            IoCount::StreamsSilent,
            IoCount::StreamsStalled,
            IoCount::StreamsMalformed,
        ];
        for (outcome, count) in names::TCP_OUTCOMES.iter().copied().zip(outcomes) {
            self.registry
                .counter(names::TCP_CONNECTIONS, label("outcome", outcome))
                .absolute(totals.of(count));
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// How full a node is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Occupancy {
    pub(crate) rooms: usize,
    pub(crate) participants: usize,
    /// Rooms taken or CPU used, whichever is nearer its limit, 0 to 1.
    pub(crate) capacity_ratio: f64,
    /// 0 normal, 1 quality reduced, 2 no screen share, 3 nobody new.
    pub(crate) admission_state: u8,
    pub(crate) draining: bool,
}
