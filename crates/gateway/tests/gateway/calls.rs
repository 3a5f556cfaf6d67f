//! Calls of two: ringing, accepting, declining, signals, leaving, ending.

use serde_json::{Value, json};
use signalling::client_gateway::ConversationType;

use crate::harness::{Device, Person, TestGateway, World, text};

/// Alice and Bob in a direct conversation, both connected.
struct Pair {
    gateway: TestGateway,
    world: World,
    conversation: String,
    alice: Device,
    bob: Device,
    people: [Person; 2],
}

impl Pair {
    async fn meet(kind: ConversationType) -> Self {
        let world = World::new();
        let people = [world.person("Alice").await, world.person("Bob").await];
        let conversation = world.conversation(kind, &[&people[0], &people[1]]).await;
        let gateway = world.gateway(&[]).await;
        let alice = gateway.device(&people[0].auth).await;
        let bob = gateway.device(&people[1].auth).await;
        Self {
            gateway,
            world,
            conversation: conversation.to_string(),
            alice,
            bob,
            people,
        }
    }

    /// Alice calls; gives the call's id.
    async fn ring(&mut self) -> String {
        let initiate = json!({"conversationId": self.conversation, "type": "video"});
        let begun = self.alice.ask("call:initiate", initiate).await;
        text(&begun, "callId")
    }

    /// Alice calls and Bob accepts; gives the call's id and both participants.
    async fn talk(&mut self) -> (String, String, String) {
        let initiate = json!({"conversationId": self.conversation, "type": "video"});
        let begun = self.alice.ask("call:initiate", initiate).await;
        let call = text(&begun, "callId");
        self.bob.expect("call:incoming").await;
        let joined = self.bob.ask("call:accept", json!({"callId": call})).await;
        (
            call,
            text(&begun, "participantId"),
            text(&joined, "participantId"),
        )
    }
}

#[tokio::test]
async fn a_call_rings_is_accepted_and_ends_with_who_leaves() {
    let mut pair = Pair::meet(ConversationType::Direct).await;
    let initiate = json!({"conversationId": pair.conversation, "type": "video"});
    let begun = pair.alice.ask("call:initiate", initiate).await;
    let call = text(&begun, "callId");
    assert_eq!(begun["mode"], "p2p");
    assert_eq!(begun["call"]["callId"], call.as_str());
    assert!(begun["expiresAt"].is_string());

    let incoming = pair.bob.expect("call:incoming").await;
    assert_eq!(incoming["callId"], call.as_str());
    assert_eq!(incoming["caller"]["username"], "Alice");

    let joined = pair
        .bob
        .ask(
            "call:accept",
            json!({"callId": call, "audioEnabled": true, "videoEnabled": false}),
        )
        .await;
    assert_eq!(joined["mode"], "p2p");
    assert_eq!(joined["participants"].as_array().map(Vec::len), Some(2));
    assert_eq!(joined["mediaServerConfig"], Value::Null);
    let event = pair.bob.expect("call:joined").await;
    assert_eq!(event["participantId"], joined["participantId"]);

    let newcomer = pair.alice.expect("call:participant-joined").await;
    assert_eq!(newcomer["participant"]["participantId"], joined["participantId"]);
    assert_eq!(newcomer["participant"]["videoEnabled"], false);
    assert_eq!(newcomer["totalParticipants"], 2);
    let started = pair.alice.expect("call:started").await;
    assert_eq!(started["callId"], call.as_str());

    pair.bob.ask("call:leave", json!({"callId": call})).await;
    let ended = pair.alice.expect("call:ended").await;
    assert_eq!(ended["reason"], "normal");
    pair.alice
        .denied("call:leave", json!({"callId": call}), "CALL_ENDED")
        .await;
    let stored = pair
        .world
        .store
        .call(&call.parse().expect("an id"))
        .await
        .expect("stored");
    let stored = stored.expect("it is there");
    assert_eq!(stored.call.status.as_str(), "ended");
    assert_eq!(stored.participants.len(), 2);
}

