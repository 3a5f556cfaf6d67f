//! What goes wrong, and the way on from there (contract §3.7): a test for every row.

use std::time::Duration;

use call::{Input, NodeCommand, Notice};
use signalling::Timestamp;
use signalling::client_gateway::{CallStatus, Mode, ParticipantStatus, ServerEvent, TransitionState};
use signalling::error::ErrorCode;

use crate::world::{World, node, room, socket};

/// When the last switch told `n` it will be tried again.
fn retry_at(world: &World, n: u8) -> Option<Timestamp> {
    world
        .notices(n)
        .into_iter()
        .rev()
        .find_map(|notice| match notice {
            Notice::Event(ServerEvent::ModeSwitched(event)) if !event.success => Some(event.retry_at),
            _ => None,
        })
        .flatten()
}

#[test]
fn no_node_can_be_had_the_joiner_is_refused_and_the_call_goes_on() {
    let mut world = World::group();
    world.join(2);
    world.connected(2);
    let third = world.join(3);
    world.step(Input::RoomFailed {
        attempt: call::RoomAttempt(1),
    });
    assert_eq!(world.refusal(third), Some(ErrorCode::ServiceUnavailable));
    assert!(world.told(1).is_empty() && world.told(2).is_empty());
    assert_eq!((world.mode(), world.occupying()), (Mode::P2p, 2));
}

#[test]
fn a_node_that_never_answers_is_as_none() {
    let mut world = World::group();
    world.join(2);
    world.connected(2);
    let third = world.join(3);
    world.seconds(10);
    assert_eq!(world.refusal(third), Some(ErrorCode::ServiceUnavailable));
}

#[test]
fn a_client_that_failed_once_may_still_succeed() {
    let mut world = World::pair();
    world.join(3);
    world.ack_all(&[1, 2]);
    world.ack(3, false);
    world.seconds(6);
    assert_eq!(world.transition(), TransitionState::SwitchingToSfu);
    world.ack(3, true);
    assert_eq!(world.mode(), Mode::Sfu);
}

#[test]
fn only_the_newcomer_is_missing_at_the_deadline() {
    let mut world = World::pair();
    world.join(3);
    world.ack_all(&[1, 2]);
    world.seconds(10);
    assert_eq!(world.transition(), TransitionState::P2p);
    assert_eq!(world.of(3), (ParticipantStatus::Failed, false));
    assert_eq!(
        world.told(3),
        [
            "call:mode-switched called off p2p",
            "call:error MODE_SWITCH_FAILED"
        ]
    );
    assert_eq!(
        world.told(1),
        ["call:mode-switched called off p2p", "call:participant-left"]
    );
    assert_eq!(retry_at(&world, 1), None);
    world.seconds(60);
    assert_eq!(world.transition(), TransitionState::P2p, "no retry");
}

#[test]
fn one_of_the_two_is_missing_at_the_deadline() {
    let mut world = World::pair();
    world.join(3);
    let mut waits = Vec::new();
    loop {
        world.ack_all(&[1, 3]);
        world.seconds(10);
        assert_eq!(world.mode(), Mode::P2p);
        let Some(at) = retry_at(&world, 1) else {
            break;
        };
        assert_eq!(
            world.of(3),
            (ParticipantStatus::Connecting, true),
            "the newcomer waits"
        );
        waits.push(at.unix_millis() - world.millis);
        world.pass(Duration::from_millis(at.unix_millis() - world.millis));
        assert_eq!(
            world.told(3),
            ["call:mode-switch p2p sfu"],
            "tried again by itself"
        );
    }
    assert_eq!(waits, [2000, 4000, 8000]);
    assert_eq!(world.of(3), (ParticipantStatus::Failed, false));
    assert!(
        world
            .told(3)
            .contains(&"call:error MODE_SWITCH_FAILED".to_owned())
    );
    assert_eq!(
        (world.of(1).0, world.of(2).0),
        (ParticipantStatus::Connected, ParticipantStatus::Connected)
    );
}

fn waits_for_retry() -> World {
    let mut world = World::pair();
    world.join(3);
    world.ack_all(&[1, 3]);
    world.seconds(10);
    assert!(retry_at(&world, 2).is_some());
    world
}

#[test]
fn nobody_has_to_wait_for_the_retry() {
    let mut world = waits_for_retry();
    let request = world.request();
    world.step(Input::RetrySwitch {
        request,
        socket: socket(1),
    });
    assert_eq!(world.transition(), TransitionState::SwitchingToSfu);
    world.ack_all(&[1, 2, 3]);
    assert_eq!(world.mode(), Mode::Sfu);
}

#[test]
fn a_newcomer_who_gives_up_ends_the_retries() {
    let mut world = waits_for_retry();
    world.leave(3);
    assert!(
        world
            .told(1)
            .contains(&"call:mode-switched called off p2p".to_owned())
    );
    assert_eq!(retry_at(&world, 1), None);
    world.seconds(30);
    assert_eq!(world.transition(), TransitionState::P2p);
}

