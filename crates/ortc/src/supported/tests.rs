use serde_json::{Value, json};

use super::*;
use crate::probator;

const VIDEO_FEEDBACK: [(&str, &str); 5] = [
    ("nack", ""),
    ("nack", "pli"),
    ("ccm", "fir"),
    ("goog-remb", ""),
    ("transport-cc", ""),
];

fn video_feedback() -> Value {
    VIDEO_FEEDBACK
        .iter()
        .map(|(kind, parameter)| json!({"type": kind, "parameter": parameter}))
        .collect()
}

#[test]
fn the_default_offer_is_the_contract_s() {
    let video = |mime_type: &str, payload_type: u8, parameters: Value| {
        json!({"kind": "video", "mimeType": mime_type, "preferredPayloadType": payload_type, "clockRate": 90000,
               "parameters": parameters, "rtcpFeedback": video_feedback()})
    };
    let rtx = |payload_type: u8| {
        json!({"kind": "video", "mimeType": "video/rtx", "preferredPayloadType": payload_type, "clockRate": 90000,
               "parameters": {"apt": payload_type - 1}, "rtcpFeedback": []})
    };
    let opus = json!({
        "kind": "audio", "mimeType": "audio/opus", "preferredPayloadType": 100, "clockRate": 48000, "channels": 2,
        "parameters": {"minptime": 10, "useinbandfec": 1, "usedtx": 1},
        "rtcpFeedback": [{"type": "nack", "parameter": ""}, {"type": "transport-cc", "parameter": ""}],
    });
    let h264 = json!({"packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1});
    let expected = json!([
        opus,
        video("video/VP8", 101, json!({"x-google-start-bitrate": 1000})),
        rtx(102),
        video("video/H264", 103, h264),
        rtx(104),
        video("video/VP9", 105, json!({"profile-id": 0})),
        rtx(106),
        video("video/VP9", 107, json!({"profile-id": 2})),
        rtx(108),
        video("video/AV1", 109, json!({})),
        rtx(110),
    ]);
    let offer = serde_json::to_value(router_capabilities(&CodecChoice::DEFAULT)).expect("written");
    assert_eq!(offer["codecs"], expected);
}

#[test]
fn header_extensions_are_the_contract_s() {
    let offer = router_capabilities(&CodecChoice::DEFAULT);
    let listed: Vec<_> = offer
        .header_extensions
        .iter()
        .map(|extension| {
            assert!(!extension.preferred_encrypt);
            (
                extension.kind.as_str(),
                extension.uri.as_str(),
                extension.preferred_id,
                extension.direction,
            )
        })
        .collect();
    let expected = [
        (
            "audio",
            "urn:ietf:params:rtp-hdrext:sdes:mid",
            1,
            Direction::Sendrecv,
        ),
        (
            "video",
            "urn:ietf:params:rtp-hdrext:sdes:mid",
            1,
            Direction::Sendrecv,
        ),
        (
            "video",
            "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            2,
            Direction::Recvonly,
        ),
        (
            "video",
            "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            3,
            Direction::Recvonly,
        ),
        (
            "audio",
            "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            4,
            Direction::Sendrecv,
        ),
        (
            "video",
            "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            4,
            Direction::Sendrecv,
        ),
        (
            "audio",
            "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            5,
            Direction::Recvonly,
        ),
        (
            "video",
            "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            5,
            Direction::Sendrecv,
        ),
        (
            "video",
            "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
            8,
            Direction::Recvonly,
        ),
        (
            "audio",
            "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            10,
            Direction::Sendrecv,
        ),
        ("video", "urn:3gpp:video-orientation", 11, Direction::Sendrecv),
    ];
    assert_eq!(listed, expected);
}

/// Every selection of codecs in every order, repetitions included, up to four.
fn selections() -> Vec<Vec<CodecChoice>> {
    let mut all: Vec<Vec<CodecChoice>> = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..4 {
        last = last
            .iter()
            .flat_map(|prefix| {
                CodecChoice::DEFAULT
                    .iter()
                    .map(|choice| prefix.iter().chain([choice]).copied().collect())
            })
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[test]
fn payload_types_are_unique_dynamic_and_do_not_depend_on_the_selection() {
    let everything = router_capabilities(&CodecChoice::DEFAULT);
    for selection in selections() {
        let offer = router_capabilities(&selection);
        let mut seen = std::collections::HashSet::new();
        for codec in &offer.codecs {
            assert!((96..=127).contains(&codec.preferred_payload_type));
            assert_ne!(codec.preferred_payload_type, probator::PAYLOAD_TYPE);
            assert!(
                seen.insert(codec.preferred_payload_type),
                "{selection:?} repeats a payload type"
            );
            assert!(
                everything.codecs.contains(codec),
                "{selection:?} changes {codec:?}"
            );
        }
    }
}

#[test]
fn the_order_of_the_selection_is_the_preference() {
    for selection in selections() {
        let mut wanted = selection.clone();
        let mut seen = Vec::new();
        wanted.retain(|choice| {
            !seen.contains(choice) && {
                seen.push(*choice);
                true
            }
        });
        let offer = router_capabilities(&selection);
        let mut offered: Vec<Codec> = offer
            .codecs
            .iter()
            .map(RtpCodecCapability::codec)
            .filter(|codec| *codec != Codec::Rtx)
            .collect();
        offered.dedup();
        assert_eq!(
            offered,
            wanted.iter().map(|choice| choice.codec()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn each_video_codec_is_followed_by_its_retransmissions() {
    let offer = router_capabilities(&[CodecChoice::Av1, CodecChoice::Opus, CodecChoice::H264]);
    for (index, codec) in offer.codecs.iter().enumerate() {
        let next = offer.codecs.get(index + 1);
        match (codec.kind, codec.codec()) {
            (MediaKind::Video, Codec::Rtx) | (MediaKind::Audio, _) => {}
            (MediaKind::Video, _) => {
                let rtx = next.expect("something follows");
                assert_eq!(rtx.apt(), Some(codec.preferred_payload_type));
                assert_eq!(rtx.mime_type, "video/rtx");
            }
        }
    }
}

#[test]
fn extensions_are_listed_for_offered_kinds_only() {
    let audio = router_capabilities(&[CodecChoice::Opus]);
    assert!(
        audio
            .header_extensions
            .iter()
            .all(|extension| extension.kind == MediaKind::Audio)
    );
    assert_eq!(audio.header_extensions.len(), 4);
    assert!(router_capabilities(&[]).header_extensions.is_empty());
}

#[test]
fn choices_are_read_by_name() {
    for (choice, name) in CodecChoice::DEFAULT
        .into_iter()
        .zip(["opus", "VP8", "h264", "Vp9", "AV1"])
    {
        assert_eq!(name.parse(), Ok(choice));
    }
    let error = "h265".parse::<CodecChoice>().expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "unknown codec \"h265\"; known are opus, VP8, H264, VP9, AV1"
    );
}
