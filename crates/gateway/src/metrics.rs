//! Every metric of the gateway, named in this one place (contract §8.5).
//!
//! The names of the first group are literal, also gauges that end in `_total`: operators' dashboards use them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use call::Measure;
use edge::metrics::{Exporter, MetricLabel, Registry, Table, label, process_exposition};
use signalling::client_gateway::{
    CallStatus, CallType, ConversationType, Mode, NodeState, QualityReport, TransitionState, TurnState,
};
use signalling::{CallId, ParticipantId};

mod names;
mod relays;

pub use names::ALL;
use relays::Relays;

/// Seconds, for what a person waits for: a switch (contract §8.5).
const SWITCH_BUCKETS: &[f64] = &[0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0];
/// Seconds, for how long people talk (contract §8.5).
const CALL_BUCKETS: &[f64] = &[60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];
/// People in a call (contract §8.5).
const PEOPLE_BUCKETS: &[f64] = &[2.0, 3.0, 5.0, 10.0, 25.0, 50.0];
/// Seconds, for work inside the process and for the database.
const WORK_BUCKETS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];
/// Share of packets lost.
const LOSS_BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
/// Seconds, for ways over a network.
const WAY_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6];
/// Kilobits per second.
const RATE_BUCKETS: &[f64] = &[32.0, 64.0, 128.0, 256.0, 512.0, 1000.0, 2000.0, 4000.0, 8000.0];

const TABLE: Table = Table {
    all: ALL,
    beside: &[],
    buckets: &[
        (names::TRANSITION_DURATION, SWITCH_BUCKETS),
        (names::SETUP, SWITCH_BUCKETS),
        (names::CALL_DURATION, CALL_BUCKETS),
        (names::CALL_PARTICIPANTS, PEOPLE_BUCKETS),
        (names::DB_QUERY, WORK_BUCKETS),
        (names::DB_QUERY_OLD, WORK_BUCKETS),
        (names::HTTP_DURATION, WORK_BUCKETS),
        (names::QUALITY_LOSS, LOSS_BUCKETS),
        (names::QUALITY_RTT, WAY_BUCKETS),
        (names::QUALITY_JITTER, WAY_BUCKETS),
        (names::QUALITY_BITRATE, RATE_BUCKETS),
    ],
};

/// Counts, gauges and histograms of one gateway.
pub struct Metrics {
    registry: Registry,
    sockets: AtomicI64,
    calls: Mutex<HashMap<CallId, Watched>>,
}

/// A live call as the gauges know it.
#[derive(Clone, Debug)]
struct Watched {
    mode: Mode,
    occupying: u32,
    /// Most people at a time.
    most: u32,
    active_since: Option<Instant>,
    relays: Relays,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A fresh set; everything known beforehand starts at zero.
    #[must_use]
    pub fn new() -> Self {
        Self {
            registry: Registry::new(&TABLE),
            sockets: AtomicI64::new(0),
            calls: Mutex::default(),
        }
    }

    /// The Prometheus text format, of a gateway in this region; empty if nobody said where it stands.
    #[must_use]
    pub fn render(&self, region: &str) -> String {
        self.set_calls();
        let mut text = self.registry.render();
        text.push_str(&process_exposition(Exporter {
            role: "gateway",
            region,
        }));
        text
    }

    /// Folds recorded samples into buckets; bounds memory when nobody scrapes.
    pub fn upkeep(&self) {
        self.registry.upkeep();
    }

    /// A call was begun.
    pub fn call_begun(&self, call_type: CallType, conversation_type: ConversationType) {
        let labels = vec![
            MetricLabel::from_static_parts("type", call_type.as_str()),
            MetricLabel::from_static_parts("conversation_type", conversation_type.as_str()),
        ];
        self.registry.counter(names::CALLS, labels).increment(1);
    }

    /// A call could not go on, for this reason.
    pub fn call_failed(&self, reason: &'static str) {
        self.registry
            .counter(names::CALLS_FAILED, label("reason", reason))
            .increment(1);
    }