#[tokio::test]
async fn signals_reach_the_addressed_participant_with_the_senders_name() {
    let mut pair = Pair::meet(ConversationType::Group).await;
    let (call, alice, bob) = pair.talk().await;
    let mut second = pair.gateway.device(&pair.people[1].auth).await;
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n";
    let signal = json!({"type": "offer", "sdp": sdp, "negotiationId": bob});
    pair.alice
        .ask(
            "call:signal",
            json!({"callId": call, "targetParticipantId": bob, "signal": signal}),
        )
        .await;
    let heard = pair.bob.expect("call:signal").await;
    assert_eq!(heard["fromParticipantId"], alice.as_str());
    assert_eq!(heard["signal"], signal);
    // The other device of the same person is not in the call.
    second.nothing_of("call:signal").await;
    second
        .denied(
            "call:signal",
            json!({"callId": call, "targetParticipantId": alice, "signal": signal}),
            "PARTICIPANT_NOT_FOUND",
        )
        .await;
    // The older names mean the same, and find the only call and the only peer.
    pair.bob
        .ask("webrtc:answer", json!({"answer": {"type": "answer", "sdp": sdp}}))
        .await;
    let heard = pair.alice.expect("call:signal").await;
    assert_eq!(heard["fromParticipantId"], bob.as_str());
    assert_eq!(heard["signal"], json!({"type": "answer", "sdp": sdp}));
    pair.bob
        .ask("webrtc:ice-candidate", json!({"candidate": null}))
        .await;
    assert_eq!(
        pair.alice.expect("call:signal").await["signal"]["type"],
        "ice-candidate"
    );
}

#[tokio::test]
async fn media_state_is_told_in_both_ways() {
    let mut pair = Pair::meet(ConversationType::Direct).await;
    let (call, alice, bob) = pair.talk().await;
    let rows = [
        (
            "call:toggle-audio",
            json!({"callId": call, "enabled": false}),
            "audio",
            false,
        ),
        (
            "call:mute",
            json!({"callId": call, "muted": false}),
            "audio",
            true,
        ),
        (
            "call:video-toggle",
            json!({"callId": call, "enabled": false}),
            "video",
            false,
        ),
        (
            "call:toggle-screen-share",
            json!({"callId": call, "enabled": true}),
            "screen",
            true,
        ),
    ];
    for (event, payload, media, enabled) in rows {
        pair.alice.ask(event, payload).await;
        let toggled = pair.bob.expect("call:media-toggled").await;
        assert_eq!(
            (
                &toggled["participantId"],
                &toggled["mediaType"],
                &toggled["enabled"]
            ),
            (&json!(alice), &json!(media), &json!(enabled)),
            "{event}"
        );
    }
    pair.bob.forget().await;
    let state = json!({
        "callId": call, "participantId": alice,
        "audioEnabled": false, "videoEnabled": true, "screenShareEnabled": false,
    });
    pair.alice.ask("call:media-state-change", state).await;
    let told = pair.bob.expect("call:participant-media-state").await;
    assert_eq!(
        (&told["audioEnabled"], &told["videoEnabled"]),
        (&json!(false), &json!(true))
    );
    // Nobody speaks for somebody else.
    let foreign = json!({
        "callId": call, "participantId": bob,
        "audioEnabled": false, "videoEnabled": false, "screenShareEnabled": false,
    });
    pair.alice
        .denied("call:media-state-change", foreign, "PERMISSION_DENIED")
        .await;
}

#[tokio::test]
async fn a_declined_call_is_over() {
    let mut pair = Pair::meet(ConversationType::Direct).await;
    let mut second = pair.gateway.device(&pair.people[1].auth).await;
    let call = pair.ring().await;
    second.expect("call:incoming").await;
    pair.bob
        .ask("call:reject", json!({"callId": call, "reason": "busy"}))
        .await;
    let rejected = pair.alice.expect("call:rejected").await;
    assert_eq!(
        (&rejected["username"], &rejected["reason"]),
        (&json!("Bob"), &json!("busy"))
    );
    assert_eq!(pair.alice.expect("call:ended").await["reason"], "rejected");
    // The other device stops ringing.
    second.expect("call:answered-elsewhere").await;
    // And another call may be begun.
    pair.ring().await;
}

#[tokio::test]
async fn a_callee_who_is_not_there_misses_the_call() {
    let mut pair = Pair::meet(ConversationType::Direct).await;
    pair.bob.vanish().await;
    while pair.alice.expect("directory:presence").await["online"] == true {}
    let initiate = json!({"conversationId": pair.conversation, "type": "audio"});
    let error = pair.alice.refused("call:initiate", initiate).await;
    assert_eq!(error["code"], "CALLEE_UNAVAILABLE");
}

