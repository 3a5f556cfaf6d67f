use serde_json::{Value, json};

use super::*;
use crate::field::FromJson;
use crate::produce;
use crate::supported::{CodecChoice, router_capabilities, uri};
use crate::types::RtcpFeedback;

fn router() -> RtpCapabilities {
    router_capabilities(&CodecChoice::DEFAULT)
}

/// What consumers of a track with these codecs and encodings may receive.
fn consumable(codecs: Value, encodings: Value) -> RtpParameters {
    let document =
        json!({"mid": "0", "codecs": codecs, "encodings": encodings, "rtcp": {"cname": "producer"}});
    let parameters = RtpParameters::from_json(&document).expect("well formed");
    let kind = parameters.codecs[0].kind();
    produce::negotiate(kind, &parameters, &router())
        .expect("supported")
        .consumable
}

fn codec(mime_type: &str, parameters: Value) -> Value {
    json!([{"mimeType": mime_type, "payloadType": 50, "clockRate": 90000, "parameters": parameters}])
}

fn vp8() -> RtpParameters {
    consumable(codec("video/VP8", json!({})), json!([{"ssrc": 1}]))
}

fn opus() -> RtpParameters {
    let codecs = json!([{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2}]);
    consumable(codecs, json!([{"ssrc": 1}]))
}

fn identity() -> ConsumerIdentity {
    ConsumerIdentity {
        ssrc: 7,
        rtx_ssrc: 8,
        mid: "3".to_owned(),
        cname: "someone".to_owned(),
    }
}

fn receive(consumable: &RtpParameters, capabilities: &RtpCapabilities) -> RtpParameters {
    negotiate(consumable, capabilities, identity()).expect("compatible")
}

/// The router's capabilities, changed.
fn changed(change: impl FnOnce(&mut RtpCapabilities)) -> RtpCapabilities {
    let mut capabilities = router();
    change(&mut capabilities);
    capabilities
}

#[test]
fn a_consumer_has_one_stream_of_its_own() {
    let consumer = serde_json::to_value(receive(&vp8(), &router())).expect("written");
    let extension = |uri: &str, id: u8| json!({"uri": uri, "id": id, "encrypt": false, "parameters": {}});
    let expected = json!({
        "mid": "3",
        "codecs": [
            {"mimeType": "video/VP8", "payloadType": 101, "clockRate": 90000, "parameters": {}, "rtcpFeedback": [
                {"type": "nack", "parameter": ""}, {"type": "nack", "parameter": "pli"},
                {"type": "ccm", "parameter": "fir"}, {"type": "transport-cc", "parameter": ""},
            ]},
            {"mimeType": "video/rtx", "payloadType": 102, "clockRate": 90000, "parameters": {"apt": 101},
             "rtcpFeedback": []},
        ],
        "headerExtensions": [
            extension(uri::MID, 1), extension(uri::ABS_SEND_TIME, 4), extension(uri::TRANSPORT_CC, 5),
            extension(uri::VIDEO_ORIENTATION, 11),
        ],
        "encodings": [{"ssrc": 7, "rtx": {"ssrc": 8}}],
        "rtcp": {"cname": "someone", "reducedSize": true},
    });
    assert_eq!(consumer, expected);
}

#[test]
fn audio_is_received_without_retransmissions() {
    let consumer = receive(&opus(), &router());
    assert_eq!(consumer.encodings[0].rtx, None);
    let [codec] = consumer.codecs.as_slice() else {
        panic!("audio has one codec");
    };
    assert_eq!((codec.payload_type, codec.channels), (100, Some(2)));
    // Transport-wide numbers are not sent with audio, so send times are left; the router offers no REMB for opus.
    assert!(codec.rtcp_feedback.is_empty());
    let ids: Vec<u8> = consumer
        .header_extensions
        .iter()
        .map(|extension| extension.id)
        .collect();
    assert_eq!(ids, [1, 4, 10]);
}

