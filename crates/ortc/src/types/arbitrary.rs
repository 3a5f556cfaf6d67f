//! Strategies for the wire types, and for JSON that looks like them but is not to be trusted.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

fn value() -> impl Strategy<Value = ParameterValue> {
    prop_oneof![
        any::<u32>().prop_map(ParameterValue::from),
        (-1e9..1e9f64).prop_map(ParameterValue::Number),
        "[a-z0-9;=]{0,8}".prop_map(ParameterValue::Text),
    ]
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let name = prop_oneof![
        "[a-z]{1,6}",
        Just("profile-id".to_owned()),
        Just("packetization-mode".to_owned())
    ];
    btree_map(name, value(), 0..3).prop_map(|mut parameters| {
        parameters.remove("apt");
        parameters
    })
}

fn feedback() -> impl Strategy<Value = Vec<RtcpFeedback>> {
    let words = prop::sample::select(vec![
        ("nack", ""),
        ("nack", "pli"),
        ("ccm", "fir"),
        ("goog-remb", ""),
        ("transport-cc", ""),
        ("x-new", "y"),
    ]);
    vec(
        words.prop_map(|(kind, parameter)| RtcpFeedback::new(kind, parameter)),
        0..6,
    )
}

fn mime_type() -> impl Strategy<Value = (MediaKind, &'static str, u32, Option<u8>)> {
    prop::sample::select(vec![
        (MediaKind::Audio, "audio/opus", 48_000, Some(2)),
        (MediaKind::Audio, "audio/OPUS", 48_000, Some(2)),
        (MediaKind::Audio, "audio/PCMU", 8_000, Some(1)),
        (MediaKind::Video, "video/VP8", 90_000, None),
        (MediaKind::Video, "video/vp8", 90_000, None),
        (MediaKind::Video, "video/H264", 90_000, None),
        (MediaKind::Video, "video/VP9", 90_000, None),
        (MediaKind::Video, "video/AV1", 90_000, None),
        (MediaKind::Video, "video/rtx", 90_000, None),
        (MediaKind::Video, "video/x-future", 90_000, None),
    ])
}

/// Parameters with `apt` for an RTX codec.
fn with_apt(mime_type: &str, mut parameters: Parameters, apt: u8) -> Parameters {
    if Codec::of(mime_type) == Codec::Rtx {
        parameters.insert("apt".to_owned(), ParameterValue::from(u32::from(apt)));
    }
    parameters
}

prop_compose! {
    fn codec_capability()(
        (kind, mime_type, clock_rate, channels) in mime_type(),
        preferred_payload_type in 94u8..=112,
        parameters in parameters(),
        apt in 94u8..=112,
        rtcp_feedback in feedback(),
    ) -> RtpCodecCapability {
        RtpCodecCapability {
            kind,
            mime_type: mime_type.to_owned(),
            preferred_payload_type,
            clock_rate,
            channels,
            parameters: with_apt(mime_type, parameters, apt),
            rtcp_feedback,
        }
    }
}

fn uri() -> impl Strategy<Value = String> {
    use crate::supported::uri;
    prop::sample::select(vec![
        uri::MID,
        uri::RID,
        uri::REPAIRED_RID,
        uri::ABS_SEND_TIME,
        uri::TRANSPORT_CC,
        uri::AUDIO_LEVEL,
        uri::VIDEO_ORIENTATION,
        uri::DEPENDENCY_DESCRIPTOR,
        "urn:x-future",
    ])
    .prop_map(str::to_owned)
}

fn kind() -> impl Strategy<Value = MediaKind> {
    prop::sample::select(vec![MediaKind::Audio, MediaKind::Video])
}

prop_compose! {
    fn header_extension()(
        kind in kind(),
        uri in uri(),
        preferred_id in 1u8..=14,
        preferred_encrypt: bool,
        direction in prop::sample::select(vec![
            Direction::Sendrecv, Direction::Sendonly, Direction::Recvonly, Direction::Inactive,
        ]),
    ) -> RtpHeaderExtension {
        RtpHeaderExtension { kind, uri, preferred_id, preferred_encrypt, direction }
    }
}

/// Any capabilities.
pub(crate) fn capabilities() -> impl Strategy<Value = RtpCapabilities> {
    (vec(codec_capability(), 0..8), vec(header_extension(), 0..8)).prop_map(|(codecs, header_extensions)| {
        RtpCapabilities {
            codecs,
            header_extensions,
        }
    })
}

prop_compose! {
    fn codec_parameters()(capability in codec_capability()) -> RtpCodecParameters {
        RtpCodecParameters {
            mime_type: capability.mime_type,
            payload_type: capability.preferred_payload_type,
            clock_rate: capability.clock_rate,
            channels: capability.channels,
            parameters: capability.parameters,
            rtcp_feedback: capability.rtcp_feedback,
        }
    }
}

prop_compose! {
    fn encoding()(
        ssrc in option::of(1u32..6),
        rid in option::of("r[0-3]"),
        codec_payload_type in option::weighted(0.1, 94u8..=112),
        rtx in option::of((6u32..12).prop_map(|ssrc| RtxParameters { ssrc })),
        dtx in option::of(any::<bool>()),
        scalability_mode in option::of("[LS][1-3]T[1-3](_KEY)?"),
        scale_resolution_down_by in option::of(1.0..16.0f64),
        max_bitrate in option::of(any::<u32>()),
    ) -> RtpEncodingParameters {
        RtpEncodingParameters {
            ssrc, rid, codec_payload_type, rtx, dtx, scalability_mode, scale_resolution_down_by, max_bitrate,
        }
    }
}

prop_compose! {
    /// Any parameters.
    pub(crate) fn rtp_parameters()(
        mid in option::of("[0-9a-z]{1,4}"),
        codecs in vec(codec_parameters(), 0..4),
        extensions in vec((uri(), 1u8..=14), 0..4),
        encodings in vec(encoding(), 0..3),
        cname in option::of("[a-z]{1,8}"),
        reduced_size: bool,
    ) -> RtpParameters {
        let header_extensions = extensions
            .into_iter()
            .map(|(uri, id)| RtpHeaderExtensionParameters { uri, id, encrypt: false, parameters: Parameters::new() })
            .collect();
        let rtcp = RtcpParameters { cname, reduced_size, mux: None };
        RtpParameters { mid, codecs, header_extensions, encodings, rtcp }
    }
}

/// Any small JSON.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map("[a-zA-Z]{1,8}", inner, 0..3).prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

/// The JSON of parameters in which up to three values, wherever they are, have been replaced.
pub(crate) fn damaged_parameters() -> impl Strategy<Value = Value> {
    (
        rtp_parameters(),
        vec((any::<prop::sample::Index>(), json()), 0..4),
    )
        .prop_map(|(parameters, damage)| {
            let mut document = serde_json::to_value(parameters).expect("parameters are written");
            for (index, value) in damage {
                let mut places = Vec::new();
                pointers(&document, String::new(), &mut places);
                let place = index.get(&places);
                if let Some(target) = document.pointer_mut(place) {
                    *target = value;
                }
            }
            document
        })
}

fn pointers(value: &Value, here: String, places: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(key, value)| pointers(value, format!("{here}/{}", escaped(key)), places));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| pointers(item, format!("{here}/{index}"), places));
        }
        _ => {}
    }
    places.push(here);
}
