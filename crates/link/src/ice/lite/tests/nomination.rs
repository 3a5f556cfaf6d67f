//! Which path is selected, and which credentials are believed.

use super::*;

#[test]
fn the_peer_nominates_and_renominates() {
    let server = credentials("server");
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::with(&server)).expect("valid");
    bench.send(path(2), &CheckOf::nominating(&server)).expect("valid");
    assert_eq!(
        bench.events(),
        [
            IceEvent::State(IceState::Connected),
            IceEvent::Selected(path(2)),
            IceEvent::State(IceState::Completed)
        ]
    );
    // Checks of another path keep it proven and do not move the selection.
    bench.send(path(1), &CheckOf::with(&server)).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)));
    // A phone leaves Wi-Fi: it comes from a new address and nominates that.
    bench.send(path(3), &CheckOf::nominating(&server)).expect("valid");
    assert_eq!(bench.events(), [IceEvent::Selected(path(3))]);
    assert!(
        bench.agent.is_proven(path(2)),
        "what is still under way there is accepted"
    );
    // The nomination is repeated: nothing new.
    bench.send(path(3), &CheckOf::nominating(&server)).expect("valid");
    assert_eq!(bench.events(), []);
}

#[test]
fn a_peer_that_nominates_every_path_gets_the_best_and_no_alternation() {
    let server = credentials("server");
    let low = CheckOf {
        priority: 10,
        ..CheckOf::nominating(&server)
    };
    let high = CheckOf {
        priority: 20,
        ..CheckOf::nominating(&server)
    };
    // Whichever nomination arrives first, the better path is selected, and repetitions do not move it.
    for first in [(path(1), &low), (path(2), &high)] {
        let mut bench = Bench::new();
        bench.send(first.0, first.1).expect("valid");
        for second in (0..60).step_by(3) {
            bench.advance(seconds(second));
            bench.send(path(1), &low).expect("valid");
            bench.send(path(2), &high).expect("valid");
            bench.answer();
            bench.answer();
            assert_eq!(bench.agent.selected(), Some(path(2)), "second {second}");
            if second > 0 {
                assert_eq!(bench.events(), [], "second {second}");
            }
            bench.events();
        }
    }
}

#[test]
fn a_path_given_up_is_left_even_for_a_worse_one() {
    let server = credentials("server");
    let wifi = CheckOf {
        priority: 20,
        ..CheckOf::nominating(&server)
    };
    let cellular = CheckOf {
        priority: 10,
        ..CheckOf::nominating(&server)
    };
    let mut bench = Bench::new();
    bench.send(path(1), &wifi).expect("valid");
    bench
        .send(
            path(2),
            &CheckOf {
                use_candidate: false,
                ..cellular.clone()
            },
        )
        .expect("valid");
    bench.send(path(2), &cellular).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)), "the nomination is news");
    // A delayed check of the path just left brings it back, but not for long.
    bench.send(path(1), &wifi).expect("valid");
    bench.send(path(2), &cellular).expect("valid");
    bench.send(path(2), &cellular).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)));
    // The peer returns: it checks the old path, then nominates it again.
    bench
        .send(
            path(1),
            &CheckOf {
                use_candidate: false,
                ..wifi.clone()
            },
        )
        .expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)));
    bench.send(path(1), &wifi).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(1)));
}

#[test]
fn numbered_nominations_ignore_late_checks() {
    let server = credentials("server");
    let numbered = |number| CheckOf {
        nomination: Some(number),
        ..CheckOf::nominating(&server)
    };
    let mut bench = Bench::new();
    bench.send(path(1), &numbered(1)).expect("valid");
    bench.send(path(2), &numbered(2)).expect("valid");
    bench.send(path(1), &numbered(1)).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(2)));
    bench.send(path(1), &numbered(3)).expect("valid");
    assert_eq!(bench.agent.selected(), Some(path(1)));
}

#[test]
fn after_a_restart_both_credentials_work_until_the_new_ones_nominate() {
    let (old, new) = (credentials("server"), credentials("fresh"));
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&old)).expect("valid");
    bench.agent.restart(new.clone());
    assert!(bench.agent.owns_ufrag(&old.ufrag) && bench.agent.owns_ufrag(&new.ufrag));
    bench.answer();

    assert_eq!(bench.send(path(1), &CheckOf::nominating(&old)), Ok(Check::Valid));
    let (_, bytes) = bench.answer().expect("an answer");
    let answer = Message::parse(&bytes).expect("valid");
    assert!(
        answer.verify_integrity(&IntegrityKey::new(&old.pwd)),
        "answered under the password used"
    );

    assert_eq!(bench.send(path(2), &CheckOf::with(&new)), Ok(Check::Valid));
    assert_eq!(bench.agent.selected(), Some(path(1)));
    let mixed = CheckOf {
        pwd: Some(old.pwd.clone()),
        ..CheckOf::with(&new)
    };
    assert_eq!(bench.send(path(2), &mixed), Err(DropReason::StunIntegrity));

    assert_eq!(bench.send(path(2), &CheckOf::nominating(&new)), Ok(Check::Valid));
    assert_eq!(bench.agent.selected(), Some(path(2)));
    assert!(!bench.agent.owns_ufrag(&old.ufrag));
    assert!(!bench.agent.is_proven(path(1)), "a path of the old generation");
    assert_eq!(
        bench.send(path(1), &CheckOf::nominating(&old)),
        Err(DropReason::StunIntegrity)
    );
}

#[test]
fn a_second_restart_keeps_the_credentials_in_use() {
    let (used, skipped, new) = (
        credentials("server"),
        credentials("skipped"),
        credentials("fresh"),
    );
    let mut bench = Bench::new();
    bench.send(path(1), &CheckOf::nominating(&used)).expect("valid");
    bench.agent.restart(skipped.clone());
    bench.agent.restart(new.clone());
    assert!(bench.agent.owns_ufrag(&used.ufrag) && bench.agent.owns_ufrag(&new.ufrag));
    assert!(!bench.agent.owns_ufrag(&skipped.ufrag));
    bench.send(path(1), &CheckOf::nominating(&new)).expect("valid");
    assert!(!bench.agent.owns_ufrag(&used.ufrag));
    assert_eq!(bench.agent.selected(), Some(path(1)));
}
