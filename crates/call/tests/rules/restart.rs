//! The gateway dies and comes back (contract §3.7): the call lives on, and the roster is right.

use call::{Input, NodeCommand, RoomAttempt};
use signalling::client_gateway::{CallStatus, Mode, ParticipantStatus, TransitionState};

use crate::world::{World, node, room};

#[test]
fn everybody_is_expected_back() {
    let mut world = World::trio();
    world.restart();
    assert_eq!(
        world.commands(),
        [NodeCommand::WatchRoom {
            attempt: RoomAttempt(1),
            node: node("a")
        }]
    );
    assert_eq!(world.occupying(), 3);
    for n in [1, 2, 3] {
        assert_eq!(world.of(n), (ParticipantStatus::Disconnected, true));
    }
    world.step(Input::RoomReady {
        attempt: RoomAttempt(1),
        room: room("a", 1),
    });
    for n in [1, 2, 3] {
        let rejoin = world.rejoin(n);
        assert!(world.is_done(rejoin));
        assert_eq!(world.told(n), ["call:rejoined"], "nothing has to be rebuilt");
        assert_eq!(world.of(n), (ParticipantStatus::Connected, true));
    }
    world.seconds(200);
    assert_eq!((world.status(), world.mode()), (CallStatus::Active, Mode::Sfu));
}

#[test]
fn who_does_not_come_back_loses_the_seat() {
    let mut world = World::trio();
    world.restart();
    world.rejoin(1);
    world.rejoin(2);
    world.seconds(60);
    assert_eq!(world.of(3), (ParticipantStatus::Failed, false));
    assert_eq!(world.occupying(), 2);
}

#[test]
fn a_switch_under_way_is_called_off_and_tried_again() {
    let mut world = World::pair();
    world.join(3);
    world.ack_all(&[1, 2]);
    world.restart();
    assert_eq!(
        (world.mode(), world.transition()),
        (Mode::P2p, TransitionState::P2p)
    );
    world.step(Input::RoomReady {
        attempt: RoomAttempt(1),
        room: room("a", 1),
    });
    world.rejoin(1);
    assert!(
        world
            .told(1)
            .contains(&"call:mode-switched called off p2p".to_owned())
    );
    world.rejoin(3);
    world.rejoin(2);
    assert_eq!(world.transition(), TransitionState::SwitchingToSfu);
    world.ack_all(&[1, 2, 3]);
    assert_eq!(world.mode(), Mode::Sfu);
}

#[test]
fn going_back_is_called_off_too() {
    let mut world = World::trio();
    world.leave(3);
    world.seconds(10);
    assert_eq!(world.transition(), TransitionState::SwitchingToP2p);
    world.restart();
    assert_eq!(
        (world.mode(), world.transition()),
        (Mode::Sfu, TransitionState::Sfu)
    );
    world.rejoin(1);
    assert!(
        world
            .told(1)
            .contains(&"call:mode-switched called off sfu".to_owned())
    );
}

#[test]
fn a_room_that_died_meanwhile_is_replaced() {
    let mut world = World::trio();
    world.restart();
    world.rejoin(1);
    world.lose_room("a");
    assert!(world.asked_room().is_some());
    world.open_room("b");
    assert_eq!(world.told(1), ["call:mode-switch sfu sfu"]);
}

#[test]
fn a_call_that_rings_goes_on_ringing() {
    let mut world = World::group();
    world.seconds(5);
    world.restart();
    world.rejoin(1);
    world.step(Input::DeviceOnline {
        user: crate::world::user(4),
    });
    assert_eq!(world.told(4), ["call:incoming"]);
    world.seconds(25);
    assert_eq!(
        world.status(),
        CallStatus::Ended,
        "until the time that was set at first"
    );
}

#[test]
fn nobody_comes_back() {
    let mut world = World::pair();
    world.restart();
    world.seconds(30);
    assert_eq!(world.status(), CallStatus::Ended);
    world.restart();
    assert!(world.call.is_over());
}
