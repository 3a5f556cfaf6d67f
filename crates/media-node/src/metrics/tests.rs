use std::time::Duration;

use sfu::stats::{Counters, WorkerStats};

use super::*;
use crate::control::workers::PlacedLoad;

fn series(metrics: &Metrics, line: &str) -> bool {
    metrics.render().lines().any(|candidate| candidate == line)
}

#[test]
fn every_series_with_known_labels_starts_at_zero() {
    let text = Metrics::new().render();
    for entry in ALL.iter().filter(|entry| entry.open_labels.is_empty()) {
        if names::BESIDE.contains(&entry.name) {
            continue;
        }
        let expected = entry
            .labels
            .iter()
            .map(|(_, values)| values.len())
            .product::<usize>();
        let count = |suffix: &str| {
            let name = format!("{}{suffix}", entry.name);
            text.lines()
                .filter(|line| {
                    line.strip_prefix(&name)
                        .is_some_and(|rest| rest.starts_with(['{', ' ']))
                })
                .count()
        };
        let found = if entry.kind == Kind::Histogram {
            count("_count")
        } else {
            count("")
        };
        assert_eq!(found, expected, "{}", entry.name);
    }
}

#[test]
fn helps_are_sentences() {
    for entry in ALL {
        assert!(
            entry.help.ends_with(['.', 't', 'w']) && entry.help.len() > 10,
            "{}",
            entry.name
        );
    }
}

#[test]
fn every_worker_shows_its_own_load() {
    let metrics = Metrics::new();
    let load = crate::worker::WorkerLoad {
        busy: 0.5,
        packets_in: 10.0,
        packets_out: 490.0,
        queue_delay: Duration::from_micros(250),
        worst_queue_delay: Duration::from_millis(4),
        ..Default::default()
    };
    let busy = PlacedLoad {
        index: 3,
        load,
        participants: 7,
        consumers: 70,
    };
    let idle = PlacedLoad {
        index: 0,
        load: Default::default(),
        participants: 0,
        consumers: 0,
    };
    metrics.set_worker_loads(&[idle, busy]);
    for line in [
        r#"meeshy_worker_busy_ratio{worker="3"} 0.5"#,
        r#"meeshy_worker_packets_per_second{worker="3",direction="in"} 10"#,
        r#"meeshy_worker_packets_per_second{worker="3",direction="out"} 490"#,
        r#"meeshy_worker_queue_delay_seconds{worker="3"} 0.00025"#,
        r#"meeshy_worker_queue_delay_max_seconds{worker="3"} 0.004"#,
        r#"meeshy_worker_queue_delay_seconds{worker="0"} 0"#,
        r#"meeshy_worker_participants{worker="3"} 7"#,
        r#"meeshy_worker_consumers{worker="3"} 70"#,
        r#"meeshy_worker_waiting_commands{worker="0"} 0"#,
    ] {
        assert!(
            series(&metrics, line),
            "{line} is missing in {}",
            metrics.render()
        );
    }
}

#[test]
fn counts_of_dead_workers_are_not_lost() {
    let metrics = Metrics::new();
    let mut traffic = Traffic::default();
    let worker = |rtp_received, rtp_sent| WorkerStats {
        routers: 1,
        audio_producers: 2,
        counters: Counters {
            rtp_received,
            rtp_sent,
            ..Counters::default()
        },
        ..WorkerStats::default()
    };
    traffic.publish(&metrics, &[worker(100, 1000), worker(1, 10)]);
    assert!(series(&metrics, "rtp_packets_total{direction=\"in\"} 101"));
    assert!(series(&metrics, "mediasoup_producers_total{kind=\"audio\"} 4"));
    traffic.bury(&worker(100, 1000).counters);
    traffic.publish(&metrics, &[worker(0, 0), worker(2, 20)]);
    assert!(series(&metrics, "rtp_packets_total{direction=\"in\"} 102"));
    assert!(series(&metrics, "rtp_packets_total{direction=\"out\"} 1020"));
    assert!(series(&metrics, "mediasoup_workers_total 2"));
}

