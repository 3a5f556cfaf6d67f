//! Random lives of calls: whatever happens in whatever order, what must always hold does (checked by the world after
//! every step), and every call that is left alone comes to its end.

use call::{Actor, Input, RoomAttempt, Settings};
use proptest::prelude::*;
use signalling::client_gateway::{ConversationType, Mode};

use crate::world::{Promotion, World, callee, new_call, node, participant, person, room, socket};

#[derive(Clone, Debug)]
enum Act {
    Join(u8),
    JoinOverRest(u8),
    JoinElsewhere(u8),
    Leave(u8),
    Lose(u8),
    Rejoin(u8),
    TakeOver(u8),
    Connected(u8),
    Ack(u8, bool),
    AckAll,
    Kick(u8),
    Reject(u8),
    RoomReady(u8),
    RoomFailed,
    RoomLost(u8),
    Flag(bool),
    SetMode(bool),
    Retry(u8),
    Wake,
    Pass(u16),
    Restart,
}

const NODES: [&str; 3] = ["a", "b", "c"];

fn act() -> impl Strategy<Value = Act> {
    let who = || 1..=6_u8;
    prop_oneof![
        6 => who().prop_map(Act::Join),
        1 => who().prop_map(Act::JoinOverRest),
        1 => who().prop_map(Act::JoinElsewhere),
        3 => who().prop_map(Act::Leave),
        3 => who().prop_map(Act::Lose),
        4 => who().prop_map(Act::Rejoin),
        1 => who().prop_map(Act::TakeOver),
        5 => who().prop_map(Act::Connected),
        12 => (who(), prop::bool::weighted(0.85)).prop_map(|(n, success)| Act::Ack(n, success)),
        4 => Just(Act::AckAll),
        1 => who().prop_map(Act::Kick),
        1 => who().prop_map(Act::Reject),
        8 => (0..3_u8).prop_map(Act::RoomReady),
        2 => Just(Act::RoomFailed),
        2 => (0..3_u8).prop_map(Act::RoomLost),
        1 => any::<bool>().prop_map(Act::Flag),
        1 => any::<bool>().prop_map(Act::SetMode),
        1 => who().prop_map(Act::Retry),
        4 => Just(Act::Wake),
        6 => (0..4000_u16).prop_map(Act::Pass),
        3 => (9_000..20_000_u16).prop_map(Act::Pass),
        1 => Just(Act::Restart),
    ]
}

/// The newest try to get a room, also of earlier steps.
struct Nodes {
    asked: u32,
}

impl Nodes {
    fn hear(&mut self, world: &World) {
        if let Some(attempt) = world.asked_room() {
            self.asked = attempt.0;
        }
        for command in world.commands() {
            if let call::NodeCommand::WatchRoom { attempt, .. } = command {
                self.asked = attempt.0;
            }
        }
    }
}

fn play(world: &mut World, nodes: &mut Nodes, act: &Act) {
    match *act {
        Act::Join(n) => {
            world.join(n);
        }
        Act::JoinOverRest(n) => {
            world.join_on(n, None);
        }
        Act::JoinElsewhere(n) => {
            world.join_on(n, Some(socket(n + 50)));
        }
        Act::Leave(n) => {
            world.leave(n);
        }
        Act::Lose(n) => world.lose(n),
        Act::Rejoin(n) => {
            world.rejoin(n);
        }
        Act::TakeOver(n) => {
            world.rejoin_on(n, socket(n + 50));
        }
        Act::Connected(n) => {
            world.connected(n);
        }
        Act::Ack(n, success) => {
            world.ack(n, success);
        }
        Act::AckAll => {
            for n in 1..=6 {
                if !world.call.is_over() {
                    world.ack(n, true);
                }
            }
        }
        Act::Kick(n) => {
            let request = world.request();
            world.step(Input::Remove {
                request,
                by: Actor::Service,
                participant: participant(n),
            });
        }
        Act::Reject(n) => {
            let request = world.request();
            world.step(Input::Reject {
                request,
                user: crate::world::user(n),
                reason: signalling::client_gateway::RejectReason::Declined,
                socket: None,
            });
        }
        Act::RoomReady(n) => world.step(Input::RoomReady {
            attempt: RoomAttempt(nodes.asked),
            room: room(NODES[usize::from(n)], u128::from(nodes.asked)),
        }),
        Act::RoomFailed => world.step(Input::RoomFailed {
            attempt: RoomAttempt(nodes.asked),
        }),
        Act::RoomLost(n) => world.step(Input::RoomLost {
            node: node(NODES[usize::from(n)]),
        }),
        Act::Flag(enabled) => {
            world.settings.sfu_enabled = enabled;
            world.step(Input::SfuFlag { enabled });
        }
        Act::SetMode(sfu) => {
            let request = world.request();
            let mode = if sfu { Mode::Sfu } else { Mode::P2p };
            world.step(Input::SetMode {
                request,
                by: Actor::Service,
                mode,
            });
        }
        Act::Retry(n) => {
            let request = world.request();
            world.step(Input::RetrySwitch {
                request,
                socket: socket(n),
            });
        }
        Act::Wake => {
            if let Some(wake) = world.call.next_wake() {
                world.millis = world.millis.max(wake.unix_millis());
                world.step(Input::Wake);
            }
        }
        Act::Pass(millis) => world.pass(std::time::Duration::from_millis(u64::from(millis))),
        Act::Restart => world.restart(),
    }
    nodes.hear(world);
}