#[test]
fn retransmissions_need_the_client_s_for_that_very_codec() {
    let without_any = changed(|all| all.codecs.retain(|codec| codec.codec() != Codec::Rtx));
    let without_its_own = changed(|all| all.codecs.retain(|codec| codec.apt() != Some(101)));
    let wrong_rate = changed(|all| {
        for codec in all.codecs.iter_mut().filter(|codec| codec.apt() == Some(101)) {
            codec.clock_rate = 48_000;
        }
    });
    for capabilities in [without_any, without_its_own, wrong_rate] {
        let consumer = receive(&vp8(), &capabilities);
        let types: Vec<u8> = consumer.codecs.iter().map(|codec| codec.payload_type).collect();
        assert_eq!(types, [101]);
        assert_eq!(consumer.encodings[0].rtx, None);
    }
    // Numbers of the client's own make no difference.
    let renumbered = changed(|all| {
        for codec in &mut all.codecs {
            codec.preferred_payload_type -= 60;
            if let Some(apt) = codec.apt() {
                codec
                    .parameters
                    .insert("apt".to_owned(), u32::from(apt - 60).into());
            }
        }
    });
    assert_eq!(receive(&vp8(), &renumbered), receive(&vp8(), &router()));
}

#[test]
fn congestion_feedback_follows_the_extensions() {
    let rows: [(&[&str], &[&str]); 4] = [
        (&[], &["transport-cc"]),
        (&[uri::TRANSPORT_CC], &["goog-remb"]),
        (&[uri::ABS_SEND_TIME], &["transport-cc"]),
        (&[uri::TRANSPORT_CC, uri::ABS_SEND_TIME], &[]),
    ];
    for (missing, expected) in rows {
        let capabilities = changed(|all| {
            all.header_extensions
                .retain(|extension| !missing.contains(&extension.uri.as_str()));
        });
        let consumer = receive(&vp8(), &capabilities);
        let congestion: Vec<&str> = consumer.codecs[0]
            .rtcp_feedback
            .iter()
            .map(|feedback| feedback.kind.as_str())
            .filter(|kind| matches!(*kind, "transport-cc" | "goog-remb"))
            .collect();
        assert_eq!(congestion, expected, "without {missing:?}");
        assert!(consumer.codecs[0].has_feedback("nack", "pli"), "the rest stays");
    }
}

#[test]
fn feedback_is_what_both_sides_have() {
    let capabilities = changed(|all| {
        for codec in &mut all.codecs {
            codec.rtcp_feedback.retain(|feedback| !feedback.is("nack", ""));
            codec.rtcp_feedback.push(RtcpFeedback::new("x-new", ""));
        }
    });
    let codec = receive(&vp8(), &capabilities).codecs.swap_remove(0);
    assert!(!codec.has_feedback("nack", ""), "the client has no NACK");
    assert!(!codec.has_feedback("x-new", ""), "the router knows nothing of it");
    assert!(codec.has_feedback("ccm", "fir"));
}

#[test]
fn extensions_need_kind_uri_and_id() {
    let spoil = |change: fn(&mut crate::types::RtpHeaderExtension)| {
        let capabilities = changed(|all| {
            for extension in all
                .header_extensions
                .iter_mut()
                .filter(|extension| extension.uri == uri::MID)
            {
                change(extension);
            }
        });
        let consumer = receive(&vp8(), &capabilities);
        consumer
            .header_extensions
            .iter()
            .any(|extension| extension.uri == uri::MID)
    };
    assert!(spoil(|_| {}));
    assert!(!spoil(|extension| extension.preferred_id = 9));
    assert!(!spoil(|extension| extension.uri.push('x')));
    assert!(!spoil(|extension| extension.kind = MediaKind::Audio));
}