#[test]
fn turning_the_flag_off_ends_the_retries() {
    let mut world = waits_for_retry();
    world.settings.sfu_enabled = false;
    world.step(Input::SfuFlag { enabled: false });
    assert_eq!(
        world.told(1)[0],
        "call:mode-switched called off p2p",
        "no next try is shown any more"
    );
    assert_eq!(retry_at(&world, 1), None);
    assert!(
        world
            .told(3)
            .contains(&"call:error MODE_SWITCH_FAILED".to_owned())
    );
    assert_eq!(world.of(3), (ParticipantStatus::Failed, false));
    assert_eq!(world.call.node(), None);
    world.seconds(30);
    assert_eq!(world.transition(), TransitionState::P2p);
    let third = world.join(3);
    assert_eq!(world.refusal(third), Some(ErrorCode::SfuDisabled));
}

#[test]
fn a_switch_that_fails_after_the_flag_was_turned_off_is_not_tried_again() {
    let mut world = World::pair();
    world.join(3);
    world.settings.sfu_enabled = false;
    world.step(Input::SfuFlag { enabled: false });
    assert_eq!(world.transition(), TransitionState::SwitchingToSfu);
    world.ack_all(&[1, 3]);
    world.seconds(10);
    assert_eq!(retry_at(&world, 1), None);
    assert_eq!(world.of(3), (ParticipantStatus::Failed, false));
    world.seconds(30);
    assert_eq!((world.mode(), world.call.node()), (Mode::P2p, None));
}

#[test]
fn joins_between_the_tries_are_refused_at_once() {
    let mut world = waits_for_retry();
    let fourth = world.join(4);
    assert_eq!(world.refusal(fourth), Some(ErrorCode::ServiceUnavailable));
}

