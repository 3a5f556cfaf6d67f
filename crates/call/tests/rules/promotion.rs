//! A room that stands by is given a place for its media before a switch begins, where it is or elsewhere (contract §3.5).

use call::{Actor, Input, NodeCommand, Notice};
use signalling::client_gateway::{Mode, TransitionState};
use signalling::error::ErrorCode;

use crate::world::{Promotion, World, node, room, socket};

/// Two who talk directly, a room that stands by, and a third whose join waits for a place.
fn third_waits() -> (World, call::RequestId) {
    let mut world = World::pair();
    world.promotion = Promotion::Asked;
    let third = world.join(3);
    let commands = world.commands();
    assert!(
        matches!(
            commands.as_slice(),
            [NodeCommand::OpenRoom {
                avoid: None,
                standby: false,
                ..
            }]
        ),
        "{commands:?}"
    );
    assert_eq!(world.answer(third), None, "not before there is a place");
    for n in [1, 2, 3] {
        assert!(world.told(n).is_empty(), "nobody is told of anything");
    }
    assert_eq!(
        world.call.node(),
        Some(&node("a")),
        "the room goes on standing by"
    );
    (world, third)
}

fn ordered_room(world: &World, n: u8) -> Option<call::RoomInfo> {
    world.notices(n).iter().find_map(|notice| match notice {
        Notice::ModeSwitch(order) => order.room.clone(),
        _ => None,
    })
}

#[test]
fn a_room_whose_node_has_a_place_is_used() {
    let (mut world, third) = third_waits();
    let proven = world.call.room().cloned().expect("it stands by");
    let attempt = world.asked_room().expect("a place was asked for");
    world.step(Input::RoomReady {
        attempt,
        room: proven.clone(),
    });
    assert!(world.is_done(third));
    assert!(world.commands().is_empty(), "nothing is to be done about it");
    assert_eq!(ordered_room(&world, 1), Some(proven));
    world.ack_all(&[1, 2, 3]);
    assert_eq!(world.mode(), Mode::Sfu);
}

#[test]
fn a_room_whose_node_refuses_is_left_for_another_within_the_same_join() {
    let (mut world, third) = third_waits();
    world.open_room("b");
    assert!(world.is_done(third), "the join succeeds");
    assert_eq!(
        world.commands(),
        [NodeCommand::DestroyRoom { node: node("a") }],
        "the old room is let go of"
    );
    for n in [1, 2] {
        assert_eq!(
            world.told(n),
            ["call:participant-joined", "call:mode-switch p2p sfu"],
            "one order, and nothing of a failure"
        );
        assert_eq!(ordered_room(&world, n).map(|room| room.node), Some(node("b")));
    }
    world.ack_all(&[1, 2, 3]);
    assert_eq!((world.mode(), world.call.node()), (Mode::Sfu, Some(&node("b"))));
}

#[test]
fn where_no_node_has_a_place_the_third_is_told_and_the_room_stands_by_for_the_next() {
    let (mut world, third) = third_waits();
    world.fail_room();
    assert_eq!(world.refusal(third), Some(ErrorCode::ServiceUnavailable));
    for n in [1, 2] {
        assert!(world.told(n).is_empty(), "the two hear nothing of it");
    }
    assert_eq!(world.call.node(), Some(&node("a")));
    world.seconds(60);
    assert!(world.asked_room().is_none(), "nobody waits for a place now");
    let again = world.join(3);
    world.open_room("b");
    assert!(world.is_done(again));
}

#[test]
fn a_place_is_asked_for_before_every_try() {
    let (mut world, third) = third_waits();
    world.open_room("b");
    assert!(world.is_done(third));
    world.ack_all(&[1, 3]);
    // One of the two does not get through in time: tried again after two seconds, and b has become full meanwhile.
    world.seconds(10);
    assert_eq!(world.transition(), TransitionState::P2p);
    world.seconds(2);
    world.open_room("c");
    assert_eq!(world.commands(), [NodeCommand::DestroyRoom { node: node("b") }]);
    assert_eq!(ordered_room(&world, 3).map(|room| room.node), Some(node("c")));
    // And b again, when none has a place the time after.
    world.seconds(10);
    world.seconds(4);
    world.fail_room();
    assert_eq!(world.transition(), TransitionState::P2p);
    assert_eq!(world.call.node(), Some(&node("c")));
    world.seconds(8);
    assert!(world.asked_room().is_some(), "the last try asks as well");
}