#[test]
fn layers_become_those_of_one_stream() {
    let vp8 = || codec("video/VP8", json!({}));
    let vp9 = || codec("video/VP9", json!({}));
    let rows = [
        (vp8(), json!([{"ssrc": 1}]), None),
        (
            vp8(),
            json!([{"ssrc": 1, "scalabilityMode": "L1T3"}]),
            Some("L1T3"),
        ),
        (vp8(), json!([{"rid": "a"}, {"rid": "b"}]), Some("L2T1")),
        (
            vp8(),
            json!([
                {"rid": "a", "scalabilityMode": "L1T3"}, {"rid": "b", "scalabilityMode": "L1T3"},
                {"rid": "c", "scalabilityMode": "L1T3"},
            ]),
            Some("L3T3"),
        ),
        (
            vp8(),
            json!([{"rid": "a"}, {"rid": "b", "scalabilityMode": "L1T2"}]),
            Some("L2T2"),
        ),
        (
            vp9(),
            json!([{"ssrc": 1, "scalabilityMode": "L3T3_KEY"}]),
            Some("L3T3_KEY"),
        ),
        (
            vp9(),
            json!([{"ssrc": 1, "scalabilityMode": "S3T3"}]),
            Some("S3T3"),
        ),
    ];
    for (codecs, encodings, expected) in rows {
        let consumer = receive(&consumable(codecs, encodings.clone()), &router());
        assert_eq!(consumer.encodings.len(), 1);
        assert_eq!(
            consumer.encodings[0].scalability_mode.as_deref(),
            expected,
            "{encodings}"
        );
    }
}

#[test]
fn the_highest_bitrate_of_all_streams_counts() {
    let encodings =
        json!([{"rid": "a", "maxBitrate": 100_000}, {"rid": "b", "maxBitrate": 900_000}, {"rid": "c"}]);
    let consumer = receive(&consumable(codec("video/VP8", json!({})), encodings), &router());
    assert_eq!(consumer.encodings[0].max_bitrate, Some(900_000));
}

#[test]
fn a_client_without_the_codec_receives_nothing() {
    let h264 = |mode: u32, id: &str| {
        RtpCapabilities::from_json(&json!({"codecs": [
            {"mimeType": "video/H264", "preferredPayloadType": 103, "clockRate": 90000,
             "parameters": {"packetization-mode": mode, "profile-level-id": id}},
        ]}))
        .expect("well formed")
    };
    let sent = consumable(
        codec(
            "video/H264",
            json!({"packetization-mode": 1, "profile-level-id": "42e01f"}),
        ),
        json!([{"ssrc": 1}]),
    );
    let vp8_only = router_capabilities(&[CodecChoice::Vp8]);
    let rtx_only = changed(|all| all.codecs.retain(|codec| codec.codec() == Codec::Rtx));
    let rows = [
        (h264(1, "42e01f"), true),
        (h264(1, "42c034"), true),
        (h264(0, "42e01f"), false),
        (h264(1, "64001f"), false),
        (vp8_only, false),
        (rtx_only, false),
        (RtpCapabilities::default(), false),
        (router(), true),
    ];
    for (capabilities, expected) in rows {
        assert_eq!(can_consume(&sent, &capabilities), expected);
        let outcome = negotiate(&sent, &capabilities, identity()).map(|_| ());
        assert_eq!(
            outcome,
            if expected {
                Ok(())
            } else {
                Err(ConsumeError::NoCompatibleCodec)
            }
        );
    }
}

#[test]
fn of_several_codecs_the_known_ones_remain() {
    let codecs = json!([
        {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000},
        {"mimeType": "video/AV1", "payloadType": 45, "clockRate": 90000},
    ]);
    let sent = consumable(codecs, json!([{"ssrc": 1}]));
    let types = |choices: &[CodecChoice]| -> Vec<u8> {
        let consumer = receive(&sent, &router_capabilities(choices));
        consumer.codecs.iter().map(|codec| codec.payload_type).collect()
    };
    assert_eq!(types(&CodecChoice::DEFAULT), [101, 102, 109, 110]);
    assert_eq!(types(&[CodecChoice::H264, CodecChoice::Vp8]), [101, 102]);
    assert!(
        !can_consume(&sent, &router_capabilities(&[CodecChoice::Av1])),
        "VP8 is what is sent"
    );
}
