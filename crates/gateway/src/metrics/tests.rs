use signalling::client_gateway::SwitchReason;

use super::*;

fn call(name: &str) -> CallId {
    name.parse().expect("an id")
}

fn state(status: CallStatus, transition: TransitionState, occupying: u32) -> Measure {
    Measure::State {
        status,
        transition,
        occupying,
    }
}

#[track_caller]
fn assert_line(metrics: &Metrics, line: &str) {
    let text = metrics.render();
    assert!(
        text.lines().any(|candidate| candidate == line),
        "{line} in\n{text}"
    );
}

#[test]
fn every_metric_is_explained() {
    let text = Metrics::new().render();
    for entry in ALL.iter().filter(|entry| entry.open_labels.is_empty()) {
        assert!(
            text.contains(&format!("# HELP {} {}", entry.name, entry.help)),
            "{}",
            entry.name
        );
        assert!(
            entry.help.ends_with('.') || entry.help.ends_with("it."),
            "{}",
            entry.name
        );
    }
}

#[test]
fn every_scope_of_the_limits_is_counted_from_zero() {
    let metrics = Metrics::new();
    for scope in crate::limits::Scope::ALL {
        let name = scope.name();
        assert_line(
            &metrics,
            &format!("rate_limit_rejections_total{{scope=\"{name}\"}} 0"),
        );
    }
}

#[test]
fn calls_are_counted_by_where_they_stand() {
    let metrics = Metrics::new();
    let active = CallStatus::Active;
    metrics.measured(&call("a"), &state(CallStatus::Ringing, TransitionState::P2p, 1));
    metrics.measured(&call("b"), &state(active, TransitionState::P2p, 2));
    metrics.measured(&call("c"), &state(active, TransitionState::SwitchingToP2p, 4));
    for line in [
        "calls_active_total 2",
        "calls_mode_p2p_total 1",
        "calls_mode_sfu_total 1",
        "meeshy_active_participants 7",
    ] {
        assert_line(&metrics, line);
    }
    metrics.measured(&call("c"), &state(active, TransitionState::P2p, 2));
    metrics.measured(&call("c"), &state(CallStatus::Ended, TransitionState::P2p, 0));
    metrics.measured(&call("a"), &state(CallStatus::Ended, TransitionState::P2p, 0));
    metrics.measured(&call("b"), &state(CallStatus::Failed, TransitionState::P2p, 2));
    for line in [
        "calls_active_total 0",
        "meeshy_active_participants 0",
        "meeshy_calls_failed_total{reason=\"error\"} 1",
        "call_participants_bucket{le=\"3\"} 1",
        "call_participants_bucket{le=\"5\"} 2",
        "meeshy_call_duration_seconds_count 2",
    ] {
        assert_line(&metrics, line);
    }
}

#[test]
fn switches_and_reconnections_are_counted() {
    let metrics = Metrics::new();
    let switch = |success| Measure::Transition {
        from: Mode::P2p,
        to: Mode::Sfu,
        reason: SwitchReason::ParticipantCountChanged,
        success,
        seconds: 0.3,
    };
    metrics.measured(&call("a"), &switch(true));
    metrics.measured(&call("a"), &switch(false));
    metrics.measured(&call("a"), &Measure::Reconnection { back: true });
    metrics.measured(&call("a"), &Measure::Reconnection { back: false });
    for line in [
        "calls_mode_transitions_total{from=\"p2p\",to=\"sfu\",reason=\"participant-count-changed\",result=\"failure\"} 1",
        "call_mode_transition_duration_seconds_bucket{from=\"p2p\",to=\"sfu\",le=\"0.5\"} 1",
        "call_mode_transition_duration_seconds_count{from=\"p2p\",to=\"sfu\"} 1",
        "call_reconnections_total{result=\"success\"} 1",
        "call_drops_total{mode=\"p2p\"} 1",
    ] {
        assert_line(&metrics, line);
    }
}

#[test]
fn quality_is_kept_by_mode_and_nonsense_left_out() {
    let metrics = Metrics::new();
    let mut report: QualityReport = serde_json::from_value(serde_json::json!({
        "packetLoss": 0.015, "jitter": 4.0, "rtt": 80.0, "bitrate": 900.0, "usingRelay": true,
    }))
    .expect("a report");
    metrics.measured(&call("a"), &state(CallStatus::Active, TransitionState::Sfu, 3));
    metrics.quality(&call("a"), &report);
    report.rtt = f64::NAN;
    report.packet_loss = -1.0;
    metrics.quality(&call("a"), &report);
    for line in [
        "call_quality_packet_loss_ratio_count{mode=\"sfu\"} 1",
        "call_quality_rtt_seconds_bucket{mode=\"sfu\",le=\"0.1\"} 1",
        "call_quality_rtt_seconds_count{mode=\"sfu\"} 1",
        "call_quality_bitrate_kbps_count{mode=\"sfu\"} 2",
        "meeshy_quality_reports_relayed_total{mode=\"sfu\"} 2",
    ] {
        assert_line(&metrics, line);
    }
}

#[test]
fn the_database_is_timed_under_both_names() {
    let metrics = Metrics::new();
    store::QueryObserver::observe(&metrics, "save_state", Duration::from_millis(4));
    for name in ["db_query_duration_seconds", "prisma_query_duration_seconds"] {
        assert_line(
            &metrics,
            &format!("{name}_bucket{{operation=\"save_state\",le=\"0.005\"}} 1"),
        );
    }
}
