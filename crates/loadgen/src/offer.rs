//! What clients announce about their tracks, and what they read of a router's and a consumer's parameters; named as
//! `mediasoup-client` names it (contract §1.4, §1.8).

use serde_json::{Value, json};

use crate::media::{AudioTrack, ExtensionIds, VideoTrack, encodings};
use crate::plan::Simulcast;

/// Media identifications of the two tracks on a sending transport.
pub(crate) const AUDIO_MID: &str = "0";
pub(crate) const VIDEO_MID: &str = "1";

mod uri {
    pub(super) const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
    pub(super) const RID: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
    pub(super) const REPAIRED_RID: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
    pub(super) const TRANSPORT_NUMBER: &str =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
    pub(super) const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
}

/// A track that the router cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's router does not offer {0}")]
pub struct NotOffered(&'static str);

/// A router's codec with the payload type of its retransmissions.
struct Codec<'a> {
    offered: &'a Value,
    payload_type: u8,
    repairs: Option<u8>,
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn small(value: &Value) -> Option<u8> {
    value.as_u64().and_then(|number| u8::try_from(number).ok())
}

fn codec<'a>(router: &'a Value, mime_type: &'static str) -> Result<Codec<'a>, NotOffered> {
    let is = |codec: &Value, wanted: &str| {
        codec["mimeType"]
            .as_str()
            .is_some_and(|mime_type| mime_type.eq_ignore_ascii_case(wanted))
    };
    let offered = list(router, "codecs").find(|codec| is(codec, mime_type));
    let offered = offered.ok_or(NotOffered(mime_type))?;
    let payload_type = small(&offered["preferredPayloadType"]).ok_or(NotOffered(mime_type))?;
    let repairs = list(router, "codecs")
        .filter(|codec| is(codec, "video/rtx"))
        .find(|codec| codec["parameters"]["apt"] == payload_type)
        .and_then(|codec| small(&codec["preferredPayloadType"]));
    Ok(Codec {
        offered,
        payload_type,
        repairs,
    })
}

/// The extensions of one kind that the router takes, with its ids.
fn extensions(router: &Value, kind: &str) -> (Vec<Value>, ExtensionIds) {
    let mut ids = ExtensionIds::default();
    let mut announced = Vec::new();
    for extension in list(router, "headerExtensions").filter(|extension| extension["kind"] == kind) {
        let takes = matches!(
            extension["direction"].as_str(),
            None | Some("sendrecv" | "recvonly")
        );
        let place = match extension["uri"].as_str() {
            Some(uri::MID) => &mut ids.mid,
            Some(uri::RID) => &mut ids.rid,
            Some(uri::REPAIRED_RID) => &mut ids.repaired_rid,
            Some(uri::TRANSPORT_NUMBER) => &mut ids.transport_number,
            Some(uri::AUDIO_LEVEL) => &mut ids.audio_level,
            _ => continue,
        };
        *place = small(&extension["preferredId"]).filter(|_| takes);
        if let Some(id) = *place {
            announced.push(json!({"uri": extension["uri"], "id": id, "encrypt": false, "parameters": {}}));
        }
    }
    (announced, ids)
}

/// Announces a microphone: the request's body, and the track with what was agreed.
pub(crate) fn audio(
    router: &Value,
    participant: &str,
    track: AudioTrack,
) -> Result<(Value, AudioTrack), NotOffered> {
    let codec = codec(router, "audio/opus")?;
    let (header_extensions, ids) = extensions(router, "audio");
    let body = json!({
        "participantId": participant, "kind": "audio", "appData": {"source": "microphone"},
        "rtpParameters": {
            "mid": AUDIO_MID,
            "codecs": [{
                "mimeType": "audio/opus", "payloadType": codec.payload_type, "clockRate": 48_000, "channels": 2,
                "parameters": {"minptime": 10, "useinbandfec": 1},
                "rtcpFeedback": codec.offered["rtcpFeedback"]
            }],
            "headerExtensions": header_extensions,
            "encodings": [{"ssrc": track.ssrc(), "dtx": false}],
            "rtcp": {"cname": participant, "reducedSize": true}
        }
    });
    Ok((body, track.agree(codec.payload_type, ids)))
}

/// Announces a camera: the request's body, and the track with what was agreed.
pub(crate) fn video(
    router: &Value,
    participant: &str,
    simulcast: Simulcast,
    track: VideoTrack,
) -> Result<(Value, VideoTrack), NotOffered> {
    let codec = codec(router, "video/VP8")?;
    let repairs = codec.repairs.ok_or(NotOffered("video/rtx for video/VP8"))?;
    let (header_extensions, ids) = extensions(router, "video");
    let streams: Vec<Value> = match simulcast {
        Simulcast::On => encodings(simulcast)
            .iter()
            .map(|encoding| {
                json!({
                    "rid": encoding.rid, "scalabilityMode": "L1T3", "maxBitrate": encoding.bitrate,
                    "scaleResolutionDownBy": encoding.scale
                })
            })
            .collect(),
        Simulcast::Off => {
            let (ssrc, repairs) = track.ssrcs();
            vec![json!({"ssrc": ssrc, "rtx": {"ssrc": repairs}, "scalabilityMode": "L1T3"})]
        }
    };
    let body = json!({
        "participantId": participant, "kind": "video", "appData": {"source": "camera"},
        "rtpParameters": {
            "mid": VIDEO_MID,
            "codecs": [
                {
                    "mimeType": "video/VP8", "payloadType": codec.payload_type, "clockRate": 90_000,
                    "parameters": {}, "rtcpFeedback": codec.offered["rtcpFeedback"]
                },
                {
                    "mimeType": "video/rtx", "payloadType": repairs, "clockRate": 90_000,
                    "parameters": {"apt": codec.payload_type}, "rtcpFeedback": []
                }
            ],
            "headerExtensions": header_extensions,
            "encodings": streams,
            "rtcp": {"cname": participant, "reducedSize": true}
        }
    });
    Ok((body, track.agree((codec.payload_type, repairs), ids)))
}

/// How a consumer's stream comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coming {
    pub(crate) ssrc: u32,
    pub(crate) repair_ssrc: Option<u32>,
    pub(crate) transport_number: Option<u8>,
}

