//! A switch step by step, both ways (contract §3.5, §3.6), and the room that is ready before it is needed.

use std::time::Duration;

use call::{Input, NodeCommand, Notice};
use signalling::client_gateway::{Mode, ParticipantStatus, PeerRole, ServerEvent, TransitionState};

use crate::world::{World, node, participant, socket};

#[test]
fn the_way_is_prepared_before_a_third_comes() {
    let mut world = World::group();
    world.join(2);
    assert!(
        world.asked_room().is_some(),
        "active in a group: a room is asked for"
    );
    world.open_room("a");
    assert_eq!(world.told(1), ["call:media-server"]);
    assert_eq!(world.told(2), ["call:media-server"]);
    assert_eq!(world.mode(), Mode::P2p);
    let request = world.request();
    world.step(Input::SfuProof {
        request,
        socket: socket(2),
        proven: false,
    });
    assert!(world.is_done(request), "a way that cannot be proven ends nothing");
}

#[test]
fn the_standby_is_asked_for_again_more_and_more_slowly() {
    let mut world = World::group();
    world.join(2);
    world.connected(2);
    // What the join asked for.
    world.step(Input::RoomFailed {
        attempt: call::RoomAttempt(1),
    });
    assert!(world.told(1).is_empty(), "nobody hears of it");
    let mut waits = Vec::new();
    for _ in 0..7 {
        let from = world.millis;
        while world.asked_room().is_none() {
            world.pass(Duration::from_secs(1));
        }
        waits.push((world.millis - from) / 1000);
        world.fail_room();
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn a_lost_standby_is_taken_back_and_replaced() {
    let mut world = World::pair();
    world.lose_room("a");
    assert_eq!(world.told(1), ["call:media-server none"]);
    world.seconds(2);
    let avoids = world.commands();
    assert!(
        matches!(avoids.as_slice(), [NodeCommand::OpenRoom { avoid: Some(avoid), .. }] if *avoid == node("a")),
        "{avoids:?}"
    );
    world.open_room("b");
    assert_eq!(world.told(2), ["call:media-server"]);
}

#[test]
fn from_direct_to_group_in_the_contracts_order() {
    let mut world = World::pair();
    let join = world.join(3);
    assert!(world.is_done(join), "the standby room is used at once");
    for n in [1, 2] {
        assert_eq!(
            world.told(n),
            ["call:participant-joined", "call:mode-switch p2p sfu"]
        );
    }
    assert_eq!(world.told(3), ["call:joined"]);
    let view = world
        .call
        .join_view(world.now(), &participant(3))
        .expect("is in it");
    assert_eq!(view.mode, Mode::Sfu, "the newcomer goes straight to the node");
    assert_eq!(view.transition.map(|each| each.new_mode), Some(Mode::Sfu));
    assert!(view.room.is_some());
    assert_eq!(world.mode(), Mode::P2p, "not committed yet");

    world.pass(Duration::from_millis(900));
    world.ack_all(&[1, 3]);
    assert_eq!(world.mode(), Mode::P2p);
    world.ack(2, true);
    assert_eq!(world.mode(), Mode::Sfu);
    for n in [1, 2, 3] {
        assert!(
            world
                .told(n)
                .contains(&"call:mode-switched committed sfu".to_owned())
        );
        assert_eq!(world.of(n), (ParticipantStatus::Connected, true));
    }
    let stored = world.stored().call;
    assert!(stored.sfu_room_id.is_some() && stored.sfu_rtp_capabilities.is_some());
    assert_eq!(stored.mode_change_count, 1);
    let metrics = world.metrics.clone().expect("written at the commit");
    let transition = &metrics.mode_transitions[0];
    assert!(transition.success);
    assert!(
        (transition.duration - 0.9).abs() < 1e-9,
        "{}",
        transition.duration
    );
    assert_eq!((transition.from, transition.to), (Mode::P2p, Mode::Sfu));
}

#[test]
fn without_a_standby_the_joiner_waits_for_a_room_and_nobody_else_notices() {
    let mut world = World::group();
    world.join(2);
    world.step(Input::RoomFailed {
        attempt: call::RoomAttempt(1),
    });
    let third = world.join(3);
    assert_eq!(world.answer(third), None);
    assert!(world.told(1).is_empty());
    world.open_room("b");
    assert!(world.is_done(third));
    assert_eq!(
        world.told(1),
        ["call:participant-joined", "call:mode-switch p2p sfu"]
    );
}

fn two_remain() -> World {
    let mut world = World::trio();
    world.leave(3);
    world
}

#[test]
fn from_group_to_direct_after_the_wait() {
    let mut world = two_remain();
    world.pass(Duration::from_millis(9_999));
    assert_eq!(world.transition(), TransitionState::Sfu);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.transition(), TransitionState::SwitchingToP2p);
    let orders = |n: u8| match world.notices(n).as_slice() {
        [Notice::ModeSwitch(order)] => order.peer.clone().expect("whom to connect to"),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        orders(1),
        (PeerRole::Initiator, participant(2)),
        "who joined earlier offers"
    );
    assert_eq!(orders(2), (PeerRole::Receiver, participant(1)));
    world.ack(1, true);
    assert_eq!(world.mode(), Mode::Sfu);
    world.ack(2, true);
    assert_eq!(world.mode(), Mode::P2p);
    assert_eq!(world.told(1), ["call:mode-switched committed p2p"]);
    let stored = world.stored();
    assert_eq!(stored.call.sfu_room_id, None);
    assert!(
        stored
            .participants
            .iter()
            .all(|row| row.sfu == call::record::SfuIds::default())
    );
    assert_eq!(world.call.node(), Some(&node("a")), "the room is the standby now");
    assert!(
        !world
            .commands()
            .contains(&NodeCommand::DestroyRoom { node: node("a") })
    );
    let third = world.join(3);
    assert!(world.is_done(third), "and used at once when a third comes again");
}

#[test]
fn what_stops_the_clock_of_the_way_back() {
    type Row = (&'static str, fn(&mut World));
    let rows: [Row; 3] = [
        ("a join", |world| {
            world.join(4);
        }),
        ("a lost device", |world| world.lose(2)),
        ("a leave", |world| {
            world.leave(2);
        }),
    ];
    for (name, act) in rows {
        let mut world = two_remain();
        world.seconds(9);
        act(&mut world);
        world.seconds(5);
        assert_eq!(world.transition(), TransitionState::Sfu, "{name}");
    }
}

#[test]
fn a_seat_in_grace_keeps_the_call_with_the_node() {
    let mut world = World::trio();
    world.lose(3);
    world.seconds(59);
    assert_eq!(world.transition(), TransitionState::Sfu);
    world.seconds(11);
    assert_eq!(
        world.transition(),
        TransitionState::SwitchingToP2p,
        "ten seconds after the grace ran out"
    );
}

#[test]
fn a_third_who_comes_while_going_back_stops_it() {
    let mut world = two_remain();
    world.seconds(10);
    let id = world.transition_id();
    world.ack(1, true);
    let join = world.join(4);
    assert!(world.is_done(join));
    assert_eq!(world.transition(), TransitionState::Sfu);
    let called_off = world.notices(1).iter().any(|notice| match notice {
        Notice::Event(ServerEvent::ModeSwitched(event)) => {
            !event.success
                && event.error.as_deref() == Some("participant-joined")
                && event.mode == Mode::Sfu
                && Some(event.transition_id) == id
        }
        _ => false,
    });
    assert!(called_off);
    assert!(world.commands().is_empty(), "the room is untouched");
}

#[test]
fn a_storm_of_comings_and_goings_ends_where_it_should() {
    let mut world = World::pair();
    for round in 0..20 {
        world.join(3);
        world.ack_all(&[3, 1, 2]);
        assert_eq!(world.mode(), Mode::Sfu, "round {round}");
        world.leave(3);
        world.seconds(10);
        world.ack_all(&[2, 1]);
        assert_eq!(world.mode(), Mode::P2p, "round {round}");
    }
    assert_eq!(world.stored().call.mode_change_count, 40);
    assert_eq!(world.metrics.clone().expect("written").mode_transitions.len(), 40);
    assert_eq!(world.stored().participants.len(), 3);
}
