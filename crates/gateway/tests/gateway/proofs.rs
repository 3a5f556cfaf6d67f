//! What proves who one is: how long it holds, and what becomes of those who guess.

use std::time::Duration;

use serde_json::{Value, json};
use signalling::Timestamp;
use store::{AuditEntry, AuditQuery, AuditType};

use crate::harness::{World, now, text};
use crate::switching::Group;

/// Long enough to say something first, short enough to wait for.
const SHORT: Duration = Duration::from_secs(3);

/// The newest lines of a kind, as soon as there are `many`: they are written in the background.
async fn audit(world: &World, event: AuditType, many: usize) -> Vec<AuditEntry> {
    let query = AuditQuery {
        event: Some(event),
        from: Timestamp::from_unix_millis(0),
        until: Timestamp::from_unix_millis(u64::MAX),
        limit: 10,
    };
    loop {
        let lines = world.store.audit(&query).await.expect("read");
        if lines.len() >= many {
            return lines;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_token_unless_a_newer_one_came() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    let gateway = world.gateway(&[]).await;
    let short = alice.auth_for(SHORT);
    let mut ends = gateway.device(&short).await;
    let mut renewed = gateway.device(&short).await;
    // Somebody else's does not count, nor does rubbish; neither costs the connection.
    renewed
        .denied("authenticate", bob.auth.clone(), "UNAUTHORIZED")
        .await;
    renewed
        .denied("authenticate", json!({"token": "rubbish"}), "UNAUTHORIZED")
        .await;
    renewed.ask("authenticate", alice.auth.clone()).await;
    let welcome = renewed.expect("authenticated").await;
    assert_eq!(welcome["user"]["username"], "Alice");

    let over = ends.expect("authenticated").await;
    assert_eq!(
        (&over["success"], &over["error"]["code"]),
        (&json!(false), &json!("UNAUTHORIZED"))
    );
    ends.closed().await;
    renewed.nothing_of("authenticated").await;
    // And it does not come back with the old one.
    let mut again = gateway.nameless(&short).await;
    assert_eq!(again.expect("authenticated").await["success"], false);
    again.closed().await;
}

#[tokio::test]
async fn nobody_is_cut_off_in_the_middle_of_a_call() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    let group = world.group(&[&alice, &bob]).await;
    let gateway = world.gateway(&[]).await;
    let mut talking = gateway.device(&alice.auth_for(SHORT)).await;
    let mut waiting = gateway.device(&bob.auth_for(SHORT)).await;
    let wish = json!({"conversationId": group.to_string(), "type": "audio"});
    let begun = talking.ask("call:initiate", wish).await;
    assert_eq!(waiting.expect("authenticated").await["success"], false);
    waiting.closed().await;
    talking.nothing_of("authenticated").await;
    talking
        .ask("call:leave", json!({"callId": begun["callId"]}))
        .await;
}

#[tokio::test]
async fn a_guests_connection_ends_with_the_link() {
    let world = World::new();
    let alice = world.person("Alice").await;
    let group = world.group(&[&alice]).await;
    let end = Timestamp::from_unix_millis(now().unix_millis() + 3000);
    let link = world.link_until(group, None, Some(end)).await;
    let guest = world.guest(group, link, "Grace").await;
    let gateway = world.gateway(&[]).await;
    let mut device = gateway.device(&guest).await;
    assert_eq!(device.expect("authenticated").await["success"], false);
    device.closed().await;
}

#[tokio::test]
async fn who_does_not_say_who_they_are_is_dropped_after_ten_seconds() {
    let world = World::new();
    let gateway = world.gateway(&[]).await;
    let mut device = gateway.nameless(&json!({})).await;
    // Whatever else is said changes nothing.
    device.denied("call:end", json!({}), "UNAUTHORIZED").await;
    device.closed_within(Duration::from_secs(30)).await;
}

#[tokio::test]
async fn who_guesses_over_sockets_is_refused_everywhere_and_noted() {
    let world = World::new();
    let alice = world.person("Alice").await;
    let gateway = world.gateway(&[]).await;
    for guess in 0..10 {
        let mut device = gateway.nameless(&json!({"token": format!("a.b.{guess}")})).await;
        assert_eq!(
            device.expect("authenticated").await["error"]["code"],
            "UNAUTHORIZED"
        );
        device.closed().await;
    }
    let mut device = gateway.nameless(&alice.auth).await;
    let refused = device.expect("authenticated").await;
    assert_eq!(refused["error"]["code"], "RATE_LIMIT_EXCEEDED");
    assert!(
        refused["error"]["retryAfter"]
            .as_u64()
            .is_some_and(|rest| rest > 800)
    );
    device.closed().await;
    // REST of the same address is closed as well, and no header opens it: no proxy is trusted here.
    let answer = reqwest::Client::new()
        .get(format!("{}/api/ice-servers", gateway.url))
        .bearer_auth(text(&alice.auth, "token"))
        .header("x-forwarded-for", "198.51.100.7")
        .send()
        .await
        .expect("it answers");
    assert_eq!(answer.status().as_u16(), 429);
    for event in [AuditType::UnauthorizedAccessAttempt, AuditType::RateLimitExceeded] {
        let lines = audit(&world, event, 1).await;
        assert_eq!(lines[0].metadata, json!({"event": "authenticate"}), "{event:?}");
        assert!(lines[0].ip_hash.as_ref().is_some_and(|hash| hash.len() == 64));
    }
}

#[tokio::test]
async fn what_a_node_refuses_is_noted_and_guessing_there_is_guessing() {
    let mut group = Group::talk().await;
    let [alice, _] = group.standby().await;
    let path = format!("{}/api/rooms/{}/transports", group.gateway.url, group.call);
    let ask = async |token: &str| {
        let request = reqwest::Client::new()
            .post(&path)
            .header("user-agent", "guesser/2");
        let answer = request.bearer_auth(token).send().await.expect("it answers");
        answer.status().as_u16()
    };
    assert_eq!(ask(&text(&alice, "token")).await, 200);
    for _ in 0..10 {
        assert_eq!(ask("a.b.forged").await, 401);
    }
    assert_eq!(ask("a.b.forged").await, 429);
    // The calls of others behind the same address go on.
    assert_eq!(ask(&text(&alice, "token")).await, 200);
    let lines = audit(&group.world, AuditType::UnauthorizedAccessAttempt, 1).await;
    assert_eq!(
        lines[0].metadata,
        json!({"method": "POST", "path": "/api/rooms/{callId}"})
    );
    assert_eq!(
        lines[0].call.as_ref().map(ToString::to_string),
        Some(group.call.clone())
    );
    assert_eq!(lines[0].user_agent.as_deref(), Some("guesser/2"));
    assert_eq!(lines[0].ip_hash.as_ref().map(String::len), Some(64));
    let many = audit(&group.world, AuditType::RateLimitExceeded, 1).await;
    assert_eq!(
        many[0].call.as_ref().map(ToString::to_string),
        Some(group.call.clone())
    );
}

#[tokio::test]
async fn what_happens_in_a_call_is_noted_with_whom_and_where_from() {
    let world = World::new();
    let (alice, bob) = (world.person("Alice").await, world.person("Bob").await);
    let group = world.group(&[&alice, &bob]).await.to_string();
    let gateway = world.gateway(&[]).await;
    let mut at_alice = gateway.device(&alice.auth).await;
    let mut at_bob = gateway.device(&bob.auth).await;
    let initiate = json!({"conversationId": group, "type": "video"});
    let call = text(&at_alice.ask("call:initiate", initiate).await, "callId");
    at_bob.ask("call:join", json!({"callId": call})).await;
    at_bob.ask("call:leave", json!({"callId": call})).await;
    at_alice.ask("call:end", json!({"callId": call})).await;
    let table = [
        (AuditType::CallInitiated, alice.id),
        (AuditType::CallJoined, bob.id),
        (AuditType::CallLeft, bob.id),
        (AuditType::CallEnded, alice.id),
    ];
    let mut hashes = Vec::new();
    for (event, who) in table {
        let lines = audit(&world, event, 1).await;
        let line = lines.iter().find(|line| line.user == Some(who));
        let line = line.unwrap_or_else(|| panic!("{event:?}: {lines:?}"));
        assert_eq!(line.call.as_ref().map(ToString::to_string), Some(call.clone()));
        hashes.push(
            line.ip_hash
                .clone()
                .unwrap_or_else(|| panic!("{event:?} has no address")),
        );
    }
    hashes.dedup();
    assert_eq!(
        (hashes.len(), hashes[0].len()),
        (1, 64),
        "one address, hashed with the key"
    );
    assert!(!hashes[0].contains("127.0.0.1"));
}

#[tokio::test]
async fn a_list_is_no_object_inside_a_payload_either() {
    let world = World::new();
    let alice = world.person("Alice").await;
    let gateway = world.gateway(&[]).await;
    let mut device = gateway.device(&alice.auth).await;
    let id = "0123456789abcdef01234567";
    let initiate = |settings: Value| json!({"conversationId": id, "type": "video", "settings": settings});
    let signal = json!({"callId": id, "targetParticipantId": id, "signal": ["offer", "v=0"]});
    device
        .denied("call:initiate", initiate(json!([])), "INVALID_INPUT")
        .await;
    device.denied("call:signal", signal, "INVALID_INPUT").await;
    // An empty object there is as good as nothing.
    device
        .denied("call:initiate", initiate(json!({})), "NOT_FOUND")
        .await;
}
