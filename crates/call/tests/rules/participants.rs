//! Participant status (contract §3.2): every row, capacity, coming back.

use call::{Actor, Input, NodeCommand, NodeEvent, Settings};
use signalling::client_gateway::{ConversationType, Mode, ParticipantStatus};
use signalling::client_node::TransportDirection;
use signalling::error::ErrorCode;
use signalling::gateway_node::DtlsState;

use crate::world::{World, callee, new_call, node, participant, socket};

const CONNECTING: ParticipantStatus = ParticipantStatus::Connecting;
const CONNECTED: ParticipantStatus = ParticipantStatus::Connected;
const DISCONNECTED: ParticipantStatus = ParticipantStatus::Disconnected;
const FAILED: ParticipantStatus = ParticipantStatus::Failed;

fn transport_up(world: &mut World, n: u8) {
    world.step(Input::Node {
        node: node("a"),
        event: NodeEvent::Transport {
            participant: participant(n),
            transport: "00000000-0000-0000-0000-000000000001".parse().expect("a UUID"),
            direction: TransportDirection::Recv,
            dtls: DtlsState::Connected,
        },
    });
}

#[test]
fn every_row_of_the_participant_table() {
    type Row = (&'static str, fn() -> World, u8, (ParticipantStatus, bool));
    let rows: [Row; 18] = [
        ("the initiator, at once", World::group, 1, (CONNECTED, true)),
        (
            "a join",
            || {
                let mut world = World::group();
                world.join(2);
                world
            },
            2,
            (CONNECTING, true),
        ),
        ("media is up", World::pair, 2, (CONNECTED, true)),
        (
            "a transport is up, in mode sfu",
            || {
                let mut world = World::trio();
                world.join(4);
                transport_up(&mut world, 4);
                world
            },
            4,
            (CONNECTED, true),
        ),
        (
            "a transport is up, in mode p2p",
            || {
                let mut world = World::group();
                world.join(2);
                world.open_room("a");
                transport_up(&mut world, 2);
                world
            },
            2,
            (CONNECTING, true),
        ),
        (
            "a switch is acknowledged",
            || {
                let mut world = World::pair();
                world.join(3);
                world.ack(3, true);
                world
            },
            3,
            (CONNECTED, true),
        ),
        (
            "a switch is refused",
            || {
                let mut world = World::pair();
                world.join(3);
                world.ack(3, false);
                world
            },
            3,
            (CONNECTING, true),
        ),
        (
            "connecting for 29 s",
            || {
                let mut world = World::trio();
                world.join(4);
                world.seconds(29);
                world
            },
            4,
            (CONNECTING, true),
        ),
        (
            "connecting for 30 s",
            || {
                let mut world = World::trio();
                world.join(4);
                world.seconds(30);
                world
            },
            4,
            (FAILED, false),
        ),
        (
            "the device is lost",
            || {
                let mut world = World::pair();
                world.lose(2);
                world
            },
            2,
            (DISCONNECTED, true),
        ),
        (
            "back in 59 s",
            || {
                let mut world = World::pair();
                world.lose(2);
                world.seconds(59);
                world.rejoin(2);
                world
            },
            2,
            (CONNECTED, true),
        ),
        (
            "back before media was ever up",
            || {
                let mut world = World::group();
                world.join(2);
                world.lose(2);
                world.rejoin(2);
                world
            },
            2,
            (CONNECTING, true),
        ),
        (
            "back by an ordinary join",
            || {
                let mut world = World::pair();
                world.lose(2);
                let join = world.join_on(2, Some(socket(52)));
                assert!(world.is_done(join));
                world
            },
            2,
            (CONNECTED, true),
        ),
        (
            "gone for 60 s",
            || {
                let mut world = World::pair();
                world.lose(2);
                world.seconds(60);
                world
            },
            2,
            (FAILED, false),
        ),
        (
            "leaves",
            || {
                let mut world = World::pair();
                world.leave(2);
                world
            },
            2,
            (DISCONNECTED, false),
        ),
        (
            "is removed",
            || {
                let mut world = World::pair();
                let request = world.request();
                world.step(Input::Remove {
                    request,
                    by: Actor::Service,
                    participant: participant(2),
                });
                assert!(world.is_done(request));
                world
            },
            2,
            (DISCONNECTED, false),
        ),
        (
            "the call ends",
            || {
                let mut world = World::direct_pair();
                world.leave(1);
                world
            },
            2,
            (DISCONNECTED, false),
        ),
        (
            "left, and joins again",
            || {
                let mut world = World::pair();
                let before = world.dto().participants[1].clone();
                world.seconds(5);
                world.leave(2);
                world.join(2);
                let after = world.dto().participants[1].clone();
                assert_eq!(after.participant_id, before.participant_id, "the same row");
                assert_eq!(after.joined_at, before.joined_at);
                assert_eq!(world.dto().participants.len(), 2);
                world
            },
            2,
            (CONNECTING, true),
        ),
    ];
    for (name, play, who, expected) in rows {
        assert_eq!(play().of(who), expected, "{name}");
    }
}

#[test]
fn others_see_somebody_go_and_come_back() {
    let mut world = World::pair();
    world.lose(2);
    assert_eq!(world.told(1), ["call:participant-media-state disconnected"]);
    world.seconds(3);
    let rejoin = world.rejoin(2);
    assert!(world.is_done(rejoin));
    assert_eq!(world.told(1), ["call:participant-media-state connected"]);
    assert_eq!(world.told(2), ["call:rejoined"]);
    world.seconds(20);
    assert_eq!(world.metrics.clone().expect("written by now").reconnections, 1);
}

#[test]
fn a_grace_that_ran_out_ends_the_seat_but_not_the_door() {
    let mut world = World::trio();
    world.lose(3);
    world.seconds(60);
    let rejoin = world.rejoin(3);
    assert_eq!(world.refusal(rejoin), Some(ErrorCode::ParticipantNotFound));
    let join = world.join(3);
    assert!(world.is_done(join));
}

#[test]
fn nobody_takes_anothers_seat() {
    let mut world = World::pair();
    let request = world.request();
    world.step(Input::Rejoin {
        request,
        person: crate::world::person(3),
        participant: participant(2),
        socket: socket(3),
    });
    assert_eq!(world.refusal(request), Some(ErrorCode::ParticipantNotFound));
}

#[test]
fn one_seat_has_one_device() {
    let mut world = World::pair();
    let elsewhere = world.join_on(2, Some(socket(52)));
    assert_eq!(world.refusal(elsewhere), Some(ErrorCode::AlreadyParticipant));
    let again = world.join(2);
    assert!(world.is_done(again), "the same device asks twice");
    let taken = world.rejoin_on(2, socket(52));
    assert!(world.is_done(taken), "a device may take the seat over");
    let old = world.connected(2);
    assert_eq!(world.refusal(old), Some(ErrorCode::ParticipantNotFound));
}

#[test]
fn a_join_over_rest_is_bound_later_or_given_up() {
    let mut world = World::group();
    let join = world.join_on(2, None);
    assert!(world.is_done(join));
    assert_eq!(world.call.seats().len(), 1);
    world.rejoin(2);
    assert_eq!(world.call.seats().len(), 2);

    let mut world = World::group();
    world.join_on(2, None);
    world.seconds(30);
    assert_eq!(world.of(2), (FAILED, false));
}

#[test]
fn a_full_call_lets_nobody_in() {
    let settings = Settings {
        max_participants: 4,
        ..Settings::default()
    };
    let mut world = World::begin(
        new_call(ConversationType::Group, (2..=9).map(callee).collect()),
        settings,
    );
    world.join(2);
    world.open_room("a");
    world.join(3);
    world.ack_all(&[1, 2, 3]);
    let fourth = world.join(4);
    assert!(world.is_done(fourth));
    let fifth = world.join(5);
    assert_eq!(world.refusal(fifth), Some(ErrorCode::MaxParticipantsReached));
    world.lose(4);
    let fifth = world.join(5);
    assert_eq!(
        world.refusal(fifth),
        Some(ErrorCode::MaxParticipantsReached),
        "a seat in grace is taken"
    );
    world.leave(3);
    let fifth = world.join(5);
    assert!(world.is_done(fifth));
}

#[test]
fn who_leaves_or_is_removed_leaves_the_node_too() {
    let mut world = World::trio();
    world.leave(3);
    let removed = NodeCommand::RemoveParticipant {
        node: node("a"),
        participant: participant(3),
    };
    assert!(world.commands().contains(&removed));
    let again = world.leave(3);
    assert!(world.is_done(again), "leaving twice is leaving once");

    let request = world.request();
    world.step(Input::Remove {
        request,
        by: Actor::Service,
        participant: participant(2),
    });
    assert_eq!(world.told(2), ["call:error KICKED"]);
    assert_eq!(world.told(1), ["call:participant-left"]);
    assert_eq!(world.mode(), Mode::Sfu, "one who remains stays where they are");
}