#[test]
fn who_comes_after_the_call_went_back_to_direct_asks_anew() {
    let mut world = World::trio();
    world.promotion = Promotion::Asked;
    world.leave(3);
    world.seconds(10);
    world.ack_all(&[1, 2]);
    assert_eq!(world.mode(), Mode::P2p);
    let third = world.join(3);
    assert_eq!(world.answer(third), None);
    world.open_room("b");
    assert!(world.is_done(third));
}

#[test]
fn a_room_that_is_lost_while_its_place_is_asked_for_is_replaced() {
    let (mut world, third) = third_waits();
    let late = world.asked_room().expect("a place was asked for");
    world.lose_room("a");
    assert_eq!(world.answer(third), None, "it still waits");
    let attempt = world.asked_room().expect("another room is asked for");
    world.step(Input::RoomReady {
        attempt: late,
        room: room("a", 9),
    });
    assert_eq!(world.answer(third), None, "that answer came too late");
    world.step(Input::RoomReady {
        attempt,
        room: room("b", 10),
    });
    assert!(world.is_done(third));
}

#[test]
fn an_answer_that_does_not_come_ends_with_a_refusal_and_a_new_standby() {
    let (mut world, third) = third_waits();
    world.seconds(10);
    assert_eq!(world.refusal(third), Some(ErrorCode::ServiceUnavailable));
    assert_eq!(world.call.node(), None, "nobody knows what became of it");
    let commands = world.commands();
    assert!(
        matches!(
            commands.as_slice(),
            [
                NodeCommand::DestroyRoom { .. },
                NodeCommand::OpenRoom { standby: true, .. }
            ]
        ),
        "{commands:?}"
    );
    assert_eq!(world.told(1), ["call:media-server none"]);
    world.open_room("b");
    assert_eq!(world.told(1), ["call:media-server"], "to be proven anew");
}

#[test]
fn who_gives_up_leaves_a_new_room_that_is_told_of_and_proven() {
    let (mut world, third) = third_waits();
    let attempt = world.asked_room().expect("a place was asked for");
    world.leave(3);
    assert!(world.refusal(third).is_some());
    world.step(Input::RoomReady {
        attempt,
        room: room("b", 9),
    });
    assert_eq!(world.told(1), ["call:media-server"]);
    assert_eq!(world.commands(), [NodeCommand::DestroyRoom { node: node("a") }]);
    assert_eq!(world.mode(), Mode::P2p);
    world.join(3);
    assert!(world.asked_room().is_some(), "the place may be taken by now");
}

#[test]
fn who_waits_for_the_end_of_a_switch_that_the_newcomer_alone_missed_needs_no_new_place() {
    let mut world = World::pair();
    world.join(3);
    world.promotion = Promotion::Asked;
    let fourth = world.join(4);
    world.ack_all(&[1, 2]);
    world.seconds(10);
    assert!(world.is_done(fourth), "the others' media flows there");
    world.ack_all(&[1, 2]);
    world.seconds(10);
    assert_eq!(world.occupying(), 2, "the fourth does not get through either");
    let fifth = world.join(5);
    assert_eq!(
        world.answer(fifth),
        None,
        "nothing flows there any more: asked anew"
    );
}

#[test]
fn a_switch_by_hand_asks_as_well() {
    let mut world = World::pair();
    world.promotion = Promotion::Asked;
    let request = world.request();
    world.step(Input::SetMode {
        request,
        by: Actor::Service,
        mode: Mode::Sfu,
    });
    assert_eq!(world.answer(request), None);
    world.open_room("b");
    assert!(world.is_done(request));
    assert_eq!(ordered_room(&world, 2).map(|room| room.node), Some(node("b")));
    let proof = world.request();
    world.step(Input::SfuProof {
        request: proof,
        socket: socket(1),
        proven: true,
    });
    assert!(world.is_done(proof));
}
