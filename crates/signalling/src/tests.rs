//! The JSON of every message, spelled out as the contract spells it.

use std::fmt::Debug;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client_gateway::{CreateConversationRequest, DevLoginRequest, IceServer};
use crate::client_node::*;
use crate::error::{Answer, Done, ErrorBody, ErrorCode, Failure, Success};
use crate::{gateway_node, token};

mod documents;

const UUID: &str = "2f1e7f0c-3b1a-4d5e-9c56-0a1b2c3d4e5f";

/// Reads the JSON as a message and expects it to be written as the same JSON; then again with a member that nobody
/// knows yet.
fn exact<T: DeserializeOwned + Serialize + PartialEq + Debug>(document: Value) -> T {
    let message: T =
        serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{document}: {error}"));
    assert_eq!(serde_json::to_value(&message).expect("written"), document);
    let mut extended = document;
    extended["fromTheFuture"] = json!({"deep": [1, null]});
    let again: T = serde_json::from_value(extended).expect("unknown members are ignored");
    assert_eq!(again, message);
    message
}

fn refused<T: DeserializeOwned + Debug>(document: Value) -> String {
    serde_json::from_value::<T>(document.clone())
        .expect_err(&format!("{document} must be refused"))
        .to_string()
}

fn rtp_parameters() -> Value {
    json!({
        "mid": "0",
        "codecs": [{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2,
                    "parameters": {"useinbandfec": 1}, "rtcpFeedback": [{"type": "transport-cc", "parameter": ""}]}],
        "headerExtensions": [{"uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 4, "encrypt": false,
                              "parameters": {}}],
        "encodings": [{"ssrc": 1111, "dtx": false}],
        "rtcp": {"cname": "c", "reducedSize": true},
    })
}

fn capabilities() -> Value {
    serde_json::to_value(ortc::supported::router_capabilities(&ortc::CodecChoice::DEFAULT)).expect("written")
}

#[test]
fn rooms() {
    exact::<CreateRoomResponse>(
        json!({"roomId": "daily", "routerId": UUID, "rtpCapabilities": capabilities()}),
    );
    exact::<RoomResponse>(json!({
        "roomId": "daily", "routerId": UUID, "rtpCapabilities": capabilities(), "participantCount": 2,
        "createdAt": "2026-01-31T23:59:59.999Z",
        "producers": [{"producerId": UUID, "participantId": "p1", "kind": "video", "paused": false,
                       "appData": {"source": "screen", "displayName": "Ana"}}],
    }));
}

#[test]
fn transports() {
    let request: CreateTransportRequest = exact(
        json!({"participantId": "p1", "direction": "send", "forceTcp": true,
                                                       "producing": true, "consuming": false}),
    );
    assert_eq!(
        (request.direction, request.force_tcp),
        (TransportDirection::Send, Some(true))
    );
    let request: CreateTransportRequest = exact(json!({"participantId": "p1", "direction": "recv"}));
    assert_eq!(
        (request.direction, request.force_tcp),
        (TransportDirection::Recv, None)
    );
    assert!(refused::<CreateTransportRequest>(json!({"direction": "send"})).contains("participantId"));
    assert!(refused::<CreateTransportRequest>(json!({"participantId": "p1"})).contains("direction"));
    refused::<CreateTransportRequest>(json!({"participantId": "p1", "direction": "both"}));
    refused::<CreateTransportRequest>(json!({"participantId": "p 1", "direction": "send"}));

    let udp = json!({"foundation": "udp", "priority": 1, "address": "192.0.2.1", "ip": "192.0.2.1",
                     "protocol": "udp", "port": 10000, "type": "host"});
    let tcp = json!({"foundation": "tcp", "priority": 2, "address": "192.0.2.1", "ip": "192.0.2.1",
                     "protocol": "tcp", "port": 10000, "type": "host", "tcpType": "passive"});
    let fingerprint = json!({"algorithm": "sha-256", "value": "AB:CD"});
    exact::<CreateTransportResponse>(json!({
        "transportId": UUID,
        "iceParameters": {"usernameFragment": "u", "password": "p", "iceLite": true},
        "iceCandidates": [udp, tcp],
        "dtlsParameters": {"role": "auto", "fingerprints": [fingerprint]},
        "sctpParameters": null,
    }));

    for role in ["client", "server", "auto"] {
        let parameters = json!({"role": role, "fingerprints": [fingerprint]});
        exact::<ConnectTransportRequest>(json!({"dtlsParameters": parameters}));
    }
    let request: ConnectTransportRequest =
        serde_json::from_value(json!({"dtlsParameters": {"fingerprints": []}}))
            .expect("the role is optional");
    assert_eq!(request.dtls_parameters.role, DtlsRole::Auto);
    refused::<ConnectTransportRequest>(json!({}));
    refused::<ConnectTransportRequest>(json!({"dtlsParameters": {"role": "client"}}));
    refused::<ConnectTransportRequest>(json!({"dtlsParameters": {"role": "both", "fingerprints": []}}));

    exact::<RestartIceResponse>(
        json!({"iceParameters": {"usernameFragment": "u", "password": "p", "iceLite": true}}),
    );
}

