//! Which mode a call has (contract §3.3), and that only one switch is under way at a time (§3.4).

use call::{Actor, Input, Reply, Settings};
use signalling::client_gateway::{ConversationType, Mode, TransitionState};
use signalling::error::ErrorCode;

use crate::world::{World, callee, new_call, room};

fn without_sfu() -> World {
    let settings = Settings {
        sfu_enabled: false,
        ..Settings::default()
    };
    let mut world = World::begin(
        new_call(ConversationType::Group, (2..=9).map(callee).collect()),
        settings,
    );
    world.join(2);
    world.connected(2);
    world
}

#[test]
fn every_row_of_the_mode_table() {
    type Row = (
        &'static str,
        fn() -> World,
        u8,
        Option<ErrorCode>,
        TransitionState,
    );
    let rows: [Row; 8] = [
        ("direct, second", World::direct, 2, None, TransitionState::P2p),
        (
            "direct, third",
            World::direct_pair,
            3,
            Some(ErrorCode::MaxParticipantsReached),
            TransitionState::P2p,
        ),
        (
            "direct, a guest",
            World::direct,
            101,
            Some(ErrorCode::PermissionDenied),
            TransitionState::P2p,
        ),
        ("group, second", World::group, 2, None, TransitionState::P2p),
        (
            "group, third",
            World::pair,
            3,
            None,
            TransitionState::SwitchingToSfu,
        ),
        (
            "group, a guest as third",
            World::pair,
            101,
            None,
            TransitionState::SwitchingToSfu,
        ),
        ("group, fourth", World::trio, 4, None, TransitionState::Sfu),
        (
            "group, third, flag off",
            without_sfu,
            3,
            Some(ErrorCode::SfuDisabled),
            TransitionState::P2p,
        ),
    ];
    for (name, play, who, refusal, transition) in rows {
        let mut world = play();
        let join = world.join(who);
        assert_eq!(world.refusal(join), refusal, "{name}");
        assert_eq!(world.is_done(join), refusal.is_none(), "{name}");
        assert_eq!(world.transition(), transition, "{name}");
    }
}

#[test]
fn direct_calls_never_ask_for_a_room() {
    let mut world = World::direct_pair();
    world.seconds(300);
    assert_eq!(world.call.node(), None);
    assert_eq!(world.mode(), Mode::P2p);
}

#[test]
fn one_who_remains_in_a_group_call_stays_with_the_node() {
    let mut world = World::trio();
    world.leave(3);
    world.leave(2);
    world.seconds(60);
    assert_eq!(world.mode(), Mode::Sfu);
    let back = world.join(2);
    assert!(world.is_done(back));
    assert_eq!(world.transition(), TransitionState::Sfu);
}

#[test]
fn joins_during_a_switch_wait_in_order_and_leaves_do_not() {
    let mut world = World::pair();
    world.join(3);
    let fourth = world.join(4);
    let fifth = world.join(5);
    assert_eq!((world.answer(fourth), world.answer(fifth)), (None, None));
    let leave = world.leave(2);
    assert!(world.is_done(leave));
    world.ack(1, true);
    assert_eq!(world.answer(fourth), None);
    world.ack(3, true);
    assert_eq!(world.mode(), Mode::Sfu);
    assert!(world.is_done(fourth) && world.is_done(fifth));
    let order: Vec<_> = world
        .dto()
        .participants
        .iter()
        .map(|each| each.participant_id.to_string())
        .collect();
    assert_eq!(order, ["p1", "p2", "p3", "p4", "p5"]);
}

#[test]
fn joins_that_wait_are_answered_when_the_switch_is_called_off() {
    let mut world = World::pair();
    world.join(3);
    let fourth = world.join(4);
    world.ack_all(&[1, 2]);
    world.seconds(10);
    // The third never acknowledged and is out; the fourth is the third now, and the call switches for them.
    assert!(world.is_done(fourth));
    assert_eq!(world.transition(), TransitionState::SwitchingToSfu);
    world.ack_all(&[1, 2, 4]);
    assert_eq!(world.mode(), Mode::Sfu);
}

#[test]
fn acknowledgements_of_another_switch_count_for_nothing() {
    let mut world = World::pair();
    world.join(3);
    let first = world.transition_id();
    world.ack_all(&[1, 2]);
    world.seconds(10);
    world.join(3);
    let second = world.transition_id();
    assert!(first.is_some() && second.is_some() && first != second);
    for n in [1, 2, 3] {
        let late = world.ack_of(n, true, first);
        assert!(world.is_done(late), "a late one is no mistake");
    }
    assert_eq!(world.mode(), Mode::P2p);
    for n in [1, 1, 2, 2, 3] {
        world.ack_of(n, true, second);
    }
    assert_eq!(world.mode(), Mode::Sfu, "twice is once");
}

