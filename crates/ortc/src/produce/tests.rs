use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::field::FromJson;
use crate::fuzz;
use crate::supported::{CodecChoice, router_capabilities, uri};
use crate::types::arbitrary::{capabilities, damaged_parameters, rtp_parameters};

fn router() -> RtpCapabilities {
    router_capabilities(&CodecChoice::DEFAULT)
}

/// A camera in VP8 with retransmissions, numbered as Chrome does.
fn camera() -> Value {
    json!({
        "mid": "1",
        "codecs": [
            {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000, "parameters": {},
             "rtcpFeedback": [{"type": "nack", "parameter": ""}, {"type": "nack", "parameter": "pli"}]},
            {"mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": 96}},
        ],
        "headerExtensions": [
            {"uri": uri::MID, "id": 4}, {"uri": uri::RID, "id": 10}, {"uri": uri::REPAIRED_RID, "id": 11},
            {"uri": uri::ABS_SEND_TIME, "id": 2}, {"uri": uri::TRANSPORT_CC, "id": 3},
            {"uri": uri::VIDEO_ORIENTATION, "id": 13}, {"uri": "urn:ietf:params:rtp-hdrext:toffset", "id": 14},
        ],
        "encodings": [{"ssrc": 11, "rtx": {"ssrc": 12}}],
        "rtcp": {"cname": "someone", "reducedSize": true},
    })
}

/// A parameters document in which one member is replaced.
fn with(mut document: Value, member: &str, value: Value) -> Value {
    document[member] = value;
    document
}

fn offer(document: &Value) -> Result<ProducerNegotiation, ProduceError> {
    let parameters = RtpParameters::from_json(document).expect("well formed");
    negotiate(MediaKind::Video, &parameters, &router())
}

fn pairs(negotiation: &ProducerNegotiation) -> Vec<(u8, u8)> {
    negotiation
        .mapping
        .codecs
        .iter()
        .map(|entry| (entry.payload_type, entry.mapped_payload_type))
        .collect()
}

fn video(mime_type: &str, payload_type: u8, parameters: Value) -> Value {
    json!({"mimeType": mime_type, "payloadType": payload_type, "clockRate": 90000, "parameters": parameters})
}

