use proptest::prelude::*;
use serde_json::{Value, json};

use super::arbitrary::{capabilities, rtp_parameters};
use super::*;

#[test]
fn absent_members_get_defaults() {
    let read: RtpParameters = serde_json::from_value(json!({
        "codecs": [
            {"mimeType": "audio/PCMU", "payloadType": 0, "clockRate": 8000, "parameters": null, "rtcpFeedback": "none"},
            {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000, "channels": 2,
             "rtcpFeedback": [{"type": "nack"}, {"type": "ccm", "parameter": 7}]},
        ],
        "encodings": [{"ssrc": null, "rid": "", "dtx": "yes", "maxBitrate": -5, "future": {"deep": []}}],
        "future": true,
    }))
    .expect("absent and null members are no errors");

    assert_eq!(read.mid, None);
    let channels: Vec<_> = read.codecs.iter().map(|codec| codec.channels).collect();
    assert_eq!(channels, [Some(1), None], "audio has one channel, video none");
    assert!(read.codecs.iter().all(|codec| codec.parameters.is_empty()));
    assert!(read.codecs[0].rtcp_feedback.is_empty());
    let feedback = [RtcpFeedback::new("nack", ""), RtcpFeedback::new("ccm", "")];
    assert_eq!(read.codecs[1].rtcp_feedback, feedback);
    assert_eq!(read.encodings, [RtpEncodingParameters::default()]);
    assert_eq!(
        read.rtcp,
        RtcpParameters {
            cname: None,
            reduced_size: true,
            mux: None
        }
    );
    assert!(read.header_extensions.is_empty());

    let empty: RtpCapabilities = serde_json::from_value(json!({})).expect("capabilities may be empty");
    assert_eq!(empty, RtpCapabilities::default());
    let extension: RtpHeaderExtension =
        serde_json::from_value(json!({"kind": "video", "uri": "urn:x", "preferredId": 3}))
            .expect("the rest is optional");
    assert_eq!(
        (extension.direction, extension.preferred_encrypt),
        (Direction::Sendrecv, false)
    );
}

#[test]
fn the_kind_is_what_the_mime_type_says() {
    let codec: RtpCodecCapability = serde_json::from_value(json!({
        "kind": "video", "mimeType": "AUDIO/Opus", "preferredPayloadType": 111, "clockRate": 48000, "channels": 2,
    }))
    .expect("the kind is not read");
    assert_eq!((codec.kind, codec.codec()), (MediaKind::Audio, Codec::Opus));
}

#[test]
fn apt_becomes_a_number() {
    for apt in [json!(96), json!("96"), json!(96.0)] {
        let codec: RtpCodecParameters = serde_json::from_value(json!({
            "mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": apt},
        }))
        .expect("a payload type");
        assert_eq!(codec.apt(), Some(96));
        assert_eq!(
            serde_json::to_value(&codec).expect("written")["parameters"]["apt"],
            json!(96)
        );
    }
}

#[test]
fn only_retransmissions_have_an_apt() {
    let codec: RtpCodecParameters = serde_json::from_value(json!({
        "mimeType": "video/VP8", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": 96},
    }))
    .expect("a strange parameter is kept");
    assert_eq!(codec.apt(), None);
}

#[test]
fn values_are_written_as_javascript_writes_them() {
    let rows = [
        (ParameterValue::from(1000), "1000"),
        (ParameterValue::Number(-3.0), "-3"),
        (ParameterValue::Number(0.5), "0.5"),
        (ParameterValue::from("42e01f"), "\"42e01f\""),
        (ParameterValue::from(""), "\"\""),
    ];
    for (value, text) in rows {
        assert_eq!(serde_json::to_string(&value).expect("written"), text);
    }
}

#[test]
fn values_are_integers_whether_written_as_number_or_digits() {
    let rows = [
        (ParameterValue::from(7), Some(7)),
        (ParameterValue::from("7"), Some(7)),
        (ParameterValue::Number(7.0), Some(7)),
        (ParameterValue::Number(7.5), None),
        (ParameterValue::Number(-1.0), None),
        (ParameterValue::Number(f64::INFINITY), None),
        (ParameterValue::Number(4_294_967_296.0), None),
        (ParameterValue::from("seven"), None),
        (ParameterValue::from(""), None),
    ];
    for (value, integer) in rows {
        assert_eq!(value.integer(), integer, "{value:?}");
    }
}

#[test]
fn members_without_a_value_are_not_written() {
    let written = serde_json::to_value(RtpParameters {
        encodings: vec![RtpEncodingParameters {
            ssrc: Some(1),
            ..RtpEncodingParameters::default()
        }],
        ..RtpParameters::default()
    })
    .expect("written");
    let expected = json!({
        "codecs": [], "headerExtensions": [], "encodings": [{"ssrc": 1}], "rtcp": {"reducedSize": true},
    });
    assert_eq!(written, expected);
}

proptest! {
    #[test]
    fn parameters_survive_writing(parameters in rtp_parameters()) {
        let text = serde_json::to_string(&parameters).expect("written");
        prop_assert_eq!(serde_json::from_str::<RtpParameters>(&text).expect("read"), parameters);
    }

    #[test]
    fn capabilities_survive_writing(capabilities in capabilities()) {
        let text = serde_json::to_string(&capabilities).expect("written");
        prop_assert_eq!(serde_json::from_str::<RtpCapabilities>(&text).expect("read"), capabilities);
    }

    #[test]
    fn unknown_members_change_nothing(parameters in rtp_parameters(), name in "x-[a-z]{1,8}") {
        let mut document = serde_json::to_value(&parameters).expect("written");
        let extra = json!({"nested": [1, null, "text"]});
        document[&name] = extra.clone();
        for list in ["codecs", "headerExtensions", "encodings"] {
            for item in document[list].as_array_mut().expect("a list") {
                item[&name] = extra.clone();
            }
        }
        document["rtcp"][&name] = Value::Null;
        prop_assert_eq!(serde_json::from_value::<RtpParameters>(document).expect("read"), parameters);
    }
}
