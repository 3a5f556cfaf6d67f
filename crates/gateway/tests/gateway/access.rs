//! Who may do what, and how often.

use serde_json::{Value, json};
use signalling::Timestamp;
use signalling::client_gateway::ConversationType;
use store::{AuditQuery, AuditType};

use crate::fake_node::FakeNode;
use crate::harness::{World, text};

#[tokio::test]
async fn sockets_without_a_good_token_are_closed() {
    let world = World::new();
    let alice = world.person("Alice").await;
    let gateway = world.gateway(&[]).await;
    for auth in [
        json!({"token": "rubbish"}),
        json!({"sessionToken": "rubbish"}),
        json!({"token": alice.auth["token"], "sessionToken": "rubbish"}),
    ] {
        let mut device = gateway.nameless(&auth).await;
        let refused = device.expect("authenticated").await;
        assert_eq!(refused["success"], false);
        assert_eq!(refused["error"]["code"], "UNAUTHORIZED");
        device.closed().await;
    }
}

#[tokio::test]
async fn a_socket_may_say_who_it_is_later_and_only_once() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    let gateway = world.gateway(&[]).await;
    let mut device = gateway.nameless(&json!({})).await;
    let leave = json!({"callId": "0123456789abcdef01234567"});
    device.denied("call:leave", leave.clone(), "UNAUTHORIZED").await;
    device.ask("authenticate", alice.auth.clone()).await;
    let authenticated = device.expect("authenticated").await;
    assert_eq!(authenticated["user"]["username"], "Alice");
    assert_eq!(authenticated["user"]["isAnonymous"], false);
    device.denied("call:leave", leave, "CALL_NOT_FOUND").await;
    device
        .denied("authenticate", bob.auth.clone(), "UNAUTHORIZED")
        .await;
    // A user's id alone proves nothing.
    let mut device = gateway.nameless(&json!({})).await;
    device
        .say("authenticate", json!({"userId": alice.id.to_string()}))
        .await;
    assert_eq!(device.expect("authenticated").await["success"], false);
    device.closed().await;
}

#[tokio::test]
async fn failures_are_acknowledged_or_told_by_an_event_but_not_both() {
    let world = World::new();
    let alice = world.person("Alice").await;
    let gateway = world.gateway(&[]).await;
    let mut device = gateway.device(&alice.auth).await;
    let unknown = json!({"callId": "0123456789abcdef01234567"});
    device
        .denied("call:leave", unknown.clone(), "CALL_NOT_FOUND")
        .await;
    device.nothing_of("call:error").await;
    device.say("call:leave", unknown.clone()).await;
    let error = device.expect("call:error").await;
    assert_eq!(
        (&error["code"], &error["callId"]),
        (&json!("CALL_NOT_FOUND"), &unknown["callId"])
    );
    let wrong = [
        ("call:leave", json!({})),
        ("call:leave", json!("text")),
        (
            "call:initiate",
            json!({"conversationId": {"$ne": 1}, "type": "video"}),
        ),
        (
            "call:initiate",
            json!({"conversationId": "short", "type": "video"}),
        ),
        (
            "call:initiate",
            json!({"conversationId": "0123456789abcdef01234567", "type": "hologram"}),
        ),
        ("call:toggle-audio", json!({"callId": "x", "enabled": "yes"})),
        ("call:dance", json!({})),
    ];
    for (event, payload) in wrong {
        device.denied(event, payload, "INVALID_INPUT").await;
    }
    // Not even where everything is optional is anything but an object a payload.
    for payload in [json!([]), json!([{}]), json!("x"), json!(1), json!(null)] {
        for event in ["call:quality-report", "call:join", "webrtc:offer"] {
            device.denied(event, payload.clone(), "INVALID_INPUT").await;
        }
    }
}

