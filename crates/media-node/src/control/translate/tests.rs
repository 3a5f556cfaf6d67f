use ortc::consume::ConsumerIdentity;
use ortc::supported::CodecChoice;
use ortc::{RtpCapabilities, RtpParameters};
use serde_json::{Value, json};
use signalling::client_node::DtlsFingerprint;

use super::*;
use crate::control::Offer;
use crate::control::negotiate;

fn offer() -> Offer {
    Offer::new(&CodecChoice::DEFAULT)
}

fn parameters(value: Value) -> RtpParameters {
    serde_json::from_value(value).expect("parameters")
}

/// VP8 with RTX and three simulcast streams, as Chrome announces them.
fn chrome_simulcast() -> RtpParameters {
    parameters(json!({
        "mid": "1",
        "codecs": [
            {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000, "parameters": {},
             "rtcpFeedback": [{"type": "nack"}, {"type": "nack", "parameter": "pli"},
                              {"type": "ccm", "parameter": "fir"}, {"type": "transport-cc"}]},
            {"mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": 96}}
        ],
        "headerExtensions": [
            {"uri": "urn:ietf:params:rtp-hdrext:sdes:mid", "id": 9},
            {"uri": "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", "id": 12},
            {"uri": "urn:example:unknown", "id": 13}
        ],
        "encodings": [
            {"rid": "r0", "scalabilityMode": "L1T3"},
            {"rid": "r1", "scalabilityMode": "L1T3"},
            {"rid": "r2", "scalabilityMode": "L1T3"}
        ],
        "rtcp": {"cname": "x"}
    }))
}

#[test]
fn a_simulcast_producer_keeps_its_numbers_and_gets_the_routers() {
    let negotiation = offer()
        .produce(MediaKind::Video, &chrome_simulcast())
        .expect("it is supported");
    let spec =
        producer(MediaKind::Video, TrackSource::Screen, &negotiation, true).expect("it can be expressed");
    assert_eq!(
        (spec.kind, spec.source),
        (sfu::spec::MediaKind::Video, Source::Screen)
    );
    assert_eq!((spec.scalability, spec.paused), (Scalability::Simulcast, true));
    assert_eq!(spec.mid.as_ref().map(Mid::as_str), Some("1"));
    let expected = ProducerCodec {
        codec: CodecKind::Vp8,
        clock_rate: 90_000,
        payload_type: PayloadType(96),
        mapped_payload_type: PayloadType(101),
        rtx_payload_type: Some(PayloadType(97)),
        nack: true,
        pli: true,
        fir: true,
    };
    assert_eq!(spec.codecs, [expected]);
    assert_eq!(spec.extensions.id(ExtKind::Mid), Some(9));
    assert_eq!(spec.extensions.id(ExtKind::Rid), Some(12));
    assert_eq!(spec.extensions.id(ExtKind::AudioLevel), None);
    let rids: Vec<Option<&str>> = spec
        .encodings
        .iter()
        .map(|encoding| encoding.rid.as_ref().map(Rid::as_str))
        .collect();
    assert_eq!(rids, [Some("r0"), Some("r1"), Some("r2")]);
    assert!(
        spec.encodings
            .iter()
            .all(|encoding| encoding.temporal_layers == 3 && encoding.spatial_layers == 1)
    );
    assert!(spec.encodings.iter().all(|encoding| encoding.ssrc.is_none()));
}

#[test]
fn the_codec_an_encoding_names_comes_first() {
    let mut sent = chrome_simulcast();
    let vp9 = json!([
        {"mimeType": "video/VP9", "payloadType": 98, "clockRate": 90000, "parameters": {"profile-id": 0}}
    ]);
    let vp9: Vec<RtpCodecParameters> = serde_json::from_value(vp9).expect("codecs");
    sent.codecs.extend(vp9);
    sent.encodings = vec![ortc::RtpEncodingParameters {
        ssrc: Some(1),
        codec_payload_type: Some(98),
        scalability_mode: Some("L3T2".into()),
        ..Default::default()
    }];
    let negotiation = offer().produce(MediaKind::Video, &sent).expect("it is supported");
    let spec =
        producer(MediaKind::Video, TrackSource::Camera, &negotiation, false).expect("it can be expressed");
    let order: Vec<CodecKind> = spec.codecs.iter().map(|codec| codec.codec).collect();
    assert_eq!(order, [CodecKind::Vp9, CodecKind::Vp8]);
    assert_eq!(spec.scalability, Scalability::Svc);
    assert_eq!(
        (
            spec.encodings[0].spatial_layers,
            spec.encodings[0].temporal_layers
        ),
        (3, 2)
    );
}