    /// What a call says of itself.
    pub fn measured(&self, call: &CallId, measure: &Measure) {
        match *measure {
            Measure::Transition {
                from,
                to,
                reason,
                success,
                seconds,
            } => {
                let way = |from: Mode, to: Mode| {
                    vec![
                        MetricLabel::from_static_parts("from", from.as_str()),
                        MetricLabel::from_static_parts("to", to.as_str()),
                    ]
                };
                let mut labels = way(from, to);
                let result = if success { "success" } else { "failure" };
                labels.push(MetricLabel::from_static_parts("reason", reason.as_str()));
                labels.push(MetricLabel::from_static_parts("result", result));
                self.registry.counter(names::TRANSITIONS, labels).increment(1);
                if success {
                    self.registry
                        .histogram(names::TRANSITION_DURATION, way(from, to))
                        .record(seconds);
                }
            }
            Measure::State {
                status,
                transition,
                occupying,
            } => self.state(call, status, transition, occupying),
            Measure::Connected { seconds } => {
                let mode = label("mode", self.mode_of(call).as_str());
                self.registry.histogram(names::SETUP, mode).record(seconds);
            }
            Measure::Reconnection { back } => {
                let result = if back { "success" } else { "failure" };
                self.registry
                    .counter(names::RECONNECTIONS, label("result", result))
                    .increment(1);
                if !back {
                    let mode = self.mode_of(call);
                    self.registry
                        .counter(names::DROPS, label("mode", mode.as_str()))
                        .increment(1);
                }
            }
        }
    }

    /// How well media arrives at somebody who has a seat in the call.
    pub fn quality(&self, call: &CallId, who: &ParticipantId, report: &QualityReport) {
        if let Some(watched) = self.calls().get_mut(call) {
            watched.relays.report(Instant::now(), who, report.using_relay);
        }
        let mode = label("mode", self.mode_of(call).as_str());
        for (name, value) in [
            (names::QUALITY_LOSS, report.packet_loss),
            (names::QUALITY_RTT, report.rtt / 1000.0),
            (names::QUALITY_JITTER, report.jitter / 1000.0),
            (names::QUALITY_BITRATE, report.bitrate),
        ] {
            if value.is_finite() && value >= 0.0 {
                self.registry.histogram(name, mode.clone()).record(value);
            }
        }
        if report.using_relay {
            self.registry.counter(names::RELAYED_REPORTS, mode).increment(1);
        }
    }

    /// How a TURN server is; nothing is said of one that was not asked yet.
    pub fn turn_server(&self, url: &str, state: TurnState) {
        let up = match state {
            TurnState::Up => 1.0,
            TurnState::Down => 0.0,
            TurnState::Unknown => return,
        };
        let labels = vec![MetricLabel::new("url", url.to_owned())];
        self.registry.gauge(names::TURN_SERVER_UP, labels).set(up);
    }

