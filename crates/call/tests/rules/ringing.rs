//! Who rings, who is told what, and who stops ringing (contract §2.7, §3.1).

use call::{Callee, Input, Notice, Output, Recipients, Settings};
use signalling::client_gateway::{CallStatus, ConversationType, EndReason, RejectReason, ServerEvent};
use signalling::error::ErrorCode;

use crate::world::{World, callee, new_call, socket, user};

fn reject_on(world: &mut World, n: u8, device: u8) -> call::RequestId {
    let request = world.request();
    world.step(Input::Reject {
        request,
        user: user(n),
        reason: RejectReason::Declined,
        socket: Some(socket(device)),
    });
    request
}

#[test]
fn devices_that_are_online_and_free_ring() {
    let callees = vec![
        callee(2),
        Callee {
            online: false,
            ..callee(3)
        },
        Callee {
            busy: true,
            ..callee(4)
        },
    ];
    let world = World::begin(new_call(ConversationType::Group, callees), Settings::default());
    assert_eq!(
        world.told(1),
        ["call:initiated", "call:rejected"],
        "the caller hears who is busy"
    );
    assert_eq!(world.told(2), ["call:initiated", "call:incoming"]);
    assert!(world.told(3).is_empty() && world.told(4).is_empty());
    let deadline = world.notices(2).into_iter().find_map(|notice| match notice {
        Notice::Event(ServerEvent::Incoming(event)) => Some(event.expires_at),
        _ => None,
    });
    assert_eq!(deadline.map(|at| at.unix_millis()), Some(world.millis + 30_000));
}

#[test]
fn a_busy_callee_ends_a_direct_call() {
    let busy = Callee {
        busy: true,
        ..callee(2)
    };
    let world = World::begin(
        new_call(ConversationType::Direct, vec![busy]),
        Settings::default(),
    );
    assert_eq!(world.dto().end_reason, Some(EndReason::Rejected));
    assert_eq!(world.told(1), ["call:initiated", "call:rejected", "call:ended"]);
}

#[test]
fn answering_stops_ones_other_devices() {
    let mut world = World::group();
    world.join(2);
    let stop = world.out.iter().any(|output| match output {
        Output::Notify {
            to: Recipients::Users { users, except },
            notice: Notice::Event(ServerEvent::AnsweredElsewhere(_)),
        } => *users == [user(2)] && *except == Some(socket(2)),
        _ => false,
    });
    assert!(stop);
    assert_eq!(world.told(1), ["call:participant-joined", "call:started"]);
    assert_eq!(world.told(2), ["call:joined", "call:started"]);
}

#[test]
fn declining_tells_the_caller_and_stops_the_other_devices() {
    let mut world = World::group();
    let request = reject_on(&mut world, 2, 52);
    assert!(world.is_done(request));
    assert_eq!(world.told(1), ["call:rejected"]);
    assert_eq!(world.told(2), ["call:answered-elsewhere"]);
    reject_on(&mut world, 2, 2);
    assert!(world.told(1).is_empty(), "twice is once");
    let stranger = reject_on(&mut world, 42, 42);
    assert_eq!(world.refusal(stranger), Some(ErrorCode::ParticipantNotFound));
    world.join(2);
    assert_eq!(world.status(), CallStatus::Active, "who declined may still come");
}

#[test]
fn declining_after_answering_changes_nothing() {
    let mut world = World::direct();
    world.join(2);
    let late = reject_on(&mut world, 2, 52);
    assert!(world.is_done(late));
    assert_eq!(world.status(), CallStatus::Active);
}

#[test]
fn leaving_while_it_rings_is_declining() {
    let mut world = World::direct();
    let leave = world.leave(2);
    assert!(world.is_done(leave));
    assert_eq!(world.dto().end_reason, Some(EndReason::Rejected));
    assert_eq!(world.dto().ended_by, Some(user(2)));
}

#[test]
fn a_device_that_comes_online_rings_while_there_is_time() {
    let mut world = World::group();
    world.join(2);
    world.step(Input::DeviceOnline { user: user(3) });
    assert_eq!(world.told(3), ["call:incoming"]);
    world.step(Input::DeviceOnline { user: user(2) });
    assert!(world.told(2).is_empty(), "who is in it is not called");
    world.seconds(30);
    world.step(Input::DeviceOnline { user: user(4) });
    assert!(world.told(4).is_empty());
    assert_eq!(
        world.status(),
        CallStatus::Active,
        "the end of ringing is not the end of the call"
    );
}

#[test]
fn the_caller_who_gives_up_silences_every_device() {
    let mut world = World::group();
    world.leave(1);
    for n in 2..=9 {
        assert_eq!(world.told(n), ["call:ended"]);
    }
}

#[test]
fn members_are_told_that_there_is_a_call_to_join() {
    let banner = |world: &World| {
        world.out.iter().find_map(|output| match output {
            Output::Notify {
                to: Recipients::Conversation(_),
                notice: Notice::Event(ServerEvent::Ongoing(event)),
            } => Some((event.participant_count, event.active, event.mode)),
            _ => None,
        })
    };
    use signalling::client_gateway::Mode::{P2p, Sfu};
    let mut world = World::group();
    assert_eq!(banner(&world), Some((1, true, P2p)));
    world.join(2);
    assert_eq!(banner(&world), Some((2, true, P2p)));
    world.open_room("a");
    assert_eq!(banner(&world), None, "nothing they could see has changed");
    world.join(3);
    assert_eq!(banner(&world), Some((3, true, P2p)));
    world.ack_all(&[1, 2, 3]);
    assert_eq!(banner(&world), Some((3, true, Sfu)));
}