#[test]
fn producing() {
    let request: ProduceRequest = exact(json!({
        "participantId": "p1", "kind": "audio", "rtpParameters": rtp_parameters(),
        "appData": {"source": "microphone", "displayName": "Ana", "own": {"deep": [1, 2]}}, "paused": true,
    }));
    let app_data = request.app_data.expect("given");
    assert_eq!(app_data.source, Some(TrackSource::Microphone));
    assert_eq!(app_data.rest.get("own"), Some(&json!({"deep": [1, 2]})));

    let request: ProduceRequest = serde_json::from_value(json!({"participantId": "p1", "kind": "text"}))
        .expect("the rest has its own code");
    let error = request.kind.named("kind").expect_err("there is no such kind");
    assert_eq!(error.to_string(), "kind: must be one of audio, video");
    let error = request
        .rtp_parameters
        .named("rtpParameters")
        .expect_err("not given");
    assert_eq!(error.to_string(), "rtpParameters: missing");
    refused::<ProduceRequest>(json!({"kind": "audio", "rtpParameters": rtp_parameters()}));
    refused::<ProduceRequest>(json!({"participantId": "p1", "appData": {"source": "webcam"}}));
    refused::<ProduceRequest>(json!({"participantId": "p1", "appData": "microphone"}));

    exact::<ProduceResponse>(json!({"producerId": UUID, "kind": "video"}));
    assert_eq!(
        TrackSource::default_for(ortc::MediaKind::Audio),
        TrackSource::Microphone
    );
    assert_eq!(
        TrackSource::default_for(ortc::MediaKind::Video),
        TrackSource::Camera
    );
}

#[test]
fn consuming() {
    exact::<ConsumeRequest>(
        json!({"participantId": "p1", "producerId": UUID, "rtpCapabilities": capabilities()}),
    );
    let request: ConsumeRequest = serde_json::from_value(
        json!({"participantId": "p1", "producerId": UUID, "rtpCapabilities": {"codecs": [1]}}),
    )
    .expect("the rest has its own code");
    let error = request
        .rtp_capabilities
        .named("rtpCapabilities")
        .expect_err("1 is no codec");
    assert_eq!(error.to_string(), "rtpCapabilities.codecs[0]: expected an object");
    refused::<ConsumeRequest>(json!({"participantId": "p1", "producerId": "camera"}));

    for consumer_type in ["simple", "simulcast", "svc"] {
        exact::<ConsumeResponse>(json!({
            "consumerId": UUID, "producerId": UUID, "kind": "audio", "rtpParameters": rtp_parameters(),
            "type": consumer_type, "producerPaused": false,
        }));
    }
    exact::<PreferredLayersRequest>(json!({"spatialLayer": 2, "temporalLayer": 1}));
    exact::<PreferredLayersRequest>(json!({"spatialLayer": 0}));
    refused::<PreferredLayersRequest>(json!({"spatialLayer": -1}));
    refused::<PreferredLayersRequest>(json!({"temporalLayer": 1}));
}

#[test]
fn operations() {
    exact::<StatsResponse>(json!({
        "workers": 2, "rooms": 1, "participants": 3, "transports": 6, "producers": 6, "consumers": 12,
        "cpu": 0.25, "memory": 100_000_000, "draining": false,
        "occupiedRooms": 1, "maxRooms": 10, "region": "eu-west-1", "instance": "0123abcd",
        "workerLoads": [{
            "worker": 1, "busy": 0.5, "packetsIn": 900.0, "packetsOut": 4_500.0, "queueDelayMs": 0.25,
            "participants": 2, "consumers": 9,
        }],
    }));
    for status in ["ok", "starting", "draining", "overloaded", "failed"] {
        exact::<HealthResponse>(json!({"status": status, "version": "0.1.0"}));
    }
}