/// Reads a consumer's parameters; nothing if they have no SSRC.
pub(crate) fn coming(rtp_parameters: &Value) -> Option<Coming> {
    let word = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let encoding = &rtp_parameters["encodings"][0];
    let transport_number = list(rtp_parameters, "headerExtensions")
        .find(|extension| extension["uri"] == uri::TRANSPORT_NUMBER)
        .and_then(|extension| small(&extension["id"]));
    Some(Coming {
        ssrc: word(&encoding["ssrc"])?,
        repair_ssrc: word(&encoding["rtx"]["ssrc"]),
        transport_number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Voice;
    use crate::random::Random;

    fn router() -> Value {
        json!({
            "codecs": [
                {"kind": "audio", "mimeType": "audio/OPUS", "preferredPayloadType": 100, "rtcpFeedback": []},
                {"kind": "video", "mimeType": "video/VP8", "preferredPayloadType": 101, "rtcpFeedback": [
                    {"type": "nack", "parameter": "pli"}]},
                {"kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 102, "parameters": {"apt": 101}},
                {"kind": "video", "mimeType": "video/H264", "preferredPayloadType": 103, "rtcpFeedback": []}
            ],
            "headerExtensions": [
                {"kind": "audio", "uri": uri::MID, "preferredId": 1, "direction": "sendrecv"},
                {"kind": "video", "uri": uri::MID, "preferredId": 1, "direction": "sendrecv"},
                {"kind": "video", "uri": uri::RID, "preferredId": 2, "direction": "recvonly"},
                {"kind": "video", "uri": uri::TRANSPORT_NUMBER, "preferredId": 5, "direction": "sendonly"},
                {"kind": "video", "uri": "urn:x-other", "preferredId": 9, "direction": "sendrecv"}
            ]
        })
    }

    #[test]
    fn a_camera_is_announced_in_the_routers_numbers() {
        let track = VideoTrack::new(0, VIDEO_MID, Simulcast::On, Random::new(1));
        let (body, _) = video(&router(), "me", Simulcast::On, track).expect("offered");
        let parameters = &body["rtpParameters"];
        assert_eq!(parameters["codecs"][0]["payloadType"], 101);
        assert_eq!(parameters["codecs"][1]["payloadType"], 102);
        assert_eq!(parameters["codecs"][1]["parameters"]["apt"], 101);
        let rids: Vec<&Value> = list(parameters, "encodings")
            .map(|encoding| &encoding["rid"])
            .collect();
        assert_eq!(rids, ["r0", "r1", "r2"]);
        // Neither what nobody knows, nor what the router does not want to get.
        let ids: Vec<&Value> = list(parameters, "headerExtensions")
            .map(|extension| &extension["id"])
            .collect();
        assert_eq!(ids, [1, 2]);
    }

    #[test]
    fn a_single_stream_says_its_ssrcs() {
        let track = VideoTrack::new(0, VIDEO_MID, Simulcast::Off, Random::new(1));
        let (ssrc, repairs) = track.ssrcs();
        let (body, _) = video(&router(), "me", Simulcast::Off, track).expect("offered");
        let expected = json!([{"ssrc": ssrc, "rtx": {"ssrc": repairs}, "scalabilityMode": "L1T3"}]);
        assert_eq!(body["rtpParameters"]["encodings"], expected);
        let track = AudioTrack::new(1, AUDIO_MID, Voice::Talks, Random::new(2));
        let ssrc = track.ssrc();
        let (body, _) = audio(&router(), "me", track).expect("offered");
        assert_eq!(body["rtpParameters"]["encodings"][0]["ssrc"], ssrc);
    }

    #[test]
    fn a_router_without_vp8_is_not_for_us() {
        let mut router = router();
        router["codecs"][1]["mimeType"] = "video/x".into();
        let track = VideoTrack::new(0, VIDEO_MID, Simulcast::Off, Random::new(1));
        let refusal = video(&router, "me", Simulcast::Off, track).err();
        assert_eq!(refusal, Some(NotOffered("video/VP8")));
    }

    #[test]
    fn a_consumers_stream_is_read() {
        let parameters = json!({
            "encodings": [{"ssrc": 7, "rtx": {"ssrc": 8}}],
            "headerExtensions": [{"uri": uri::TRANSPORT_NUMBER, "id": 5}]
        });
        let expected = Coming {
            ssrc: 7,
            repair_ssrc: Some(8),
            transport_number: Some(5),
        };
        assert_eq!(coming(&parameters), Some(expected));
        assert_eq!(coming(&json!({"encodings": []})), None);
    }
}
