use serde_json::{Value, json};

use super::*;
use crate::types::{RtpCapabilities, RtpParameters};

/// A value at a path of a JSON document, replaced or, with `Value::Null`, removed.
fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
    let parent = document.pointer_mut(parent).expect("the parent exists");
    match parent {
        Value::Object(members) => members.insert(key.to_owned(), value),
        Value::Array(items) => items
            .get_mut(key.parse::<usize>().expect("an index"))
            .map(|item| std::mem::replace(item, value)),
        _ => None,
    };
    document
}

fn parameters() -> Value {
    json!({
        "mid": "0",
        "codecs": [
            {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000, "parameters": {},
             "rtcpFeedback": [{"type": "nack", "parameter": "pli"}]},
            {"mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": 96}},
        ],
        "headerExtensions": [{"uri": "urn:x", "id": 4, "encrypt": false, "parameters": {}}],
        "encodings": [{"ssrc": 1, "rtx": {"ssrc": 2}}],
        "rtcp": {"cname": "c", "reducedSize": true},
    })
}

#[test]
fn unusable_parameters_are_refused_by_name() {
    let rows = [
        ("/mid", json!(7), "mid: expected a string"),
        ("/codecs", Value::Null, "codecs: missing"),
        ("/codecs", json!({}), "codecs: expected an array"),
        ("/codecs/0", json!("VP8"), "codecs[0]: expected an object"),
        ("/codecs/1/mimeType", Value::Null, "codecs[1].mimeType: missing"),
        ("/codecs/1/mimeType", json!(""), "codecs[1].mimeType: missing"),
        (
            "/codecs/1/mimeType",
            json!("text/plain"),
            "codecs[1].mimeType: must be one of audio/…, video/…",
        ),
        (
            "/codecs/1/mimeType",
            json!("video/"),
            "codecs[1].mimeType: must be one of audio/…, video/…",
        ),
        (
            "/codecs/1/mimeType",
            json!("video"),
            "codecs[1].mimeType: must be one of audio/…, video/…",
        ),
        (
            "/codecs/0/payloadType",
            Value::Null,
            "codecs[0].payloadType: missing",
        ),
        (
            "/codecs/0/payloadType",
            json!("96"),
            "codecs[0].payloadType: expected a number",
        ),
        (
            "/codecs/0/payloadType",
            json!(128),
            "codecs[0].payloadType: must be 0 to 127",
        ),
        (
            "/codecs/0/payloadType",
            json!(-1),
            "codecs[0].payloadType: must be 0 to 4294967295",
        ),
        (
            "/codecs/0/payloadType",
            json!(96.5),
            "codecs[0].payloadType: must be 0 to 4294967295",
        ),
        ("/codecs/0/clockRate", Value::Null, "codecs[0].clockRate: missing"),
        (
            "/codecs/0/clockRate",
            json!("90000"),
            "codecs[0].clockRate: expected a number",
        ),
        (
            "/codecs/0/parameters/x",
            json!(true),
            "codecs[0].parameters.x: expected a string or a number",
        ),
        (
            "/codecs/0/parameters/x",
            json!([1]),
            "codecs[0].parameters.x: expected a string or a number",
        ),
        (
            "/codecs/1/parameters/apt",
            json!("vp8"),
            "codecs[1].parameters.apt: must be a payload type from 0 to 127",
        ),
        (
            "/codecs/1/parameters/apt",
            json!(300),
            "codecs[1].parameters.apt: must be a payload type from 0 to 127",
        ),
        (
            "/codecs/0/rtcpFeedback/0",
            json!({}),
            "codecs[0].rtcpFeedback[0].type: missing",
        ),
        (
            "/codecs/0/rtcpFeedback/0",
            json!("nack"),
            "codecs[0].rtcpFeedback[0]: expected an object",
        ),
        (
            "/headerExtensions",
            json!("none"),
            "headerExtensions: expected an array",
        ),
        (
            "/headerExtensions/0/uri",
            json!(""),
            "headerExtensions[0].uri: missing",
        ),
        (
            "/headerExtensions/0/id",
            Value::Null,
            "headerExtensions[0].id: missing",
        ),
        (
            "/headerExtensions/0/id",
            json!(0),
            "headerExtensions[0].id: must be 1 to 255",
        ),
        (
            "/headerExtensions/0/id",
            json!(256),
            "headerExtensions[0].id: must be 1 to 255",
        ),
        (
            "/headerExtensions/0/encrypt",
            json!("no"),
            "headerExtensions[0].encrypt: expected a boolean",
        ),
        ("/encodings", json!(1), "encodings: expected an array"),
        (
            "/encodings/0/ssrc",
            json!("1"),
            "encodings[0].ssrc: expected a number",
        ),
        (
            "/encodings/0/ssrc",
            json!(4_294_967_296_u64),
            "encodings[0].ssrc: must be 0 to 4294967295",
        ),
        (
            "/encodings/0/rid",
            json!(1),
            "encodings[0].rid: expected a string",
        ),
        (
            "/encodings/0/rtx",
            json!(2),
            "encodings[0].rtx: expected an object",
        ),
        ("/encodings/0/rtx", json!({}), "encodings[0].rtx.ssrc: missing"),
        (
            "/encodings/0/scalabilityMode",
            json!(3),
            "encodings[0].scalabilityMode: expected a string",
        ),
        (
            "/encodings/0/codecPayloadType",
            json!(200),
            "encodings[0].codecPayloadType: must be 0 to 127",
        ),
        ("/rtcp", json!("c"), "rtcp: expected an object"),
        ("/rtcp/cname", json!(1), "rtcp.cname: expected a string"),
    ];
    RtpParameters::from_json(&parameters()).expect("the document is fine before it is spoilt");
    for (pointer, value, expected) in rows {
        let spoilt = with(&parameters(), pointer, value.clone());
        let error = RtpParameters::from_json(&spoilt)
            .map(|_| ())
            .map_err(|error| error.to_string());
        assert_eq!(error, Err(expected.to_owned()), "{pointer} = {value}");
    }
    let error = RtpParameters::from_json(&json!([])).expect_err("an array is no object");
    assert_eq!(error.to_string(), "value: expected an object");
}