#[test]
fn socket_events() {
    let common = json!({"callId": "daily", "participantId": "p1", "producerId": UUID, "kind": "audio"});
    let with = |member: &str, value: Value| {
        let mut document = common.clone();
        document[member] = value;
        document
    };
    exact::<JoinRoom>(json!({"callId": "daily", "participantId": "p1"}));
    exact::<JoinRoom>(json!({"callId": "daily"}));
    exact::<LeaveRoom>(json!({"callId": "daily", "participantId": "p1"}));
    exact::<Ack>(json!({"success": true}));
    exact::<Ack>(json!({"success": false, "error": {"code": "ROOM_NOT_FOUND", "message": "gone"}}));
    exact::<NewProducer>(common.clone());
    exact::<NewProducer>(with("appData", json!({"source": "screen"})));
    exact::<ProducerClosed>(common.clone());
    for reason in ["producer", "bandwidth", "client", "server-load"] {
        exact::<ConsumerPaused>(
            json!({"callId": "daily", "participantId": "p1", "consumerId": UUID,
                                       "producerId": UUID, "reason": reason}),
        );
    }
    exact::<ActiveSpeaker>(json!({"callId": "daily", "participantId": "p1", "volume": -40}));
    exact::<ActiveSpeaker>(json!({"callId": "daily", "participantId": null, "volume": -127}));
    exact::<gateway_node::RoomDestroyed>(json!({"callId": "daily", "reason": "worker-died"}));
    exact::<gateway_node::TransportState>(json!({
        "callId": "daily", "participantId": "p1", "transportId": UUID, "direction": "recv",
        "iceState": "completed", "dtlsState": "connecting",
    }));
    exact::<gateway_node::WorkerDied>(json!({"worker": 1, "callIds": ["daily", "weekly"]}));
}

#[test]
fn events_are_written_as_their_payload_under_their_name() {
    let closed = json!({"callId": "daily", "participantId": "p1", "producerId": UUID, "kind": "video"});
    let event = NodeEvent::ProducerClosed(serde_json::from_value(closed.clone()).expect("well formed"));
    assert_eq!(event.name(), "producer-closed");
    assert_eq!(event.call_id().as_str(), "daily");
    assert_eq!(serde_json::to_value(&event).expect("written"), closed);

    let paused = json!({"callId": "daily", "participantId": "p1", "consumerId": UUID, "producerId": UUID,
                        "reason": "producer"});
    let payload: ConsumerPaused = serde_json::from_value(paused.clone()).expect("well formed");
    assert_eq!(
        NodeEvent::ConsumerPaused(payload.clone()).name(),
        "consumer-paused"
    );
    let resumed = NodeEvent::ConsumerResumed(payload);
    assert_eq!(resumed.name(), "consumer-resumed");
    assert_eq!(serde_json::to_value(&resumed).expect("written"), paused);

    let died = gateway_node::ServiceEvent::WorkerDied(gateway_node::WorkerDied {
        worker: 0,
        call_ids: Vec::new(),
    });
    assert_eq!(died.name(), "worker-died");
    assert_eq!(
        serde_json::to_value(&died).expect("written"),
        json!({"worker": 0, "callIds": []})
    );
}

#[test]
fn what_people_type_is_trimmed_and_bounded() {
    let request: DevLoginRequest = exact(json!({"username": "Ana Šimić", "language": "hr"}));
    assert_eq!(request.username.as_str(), "Ana Šimić");
    let request: DevLoginRequest = serde_json::from_value(json!({"username": "  r "})).expect("a name");
    assert_eq!(request.username.as_str(), "r", "trimmed");
    exact::<DevLoginRequest>(json!({"username": "é".repeat(64)}));
    for bad in [
        json!(""),
        json!("   "),
        json!("é".repeat(65)),
        json!("a\nb"),
        json!("a\u{0}"),
        json!(7),
        json!({"$ne": null}),
        Value::Null,
    ] {
        refused::<DevLoginRequest>(json!({"username": bad}));
        refused::<CreateConversationRequest>(json!({"type": "group", "title": bad, "memberIds": [bad]}));
    }
}

