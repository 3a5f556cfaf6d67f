//! How long silence is borne.

use super::*;

#[test]
fn silence_disconnects_and_then_fails() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
    bench.events();
    bench.advance(Duration::from_millis(7999));
    assert_eq!(bench.events(), []);
    bench.advance(seconds(8));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Disconnected)]);
    assert_eq!(bench.agent.selected(), Some(path(1)), "media still flows");
    bench.advance(Duration::from_millis(29_999));
    assert_eq!(bench.events(), []);
    bench.advance(seconds(30));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Failed)]);
    assert_eq!(bench.agent.selected(), None);
    assert!(!bench.agent.is_proven(path(1)));
    assert_eq!(bench.agent.poll_timeout(), None);
}

#[test]
fn checks_keep_the_session_alive_and_revive_it() {
    let server = credentials("server");
    let mut bench = Bench::new();
    for second in (0..120).step_by(5) {
        bench.advance(seconds(second));
        bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
        bench.answer();
    }
    assert_eq!(
        bench.events(),
        [IceEvent::Selected(path(1)), IceEvent::State(IceState::Completed)]
    );
    bench.advance(seconds(125));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Disconnected)]);
    bench.send(path(1), &CheckOf::with(&server)).expect("valid");
    assert_eq!(bench.events(), [IceEvent::State(IceState::Completed)]);
    bench.advance(seconds(200));
    assert_eq!(
        bench.events(),
        [
            IceEvent::State(IceState::Disconnected),
            IceEvent::State(IceState::Failed)
        ]
    );
    bench.send(path(9), &CheckOf::nominating(&server)).expect("valid");
    assert_eq!(
        bench.events(),
        [IceEvent::Selected(path(9)), IceEvent::State(IceState::Completed)]
    );
}

#[test]
fn forged_checks_are_no_consent() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
    for second in 1..31 {
        bench.advance(seconds(second));
        let forged = CheckOf {
            pwd: Some("guess".into()),
            ..CheckOf::with(&server)
        };
        bench.send(path(1), &forged).expect_err("forged");
        bench.answer();
    }
    assert_eq!(bench.agent.state(), IceState::Failed);
}

#[test]
fn a_peer_that_never_comes_fails_only_once_it_is_expected() {
    let mut bench = Bench::new();
    assert_eq!(bench.agent.poll_timeout(), None, "nobody waits before connect");
    bench.advance(seconds(100));
    assert_eq!(bench.agent.state(), IceState::New);
    bench.agent.expect_checks(bench.now);
    bench.advance(seconds(129));
    assert_eq!(bench.agent.state(), IceState::New);
    bench.advance(seconds(130));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Failed)]);
}

#[test]
fn a_path_unused_for_the_consent_time_is_forgotten_and_another_takes_its_place() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
    for second in 1..31 {
        bench.advance(seconds(second));
        bench.send(path(2), &CheckOf::with(&server)).expect("valid");
        bench.answer();
    }
    bench.advance(seconds(31));
    assert!(!bench.agent.is_proven(path(1)));
    assert_eq!(bench.agent.selected(), Some(path(2)));
    assert_eq!(bench.agent.state(), IceState::Completed);
}

#[test]
fn a_closed_connection_is_forgotten_at_once() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::with(&server)).expect("valid");
    bench.send(path(2), &CheckOf::nominating(&server)).expect("valid");
    bench.events();
    bench.agent.forget(path(2));
    assert_eq!(bench.events(), [IceEvent::Selected(path(1))]);
    assert_eq!(
        bench.answer().map(|(tuple, _)| tuple),
        Some(path(1)),
        "its answer is not sent any more"
    );
    assert!(bench.answer().is_none());
    bench.agent.forget(path(1));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Disconnected)]);
    assert_eq!(bench.agent.selected(), None);
    bench.advance(seconds(30));
    assert_eq!(bench.events(), [IceEvent::State(IceState::Failed)]);
}

#[test]
fn a_closed_agent_is_silent() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&server)).expect("valid");
    bench.agent.close();
    assert!(bench.answer().is_none());
    assert_eq!(
        bench.send(path(1), &CheckOf::with(&server)),
        Err(DropReason::Closed)
    );
    bench.advance(seconds(100));
    assert_eq!(bench.agent.state(), IceState::Closed);
    assert_eq!(bench.agent.poll_timeout(), None);
}
