//! The words of the call level against `docs/calls.md`, and their shapes on the wire.

use serde_json::{Value, json};

use super::*;
use crate::error::{ErrorBody, ErrorCode};
use crate::{CallId, ParticipantId, Timestamp, TransitionId};

/// `docs/calls.md` as committed.
fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/calls.md");
    std::fs::read_to_string(path).expect("the document is part of the repository")
}

#[test]
fn every_name_is_documented() {
    let document = document();
    let events = ServerEvent::NAMES.iter().map(|(name, _)| *name);
    for name in request_name::ALL.iter().copied().chain(events) {
        assert!(
            document.contains(&format!("`{name}`")),
            "`{name}` is missing in docs/calls.md"
        );
    }
    for endpoint in GatewayEndpoint::ALL {
        let name = format!("`{} {}`", endpoint.method(), endpoint.path());
        assert!(document.contains(&name), "{name} is missing in docs/calls.md");
    }
}

#[test]
fn every_word_is_read_as_it_is_written() {
    for reason in EndReason::ALL {
        let word = serde_json::to_value(reason).expect("written");
        assert_eq!(word, Value::from(reason.as_str()));
        assert_eq!(EndReason::from_word(reason.as_str()), Some(*reason));
    }
    for state in TransitionState::ALL {
        assert_eq!(TransitionState::from_word(state.as_str()), Some(*state));
    }
    assert_eq!(CallStatus::from_word("migrating"), None);
    assert_eq!(
        ConversationType::from_word("group"),
        Some(ConversationType::Group)
    );
    assert_eq!(MemberRole::from_word("owner"), None);
}

#[test]
fn gateway_ids_are_24_hexadecimal_digits_in_order_of_making() {
    let (early, late) = (
        Timestamp::from_unix_seconds(1_700_000_000),
        Timestamp::from_unix_seconds(1_700_000_001),
    );
    let first = TransitionId::mint(early, u64::MAX);
    assert_eq!(first.to_string(), "6553f100ffffffffffffffff");
    assert!(first < TransitionId::mint(late, 0));
    assert_eq!(CallId::mint(early, 1).as_str(), "6553f1000000000000000001");
    assert_eq!(ParticipantId::mint(early, 1).as_str().len(), 24);
    for wrong in [
        "",
        "6553f100",
        "6553f100ffffffffffffffff0",
        "6553f100fffffffffffffffg",
        "+553f100ffffffffffffffff",
    ] {
        assert!(wrong.parse::<TransitionId>().is_err(), "{wrong}");
    }
    let upper: TransitionId = "6553F100FFFFFFFFFFFFFFFF".parse().expect("either case is read");
    assert_eq!(upper, first);
}

#[test]
fn a_participants_media_state_lies_flat() {
    let document = json!({
        "callId": "c", "participantId": "p", "username": "Ada", "audioEnabled": true, "videoEnabled": false,
        "screenShareEnabled": false, "status": "disconnected"
    });
    let event: ParticipantMediaState = serde_json::from_value(document.clone()).expect("read");
    assert!(event.media.audio_enabled && !event.media.video_enabled);
    assert_eq!(serde_json::to_value(&event).expect("written"), document);
}

#[test]
fn wrong_types_are_refused_and_unknown_members_ignored() {
    let wrong = [
        json!({"callId": 7, "enabled": true}),
        json!({"callId": {"$ne": null}, "enabled": true}),
        json!({"callId": "a b", "enabled": true}),
        json!({"callId": "c", "enabled": "yes"}),
        json!({"callId": "c"}),
    ];
    for payload in wrong {
        assert!(
            serde_json::from_value::<Toggle>(payload.clone()).is_err(),
            "{payload}"
        );
    }
    let more = json!({"callId": "c", "enabled": true, "later": [1]});
    assert!(serde_json::from_value::<Toggle>(more).is_ok());
    assert!(serde_json::from_value::<Initiate>(json!({"conversationId": "x", "type": "video"})).is_err());
    assert!(serde_json::from_value::<SignalType>(json!("rollback")).is_err());
}

#[test]
fn acknowledgements_carry_either_data_or_an_error() {
    let done = CallAck::done(json!({"leftAt": "x"}));
    assert_eq!(
        serde_json::to_value(done).expect("written"),
        json!({"success": true, "data": {"leftAt": "x"}})
    );
    let refused: CallAck<Value> = ErrorBody::new(ErrorCode::CallEnded).into();
    assert_eq!(
        serde_json::to_value(refused).expect("written"),
        json!({"success": false, "error": {"code": "CALL_ENDED", "message": "The call has ended"}})
    );
}