#[test]
fn claims() {
    let claims: token::Claims = exact(json!({"sub": "u1", "callId": "daily", "participantId": "p1",
                                             "role": "participant", "iat": 1, "exp": 3601, "aud": "media"}));
    assert_eq!(
        (claims.role, claims.aud),
        (token::Role::Participant, token::Audience::Media)
    );
    let claims: token::Claims = exact(
        json!({"sub": "gateway", "callId": "daily", "role": "service", "iat": 1, "exp": 61, "aud": "media"}),
    );
    assert_eq!((claims.role, claims.participant_id), (token::Role::Service, None));
    exact::<token::Claims>(
        json!({"sub": "gateway", "role": "service", "iat": 1, "exp": 61, "aud": "gateway"}),
    );
    refused::<token::Claims>(json!({"sub": "u1", "role": "admin", "iat": 1, "exp": 2, "aud": "media"}));
    refused::<token::Claims>(json!({"sub": "u1", "role": "service", "iat": 1, "aud": "media"}));
    refused::<token::Claims>(json!({"sub": "u1", "role": "service", "iat": 1, "exp": 2, "aud": ["media"]}));
}

#[test]
fn secrets_have_no_debug() {
    let claims: token::Claims = serde_json::from_value(
        json!({"sub": "secret-user", "callId": "c", "role": "participant", "iat": 1, "exp": 2, "aud": "media"}),
    )
    .expect("well formed");
    let ice: IceParameters =
        serde_json::from_value(json!({"usernameFragment": "u", "password": "secret-word", "iceLite": true}))
            .expect("well formed");
    let turn: IceServer = serde_json::from_value(
        json!({"urls": ["turn:x"], "username": "secret-name", "credential": "secret-word"}),
    )
    .expect("well formed");
    let request: DevLoginRequest =
        serde_json::from_value(json!({"username": "secret-person"})).expect("well formed");
    let token = token::Token("secret.to.ken".to_owned());
    let logged = format!("{claims:?} {ice:?} {turn:?} {request:?} {token:?}");
    assert!(!logged.contains("secret"), "{logged}");
}

#[test]
fn envelopes() {
    let answer: Answer<ProduceResponse> =
        exact(json!({"success": true, "data": {"producerId": UUID, "kind": "audio"}}));
    assert!(answer.into_result().is_ok());
    let refusal = json!({"success": false, "error": {
        "code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests", "details": {"callId": "daily"},
        "retryAfter": 7,
    }});
    let answer: Answer<ProduceResponse> = exact(refusal.clone());
    let error = answer.into_result().expect_err("a failure");
    let expected = ErrorBody::new(ErrorCode::RateLimitExceeded).about("callId", "daily");
    assert_eq!(
        error,
        ErrorBody {
            retry_after: Some(7),
            ..expected
        }
    );
    assert_eq!(
        serde_json::to_value(Failure::from(error)).expect("written"),
        refusal
    );
    exact::<Done>(json!({"success": true, "message": "Consumer resumed"}));
    assert_eq!(
        serde_json::to_value(Done::new(message::CONSUMER_RESUMED)).expect("written"),
        json!({"success": true, "message": "Consumer resumed"})
    );
    assert_eq!(
        serde_json::to_value(Success::new(json!({"a": 1}))).expect("written"),
        json!({"success": true, "data": {"a": 1}})
    );
    refused::<Failure>(json!({"success": true, "error": {"code": "FORBIDDEN", "message": ""}}));
    refused::<Success<Value>>(json!({"success": false, "data": {}}));
}