#[test]
fn more_encodings_than_a_worker_tracks_are_refused() {
    let mut sent = chrome_simulcast();
    sent.encodings = (0..5)
        .map(|index| ortc::RtpEncodingParameters {
            rid: Some(format!("r{index}")),
            ..Default::default()
        })
        .collect();
    let negotiation = offer()
        .produce(MediaKind::Video, &sent)
        .expect("it can be negotiated");
    let refused = producer(MediaKind::Video, TrackSource::Camera, &negotiation, false);
    assert_eq!(refused.map(drop), Err(TranslateError::Encodings));
}

#[test]
fn a_consumer_gets_what_was_negotiated_and_starts_paused() {
    let offer = offer();
    let negotiation = offer
        .produce(MediaKind::Video, &chrome_simulcast())
        .expect("it is supported");
    let identity = ConsumerIdentity {
        ssrc: 1000,
        rtx_ssrc: 2000,
        mid: "7".into(),
        cname: "anna".into(),
    };
    let parameters = negotiate::consume(&negotiation.consumable, &offer.capabilities, identity)
        .expect("it can be consumed");
    let spec = consumer(&parameters, "anna").expect("it can be expressed");
    assert_eq!(
        (spec.mid.as_str(), spec.ssrc, spec.payload_type),
        ("7", Ssrc(1000), PayloadType(101))
    );
    assert_eq!(
        spec.rtx,
        Some(RtxSpec {
            ssrc: Ssrc(2000),
            payload_type: PayloadType(102)
        })
    );
    assert_eq!(
        (spec.cname.as_str(), spec.nack, spec.paused),
        ("anna", true, true)
    );
    assert_eq!(
        spec.extensions.id(ExtKind::Mid),
        offer.extensions.id(ExtKind::Mid)
    );
    assert_eq!(spec.extensions.id(ExtKind::TransportSequence), Some(5));
    assert_eq!(
        spec.extensions.id(ExtKind::Rid),
        None,
        "a consumer has one stream and no names for it"
    );
}

#[test]
fn a_client_without_retransmissions_gets_none() {
    let offer = offer();
    let negotiation = offer
        .produce(MediaKind::Video, &chrome_simulcast())
        .expect("it is supported");
    let mut capabilities: RtpCapabilities = offer.capabilities.clone();
    capabilities.codecs.retain(|codec| codec.codec() != Codec::Rtx);
    let identity = ConsumerIdentity {
        ssrc: 1000,
        rtx_ssrc: 2000,
        mid: "0".into(),
        cname: "anna".into(),
    };
    let parameters =
        negotiate::consume(&negotiation.consumable, &capabilities, identity).expect("it can be consumed");
    assert_eq!(consumer(&parameters, "anna").map(|spec| spec.rtx), Ok(None));
}

#[test]
fn fingerprints_are_read_or_refused() {
    let value = ["0a"; 32].join(":");
    let parameters = |algorithm: &str, value: &str| DtlsParameters {
        role: DtlsRole::Server,
        fingerprints: vec![DtlsFingerprint {
            algorithm: algorithm.into(),
            value: value.into(),
        }],
    };
    let spec = connect(&parameters("SHA-256", &value)).expect("a good fingerprint");
    assert_eq!(spec.dtls.role, link::DtlsRole::Server);
    assert_eq!(spec.dtls.fingerprints[0].bytes(), [10; 32]);
    let error = |parameters: &DtlsParameters| connect(parameters).err();
    use link::FingerprintError::{Algorithm, Length, Value};
    assert_eq!(
        error(&parameters("md5", &value)),
        Some(TranslateError::Fingerprint(Algorithm))
    );
    assert_eq!(
        error(&parameters("sha-256", "0a")),
        Some(TranslateError::Fingerprint(Length))
    );
    assert_eq!(
        error(&parameters("sha-256", "zz")),
        Some(TranslateError::Fingerprint(Value))
    );
    let none = DtlsParameters {
        role: DtlsRole::Auto,
        fingerprints: Vec::new(),
    };
    assert_eq!(error(&none), Some(TranslateError::NoFingerprint));
}

#[test]
fn every_extension_the_router_offers_is_known_to_the_workers() {
    let offer = offer();
    for extension in &offer.capabilities.header_extensions {
        let kind =
            ExtKind::from_uri(&extension.uri).unwrap_or_else(|| panic!("{} is unknown", extension.uri));
        assert_eq!(offer.extensions.id(kind), Some(extension.preferred_id));
    }
}