    /// A finished HTTP request.
    pub fn http_request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        let names = (names::HTTP_REQUESTS, names::HTTP_DURATION);
        edge::metrics::http_request(&self.registry, names, (route, method), status, took);
    }

    /// Something refused by a limit.
    pub fn rate_limited(&self, scope: &'static str) {
        self.registry
            .counter(names::RATE_LIMITED, label("scope", scope))
            .increment(1);
    }

    /// A request or socket refused for its token or session.
    pub fn auth_failed(&self) {
        self.registry
            .counter(names::AUTH_FAILURES, label("service", "gateway"))
            .increment(1);
    }

    /// A Socket.IO event received or sent, by a name that is known beforehand.
    pub fn socket_event(&self, event: &'static str) {
        self.registry
            .counter(names::SOCKET_EVENTS, label("event", event))
            .increment(1);
    }

    /// A socket connected (`1`) or went away (`-1`).
    pub fn socket_count(&self, change: i64) {
        let now = self.sockets.fetch_add(change, Ordering::Relaxed) + change;
        self.registry.gauge(names::SOCKETS, Vec::new()).set(now as f64);
    }

    /// Connected sockets.
    #[must_use]
    pub fn sockets(&self) -> u32 {
        u32::try_from(self.sockets.load(Ordering::Relaxed)).unwrap_or(0)
    }

    /// Somebody known asked over `http` or a `socket` for what they have no right to.
    pub fn access_denied(&self, via: &'static str) {
        self.registry
            .counter(names::ACCESS_DENIED, label("via", via))
            .increment(1);
    }

    /// A refusal was not written to the audit log: there were too many.
    pub fn refusal_unrecorded(&self) {
        self.registry.counter(names::UNRECORDED, Vec::new()).increment(1);
    }

    /// Media nodes as this gateway sees them now.
    pub fn set_media_nodes(&self, states: impl Iterator<Item = NodeState> + Clone) {
        for state in names::NODE_STATES {
            let count = states.clone().filter(|each| each.as_str() == *state).count();
            self.registry
                .gauge(names::MEDIA_NODES, label("state", state))
                .set(count as f64);
        }
    }

    /// Whether new calls are refused because the gateway is to end.
    pub fn set_draining(&self, draining: bool) {
        let value = if draining { 1.0 } else { 0.0 };
        self.registry.gauge(names::DRAINING, Vec::new()).set(value);
    }

    /// A client's media is up, or came up another way.
    pub fn connection_made(&self) {
        self.ice_attempt("success");
    }

    fn ice_attempt(&self, result: &'static str) {
        let mut labels = label("side", "client");
        labels.extend(label("result", result));
        self.registry.counter(names::ICE_ATTEMPTS, labels).increment(1);
    }

    /// A client could not connect to its peer or to the node, by what it says.
    pub fn connection_failed(&self, transport: &str) {
        let transport = match transport {
            "p2p" => "p2p",
            "send" => "send",
            "recv" => "recv",
            _ => "other",
        };
        self.ice_attempt("failure");
        self.registry
            .counter(names::ICE_FAILURES, label("side", "client"))
            .increment(1);
        self.registry
            .counter(names::CONNECTION_FAILURES, label("transport", transport))
            .increment(1);
    }

    fn state(&self, call: &CallId, status: CallStatus, transition: TransitionState, occupying: u32) {
        let mode = match transition {
            TransitionState::P2p | TransitionState::SwitchingToSfu => Mode::P2p,
            TransitionState::Sfu | TransitionState::SwitchingToP2p => Mode::Sfu,
        };
        let mut calls = self.calls();
        let watched = calls.entry(call.clone()).or_insert(Watched {
            mode,
            occupying: 0,
            most: 0,
            active_since: None,
            relays: Relays::default(),
        });
        let joined = occupying.saturating_sub(watched.occupying);
        self.registry
            .counter(names::JOINS, Vec::new())
            .increment(joined.into());
        watched.mode = mode;
        watched.occupying = occupying;
        watched.most = watched.most.max(occupying);
        match status {
            CallStatus::Initiated | CallStatus::Ringing => {}
            CallStatus::Active => {
                watched.active_since.get_or_insert_with(Instant::now);
            }
            CallStatus::Ended | CallStatus::Failed => {
                let over = calls.remove(call);
                drop(calls);
                if let Some(over) = over {
                    self.over(status, &over);
                }
            }
        }
    }

    fn over(&self, status: CallStatus, call: &Watched) {
        if let Some(since) = call.active_since {
            self.registry
                .histogram(names::CALL_DURATION, Vec::new())
                .record(since.elapsed().as_secs_f64());
            self.registry
                .histogram(names::CALL_PARTICIPANTS, Vec::new())
                .record(f64::from(call.most));
        }
        if status == CallStatus::Failed {
            self.call_failed("error");
        }
    }

    fn set_calls(&self) {
        let (calls, now) = (self.calls(), Instant::now());
        let active = calls.values().filter(|call| call.active_since.is_some());
        let by_mode = |mode| active.clone().filter(|call| call.mode == mode).count() as f64;
        let people: u32 = calls.values().map(|call| call.occupying).sum();
        let relayed: usize = calls.values().map(|call| call.relays.count(now)).sum();
        let through_relays = active.clone().filter(|call| call.relays.count(now) > 0).count();
        for (name, value) in [
            (names::ACTIVE_CALLS, active.clone().count() as f64),
            (names::P2P_CALLS, by_mode(Mode::P2p)),
            (names::SFU_CALLS, by_mode(Mode::Sfu)),
            (names::PARTICIPANTS, f64::from(people)),
            (names::RELAYED, relayed as f64),
            // No calls, no share.
            (
                names::RELAY_RATIO,
                through_relays as f64 / active.clone().count().max(1) as f64,
            ),
        ] {
            self.registry.gauge(name, Vec::new()).set(value);
        }
    }

    fn mode_of(&self, call: &CallId) -> Mode {
        self.calls().get(call).map_or(Mode::P2p, |call| call.mode)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<CallId, Watched>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl store::QueryObserver for Metrics {
    fn observe(&self, operation: &'static str, took: Duration) {
        for name in [names::DB_QUERY, names::DB_QUERY_OLD] {
            self.registry
                .histogram(name, label("operation", operation))
                .record(took.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests;