#[tokio::test]
async fn of_two_who_begin_at_the_same_time_one_wins_and_the_other_learns_the_call() {
    let mut pair = Pair::meet(ConversationType::Direct).await;
    let initiate = json!({"conversationId": pair.conversation, "type": "video"});
    let (one, other) = tokio::join!(
        pair.alice.acknowledged("call:initiate", initiate.clone()),
        pair.bob.acknowledged("call:initiate", initiate),
    );
    let (won, lost) = if one["success"] == true {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(won["success"], true, "{won} {lost}");
    assert_eq!(lost["success"], false, "{won} {lost}");
    assert_eq!(lost["error"]["code"], "CALL_ALREADY_ACTIVE");
    assert_eq!(lost["error"]["details"]["callId"], won["data"]["callId"]);
}

#[tokio::test]
async fn other_devices_stop_ringing_when_one_answers() {
    let mut pair = Pair::meet(ConversationType::Direct).await;
    let mut second = pair.gateway.device(&pair.people[1].auth).await;
    let call = pair.ring().await;
    second.expect("call:incoming").await;
    pair.bob.ask("call:accept", json!({"callId": call})).await;
    assert_eq!(
        second.expect("call:answered-elsewhere").await["callId"],
        call.as_str()
    );
    second
        .denied("call:join", json!({"callId": call}), "ALREADY_PARTICIPANT")
        .await;
    // What the other device does not hold it cannot lose.
    second.vanish().await;
    pair.alice.nothing_of("call:participant-media-state").await;
}

#[tokio::test]
async fn a_device_that_comes_online_rings_too() {
    let mut pair = Pair::meet(ConversationType::Direct).await;
    let call = pair.ring().await;
    pair.bob.expect("call:incoming").await;
    let mut second = pair.gateway.device(&pair.people[1].auth).await;
    assert_eq!(second.expect("call:incoming").await["callId"], call.as_str());
}

#[tokio::test]
async fn a_lost_device_keeps_its_seat_and_comes_back_to_it() {
    let mut pair = Pair::meet(ConversationType::Direct).await;
    let (call, _, bob) = pair.talk().await;
    pair.alice.forget().await;
    pair.bob.vanish().await;
    let away = pair.alice.expect("call:participant-media-state").await;
    assert_eq!(
        (&away["participantId"], &away["status"]),
        (&json!(bob), &json!("disconnected"))
    );
    pair.bob = pair.gateway.device(&pair.people[1].auth).await;
    let rejoin = json!({"callId": call, "participantId": bob});
    let back = pair.bob.ask("call:rejoin", rejoin).await;
    assert_eq!(back["participantId"], bob.as_str());
    assert_eq!(
        pair.bob.expect("call:rejoined").await["participantId"],
        bob.as_str()
    );
    pair.bob
        .ask("call:connected", json!({"callId": call, "participantId": bob}))
        .await;
    let here = pair.alice.expect("call:participant-media-state").await;
    assert_eq!(here["status"], "connected");
}

#[tokio::test]
async fn captions_and_reports_are_taken_and_checked() {
    let mut pair = Pair::meet(ConversationType::Direct).await;
    let (call, alice, bob) = pair.talk().await;
    let caption = json!({
        "callId": call, "participantId": alice, "text": "Hello", "language": "en",
        "timestamp": "2026-01-01T00:00:00.000Z", "isFinal": true,
    });
    pair.alice.ask("call:transcription", caption.clone()).await;
    let heard = pair.bob.expect("call:transcription").await;
    assert_eq!(
        (&heard["text"], &heard["username"]),
        (&json!("Hello"), &json!("Alice"))
    );
    let mut foreign = caption;
    foreign["participantId"] = json!(bob);
    pair.alice
        .denied("call:transcription", foreign, "PERMISSION_DENIED")
        .await;

    let report = json!({"callId": call, "packetLoss": 0.01, "jitter": 3.0, "rtt": 20.0, "bitrate": 900.0});
    pair.alice.ask("call:quality-report", report).await;
    let wrong = json!({"callId": call, "packetLoss": 3});
    pair.alice
        .denied("call:quality-report", wrong, "INVALID_INPUT")
        .await;
    let seen = json!({"callId": call, "transport": "p2p", "iceState": "failed", "candidateTypes": ["host"]});
    pair.alice.ask("call:diagnostics", seen).await;

    let fresh = pair
        .alice
        .ask("call:refresh-credentials", json!({"callId": call}))
        .await;
    assert!(
        fresh["iceServers"].is_array() && fresh["mediaToken"].is_null(),
        "{fresh}"
    );

    pair.alice.ask("call:end", json!({"callId": call})).await;
    assert_eq!(pair.bob.expect("call:ended").await["callId"], call.as_str());
    let stored = || async { pair.world.store.captions_of(&call.parse().expect("an id")).await };
    let mut captions = stored().await.expect("stored");
    while captions.is_empty() {
        // Written in the background.
        tokio::task::yield_now().await;
        captions = stored().await.expect("stored");
    }
    assert_eq!(captions.len(), 1);
}
