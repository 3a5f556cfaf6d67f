//! What real browsers say, negotiated as mediasoup negotiates it (see `fixtures/README.md`).

use std::collections::BTreeSet;

use ortc::consume::{self, ConsumerIdentity};
use ortc::{
    CodecChoice, ConsumerType, MediaKind, RtpCapabilities, RtpParameters, produce,
    supported::router_capabilities,
};
use serde_json::{Value, json};

const BROWSERS: [(&str, &str); 3] = [
    ("chrome", include_str!("fixtures/chrome.json")),
    ("firefox", include_str!("fixtures/firefox.json")),
    ("safari", include_str!("fixtures/safari.json")),
];

fn mediasoup() -> Value {
    serde_json::from_str(include_str!("fixtures/mediasoup.json")).expect("the fixture is JSON")
}

fn router() -> RtpCapabilities {
    router_capabilities(&CodecChoice::DEFAULT)
}

fn identity() -> ConsumerIdentity {
    ConsumerIdentity {
        ssrc: 1,
        rtx_ssrc: 2,
        mid: "0".to_owned(),
        cname: "c0ffee".to_owned(),
    }
}

/// What a browser sends in one codec, with mediasoup's answer.
struct Sent {
    browser: String,
    mime_type: String,
    parameters: RtpParameters,
    answer: Value,
}

fn sent() -> Vec<Sent> {
    let mut all = Vec::new();
    for (browser, entry) in mediasoup().as_object().expect("browsers by name") {
        for answer in entry["sends"].as_array().expect("a list") {
            let parameters: RtpParameters = serde_json::from_value(answer["parameters"].clone())
                .expect("what a browser sends is well formed");
            let mime_type = parameters.codecs[0].mime_type.clone();
            all.push(Sent {
                browser: browser.clone(),
                mime_type,
                parameters,
                answer: answer.clone(),
            });
        }
    }
    all
}

fn kind(parameters: &RtpParameters) -> MediaKind {
    parameters.codecs[0].kind()
}

/// A consumer's parameters in the short form of the fixture, feedback without an order.
fn summary(parameters: &RtpParameters) -> (Vec<(u64, BTreeSet<String>)>, Value, Value) {
    let codecs = parameters
        .codecs
        .iter()
        .map(|codec| {
            let words = codec
                .rtcp_feedback
                .iter()
                .map(|feedback| format!("{} {}", feedback.kind, feedback.parameter));
            (
                u64::from(codec.payload_type),
                words.map(|words| words.trim().to_owned()).collect(),
            )
        })
        .collect();
    let extensions = parameters
        .header_extensions
        .iter()
        .map(|extension| json!(extension.id))
        .collect();
    let mut encoding = serde_json::to_value(&parameters.encodings[0]).expect("written");
    let members = encoding.as_object_mut().expect("an object");
    members.remove("ssrc");
    if let Some(rtx) = members.get_mut("rtx") {
        *rtx = json!(true);
    }
    (codecs, extensions, encoding)
}

/// The same of the fixture.
fn expected(received: &Value) -> (Vec<(u64, BTreeSet<String>)>, Value, Value) {
    let codecs: Vec<(u64, BTreeSet<String>)> =
        serde_json::from_value(received["codecs"].clone()).expect("payload types with feedback");
    (
        codecs,
        received["headerExtensions"].clone(),
        received["encoding"].clone(),
    )
}

#[test]
fn producers_are_mapped_as_mediasoup_maps_them() {
    let mut seen = BTreeSet::new();
    for sent in sent() {
        let name = format!("{} sending {}", sent.browser, sent.mime_type);
        let negotiation = produce::negotiate(kind(&sent.parameters), &sent.parameters, &router())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mapping: Value = negotiation
            .mapping
            .codecs
            .iter()
            .map(|entry| json!([entry.payload_type, entry.mapped_payload_type]))
            .collect();
        assert_eq!(mapping, sent.answer["mapping"], "{name}");
        let expected = match sent.mime_type.as_str() {
            "audio/opus" => ConsumerType::Simple,
            "video/VP8" | "video/H264" => ConsumerType::Simulcast,
            _ => ConsumerType::Svc,
        };
        assert_eq!(negotiation.kind_of, expected, "{name}");
        seen.insert((sent.browser, sent.mime_type));
    }
    assert!(seen.contains(&("chrome".to_owned(), "video/AV1".to_owned())));
    assert!(seen.contains(&("safari".to_owned(), "video/H264".to_owned())));
    assert!(
        !seen.contains(&("firefox".to_owned(), "video/H264".to_owned())),
        "this Firefox has none"
    );
}

#[test]
fn consumers_receive_what_mediasoup_gives_them() {
    let mediasoup = mediasoup();
    let mut refused = 0;
    for sent in sent() {
        let negotiation = produce::negotiate(kind(&sent.parameters), &sent.parameters, &router())
            .expect("accepted by the test before");
        for (receiver, received) in sent.answer["received"].as_object().expect("receivers by name") {
            let name = format!("{} sending {} to {receiver}", sent.browser, sent.mime_type);
            let capabilities: RtpCapabilities =
                serde_json::from_value(mediasoup[receiver]["receives"].clone()).expect("well formed");
            let consumer = consume::negotiate(&negotiation.consumable, &capabilities, identity());
            if received.is_null() {
                assert!(consumer.is_err(), "{name}");
                refused += 1;
                continue;
            }
            let consumer = consumer.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(summary(&consumer), expected(received), "{name}");
            // Contract §1.8.4: the client knows the first codec from the router's offer.
            let first = &consumer.codecs[0];
            let offered = router()
                .codecs
                .into_iter()
                .find(|codec| codec.preferred_payload_type == first.payload_type);
            assert_eq!(
                offered.map(|codec| codec.mime_type),
                Some(first.mime_type.clone()),
                "{name}"
            );
        }
    }
    assert!(refused > 0, "some browsers lack some codecs");
}

#[test]
fn a_browser_s_own_capabilities_are_understood() {
    for (browser, text) in BROWSERS {
        let capabilities: RtpCapabilities = serde_json::from_str(text).expect("unknown codecs are tolerated");
        let count = serde_json::from_str::<Value>(text).expect("JSON")["codecs"]
            .as_array()
            .map(Vec::len);
        assert_eq!(Some(capabilities.codecs.len()), count, "nothing is dropped");
        for sent in sent() {
            let negotiation = produce::negotiate(kind(&sent.parameters), &sent.parameters, &router())
                .expect("accepted by the test before");
            // The browser's own payload types do not matter for whether it can receive, nor for retransmissions.
            let consumer = consume::negotiate(&negotiation.consumable, &capabilities, identity()).ok();
            let received = &sent.answer["received"][browser];
            assert_eq!(
                consumer.is_some(),
                !received.is_null(),
                "{} to {browser}",
                sent.mime_type
            );
            if let Some(consumer) = consumer {
                assert_eq!(
                    consumer.encodings[0].rtx.is_some(),
                    received["encoding"]["rtx"] == json!(true)
                );
            }
        }
    }
}

#[test]
fn what_a_browser_sends_survives_writing() {
    for sent in sent() {
        let text = serde_json::to_string(&sent.parameters).expect("written");
        assert_eq!(
            serde_json::from_str::<RtpParameters>(&text).expect("read"),
            sent.parameters
        );
    }
}
