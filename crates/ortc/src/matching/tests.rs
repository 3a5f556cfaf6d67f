use serde_json::json;

use super::*;

/// A codec from its MIME type, clock rate, channels and parameters.
fn codec(
    mime_type: &str,
    clock_rate: u32,
    channels: Option<u8>,
    parameters: serde_json::Value,
) -> RtpCodecParameters {
    serde_json::from_value(json!({
        "mimeType": mime_type, "payloadType": 100, "clockRate": clock_rate, "channels": channels,
        "parameters": parameters,
    }))
    .expect("a codec")
}

#[test]
fn codecs_match_by_what_tells_streams_apart() {
    let opus = || codec("audio/opus", 48_000, Some(2), json!({}));
    let vp8 = || codec("video/VP8", 90_000, None, json!({}));
    let vp9 = |parameters| codec("video/VP9", 90_000, None, parameters);
    let av1 = |parameters| codec("video/AV1", 90_000, None, parameters);
    let h264 = |mode: u32, id: &str| {
        codec(
            "video/H264",
            90_000,
            None,
            json!({"packetization-mode": mode, "profile-level-id": id}),
        )
    };
    let rows = [
        (
            opus(),
            codec("AUDIO/OPUS", 48_000, Some(2), json!({"stereo": 1})),
            true,
        ),
        (opus(), codec("audio/opus", 48_000, Some(1), json!({})), false),
        (opus(), codec("audio/opus", 48_000, None, json!({})), false),
        (opus(), codec("audio/opus", 16_000, Some(2), json!({})), false),
        (
            codec("audio/PCMU", 8_000, None, json!({})),
            codec("audio/PCMU", 8_000, Some(1), json!({})),
            true,
        ),
        (
            vp8(),
            codec("video/vp8", 90_000, None, json!({"max-fs": 12288})),
            true,
        ),
        (vp8(), codec("video/VP8", 90_000, Some(2), json!({})), true),
        (vp8(), vp9(json!({})), false),
        (vp9(json!({})), vp9(json!({"profile-id": 0})), true),
        (vp9(json!({})), vp9(json!({"profile-id": "0"})), true),
        (
            vp9(json!({"profile-id": 2})),
            vp9(json!({"profile-id": "2"})),
            true,
        ),
        (vp9(json!({"profile-id": 2})), vp9(json!({})), false),
        (av1(json!({"profile": 0, "level-idx": 5})), av1(json!({})), true),
        (av1(json!({"profile": 1})), av1(json!({"profile": 0})), true),
        (h264(1, "42e01f"), h264(1, "42e034"), true),
        (h264(1, "42e01f"), h264(0, "42e01f"), false),
        (h264(1, "42e01f"), h264(1, "64001f"), false),
        (
            codec("video/x-new", 90_000, None, json!({"a": 1})),
            codec("video/X-NEW", 90_000, None, json!({})),
            true,
        ),
    ];
    for (a, b, expected) in &rows {
        assert_eq!(codecs(a, b).is_some(), *expected, "{a:?} and {b:?}");
        assert_eq!(codecs(b, a).is_some(), *expected, "{b:?} and {a:?}");
    }
}