#[test]
fn loss_is_that_of_the_last_interval() {
    let metrics = Metrics::new();
    let mut traffic = Traffic::default();
    let worker = |rtp_received, rtp_lost, rtp_sent, rtx_sent| WorkerStats {
        counters: Counters {
            rtp_received,
            rtp_lost,
            rtp_sent,
            rtx_sent,
            ..Counters::default()
        },
        ..WorkerStats::default()
    };
    traffic.publish(&metrics, &[worker(90, 10, 0, 0)]);
    assert!(series(&metrics, "packet_loss_percentage{direction=\"in\"} 10"));
    traffic.publish(&metrics, &[worker(190, 10, 200, 10)]);
    assert!(series(&metrics, "packet_loss_percentage{direction=\"in\"} 0"));
    assert!(series(&metrics, "packet_loss_percentage{direction=\"out\"} 5"));
    traffic.publish(&metrics, &[worker(190, 10, 200, 10)]);
    assert!(
        series(&metrics, "packet_loss_percentage{direction=\"out\"} 0"),
        "nothing sent is no loss"
    );
}

#[test]
fn durations_fall_into_buckets_in_seconds() {
    let metrics = Metrics::new();
    metrics.transport_connected("send", "tcp", Duration::from_millis(30));
    assert!(series(
        &metrics,
        "webrtc_transport_connection_duration_seconds_bucket{direction=\"send\",protocol=\"tcp\",le=\"0.05\"} 1"
    ));
    assert!(series(
        &metrics,
        "webrtc_transport_connection_duration_seconds_bucket{direction=\"send\",protocol=\"tcp\",le=\"0.025\"} 0"
    ));
}

#[test]
fn two_nodes_in_one_process_count_apart() {
    let (one, other) = (Metrics::new(), Metrics::new());
    one.auth_failed();
    assert!(series(&one, "auth_failures_total{service=\"media\"} 1"));
    assert!(series(&other, "auth_failures_total{service=\"media\"} 0"));
}

#[test]
fn tries_and_refusals_are_counted() {
    let metrics = Metrics::new();
    metrics.ice_attempted(true);
    metrics.ice_attempted(true);
    metrics.ice_attempted(false);
    metrics.http_request("/api/rooms/{callId}", "GET", 403, Duration::ZERO);
    metrics.http_request("/api/rooms/{callId}", "GET", 404, Duration::ZERO);
    for line in [
        r#"meeshy_ice_attempts_total{side="server",result="success"} 2"#,
        r#"meeshy_ice_attempts_total{side="server",result="failure"} 1"#,
        r#"meeshy_access_denied_total{via="media"} 1"#,
    ] {
        assert!(series(&metrics, line), "{line} in {}", metrics.render());
    }
}

#[test]
fn buckets_of_the_workers_add_up_as_prometheus_wants_them() {
    let mut latency = crate::worker::ForwardLatency::default();
    latency.buckets[0] = 2;
    latency.buckets[2] = 3;
    latency.buckets[11] = 1;
    latency.sum = Duration::from_millis(1500);
    let text = beside::forward_latency(&latency);
    for line in [
        "# TYPE rtp_forward_latency_seconds histogram",
        "rtp_forward_latency_seconds_bucket{le=\"0.000025\"} 2",
        "rtp_forward_latency_seconds_bucket{le=\"0.00005\"} 2",
        "rtp_forward_latency_seconds_bucket{le=\"0.0001\"} 5",
        "rtp_forward_latency_seconds_bucket{le=\"0.25\"} 5",
        "rtp_forward_latency_seconds_bucket{le=\"+Inf\"} 6",
        "rtp_forward_latency_seconds_sum 1.5",
        "rtp_forward_latency_seconds_count 6",
    ] {
        assert!(
            text.lines().any(|candidate| candidate == line),
            "no {line} in\n{text}"
        );
    }
}
