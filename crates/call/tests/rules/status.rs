//! Call status (contract §3.1): every row, and what is not allowed.

use call::{Actor, Input, Measure, NodeCommand, Output, Person, Settings};
use signalling::client_gateway::{CallStatus, ConversationType, EndReason, RejectReason};
use signalling::error::ErrorCode;

use crate::world::{World, callee, new_call, node, participant, person, socket, user};

fn by(n: u8, admin: bool) -> Actor {
    Actor::Person {
        person: person(n),
        admin,
    }
}

fn end(world: &mut World, by: Actor) -> call::RequestId {
    let request = world.request();
    world.step(Input::End { request, by });
    request
}

fn reject(world: &mut World, n: u8) {
    let request = world.request();
    world.step(Input::Reject {
        request,
        user: user(n),
        reason: RejectReason::Declined,
        socket: Some(socket(n)),
    });
}

fn nobody_online(kind: ConversationType) -> World {
    let away = |n| call::Callee {
        online: false,
        ..callee(n)
    };
    World::begin(new_call(kind, vec![away(2)]), Settings::default())
}

#[test]
fn every_row_of_the_status_table() {
    type Row = (&'static str, fn() -> World, CallStatus, Option<EndReason>);
    let rows: [Row; 21] = [
        (
            "begun, nobody online",
            || nobody_online(ConversationType::Group),
            CallStatus::Initiated,
            None,
        ),
        ("begun, a device rings", World::group, CallStatus::Ringing, None),
        (
            "direct, callee offline",
            || nobody_online(ConversationType::Direct),
            CallStatus::Ended,
            Some(EndReason::Missed),
        ),
        (
            "a device comes online",
            || {
                let mut world = nobody_online(ConversationType::Group);
                world.step(Input::DeviceOnline { user: user(2) });
                world
            },
            CallStatus::Ringing,
            None,
        ),
        ("second joins", World::direct_pair, CallStatus::Active, None),
        (
            "second joins before any device rang",
            || {
                let mut world = nobody_online(ConversationType::Group);
                world.join(2);
                world
            },
            CallStatus::Active,
            None,
        ),
        (
            "initiator leaves while it rings",
            || {
                let mut world = World::group();
                world.leave(1);
                world
            },
            CallStatus::Ended,
            Some(EndReason::Cancelled),
        ),
        (
            "initiator is lost while it rings longer than that",
            || {
                let settings = Settings {
                    ring_timeout: std::time::Duration::from_secs(90),
                    ..Settings::default()
                };
                let mut world = World::begin(new_call(ConversationType::Group, vec![callee(2)]), settings);
                world.lose(1);
                world.seconds(30);
                world
            },
            CallStatus::Ended,
            Some(EndReason::Cancelled),
        ),
        (
            "direct callee declines",
            || {
                let mut world = World::direct();
                reject(&mut world, 2);
                world
            },
            CallStatus::Ended,
            Some(EndReason::Rejected),
        ),
        (
            "one of many declines",
            || {
                let mut world = World::group();
                reject(&mut world, 2);
                world
            },
            CallStatus::Ringing,
            None,
        ),
        (
            "all of many decline",
            || {
                let mut world = World::group();
                (2..=9).for_each(|n| reject(&mut world, n));
                world
            },
            CallStatus::Ended,
            Some(EndReason::Rejected),
        ),
        (
            "nobody answers",
            || {
                let mut world = World::group();
                world.seconds(30);
                world
            },
            CallStatus::Ended,
            Some(EndReason::Missed),
        ),
        (
            "direct: anyone leaves",
            || {
                let mut world = World::direct_pair();
                world.leave(2);
                world
            },
            CallStatus::Ended,
            Some(EndReason::Normal),
        ),
        (
            "group: one of two leaves",
            || {
                let mut world = World::pair();
                world.leave(1);
                world
            },
            CallStatus::Active,
            None,
        ),
        (
            "group: the last leaves",
            || {
                let mut world = World::pair();
                world.leave(1);
                world.leave(2);
                world
            },
            CallStatus::Ended,
            Some(EndReason::Normal),
        ),
        (
            "the initiator ends it",
            || {
                let mut world = World::pair();
                end(&mut world, by(1, false));
                world
            },
            CallStatus::Ended,
            Some(EndReason::Normal),
        ),
        (
            "an administrator ends it",
            || {
                let mut world = World::pair();
                end(&mut world, by(9, true));
                world
            },
            CallStatus::Ended,
            Some(EndReason::Forced),
        ),
        (
            "a service ends it",
            || {
                let mut world = World::pair();
                end(&mut world, Actor::Service);
                world
            },
            CallStatus::Ended,
            Some(EndReason::Forced),
        ),
        (
            "nobody connected for 30 s",
            || {
                let mut world = World::pair();
                world.lose(1);
                world.lose(2);
                world.seconds(30);
                world
            },
            CallStatus::Ended,
            Some(EndReason::Timeout),
        ),
        (
            "alone for 5 min",
            || {
                let mut world = World::pair();
                world.leave(2);
                world.seconds(299);
                assert_eq!(world.status(), CallStatus::Active);
                world.seconds(1);
                world
            },
            CallStatus::Ended,
            Some(EndReason::Timeout),
        ),
        (
            "no media node for a minute and more",
            || {
                let mut world = World::trio();
                world.lose_room("a");
                for _ in 0..3 {
                    world.fail_room();
                    while world.asked_room().is_none() {
                        world.pass(std::time::Duration::from_millis(500));
                    }
                }
                world.seconds(70);
                world
            },
            CallStatus::Failed,
            Some(EndReason::Error),
        ),
    ];
    for (name, play, status, reason) in rows {
        let world = play();
        assert_eq!(world.status(), status, "{name}");
        assert_eq!(world.dto().end_reason, reason, "{name}");
        assert_eq!(world.dto().ended_at.is_some(), reason.is_some(), "{name}");
    }
}

#[test]
fn what_is_over_stays_over() {
    let mut world = World::direct_pair();
    world.leave(2);
    let requests = [
        world.join(2),
        world.leave(1),
        world.rejoin(1),
        world.connected(1),
        world.ack(1, true),
        end(&mut world, Actor::Service),
    ];
    for request in requests {
        assert_eq!(world.refusal(request), Some(ErrorCode::CallEnded));
    }
    assert!(
        world.call.handle_is_silent(),
        "a closed socket is of no interest any more"
    );
}

trait Silent {
    fn handle_is_silent(&mut self) -> bool;
}

impl Silent for call::Call {
    fn handle_is_silent(&mut self) -> bool {
        let moment = call::Moment {
            now: signalling::Timestamp::from_unix_millis(u64::MAX),
            entropy: call::Entropy(0),
        };
        self.handle(moment, Input::SocketClosed { socket: socket(1) })
            .is_empty()
    }
}

#[test]
fn only_those_who_may_end_or_remove() {
    let rows = [
        ("a member", by(3, false), false),
        ("somebody in the call", by(2, false), false),
        ("the initiator", by(1, false), true),
        ("an administrator", by(9, true), true),
        ("a service", Actor::Service, true),
        (
            "a guest",
            Actor::Person {
                person: Person::Guest(crate::world::guest(101)),
                admin: false,
            },
            false,
        ),
    ];
    for (name, actor, allowed) in rows {
        let expected = (!allowed).then_some(ErrorCode::PermissionDenied);
        let mut world = World::trio();
        let request = end(&mut world, actor);
        assert_eq!(world.refusal(request), expected, "ending by {name}");

        let mut world = World::trio();
        let request = world.request();
        world.step(Input::Remove {
            request,
            by: actor,
            participant: participant(3),
        });
        // Everybody may remove themselves; the member here is the third.
        let own = matches!(actor, Actor::Person { person: who, .. } if who == person(3));
        assert_eq!(
            world.refusal(request),
            expected.filter(|_| !own),
            "removing by {name}"
        );
    }
}

#[test]
fn the_end_reaches_everybody_and_takes_everything_down() {
    let mut world = World::pair();
    let request = end(&mut world, by(1, false));
    assert!(world.is_done(request));
    for n in 1..=9 {
        assert!(
            world.told(n).contains(&"call:ended".to_owned()),
            "{n} is in it or still rings"
        );
    }
    assert!(
        world
            .commands()
            .contains(&NodeCommand::DestroyRoom { node: node("a") })
    );
    let banner = world.out.iter().any(|output| match output {
        Output::Notify {
            notice: call::Notice::Event(signalling::client_gateway::ServerEvent::Ongoing(ongoing)),
            ..
        } => !ongoing.active,
        _ => false,
    });
    assert!(
        banner,
        "the conversation's members are told that there is nothing to join any more"
    );
    assert!(world.metrics.is_some());
}

#[test]
fn the_duration_is_counted_from_the_second_person() {
    let mut world = World::group();
    world.seconds(10);
    world.join(2);
    world.connected(2);
    world.pass(std::time::Duration::from_millis(61_900));
    world.leave(1);
    world.leave(2);
    assert_eq!(world.dto().duration, 61);

    let mut world = World::group();
    world.seconds(10);
    world.leave(1);
    assert_eq!(world.dto().duration, 0, "it never started");
}

#[test]
fn a_callee_without_a_device_is_told_to_the_caller() {
    let world = nobody_online(ConversationType::Direct);
    assert_eq!(
        world.refusal(call::RequestId(0)),
        Some(ErrorCode::CalleeUnavailable)
    );
}

#[test]
fn the_first_time_media_is_up_is_measured_once_from_the_joining() {
    let measured = |world: &World| -> Vec<f64> {
        let connected = |output: &Output| match output {
            Output::Measure(Measure::Connected { seconds }) => Some(*seconds),
            _ => None,
        };
        world.out.iter().filter_map(connected).collect()
    };
    let mut world = World::group();
    world.join(2);
    assert!(measured(&world).is_empty(), "joining is not being connected");
    world.seconds(3);
    world.connected(2);
    assert_eq!(measured(&world), vec![3.0]);
    world.lose(2);
    world.seconds(2);
    world.rejoin(2);
    world.connected(2);
    assert!(measured(&world).is_empty(), "coming back is counted elsewhere");
}
