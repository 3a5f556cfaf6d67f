//! What a browser sends, as JSON.

use serde_json::{Value, json};

const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";

/// Opus as Chrome announces it.
pub(crate) fn audio(ssrc: u32) -> Value {
    json!({
        "kind": "audio",
        "rtpParameters": {
            "mid": "0",
            "codecs": [{
                "mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2,
                "parameters": {"minptime": 10, "useinbandfec": 1},
                "rtcpFeedback": [{"type": "transport-cc", "parameter": ""}]
            }],
            "headerExtensions": [{"uri": MID, "id": 4, "encrypt": false, "parameters": {}}],
            "encodings": [{"ssrc": ssrc, "dtx": false}],
            "rtcp": {"cname": "client-chosen", "reducedSize": true}
        }
    })
}

/// VP8 with retransmissions as Chrome announces it.
pub(crate) fn video(ssrc: u32) -> Value {
    json!({
        "kind": "video",
        "rtpParameters": {
            "mid": "1",
            "codecs": [
                {
                    "mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000, "parameters": {},
                    "rtcpFeedback": [
                        {"type": "nack", "parameter": ""}, {"type": "nack", "parameter": "pli"},
                        {"type": "ccm", "parameter": "fir"}, {"type": "transport-cc", "parameter": ""}
                    ]
                },
                {
                    "mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000,
                    "parameters": {"apt": 96}, "rtcpFeedback": []
                }
            ],
            "headerExtensions": [{"uri": MID, "id": 4, "encrypt": false, "parameters": {}}],
            "encodings": [{"ssrc": ssrc, "rtx": {"ssrc": ssrc + 1}}],
            "rtcp": {"cname": "client-chosen", "reducedSize": true}
        }
    })
}

/// The same with another MID, for a second track on one transport.
pub(crate) fn with_mid(mut request: Value, mid: &str) -> Value {
    request["rtpParameters"]["mid"] = json!(mid);
    request
}

/// The same with this source.
pub(crate) fn from_source(mut request: Value, source: &str) -> Value {
    request["appData"] = json!({"source": source});
    request
}

/// Three simulcast streams without SSRCs.
pub(crate) fn simulcast() -> Value {
    let mut request = video(1);
    request["rtpParameters"]["encodings"] = json!([
        {"rid": "r0", "scalabilityMode": "L1T3", "maxBitrate": 500_000},
        {"rid": "r1", "scalabilityMode": "L1T3", "maxBitrate": 1_000_000},
        {"rid": "r2", "scalabilityMode": "L1T3", "maxBitrate": 2_500_000}
    ]);
    request
}

/// Only Opus.
pub(crate) fn audio_only(router: &Value) -> Value {
    let mut capabilities = router.clone();
    let codecs = capabilities["codecs"].as_array_mut().expect("a list of codecs");
    codecs.retain(|codec| codec["kind"] == "audio");
    capabilities
}

/// A browser's certificate.
pub(crate) fn dtls(role: &str, byte: &str) -> Value {
    let value = [byte; 32].join(":");
    json!({"dtlsParameters": {"role": role, "fingerprints": [{"algorithm": "sha-256", "value": value}]}})
}