#[tokio::test]
async fn strangers_learn_nothing_and_public_conversations_have_no_calls() {
    let world = World::new();
    let (alice, bob, eve) = (
        world.person("Alice").await,
        world.person("Bob").await,
        world.person("Eve").await,
    );
    let direct = world
        .conversation(ConversationType::Direct, &[&alice, &bob])
        .await;
    let public = world.conversation(ConversationType::Public, &[&alice]).await;
    let gateway = world.gateway(&[]).await;
    let mut at_alice = gateway.device(&alice.auth).await;
    let mut at_bob = gateway.device(&bob.auth).await;
    let mut at_eve = gateway.device(&eve.auth).await;
    let initiate = |conversation: String| json!({"conversationId": conversation, "type": "video"});
    at_eve
        .denied("call:initiate", initiate(direct.to_string()), "PERMISSION_DENIED")
        .await;
    at_alice
        .denied(
            "call:initiate",
            initiate(public.to_string()),
            "INVALID_CONVERSATION_TYPE",
        )
        .await;
    at_alice
        .denied("call:initiate", initiate("0".repeat(24)), "NOT_FOUND")
        .await;
    let begun = at_alice.ask("call:initiate", initiate(direct.to_string())).await;
    let call = text(&begun, "callId");
    let joined = at_bob.ask("call:join", json!({"callId": call})).await;
    let bobs = text(&joined, "participantId");
    for (event, payload) in [
        ("call:join", json!({"callId": call})),
        ("call:reject", json!({"callId": call})),
        ("call:leave", json!({"callId": call})),
        ("call:end", json!({"callId": call})),
        ("call:kick", json!({"callId": call, "participantId": bobs})),
        ("call:rejoin", json!({"callId": call, "participantId": bobs})),
        ("call:toggle-audio", json!({"callId": call, "enabled": false})),
        ("call:refresh-credentials", json!({"callId": call})),
        ("call:connected", json!({"callId": call, "participantId": bobs})),
        (
            "call:signal",
            json!({"callId": call, "targetParticipantId": bobs, "signal": {"type": "ice-candidate"}}),
        ),
    ] {
        at_eve.denied(event, payload, "PERMISSION_DENIED").await;
    }
    // Neither does a member act for another, nor end what another began.
    let alices = json!({"callId": call, "participantId": begun["participantId"]});
    at_bob
        .denied("call:rejoin", alices.clone(), "PERMISSION_DENIED")
        .await;
    at_bob
        .denied("call:leave", alices.clone(), "PERMISSION_DENIED")
        .await;
    at_bob.denied("call:kick", alices, "PERMISSION_DENIED").await;
    at_bob
        .denied("call:end", json!({"callId": call}), "PERMISSION_DENIED")
        .await;
    at_alice.nothing_of("call:participant-left").await;
    // The operator can see that somebody tried.
    let query = AuditQuery {
        event: Some(AuditType::UnauthorizedAccessAttempt),
        from: Timestamp::from_unix_millis(0),
        until: Timestamp::from_unix_millis(u64::MAX),
        limit: 10,
    };
    let mut tried = world.store.audit(&query).await.expect("read");
    while tried.len() < 2 {
        // Written in the background.
        tokio::task::yield_now().await;
        tried = world.store.audit(&query).await.expect("read");
    }
    assert!(tried.iter().any(|entry| entry.user == Some(eve.id)));
    // One call per person.
    let other = world.group(&[&alice, &eve]).await.to_string();
    at_alice
        .denied("call:initiate", initiate(other), "ALREADY_IN_CALL")
        .await;
}

#[tokio::test]
async fn who_is_removed_is_out_and_hears_why() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    let group = world.group(&[&alice, &bob]).await.to_string();
    let gateway = world.gateway(&[]).await;
    let mut at_alice = gateway.device(&alice.auth).await;
    let mut at_bob = gateway.device(&bob.auth).await;
    let initiate = json!({"conversationId": group, "type": "video"});
    let call = text(&at_alice.ask("call:initiate", initiate).await, "callId");
    let joined = at_bob.ask("call:join", json!({"callId": call})).await;
    let whom = json!({"callId": call, "participantId": joined["participantId"]});
    at_alice.ask("call:kick", whom).await;
    assert_eq!(at_bob.expect("call:error").await["code"], "KICKED");
    let left = at_alice.expect("call:participant-left").await;
    assert_eq!(left["reason"], "kicked");
}