#[test]
fn payload_types_become_the_router_s() {
    let h264 = json!({"packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1});
    let rtx = |payload_type: u8, apt: Value| video("video/rtx", payload_type, json!({"apt": apt}));
    let rows = [
        (
            json!([video("video/VP8", 96, json!({})), rtx(97, json!(96))]),
            vec![(96, 101), (97, 102)],
        ),
        (
            json!([video("VIDEO/vp8", 120, json!({})), rtx(124, json!("120"))]),
            vec![(120, 101), (124, 102)],
        ),
        (json!([video("video/VP8", 96, json!({}))]), vec![(96, 101)]),
        (
            json!([rtx(109, json!(108)), video("video/H264", 108, h264)]),
            vec![(108, 103), (109, 104)],
        ),
        (
            json!([video("video/VP9", 98, json!({"profile-id": 0}))]),
            vec![(98, 105)],
        ),
        (json!([video("video/VP9", 98, json!({}))]), vec![(98, 105)]),
        (
            json!([video("video/VP9", 100, json!({"profile-id": 2}))]),
            vec![(100, 107)],
        ),
        (
            json!([video(
                "video/AV1",
                45,
                json!({"level-idx": 5, "profile": 0, "tier": 0})
            )]),
            vec![(45, 109)],
        ),
        (
            json!([
                video("video/VP8", 96, json!({})),
                video("video/VP9", 98, json!({})),
                rtx(99, json!(98))
            ]),
            vec![(96, 101), (98, 105), (99, 106)],
        ),
        // The router's own numbers, for other codecs.
        (
            json!([video("video/AV1", 101, json!({})), rtx(109, json!(101))]),
            vec![(101, 109), (109, 110)],
        ),
    ];
    for (codecs, expected) in rows {
        let negotiation = offer(&with(camera(), "codecs", codecs.clone())).expect("supported");
        assert_eq!(pairs(&negotiation), expected, "{codecs}");
        assert_eq!(
            negotiation.mapping.payload_type(expected[0].0),
            Some(expected[0].1)
        );
    }
    let negotiation = offer(&camera()).expect("supported");
    assert_eq!(negotiation.mapping.payload_type(50), None);
}

#[test]
fn unusable_tracks_are_refused_by_reason() {
    let codecs = |codecs: Value| with(camera(), "codecs", codecs);
    let encodings = |encodings: Value| with(camera(), "encodings", encodings);
    let vp8 = || video("video/VP8", 96, json!({}));
    let unsupported = |mime_type: &str, payload_type| ProduceError::UnsupportedCodec {
        mime_type: mime_type.to_owned(),
        payload_type,
    };
    let layers = |mime_type: &str| ProduceError::UnsupportedLayers {
        mime_type: mime_type.to_owned(),
    };
    let no_mid = |document: Value| with(document, "mid", Value::Null);
    let rows = [
        (codecs(json!([])), ProduceError::NoMediaCodec),
        (
            codecs(json!([video("video/H265", 96, json!({}))])),
            unsupported("video/H265", 96),
        ),
        (
            codecs(json!([vp8(), video("video/ulpfec", 125, json!({}))])),
            unsupported("video/ulpfec", 125),
        ),
        (
            codecs(json!([video(
                "video/H264",
                96,
                json!({"profile-level-id": "42e01f"})
            )])),
            unsupported("video/H264", 96),
        ),
        (
            codecs(json!([video("video/VP9", 96, json!({"profile-id": 1}))])),
            unsupported("video/VP9", 96),
        ),
        (
            codecs(
                json!([{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2}]),
            ),
            ProduceError::WrongKind {
                mime_type: "audio/opus".to_owned(),
            },
        ),
        (
            codecs(json!([vp8(), video("video/AV1", 96, json!({}))])),
            ProduceError::DuplicatePayloadType(96),
        ),
        (
            codecs(json!([vp8(), video("video/VP8", 98, json!({}))])),
            ProduceError::DuplicateCodec {
                first: 96,
                second: 98,
            },
        ),
        (
            codecs(json!([vp8(), video("video/rtx", 97, json!({"apt": 98}))])),
            ProduceError::StrayRtx(97),
        ),
        (
            codecs(json!([vp8(), video("video/rtx", 97, json!({}))])),
            ProduceError::StrayRtx(97),
        ),
        (
            codecs(json!([vp8(), video("video/rtx", 97, json!({"apt": 97}))])),
            ProduceError::StrayRtx(97),
        ),
        (
            codecs(json!([video("video/rtx", 97, json!({"apt": 96}))])),
            ProduceError::NoMediaCodec,
        ),
        (
            codecs(json!([
                vp8(),
                video("video/rtx", 97, json!({"apt": 96})),
                video("video/rtx", 98, json!({"apt": 96})),
            ])),
            ProduceError::DuplicateCodec {
                first: 97,
                second: 98,
            },
        ),
        (
            with(
                camera(),
                "headerExtensions",
                json!([{"uri": "urn:a", "id": 1}, {"uri": "urn:b", "id": 1}]),
            ),
            ProduceError::DuplicateExtensionId(1),
        ),
        (
            with(camera(), "mid", json!("seventeen letters")),
            ProduceError::InvalidMid,
        ),
        (with(camera(), "mid", json!("a b")), ProduceError::InvalidMid),
        (
            with(camera(), "rtcp", json!({"cname": "x".repeat(256)})),
            ProduceError::InvalidCname,
        ),
        (
            no_mid(encodings(json!([]))),
            ProduceError::UnidentifiedEncoding(0),
        ),
        (
            encodings(json!([{"rid": "r0"}, {}])),
            ProduceError::UnidentifiedEncoding(1),
        ),
        (
            encodings(json!([{"rid": "r0"}, {"rid": "r0"}])),
            ProduceError::DuplicateRid("r0".to_owned()),
        ),
        (encodings(json!([{"rid": "r/0"}])), ProduceError::InvalidRid),
        (
            encodings(json!([{"rid": "r0123456789abcdef"}])),
            ProduceError::InvalidRid,
        ),
        (
            encodings(json!([{"ssrc": 1}, {"ssrc": 1}])),
            ProduceError::DuplicateSsrc(1),
        ),
        (
            encodings(json!([{"ssrc": 1, "rtx": {"ssrc": 1}}])),
            ProduceError::DuplicateSsrc(1),
        ),
        (
            encodings((0..9).map(|ssrc| json!({"ssrc": ssrc})).collect()),
            ProduceError::TooManyEncodings,
        ),
        (
            encodings(json!([{"ssrc": 1, "codecPayloadType": 97}])),
            ProduceError::UnknownEncodingCodec(0),
        ),
        (
            encodings(json!([{"ssrc": 1, "scalabilityMode": "L3T3"}])),
            layers("video/VP8"),
        ),
        (
            with(
                encodings(json!([{"rid": "a"}, {"rid": "b"}])),
                "codecs",
                json!([video("video/AV1", 45, json!({}))]),
            ),
            layers("video/AV1"),
        ),
        (
            encodings(json!([{"rid": "a", "scalabilityMode": "L2T1"}, {"rid": "b"}])),
            layers("video/VP8"),
        ),
    ];
    offer(&camera()).expect("the camera is fine before it is spoilt");
    for (document, expected) in rows {
        assert_eq!(offer(&document), Err(expected), "{document}");
    }
}

#[test]
fn a_codec_that_was_not_configured_is_refused() {
    let parameters = RtpParameters::from_json(&camera()).expect("well formed");
    let router = router_capabilities(&[CodecChoice::Opus, CodecChoice::H264]);
    let error = negotiate(MediaKind::Video, &parameters, &router).expect_err("VP8 is not offered");
    assert_eq!(
        error.to_string(),
        "codecs: video/VP8 with payload type 96 is not supported"
    );
}

#[test]
fn the_extensions_the_router_reads_are_mapped() {
    let negotiation = offer(&camera()).expect("supported");
    let mapped: Vec<_> = negotiation
        .mapping
        .header_extensions
        .iter()
        .map(|entry| (entry.uri.as_str(), entry.id, entry.mapped_id))
        .collect();
    let expected = [
        (uri::MID, 4, 1),
        (uri::RID, 10, 2),
        (uri::REPAIRED_RID, 11, 3),
        (uri::ABS_SEND_TIME, 2, 4),
        (uri::TRANSPORT_CC, 3, 5),
        (uri::VIDEO_ORIENTATION, 13, 11),
    ];
    assert_eq!(mapped, expected, "toffset is not read");

    let twice =
        json!([{"uri": uri::MID, "id": 4}, {"uri": uri::MID, "id": 5}, {"uri": uri::AUDIO_LEVEL, "id": 6}]);
    let negotiation = offer(&with(camera(), "headerExtensions", twice)).expect("supported");
    let [only] = negotiation.mapping.header_extensions.as_slice() else {
        panic!("the first MID counts, and loudness is for audio");
    };
    assert_eq!((only.id, only.mapped_id), (4, 1));
}

#[test]
fn consumers_may_receive_what_the_router_sends() {
    let negotiation = offer(&camera()).expect("supported");
    let consumable = serde_json::to_value(&negotiation.consumable).expect("written");
    let feedback = json!([
        {"type": "nack", "parameter": ""}, {"type": "nack", "parameter": "pli"}, {"type": "ccm", "parameter": "fir"},
        {"type": "goog-remb", "parameter": ""}, {"type": "transport-cc", "parameter": ""},
    ]);
    let extension = |uri: &str, id: u8| json!({"uri": uri, "id": id, "encrypt": false, "parameters": {}});
    let expected = json!({
        "codecs": [
            {"mimeType": "video/VP8", "payloadType": 101, "clockRate": 90000, "parameters": {},
             "rtcpFeedback": feedback},
            {"mimeType": "video/rtx", "payloadType": 102, "clockRate": 90000, "parameters": {"apt": 101},
             "rtcpFeedback": []},
        ],
        "headerExtensions": [
            extension(uri::MID, 1), extension(uri::ABS_SEND_TIME, 4), extension(uri::TRANSPORT_CC, 5),
            extension(uri::VIDEO_ORIENTATION, 11),
        ],
        "encodings": [{}],
        "rtcp": {"cname": "someone", "reducedSize": true},
    });
    assert_eq!(consumable, expected);
}

#[test]
fn consumers_may_be_offered_retransmissions_the_producer_lacks() {
    let alone = with(camera(), "codecs", json!([video("video/VP8", 96, json!({}))]));
    let negotiation = offer(&alone).expect("supported");
    let types: Vec<u8> = negotiation
        .consumable
        .codecs
        .iter()
        .map(|codec| codec.payload_type)
        .collect();
    assert_eq!(types, [101, 102]);
}

#[test]
fn a_producer_s_codec_parameters_reach_its_consumers() {
    let opus = json!({
        "mid": "0",
        "codecs": [{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2,
                    "parameters": {"minptime": 10, "useinbandfec": 1, "sprop-stereo": 1, "usedtx": 1}}],
        "headerExtensions": [{"uri": uri::AUDIO_LEVEL, "id": 1}],
        "encodings": [{"ssrc": 1, "dtx": true, "maxBitrate": 64000}],
    });
    let parameters = RtpParameters::from_json(&opus).expect("well formed");
    let negotiation = negotiate(MediaKind::Audio, &parameters, &router()).expect("supported");
    assert_eq!(negotiation.kind_of, ConsumerType::Simple);
    let [codec] = negotiation.consumable.codecs.as_slice() else {
        panic!("audio has no retransmissions");
    };
    assert_eq!((codec.payload_type, codec.channels), (100, Some(2)));
    assert_eq!(codec.parameters.get("sprop-stereo"), Some(&1.into()));
    let ids: Vec<u8> = negotiation
        .consumable
        .header_extensions
        .iter()
        .map(|extension| extension.id)
        .collect();
    assert_eq!(ids, [1, 4, 10], "transport-wide numbers are not sent with audio");
    let expected = RtpEncodingParameters {
        dtx: Some(true),
        max_bitrate: Some(64_000),
        ..RtpEncodingParameters::default()
    };
    assert_eq!(negotiation.consumable.encodings, [expected]);
}

#[test]
fn the_h264_level_is_agreed_on() {
    for (stated, asymmetry, agreed) in [
        (json!("42e034"), 0, "42e01f"),
        (json!("42e034"), 1, "42e034"),
        (json!("42c00d"), 1, "42e00d"),
        (Value::Null, 1, "42e01f"),
    ] {
        let parameters = json!({
            "packetization-mode": 1, "profile-level-id": stated, "level-asymmetry-allowed": asymmetry,
        });
        let codecs = json!([video("video/H264", 108, parameters)]);
        let negotiation = offer(&with(camera(), "codecs", codecs)).expect("supported");
        for parameters in [&negotiation.parameters, &negotiation.consumable] {
            let id = parameters.codecs[0]
                .parameters
                .get("profile-level-id")
                .and_then(ParameterValue::text);
            assert_eq!(id, Some(agreed), "{stated} with asymmetry {asymmetry}");
        }
    }
}

#[test]
fn streams_and_layers_decide_how_consumers_choose() {
    let h264 = json!({"packetization-mode": 1, "profile-level-id": "42e01f"});
    let rows = [
        ("video/VP8", json!([{"ssrc": 1}]), ConsumerType::Simple),
        ("video/VP8", json!([]), ConsumerType::Simple),
        (
            "video/VP8",
            json!([{"ssrc": 1, "scalabilityMode": "L1T1"}]),
            ConsumerType::Simple,
        ),
        (
            "video/VP8",
            json!([{"ssrc": 1, "scalabilityMode": "nonsense"}]),
            ConsumerType::Simple,
        ),
        (
            "video/VP8",
            json!([{"ssrc": 1, "scalabilityMode": "L1T3"}]),
            ConsumerType::Simulcast,
        ),
        (
            "video/VP8",
            json!([{"rid": "r0"}, {"rid": "r1"}, {"rid": "r2"}]),
            ConsumerType::Simulcast,
        ),
        (
            "video/H264",
            json!([{"rid": "r0"}, {"rid": "r1"}]),
            ConsumerType::Simulcast,
        ),
        (
            "video/H264",
            json!([{"ssrc": 5}, {"ssrc": 6}]),
            ConsumerType::Simulcast,
        ),
        (
            "video/VP9",
            json!([{"ssrc": 1, "scalabilityMode": "L3T3_KEY"}]),
            ConsumerType::Svc,
        ),
        ("video/VP9", json!([{"ssrc": 1}]), ConsumerType::Simple),
        (
            "video/AV1",
            json!([{"ssrc": 1, "scalabilityMode": "L1T2"}]),
            ConsumerType::Svc,
        ),
    ];
    for (mime_type, encodings, expected) in rows {
        let parameters = if mime_type == "video/H264" {
            h264.clone()
        } else {
            json!({})
        };
        let document = with(camera(), "codecs", json!([video(mime_type, 96, parameters)]));
        let negotiation = offer(&with(document, "encodings", encodings.clone())).expect("supported");
        assert_eq!(negotiation.kind_of, expected, "{mime_type} {encodings}");
    }
}

#[test]
fn an_encoding_may_name_another_codec_than_the_first() {
    let codecs = json!([
        video("video/VP8", 96, json!({})),
        video("video/VP9", 98, json!({}))
    ]);
    let encodings = json!([{"ssrc": 1, "codecPayloadType": 98, "scalabilityMode": "L2T2"}]);
    let document = with(with(camera(), "codecs", codecs), "encodings", encodings);
    assert_eq!(
        offer(&document).expect("VP9 has spatial layers").kind_of,
        ConsumerType::Svc
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn promises_hold_for_any_parameters(parameters in rtp_parameters(), capabilities in capabilities()) {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            if let Ok(negotiation) = negotiate(kind, &parameters, &router()) {
                fuzz::check_producer(&negotiation, &router());
                fuzz::check_consumer(&negotiation, &capabilities);
            }
        }
    }

    #[test]
    fn any_router_is_survived(parameters in rtp_parameters(), router in capabilities()) {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let _ = negotiate(kind, &parameters, &router);
        }
    }

    #[test]
    fn damaged_json_is_survived(parameters in damaged_parameters()) {
        let document = json!({"parameters": parameters});
        fuzz::negotiate_json(&serde_json::to_vec(&document).expect("written"));
    }

    #[test]
    fn supported_codecs_are_accepted_under_any_numbers(
        payload_type in 0u8..=127,
        distance in 1u8..=127,
        pick: prop::sample::Index,
    ) {
        let router = router();
        let offered: Vec<_> = router
            .codecs
            .iter()
            .filter(|codec| codec.kind == MediaKind::Video && codec.codec() != Codec::Rtx)
            .collect();
        let offered = *pick.get(&offered);
        let codec = RtpCodecParameters { payload_type, ..offered_parameters(offered) };
        let rtx = RtpCodecParameters {
            payload_type: (payload_type + distance) % 128,
            parameters: [("apt".to_owned(), u32::from(payload_type).into())].into(),
            ..offered_parameters(rtx_of(offered, &router).expect("every video codec is retransmitted"))
        };
        let parameters = RtpParameters {
            mid: Some("0".to_owned()),
            codecs: vec![codec, rtx],
            ..RtpParameters::default()
        };
        let negotiation = negotiate(MediaKind::Video, &parameters, &router).expect("supported");
        let expected = [offered.preferred_payload_type, offered.preferred_payload_type + 1];
        let mapped: Vec<u8> = negotiation.mapping.codecs.iter().map(|entry| entry.mapped_payload_type).collect();
        prop_assert_eq!(mapped, expected);
    }
}