#[test]
fn error_codes_are_the_contract_s() {
    let contract = [
        ("ROOM_NOT_FOUND", 404),
        ("ROOM_ALREADY_EXISTS", 409),
        ("TRANSPORT_NOT_FOUND", 404),
        ("PRODUCER_NOT_FOUND", 404),
        ("CONSUMER_NOT_FOUND", 404),
        ("INVALID_RTP_CAPABILITIES", 400),
        ("UNSUPPORTED_CODEC", 422),
        ("TRANSPORT_CONNECTION_FAILED", 500),
        ("PRODUCER_CREATION_FAILED", 500),
        ("CONSUMER_CREATION_FAILED", 500),
        ("UNAUTHORIZED", 401),
        ("FORBIDDEN", 403),
        ("RATE_LIMIT_EXCEEDED", 429),
        ("INTERNAL_SERVER_ERROR", 500),
        ("INVALID_REQUEST", 400),
        ("INVALID_RTP_PARAMETERS", 400),
        ("PRODUCER_ALREADY_EXISTS", 409),
        ("ROOM_FULL", 409),
        ("SERVER_AT_CAPACITY", 503),
        ("RESOURCE_LIMIT_REACHED", 429),
        // Of the gateway (contract §2.4, §2.8).
        ("CALL_NOT_FOUND", 404),
        ("CALL_ALREADY_ACTIVE", 409),
        ("CALL_ENDED", 400),
        ("PARTICIPANT_NOT_FOUND", 404),
        ("ALREADY_PARTICIPANT", 409),
        ("MAX_PARTICIPANTS_REACHED", 400),
        ("INVALID_MODE", 400),
        ("MODE_SWITCH_FAILED", 503),
        ("MEDIA_SERVER_ERROR", 503),
        ("TRANSCRIPTION_ERROR", 500),
        ("TRANSLATION_ERROR", 500),
        ("SIGNALING_ERROR", 400),
        ("PERMISSION_DENIED", 403),
        ("KICKED", 403),
        ("TIMEOUT", 504),
        ("INVALID_INPUT", 400),
        ("INVALID_CONVERSATION_TYPE", 422),
        ("ALREADY_IN_CALL", 409),
        ("CALLEE_UNAVAILABLE", 409),
        ("TRANSITION_IN_PROGRESS", 409),
        ("SFU_DISABLED", 400),
        ("SERVICE_UNAVAILABLE", 503),
        ("CONFLICT", 409),
        ("LINK_EXPIRED", 410),
        // Beyond the contract: what any HTTP server answers.
        ("NOT_FOUND", 404),
        ("METHOD_NOT_ALLOWED", 405),
        ("PAYLOAD_TOO_LARGE", 413),
    ];
    for (name, status) in contract {
        let code: ErrorCode = serde_json::from_value(name.into()).expect("a known code");
        assert_eq!((code.as_str(), code.status()), (name, status));
        assert_eq!(serde_json::to_value(code).expect("written"), name);
        assert!(!code.default_message().is_empty());
    }
    assert_eq!(ErrorCode::ALL.len(), contract.len());
}

#[test]
fn endpoints_are_the_contract_s() {
    let listed: Vec<String> = Endpoint::ALL
        .iter()
        .map(|endpoint| format!("{} {}", endpoint.method(), endpoint.path()))
        .collect();
    let room = "/api/rooms/{callId}";
    let mandatory = [
        format!("POST {room}/create"),
        format!("GET {room}"),
        format!("POST {room}/transports"),
        format!("POST {room}/transports/{{transportId}}/connect"),
        format!("POST {room}/transports/{{transportId}}/produce"),
        format!("POST {room}/consume"),
        format!("POST {room}/consumers/{{consumerId}}/resume"),
        format!("POST {room}/consumers/{{consumerId}}/pause"),
        format!("DELETE {room}/producers/{{producerId}}"),
        format!("POST {room}/participants/{{participantId}}/leave"),
        format!("DELETE {room}"),
    ];
    for endpoint in &mandatory {
        assert!(listed.contains(endpoint), "{endpoint}");
    }
    let unique: std::collections::BTreeSet<&String> = listed.iter().collect();
    assert_eq!(unique.len(), listed.len());
}

/// Small JSON with the names that messages use.
fn plausible() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "callId",
        "participantId",
        "producerId",
        "consumerId",
        "transportId",
        "kind",
        "direction",
        "dtlsParameters",
        "role",
        "fingerprints",
        "rtpParameters",
        "rtpCapabilities",
        "codecs",
        "encodings",
        "appData",
        "source",
        "success",
        "data",
        "error",
        "code",
        "message",
        "details",
        "retryAfter",
        "spatialLayer",
        "volume",
        "room",
        "name",
        "sub",
        "iat",
        "exp",
        "aud",
        "displayName",
        "reason",
        "producers",
        "createdAt",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![
            "audio",
            "send",
            "client",
            "p1",
            UUID,
            "camera",
            "ROOM_FULL",
            "media",
            "service"
        ])
        .prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            3 => prop::collection::hash_map(name.clone(), inner.clone(), 0..8).prop_map(|map| {
                map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_survived(document in plausible()) {
        crate::fuzz::signalling_json(document.to_string().as_bytes());
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        crate::fuzz::signalling_json(&bytes);
    }
}