#[tokio::test]
async fn guests_take_part_in_group_calls_of_their_conversation_only() {
    let world = World::new();
    let node = FakeNode::start();
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    let group = world.group(&[&alice, &bob]).await;
    let other = world.group(&[&alice, &bob]).await;
    let link = world.link(group, Some(1)).await;
    let elsewhere = world.link(other, None).await;
    let grace = world.guest(group, link, "Grace").await;
    let second = world.guest(group, link, "Heidi").await;
    let stranger = world.guest(other, elsewhere, "Ivan").await;
    let gateway = world.gateway(&[&node.url]).await;
    let mut at_alice = gateway.device(&alice.auth).await;
    let mut at_grace = gateway.device(&grace).await;
    let mut at_second = gateway.device(&second).await;
    let mut at_stranger = gateway.device(&stranger).await;
    let initiate = json!({"conversationId": group.to_string(), "type": "video"});
    at_grace
        .denied("call:initiate", initiate.clone(), "PERMISSION_DENIED")
        .await;
    let call = text(&at_alice.ask("call:initiate", initiate).await, "callId");
    let joined = at_grace.ask("call:join", json!({"callId": call})).await;
    let newcomer = at_alice.expect("call:participant-joined").await;
    assert_eq!(newcomer["participant"]["username"], "Guest_Grace");
    assert_eq!(newcomer["participant"]["isAnonymous"], true);
    assert_eq!(newcomer["participant"]["userId"], Value::Null);
    at_second
        .denied("call:join", json!({"callId": call}), "PERMISSION_DENIED")
        .await;
    at_stranger
        .denied("call:join", json!({"callId": call}), "PERMISSION_DENIED")
        .await;
    let share = json!({"callId": call, "enabled": true});
    at_grace
        .denied("call:toggle-screen-share", share, "PERMISSION_DENIED")
        .await;
    at_grace
        .denied("call:end", json!({"callId": call}), "PERMISSION_DENIED")
        .await;
    // Whose invitation is taken back may leave, and nothing else.
    world.store.deactivate_link(&link).await.expect("stored");
    at_grace
        .denied(
            "call:toggle-audio",
            json!({"callId": call, "enabled": false}),
            "PERMISSION_DENIED",
        )
        .await;
    at_grace.ask("call:leave", json!({"callId": call})).await;
    let left = at_alice.expect("call:participant-left").await;
    assert_eq!(left["participantId"], joined["participantId"]);
    at_grace
        .denied("call:join", json!({"callId": call}), "PERMISSION_DENIED")
        .await;
}

#[tokio::test]
async fn presence_is_told_for_the_first_device_and_the_last() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    world.group(&[&alice, &bob]).await;
    let gateway = world.gateway(&[]).await;
    let mut at_alice = gateway.device(&alice.auth).await;
    let first = gateway.device(&bob.auth).await;
    let online = json!({"userId": bob.id.to_string(), "online": true});
    assert_eq!(at_alice.expect("directory:presence").await, online);
    let second = gateway.device(&bob.auth).await;
    first.vanish().await;
    second.vanish().await;
    let offline = json!({"userId": bob.id.to_string(), "online": false});
    assert_eq!(at_alice.expect("directory:presence").await, offline);
    at_alice.nothing_of("directory:presence").await;
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_to_wait() {
    let world = World::new();
    let alice = world.person("Alice").await;
    let gateway = world.gateway(&[]).await;
    let mut device = gateway.device(&alice.auth).await;
    let initiate = json!({"conversationId": "0".repeat(24), "type": "video"});
    for _ in 0..5 {
        device
            .denied("call:initiate", initiate.clone(), "NOT_FOUND")
            .await;
    }
    let error = device.refused("call:initiate", initiate).await;
    assert_eq!(error["code"], "RATE_LIMIT_EXCEEDED");
    assert!(
        error["retryAfter"]
            .as_u64()
            .is_some_and(|seconds| (1..=60).contains(&seconds)),
        "{error}"
    );
    // A person has at most ten connections.
    let mut devices = vec![device];
    for _ in 1..10 {
        devices.push(gateway.device(&alice.auth).await);
    }
    let mut eleventh = gateway.nameless(&alice.auth).await;
    let refused = eleventh.expect("authenticated").await;
    assert_eq!(refused["error"]["code"], "RATE_LIMIT_EXCEEDED");
    eleventh.closed().await;
}
