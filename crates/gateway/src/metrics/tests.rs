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
    let text = metrics.render("");
    assert!(
        text.lines().any(|candidate| candidate == line),
        "{line} in\n{text}"
    );
}

#[test]
fn every_metric_is_explained() {
    let text = Metrics::new().render("");
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
fn the_build_says_where_it_runs() {
    let build = |region| {
        let text = Metrics::new().render(region);
        let line = text.lines().find(|line| line.starts_with("meeshy_build_info{"));
        line.expect("there is one").to_owned()
    };
    assert!(build("eu-west").contains("region=\"eu-west\""));
    assert!(build("").contains("region=\"\""));
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
    let ana: ParticipantId = "ana".parse().expect("an id");
    metrics.quality(&call("a"), &ana, &report);
    report.rtt = f64::NAN;
    report.packet_loss = -1.0;
    metrics.quality(&call("a"), &ana, &report);
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
fn relays_are_counted_by_person_and_by_call() {
    let metrics = Metrics::new();
    let mut report: QualityReport = serde_json::from_value(serde_json::json!({
        "packetLoss": 0.0, "jitter": 4.0, "rtt": 80.0, "bitrate": 900.0, "usingRelay": true,
    }))
    .expect("a report");
    let person = |name: &str| name.parse::<ParticipantId>().expect("an id");
    assert_line(&metrics, "calls_using_relay_ratio 0");
    for each in ["a", "b", "c", "d"] {
        metrics.measured(&call(each), &state(CallStatus::Active, TransitionState::P2p, 2));
    }
    metrics.quality(&call("a"), &person("ana"), &report);
    metrics.quality(&call("a"), &person("ben"), &report);
    assert_line(&metrics, "turn_relay_participants 2");
    assert_line(&metrics, "calls_using_relay_ratio 0.25");
    report.using_relay = false;
    metrics.quality(&call("a"), &person("ben"), &report);
    assert_line(&metrics, "turn_relay_participants 1");
    metrics.measured(&call("a"), &state(CallStatus::Ended, TransitionState::P2p, 0));
    assert_line(&metrics, "turn_relay_participants 0");
}

#[test]
fn who_comes_in_is_counted_and_how_long_their_media_took() {
    let metrics = Metrics::new();
    for occupying in [1, 2, 3, 2, 3] {
        metrics.measured(
            &call("a"),
            &state(CallStatus::Active, TransitionState::Sfu, occupying),
        );
    }
    metrics.measured(&call("a"), &Measure::Connected { seconds: 0.4 });
    for line in [
        "meeshy_call_joins_total 4",
        "meeshy_call_setup_duration_seconds_bucket{mode=\"sfu\",le=\"0.5\"} 1",
        "meeshy_call_setup_duration_seconds_bucket{mode=\"sfu\",le=\"0.25\"} 0",
    ] {
        assert_line(&metrics, line);
    }
}

#[test]
fn clients_tries_to_connect_are_counted_by_outcome() {
    let metrics = Metrics::new();
    metrics.connection_made();
    metrics.connection_failed("p2p");
    metrics.connection_failed("something new");
    for line in [
        "meeshy_ice_attempts_total{side=\"client\",result=\"success\"} 1",
        "meeshy_ice_attempts_total{side=\"client\",result=\"failure\"} 2",
        "ice_failures_total{side=\"client\"} 2",
        "meeshy_client_connection_failures_total{transport=\"other\"} 1",
    ] {
        assert_line(&metrics, line);
    }
}

#[test]
fn nodes_are_counted_by_state() {
    let metrics = Metrics::new();
    metrics.set_media_nodes([NodeState::Ready, NodeState::Lost, NodeState::Ready].into_iter());
    assert_line(&metrics, "meeshy_media_nodes{state=\"ready\"} 2");
    assert_line(&metrics, "meeshy_media_nodes{state=\"lost\"} 1");
    metrics.set_media_nodes(std::iter::empty());
    assert_line(&metrics, "meeshy_media_nodes{state=\"ready\"} 0");
    metrics.set_draining(true);
    assert_line(&metrics, "meeshy_gateway_draining 1");
}

#[test]
fn every_reason_of_a_switch_is_counted_from_zero() {
    let metrics = Metrics::new();
    for reason in [
        SwitchReason::ParticipantCountChanged,
        SwitchReason::Manual,
        SwitchReason::QualityFallback,
        SwitchReason::MediaServerFailover,
    ] {
        let reason = reason.as_str();
        assert_line(
            &metrics,
            &format!(
                "calls_mode_transitions_total{{from=\"p2p\",to=\"sfu\",reason=\"{reason}\",result=\"failure\"}} 0"
            ),
        );
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