fn live(kind: ConversationType, acts: &[Act]) {
    let members = match kind {
        ConversationType::Direct => 2..=2,
        _ => 2..=6,
    };
    let mut world = World::begin(new_call(kind, members.map(callee).collect()), Settings::default());
    world.promotion = Promotion::Asked;
    let mut nodes = Nodes { asked: 0 };
    nodes.hear(&world);
    for act in acts {
        if world.call.is_over() {
            return;
        }
        play(&mut world, &mut nodes, act);
    }
    // Everybody's device goes; nobody does anything any more.
    for seat in world.call.seats() {
        if world.call.is_over() {
            break;
        }
        world.step(Input::SocketClosed { socket: seat.socket });
    }
    world.seconds(120);
    assert!(world.call.is_over(), "a call that everybody has left lives on");
}

/// Enough to meet the rarer orders of events within a second; more by hand after a change of the rules.
const CASES: u32 = 512;

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_group_call_keeps_its_word(acts in prop::collection::vec(act(), 1..90)) {
        live(ConversationType::Group, &acts);
    }

    #[test]
    fn a_direct_call_keeps_its_word(acts in prop::collection::vec(act(), 1..40)) {
        live(ConversationType::Direct, &acts);
    }
}

#[test]
fn who_leaves_before_being_let_in_is_answered_twice_and_never_seated() {
    let mut world = World::group();
    world.join(2);
    let join = world.join(3);
    assert_eq!(world.answer(join), None, "there is no room yet");
    let leave = world.leave(3);
    assert!(world.is_done(leave));
    assert!(world.refusal(join).is_some());
    assert_eq!(world.occupying(), 2);
    assert!(world.call.participant_of(&person(3)).is_none());
}

/// The random lives are worth something only as long as they get around.
#[test]
fn random_lives_reach_every_kind_of_switch() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeSet;

    let mut runner = TestRunner::deterministic();
    let lives = prop::collection::vec(act(), 40..90);
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        let mut acts = lives.new_tree(&mut runner).expect("a value").current();
        // Going back takes ten quiet seconds, which random lives seldom have.
        acts.splice(
            0..0,
            [
                Act::Leave(3),
                Act::Pass(10_000),
                Act::Ack(1, true),
                Act::Ack(2, true),
            ],
        );
        let mut world = World::trio();
        let mut nodes = Nodes { asked: 0 };
        for act in &acts {
            if world.call.is_over() {
                break;
            }
            play(&mut world, &mut nodes, act);
            for output in &world.out {
                if let call::Output::Measure(call::Measure::Transition {
                    from, to, success, ..
                }) = output
                {
                    seen.insert((*from, *to, *success));
                }
            }
        }
    }
    let expected = [
        (Mode::P2p, Mode::Sfu),
        (Mode::Sfu, Mode::P2p),
        (Mode::Sfu, Mode::Sfu),
    ];
    for (from, to) in expected {
        for success in [false, true] {
            assert!(
                seen.contains(&(from, to, success)),
                "never {from} to {to}, success {success}"
            );
        }
    }
}
