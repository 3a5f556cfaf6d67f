//! What participants tell each other, and what the node tells of them.

use call::{Input, MediaChange, NodeCommand, NodeEvent, Output, Persist, Settings};
use ortc::MediaKind;
use signalling::client_gateway::{Caption, ConversationType, QualityReport, Signal, SignalType, SwitchGap};
use signalling::client_node::{ActiveSpeaker, NewProducer};
use signalling::error::ErrorCode;
use signalling::{ParticipantId, ProducerId};

use crate::world::{World, callee, new_call, node, participant, person, socket};

fn signal(world: &mut World, from: u8, target: Option<ParticipantId>, id: Option<String>) -> call::RequestId {
    let request = world.request();
    world.step(Input::Signal {
        request,
        socket: socket(from),
        target,
        signal: Signal {
            signal_type: SignalType::Offer,
            sdp: Some("v=0".to_owned()),
            candidate: None,
            negotiation_id: id,
        },
    });
    request
}

#[test]
fn signals_reach_the_addressed_one_and_nobody_else() {
    type Row = (&'static str, fn() -> World, Option<u8>, Option<ErrorCode>);
    let rows: [Row; 6] = [
        ("the only peer, not named", World::pair, None, None),
        ("the peer, named", World::pair, Some(2), None),
        (
            "nobody named among many",
            World::trio,
            None,
            Some(ErrorCode::InvalidInput),
        ),
        (
            "a stranger",
            World::trio,
            Some(8),
            Some(ErrorCode::ParticipantNotFound),
        ),
        (
            "oneself",
            World::trio,
            Some(1),
            Some(ErrorCode::ParticipantNotFound),
        ),
        (
            "one whose device is gone",
            || {
                let mut world = World::pair();
                world.lose(2);
                world
            },
            Some(2),
            Some(ErrorCode::SignalingError),
        ),
    ];
    for (name, play, target, refusal) in rows {
        let mut world = play();
        let request = signal(&mut world, 1, target.map(participant), None);
        assert_eq!(world.refusal(request), refusal, "{name}");
        let heard: Vec<u8> = (1..=9).filter(|n| !world.told(*n).is_empty()).collect();
        assert_eq!(heard, if refusal.is_none() { vec![2] } else { vec![] }, "{name}");
    }
    let mut world = World::pair();
    let outsider = signal(&mut world, 7, Some(participant(1)), None);
    assert_eq!(world.refusal(outsider), Some(ErrorCode::ParticipantNotFound));
}

#[test]
fn steps_of_an_older_switch_are_dropped() {
    let mut world = World::trio();
    let to_group = world.metrics.clone().expect("written").mode_transitions[0].id;
    world.leave(3);
    world.seconds(10);
    let back = world.transition_id().expect("under way");
    signal(&mut world, 1, None, Some(back.to_string()));
    assert_eq!(world.told(2), ["call:signal"], "of the switch under way");
    let late = signal(&mut world, 1, None, Some(to_group.to_string()));
    assert!(world.is_done(late) && world.told(2).is_empty(), "of an older one");
    world.ack_all(&[1, 2]);
    signal(&mut world, 1, None, Some(back.to_string()));
    assert_eq!(
        world.told(2),
        ["call:signal"],
        "of the one that built the present way"
    );
    signal(&mut world, 1, None, Some("0123456789abcdef01234567".to_owned()));
    assert_eq!(
        world.told(2),
        ["call:signal"],
        "a participant's id names the first negotiation"
    );
}

fn set_media(world: &mut World, n: u8, change: MediaChange) -> call::RequestId {
    let request = world.request();
    world.step(Input::SetMedia {
        request,
        socket: socket(n),
        change,
    });
    request
}

fn microphone(n: u8) -> (ProducerId, NodeEvent) {
    let producer_id: ProducerId = format!("{n:032x}").parse().expect("a UUID");
    let event = NodeEvent::NewProducer(NewProducer {
        call_id: "call".parse().expect("a name"),
        participant_id: participant(n),
        producer_id,
        kind: MediaKind::Audio,
        paused: Some(false),
        app_data: None,
    });
    (producer_id, event)
}

#[test]
fn muting_tells_the_others_and_pauses_the_producer() {
    let mut world = World::trio();
    let (producer, event) = microphone(2);
    world.step(Input::Node {
        node: node("a"),
        event,
    });
    assert_eq!(
        (world.told(1), world.told(2)),
        (vec!["new-producer".to_owned()], vec![])
    );
    let stored = world.stored().participants;
    assert_eq!(stored[1].sfu.audio_producer, Some(producer));

    let off = MediaChange {
        audio: Some(false),
        ..MediaChange::default()
    };
    set_media(&mut world, 2, off);
    assert_eq!(
        world.told(1),
        ["call:media-toggled", "call:participant-media-state"]
    );
    let pause = |paused| NodeCommand::SetProducerPaused {
        node: node("a"),
        producer,
        paused,
    };
    assert_eq!(world.commands(), [pause(true)]);
    set_media(&mut world, 2, off);
    assert!(
        world.told(1).is_empty() && world.commands().is_empty(),
        "nothing has changed"
    );
    let on = MediaChange {
        audio: Some(true),
        ..MediaChange::default()
    };
    set_media(&mut world, 2, on);
    assert_eq!(world.commands(), [pause(false)]);
}

#[test]
fn guests_share_their_screen_only_where_they_may() {
    let screen = MediaChange {
        screen: Some(true),
        ..MediaChange::default()
    };
    for allowed in [false, true] {
        let settings = Settings {
            guests_share_screen: allowed,
            ..Settings::default()
        };
        let mut world = World::begin(new_call(ConversationType::Group, vec![callee(2)]), settings);
        world.join(101);
        let request = set_media(&mut world, 101, screen);
        let expected = (!allowed).then_some(ErrorCode::PermissionDenied);
        assert_eq!(world.refusal(request), expected);
    }
}

#[test]
fn who_holds_no_seat_is_turned_out_of_the_room() {
    let mut world = World::trio();
    world.leave(3);
    let (_, event) = microphone(3);
    world.step(Input::Node {
        node: node("a"),
        event,
    });
    let out = NodeCommand::RemoveParticipant {
        node: node("a"),
        participant: participant(3),
    };
    assert_eq!(world.commands(), [out]);
    assert!(world.told(1).is_empty());
}

#[test]
fn late_joiners_learn_what_there_is_to_consume() {
    let mut world = World::trio();
    let (_, event) = microphone(2);
    for _ in 0..2 {
        world.step(Input::Node {
            node: node("a"),
            event: event.clone(),
        });
    }
    world.join(4);
    let view = world
        .call
        .join_view(world.now(), &participant(4))
        .expect("is in it");
    assert_eq!(
        view.room.expect("there is one").producers.len(),
        1,
        "told twice, there once"
    );
    world.leave(2);
    assert!(world.call.room().expect("there is one").producers.is_empty());
}

#[test]
fn the_speaker_is_told_in_group_mode_only() {
    for (mut world, expected) in [(World::pair(), 0), (World::trio(), 1)] {
        world.step(Input::Node {
            node: node("a"),
            event: NodeEvent::ActiveSpeaker(ActiveSpeaker {
                call_id: "call".parse().expect("a name"),
                participant_id: Some(participant(1)),
                volume: -20,
            }),
        });
        assert_eq!(world.told(2).len(), expected);
    }
}

#[test]
fn captions_are_passed_on_and_final_ones_of_users_kept() {
    let rows = [
        ("final, of a user", 2, true, 1),
        ("not final", 2, false, 0),
        ("final, of a guest", 101, true, 0),
    ];
    for (name, who, is_final, kept) in rows {
        let mut world = World::group();
        world.join(who);
        let caption = Caption {
            call_id: "call".parse().expect("a name"),
            participant_id: None,
            text: "Hello".to_owned(),
            language: "en".to_owned(),
            translation: None,
            target_language: None,
            timestamp: world.now(),
            is_final,
            confidence_score: None,
        };
        let request = world.request();
        world.step(Input::Caption {
            request,
            socket: socket(who),
            caption: caption.clone(),
        });
        assert_eq!(world.told(1), ["call:transcription"], "{name}");
        let written = |output: &&Output| matches!(output, Output::Persist(Persist::Caption { .. }));
        assert_eq!(world.out.iter().filter(written).count(), kept, "{name}");

        let request = world.request();
        world.step(Input::Caption {
            request,
            socket: socket(who),
            caption: Caption {
                participant_id: Some(participant(1)),
                ..caption
            },
        });
        assert_eq!(
            world.refusal(request),
            Some(ErrorCode::PermissionDenied),
            "in another's name"
        );
    }
}

fn report(loss: f64, sent: u64) -> QualityReport {
    QualityReport {
        call_id: None,
        participant_id: None,
        packet_loss: loss,
        jitter: 10.0,
        rtt: 40.0,
        bitrate: 900.0,
        packets_lost: 0,
        packets_received: 0,
        bytes_sent: sent,
        bytes_received: 2 * sent,
        frames_decoded: 0,
        frame_width: 0,
        frame_height: 0,
        using_relay: false,
    }
}

#[test]
fn quality_becomes_means_and_totals() {
    let mut world = World::pair();
    for (n, loss, sent) in [(1, 0.0, 1000), (1, 0.2, 1500), (2, 0.1, 500), (1, f64::NAN, 9999)] {
        world.step(Input::Quality {
            person: person(n),
            report: report(loss, sent),
        });
    }
    world.seconds(10);
    let metrics = world.metrics.clone().expect("written by now");
    let average = metrics.average.expect("there were reports");
    assert!(
        (average.packet_loss - 0.1).abs() < 1e-9,
        "{}",
        average.packet_loss
    );
    assert_eq!(
        (
            metrics.reports,
            metrics.total_data_sent,
            metrics.total_data_received
        ),
        (3, 2000, 4000)
    );

    world.restart();
    world.rejoin(1);
    world.step(Input::Quality {
        person: person(1),
        report: report(0.1, 1700),
    });
    world.leave(1);
    world.seconds(60);
    let metrics = world.metrics.clone().expect("written by now");
    assert_eq!(
        metrics.total_data_sent, 2000,
        "what was counted before is not counted again"
    );
    assert_eq!((metrics.total_participants, metrics.peak_participants), (2, 2));
}

#[test]
fn each_gap_is_kept_once_with_its_switch() {
    let mut world = World::trio();
    let transition_id = world.metrics.clone().expect("written").mode_transitions[0].id;
    let gap = |remote: u8, video: f64, id| SwitchGap {
        call_id: "call".parse().expect("a name"),
        transition_id: id,
        remote_participant_id: participant(remote),
        video_gap_ms: Some(video),
        video_baseline_ms: Some(33.0),
        audio_gap_ms: None,
        audio_baseline_ms: None,
    };
    let unknown = "0123456789abcdef01234567".parse().expect("24 digits");
    let rows = [
        (gap(2, 90.0, transition_id), true),
        (gap(2, 40.0, transition_id), true),
        (gap(3, 50.0, transition_id), true),
        (gap(8, 50.0, transition_id), false),
        (gap(2, 50.0, unknown), false),
    ];
    for (gap, taken) in rows {
        let request = world.request();
        world.step(Input::Gap {
            request,
            socket: socket(1),
            gap,
        });
        assert_eq!(world.is_done(request), taken);
    }
    world.seconds(10);
    let gaps = world.metrics.clone().expect("written").mode_transitions[0]
        .gaps
        .clone();
    let seen: Vec<_> = gaps.iter().map(|gap| gap.video_gap_ms).collect();
    assert_eq!(seen, [Some(40.0), Some(50.0)]);
}
