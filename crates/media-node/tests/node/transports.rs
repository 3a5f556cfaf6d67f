//! Endpoints 3 and 4: create and connect transports; restart of ICE.

use media_node::config::IceTcp;
use serde_json::{Value, json};

use crate::harness::{Member, TestNode, service};
use crate::rtp_json::{audio, dtls};

#[tokio::test]
async fn a_transport_has_what_mediasoup_client_needs() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let created = Member::new(&node, "call-1", "anna").transport("send").await;
    let data = created.data();
    assert_eq!(data["transportId"].as_str().map(str::len), Some(36));
    assert_eq!(data["iceParameters"]["iceLite"], true);
    assert!(
        data["iceParameters"]["usernameFragment"]
            .as_str()
            .is_some_and(|ufrag| ufrag.len() >= 4)
    );
    assert!(
        data["iceParameters"]["password"]
            .as_str()
            .is_some_and(|password| password.len() >= 22)
    );
    assert_eq!(data["dtlsParameters"]["role"], "auto");
    assert_eq!(data["dtlsParameters"]["fingerprints"][0]["algorithm"], "sha-256");
    let fingerprint = data["dtlsParameters"]["fingerprints"][0]["value"]
        .as_str()
        .expect("a fingerprint");
    assert_eq!(fingerprint.split(':').count(), 32);
    assert_eq!(data.get("sctpParameters"), Some(&Value::Null));
    let bound = node.node.worker_addresses()[0];
    let candidates = data["iceCandidates"].as_array().expect("candidates");
    let udp = &candidates[0];
    assert_eq!(
        (
            &udp["protocol"],
            &udp["type"],
            &udp["ip"],
            &udp["address"],
            &udp["port"]
        ),
        (
            &json!("udp"),
            &json!("host"),
            &json!("127.0.0.1"),
            &json!("127.0.0.1"),
            &json!(bound.udp.port())
        )
    );
    let tcp = &candidates[1];
    assert_eq!(
        (&tcp["protocol"], &tcp["tcpType"]),
        (&json!("tcp"), &json!("passive"))
    );
    assert_eq!(tcp["port"], json!(bound.tcp.expect("TCP is on").port()));
    assert!(udp["priority"].as_u64() > tcp["priority"].as_u64());
}

#[tokio::test]
async fn force_tcp_offers_tcp_only() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = Member::new(&node, "call-1", "anna");
    let body = json!({"participantId": "anna", "direction": "recv", "forceTcp": true});
    let created = anna.post_json("/transports", &body).await;
    let candidates = created.data()["iceCandidates"]
        .as_array()
        .expect("candidates")
        .clone();
    assert_eq!(candidates.len(), 1);
    assert_eq!(candidates[0]["protocol"], "tcp");
}

#[tokio::test]
async fn force_tcp_is_refused_where_there_is_no_tcp() {
    let node = TestNode::with(|config, _| config.media.tcp = IceTcp::Disabled).await;
    node.room("call-1").await;
    let anna = Member::new(&node, "call-1", "anna");
    let body = json!({"participantId": "anna", "direction": "recv", "forceTcp": true});
    anna.post_json("/transports", &body)
        .await
        .fails(400, "INVALID_REQUEST");
    let plain = anna.transport("recv").await;
    assert_eq!(plain.data()["iceCandidates"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn every_announced_address_is_a_candidate() {
    let addresses = ["127.0.0.1", "192.0.2.7"];
    let node = TestNode::with(|config, _| {
        config.media.announced = addresses
            .iter()
            .map(|text| text.parse().expect("an address"))
            .collect();
    })
    .await;
    node.room("call-1").await;
    let created = Member::new(&node, "call-1", "anna").transport("send").await;
    let candidates = created.data()["iceCandidates"]
        .as_array()
        .expect("candidates")
        .clone();
    let told: Vec<&str> = candidates
        .iter()
        .filter_map(|candidate| candidate["address"].as_str())
        .collect();
    assert_eq!(told, ["127.0.0.1", "192.0.2.7", "127.0.0.1", "192.0.2.7"]);
}

#[tokio::test]
async fn a_bad_request_for_a_transport_is_refused_before_any_work() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = Member::new(&node, "call-1", "anna");
    let bodies = [
        json!({"direction": "send"}),
        json!({"participantId": "anna"}),
        json!({"participantId": "anna", "direction": "sideways"}),
        json!({"participantId": 7, "direction": "send"}),
        json!({"participantId": "no spaces", "direction": "send"}),
        json!({"participantId": "anna", "direction": "send", "forceTcp": "yes"}),
        json!([]),
        json!(null),
    ];
    for body in bodies {
        anna.post_json("/transports", &body)
            .await
            .fails(400, "INVALID_REQUEST");
    }
    anna.post("/transports").await.fails(400, "INVALID_REQUEST");
    assert_eq!(anna.get("").await.data()["participantCount"], 0);
}

#[tokio::test]
async fn fields_nobody_knows_are_ignored() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let body = json!({
        "participantId": "anna", "direction": "send", "producing": true, "consuming": false, "sctp": {"x": 1}
    });
    Member::new(&node, "call-1", "anna")
        .post_json("/transports", &body)
        .await
        .data();
}

#[tokio::test]
async fn a_second_transport_of_a_direction_replaces_the_first() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let mut anna = node.member("call-1", "anna").await;
    let berta = node.member("call-1", "berta").await;
    anna.produce(audio(1)).await.data();
    let new = anna.transport("send").await.text("transportId");
    let old = std::mem::replace(&mut anna.send, new);
    assert_ne!(old, anna.send);
    let gone = anna
        .post_json(&format!("/transports/{old}/connect"), &dtls("client", "AA"))
        .await;
    gone.fails(404, "TRANSPORT_NOT_FOUND");
    assert_eq!(gone.body["error"]["details"]["transportId"], json!(old));
    assert_eq!(
        berta.get("").await.data()["producers"],
        json!([]),
        "its producers went with it"
    );
    assert_eq!(berta.get("").await.data()["participantCount"], 2);
    // The same source may be produced again, on the new one.
    anna.produce(audio(1)).await.data();
    assert_eq!(node.get(&service(), "/api/stats").await.data()["transports"], 4);
}