#[test]
fn somebody_leaves_while_switching_to_the_node() {
    type Row = (&'static str, &'static [u8], &'static [u8], TransitionState);
    let rows: [Row; 5] = [
        (
            "two are left and both acknowledged",
            &[1, 3],
            &[2],
            TransitionState::Sfu,
        ),
        (
            "the newcomer leaves, both others acknowledged",
            &[1, 2],
            &[3],
            TransitionState::Sfu,
        ),
        (
            "two are left and one is missing",
            &[1],
            &[2],
            TransitionState::SwitchingToSfu,
        ),
        ("the newcomer is left alone", &[3], &[1, 2], TransitionState::P2p),
        ("one of the two is left alone", &[], &[3, 2], TransitionState::P2p),
    ];
    for (name, acks, leavers, expected) in rows {
        let mut world = World::pair();
        world.join(3);
        world.ack_all(acks);
        for n in leavers {
            world.leave(*n);
        }
        assert_eq!(world.transition(), expected, "{name}");
        assert_eq!(world.status(), CallStatus::Active, "{name}");
        if expected == TransitionState::P2p {
            let left = world
                .dto()
                .participants
                .into_iter()
                .find(|each| each.left_at.is_none());
            let status = left.map(|each| each.status);
            assert_eq!(
                status,
                Some(ParticipantStatus::Connected),
                "{name}: nobody to connect to"
            );
        }
    }
}

#[test]
fn who_lost_the_device_does_not_hold_the_others_up() {
    let mut world = World::pair();
    world.join(3);
    world.lose(2);
    world.ack_all(&[1, 3]);
    assert_eq!(world.mode(), Mode::P2p, "may still come back in time");
    world.seconds(10);
    assert_eq!(world.mode(), Mode::Sfu);
    world.rejoin(2);
    assert_eq!(
        world.of(2),
        (ParticipantStatus::Connecting, true),
        "and has to find the way to the node"
    );
}

#[test]
fn the_node_dies_while_switching_to_it() {
    let mut world = World::pair();
    world.join(3);
    world.ack_all(&[1, 2]);
    world.lose_room("a");
    assert_eq!(world.transition(), TransitionState::P2p);
    assert_eq!(
        world.told(1),
        ["call:mode-switched called off p2p", "call:media-server none"]
    );
    assert!(world.asked_room().is_some(), "another node is asked at once");
    world.open_room("b");
    world.seconds(2);
    assert_eq!(
        world.transition(),
        TransitionState::SwitchingToSfu,
        "and used for the next try"
    );
    world.ack_all(&[1, 2, 3]);
    assert_eq!((world.mode(), world.call.node()), (Mode::Sfu, Some(&node("b"))));
}

#[test]
fn the_node_dies_while_switching_and_there_is_no_other() {
    let mut world = World::pair();
    world.join(3);
    world.lose_room("a");
    for _ in 0..60 {
        if world.asked_room().is_some() {
            world.fail_room();
        }
        world.pass(Duration::from_millis(500));
    }
    assert_eq!(world.of(3), (ParticipantStatus::Failed, false));
    assert_eq!(
        (world.mode(), world.occupying()),
        (Mode::P2p, 2),
        "the first two never noticed"
    );
}

#[test]
fn the_node_dies_and_another_takes_over() {
    let mut world = World::trio();
    world.lose_room("a");
    let commands = world.commands();
    assert!(
        matches!(commands.as_slice(), [NodeCommand::OpenRoom { avoid: Some(avoid), .. }] if *avoid == node("a"))
    );
    let fourth = world.join(4);
    assert_eq!(world.answer(fourth), None, "joins wait for the new room");
    let attempt = call::RoomAttempt(3);
    world.step(Input::RoomReady {
        attempt,
        room: room("b", 2),
    });
    for n in [1, 2, 3] {
        assert_eq!(world.told(n), ["call:mode-switch sfu sfu"]);
    }
    world.ack_all(&[1, 2, 3]);
    assert!(world.is_done(fourth));
    assert_eq!((world.mode(), world.call.node()), (Mode::Sfu, Some(&node("b"))));
    assert_eq!(
        world.stored().call.mode_change_count,
        1,
        "the mode itself did not change"
    );
}

#[test]
fn who_does_not_find_the_new_room_is_given_up() {
    let mut world = World::trio();
    world.lose_room("a");
    world.open_room("b");
    world.ack_all(&[1, 2]);
    world.seconds(10);
    assert_eq!(world.of(3), (ParticipantStatus::Connecting, true));
    world.seconds(30);
    assert_eq!(world.of(3), (ParticipantStatus::Failed, false));
}

#[test]
fn two_without_a_node_go_on_directly() {
    let mut world = World::trio();
    world.leave(3);
    world.lose_room("a");
    world.fail_room();
    assert_eq!(world.transition(), TransitionState::SwitchingToP2p);
    assert_eq!(world.told(1), ["call:mode-switch sfu p2p"]);
    world.ack_all(&[1, 2]);
    assert_eq!(world.mode(), Mode::P2p);
}

#[test]
fn no_node_at_all_is_told_after_three_tries() {
    let mut world = World::trio();
    world.lose_room("a");
    let mut tries = 0;
    loop {
        world.fail_room();
        tries += 1;
        if world
            .told(1)
            .contains(&"call:error MEDIA_SERVER_ERROR".to_owned())
        {
            break;
        }
        while world.asked_room().is_none() {
            world.pass(Duration::from_millis(500));
        }
    }
    assert_eq!(tries, 3);
    assert_eq!(world.occupying(), 3, "everybody stays for a while");
    while world.asked_room().is_none() {
        world.pass(Duration::from_millis(500));
    }
    world.open_room("b");
    assert_eq!(
        world.told(1),
        ["call:mode-switch sfu sfu"],
        "a node that comes back in time is used"
    );
    world.ack_all(&[1, 2, 3]);
    world.seconds(120);
    assert_eq!(world.status(), CallStatus::Active);
}

#[test]
fn the_direct_way_back_cannot_be_built() {
    let mut world = World::trio();
    world.leave(3);
    world.seconds(10);
    world.ack(1, true);
    world.seconds(10);
    assert_eq!(world.transition(), TransitionState::Sfu);
    assert_eq!(world.told(2), ["call:mode-switched called off sfu"]);
    world.seconds(120);
    assert_eq!(world.transition(), TransitionState::Sfu, "not tried again");
    world.join(3);
    world.connected(3);
    world.leave(3);
    world.seconds(10);
    assert_eq!(
        world.transition(),
        TransitionState::SwitchingToP2p,
        "until others are there"
    );
}

#[test]
fn somebody_goes_while_the_direct_way_is_built() {
    type Row = (&'static str, fn(&mut World));
    let rows: [Row; 2] = [
        ("leaves", |world| {
            world.leave(2);
        }),
        ("is lost", |world| world.lose(2)),
    ];
    for (name, act) in rows {
        let mut world = World::trio();
        world.leave(3);
        world.seconds(10);
        act(&mut world);
        assert_eq!(world.transition(), TransitionState::Sfu, "{name}");
    }
}

#[test]
fn a_room_that_comes_too_late_is_let_go() {
    let mut world = World::pair();
    world.step(Input::RoomReady {
        attempt: call::RoomAttempt(99),
        room: room("z", 9),
    });
    assert_eq!(world.commands(), [NodeCommand::DestroyRoom { node: node("z") }]);
    assert_eq!(world.call.node(), Some(&node("a")));
    world.lose_room("z");
    assert_eq!(
        world.call.node(),
        Some(&node("a")),
        "another node's end is of no interest"
    );
}