#[test]
fn unusable_capabilities_are_refused_by_name() {
    let document = json!({
        "codecs": [{"kind": "audio", "mimeType": "audio/opus", "preferredPayloadType": 111, "clockRate": 48000,
                    "channels": 2, "parameters": {}, "rtcpFeedback": []}],
        "headerExtensions": [{"kind": "audio", "uri": "urn:x", "preferredId": 1, "preferredEncrypt": false,
                              "direction": "sendrecv"}],
    });
    let rows = [
        ("/codecs", json!(1), "codecs: expected an array"),
        (
            "/codecs/0/preferredPayloadType",
            Value::Null,
            "codecs[0].preferredPayloadType: missing",
        ),
        (
            "/codecs/0/preferredPayloadType",
            json!(1000),
            "codecs[0].preferredPayloadType: must be 0 to 127",
        ),
        (
            "/codecs/0/channels",
            json!(300),
            "codecs[0].channels: must be 0 to 255",
        ),
        (
            "/headerExtensions/0/kind",
            Value::Null,
            "headerExtensions[0].kind: missing",
        ),
        (
            "/headerExtensions/0/kind",
            json!("text"),
            "headerExtensions[0].kind: must be one of audio, video",
        ),
        (
            "/headerExtensions/0/preferredId",
            json!("1"),
            "headerExtensions[0].preferredId: expected a number",
        ),
        (
            "/headerExtensions/0/preferredEncrypt",
            json!(0),
            "headerExtensions[0].preferredEncrypt: expected a boolean",
        ),
        (
            "/headerExtensions/0/direction",
            json!("both"),
            "headerExtensions[0].direction: must be one of sendrecv, sendonly, recvonly, inactive",
        ),
    ];
    RtpCapabilities::from_json(&document).expect("the document is fine before it is spoilt");
    for (pointer, value, expected) in rows {
        let spoilt = with(&document, pointer, value.clone());
        let error = RtpCapabilities::from_json(&spoilt)
            .map(|_| ())
            .map_err(|error| error.to_string());
        assert_eq!(error, Err(expected.to_owned()), "{pointer} = {value}");
    }
}

#[test]
fn a_checked_part_fails_alone() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Request {
        who: String,
        #[serde(default)]
        rtp_parameters: Checked<RtpParameters>,
    }
    let read =
        |document: Value| serde_json::from_value::<Request>(document).expect("the request itself is fine");

    let request = read(json!({"who": "a", "rtpParameters": parameters()}));
    assert_eq!(request.who, "a");
    assert!(request.rtp_parameters.0.is_ok());

    let spoilt = with(&parameters(), "/codecs/0/payloadType", json!(true));
    let error = read(json!({"who": "a", "rtpParameters": spoilt}))
        .rtp_parameters
        .named("rtpParameters");
    let error = error.expect_err("the payload type is no number");
    assert_eq!(
        error.to_string(),
        "rtpParameters.codecs[0].payloadType: expected a number"
    );

    let error = read(json!({"who": "a"}))
        .rtp_parameters
        .named("rtpParameters")
        .expect_err("it is not there");
    assert_eq!(
        error,
        FieldError {
            path: "rtpParameters".to_owned(),
            problem: Problem::Missing
        }
    );

    let unusable: Checked<RtpParameters> = Checked::default();
    assert!(
        serde_json::to_string(&unusable).is_err(),
        "what is unusable is not written"
    );
}

#[test]
fn whole_numbers_may_be_spelled_as_fractions() {
    for (text, expected) in [
        ("90000", Some(90_000)),
        ("90000.0", Some(90_000)),
        ("9e4", Some(90_000)),
        ("0.5", None),
        ("-1", None),
        ("1e300", None),
        ("18446744073709551615", Some(u64::MAX)),
    ] {
        let value: Value = serde_json::from_str(text).expect("a number");
        assert_eq!(integer(&value), expected, "{text}");
    }
}