#[test]
fn the_third_may_come_before_the_first_two_have_met() {
    let mut world = World::group();
    world.join(2);
    let third = world.join(3);
    assert_eq!(world.answer(third), None, "there is no room yet");
    world.step(Input::RoomReady {
        attempt: call::RoomAttempt(1),
        room: room("a", 1),
    });
    assert!(world.is_done(third));
    world.ack_all(&[1, 2, 3]);
    assert_eq!(world.mode(), Mode::Sfu);
}

fn set(world: &mut World, by: Actor, mode: Mode) -> call::RequestId {
    let request = world.request();
    world.step(Input::SetMode { request, by, mode });
    request
}

#[test]
fn the_mode_is_set_by_hand_only_where_it_suits() {
    type Row = (
        &'static str,
        fn() -> World,
        Mode,
        Result<TransitionState, ErrorCode>,
    );
    let rows: [Row; 8] = [
        (
            "sfu with two",
            World::pair,
            Mode::Sfu,
            Ok(TransitionState::SwitchingToSfu),
        ),
        ("sfu already", World::trio, Mode::Sfu, Ok(TransitionState::Sfu)),
        ("p2p already", World::pair, Mode::P2p, Ok(TransitionState::P2p)),
        (
            "p2p with three",
            World::trio,
            Mode::P2p,
            Err(ErrorCode::InvalidMode),
        ),
        (
            "p2p with two",
            || {
                let mut world = World::trio();
                world.leave(3);
                world
            },
            Mode::P2p,
            Ok(TransitionState::SwitchingToP2p),
        ),
        (
            "sfu in a direct call",
            World::direct_pair,
            Mode::Sfu,
            Err(ErrorCode::InvalidMode),
        ),
        (
            "sfu without the flag",
            without_sfu,
            Mode::Sfu,
            Err(ErrorCode::SfuDisabled),
        ),
        (
            "p2p while switching to sfu",
            || {
                let mut world = World::pair();
                world.join(3);
                world
            },
            Mode::P2p,
            Err(ErrorCode::TransitionInProgress),
        ),
    ];
    for (name, play, mode, expected) in rows {
        let mut world = play();
        let request = set(&mut world, Actor::Service, mode);
        match expected {
            Ok(transition) => {
                let answer = world.answer(request);
                assert!(
                    matches!(answer, Some(Ok(Reply::ModeSet { .. }))),
                    "{name}: {answer:?}"
                );
                assert_eq!(world.transition(), transition, "{name}");
            }
            Err(code) => assert_eq!(world.refusal(request), Some(code), "{name}"),
        }
    }
    let mut world = World::pair();
    let admin = Actor::Person {
        person: crate::world::person(1),
        admin: true,
    };
    let request = set(&mut world, admin, Mode::Sfu);
    assert_eq!(world.refusal(request), Some(ErrorCode::PermissionDenied));
}

#[test]
fn what_was_set_by_hand_stays_until_somebody_comes_or_goes() {
    let mut world = World::pair();
    set(&mut world, Actor::Service, Mode::Sfu);
    world.ack_all(&[1, 2]);
    world.seconds(60);
    assert_eq!(world.mode(), Mode::Sfu);
    world.join(3);
    world.connected(3);
    world.leave(3);
    world.seconds(10);
    assert_eq!(world.transition(), TransitionState::SwitchingToP2p);
}

#[test]
fn a_browser_without_the_means_is_told_to_update() {
    let mut world = World::pair();
    let third = world.join_with(3, Some(crate::world::socket(3)), false);
    assert_eq!(world.refusal(third), Some(ErrorCode::SfuDisabled));
    let mut world = World::group();
    world.join_with(2, Some(crate::world::socket(2)), false);
    assert_eq!(
        world.asked_room(),
        None,
        "no use in a room that not everybody can use"
    );
    let third = world.join(3);
    assert_eq!(world.refusal(third), Some(ErrorCode::SfuDisabled));
}

#[test]
fn turning_the_flag_off_spares_calls_that_use_a_node() {
    let mut world = World::trio();
    world.settings.sfu_enabled = false;
    world.step(Input::SfuFlag { enabled: false });
    let fourth = world.join(4);
    assert!(world.is_done(fourth));

    let mut world = World::pair();
    world.settings.sfu_enabled = false;
    world.step(Input::SfuFlag { enabled: false });
    assert_eq!(world.told(1), ["call:media-server none"]);
    assert_eq!(world.call.node(), None);
    let third = world.join(3);
    assert_eq!(world.refusal(third), Some(ErrorCode::SfuDisabled));
}