#[tokio::test]
async fn connecting_answers_at_once_and_repeats_with_equal_parameters_only() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let connect = format!("/transports/{}/connect", anna.send);
    anna.post_json(&connect, &dtls("client", "AA"))
        .await
        .says("Transport connected");
    anna.post_json(&connect, &dtls("client", "AA"))
        .await
        .says("Transport connected");
    anna.post_json(&connect, &dtls("client", "BB"))
        .await
        .fails(400, "INVALID_REQUEST");
    anna.post_json(&connect, &dtls("server", "AA"))
        .await
        .fails(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn every_role_of_the_client_can_be_connected() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    for (name, role) in [("anna", "client"), ("berta", "server"), ("carla", "auto")] {
        let member = node.member("call-1", name).await;
        let connect = format!("/transports/{}/connect", member.recv);
        member
            .post_json(&connect, &dtls(role, "0f"))
            .await
            .says("Transport connected");
    }
}

#[tokio::test]
async fn bad_dtls_parameters_are_refused() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    let connect = format!("/transports/{}/connect", anna.send);
    let with =
        |fingerprints: Value| json!({"dtlsParameters": {"role": "client", "fingerprints": fingerprints}});
    let value = ["AA"; 32].join(":");
    let bodies = [
        json!({}),
        json!({"dtlsParameters": {}}),
        with(json!([])),
        with(json!([{"algorithm": "md5", "value": value}])),
        with(json!([{"algorithm": "sha-256", "value": "AA:BB"}])),
        with(json!([{"algorithm": "sha-256", "value": "not hexadecimal"}])),
        json!({"dtlsParameters": {"role": "both", "fingerprints": [{"algorithm": "sha-256", "value": value}]}}),
    ];
    for body in bodies {
        anna.post_json(&connect, &body)
            .await
            .fails(400, "INVALID_REQUEST");
    }
    // None of them spoilt the transport.
    anna.post_json(&connect, &dtls("client", "AA"))
        .await
        .says("Transport connected");
}

#[tokio::test]
async fn transports_that_are_unknown_or_no_ids_are_not_found() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = node.member("call-1", "anna").await;
    for id in ["00000000-0000-4000-8000-000000000000", "nonsense"] {
        let connect = format!("/transports/{id}/connect");
        anna.post_json(&connect, &dtls("client", "AA"))
            .await
            .fails(404, "TRANSPORT_NOT_FOUND");
        anna.post(&format!("/transports/{id}/restart-ice"))
            .await
            .fails(404, "TRANSPORT_NOT_FOUND");
    }
}

#[tokio::test]
async fn restarting_ice_gives_new_credentials() {
    let node = TestNode::start().await;
    node.room("call-1").await;
    let anna = Member::new(&node, "call-1", "anna");
    let created = anna.transport("send").await;
    let path = format!("/transports/{}/restart-ice", created.text("transportId"));
    let first = &created.data()["iceParameters"];
    let restarted = anna.post(&path).await;
    let second = &restarted.data()["iceParameters"];
    assert_eq!(second["iceLite"], true);
    assert_ne!(first["usernameFragment"], second["usernameFragment"]);
    assert_ne!(first["password"], second["password"]);
}
