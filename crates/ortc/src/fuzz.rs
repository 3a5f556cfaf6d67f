//! Bodies of the fuzz targets, kept here so that they compile and run with the tests.

use serde_json::Value;

use crate::field::FromJson;
use crate::produce::ProducerNegotiation;
use crate::types::{MediaKind, RtpCapabilities, RtpParameters};
use crate::{CodecChoice, consume, produce, supported};

/// Negotiates whatever the bytes say as JSON and checks what must hold of every outcome.
///
/// The JSON is an object with RTP `parameters` and, if the receiver is not to have all that the router offers,
/// RTP `capabilities`. Either kind of media is tried.
///
/// # Panics
/// If a negotiation breaks one of its promises.
pub fn negotiate_json(bytes: &[u8]) {
    let Ok(input) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let router = supported::router_capabilities(&CodecChoice::DEFAULT);
    let capabilities = input
        .get("capabilities")
        .and_then(|part| RtpCapabilities::from_json(part).ok());
    let parameters = input
        .get("parameters")
        .and_then(|part| RtpParameters::from_json(part).ok());
    let Some(parameters) = parameters else {
        return;
    };
    let capabilities = capabilities.unwrap_or_else(|| router.clone());
    for kind in [MediaKind::Audio, MediaKind::Video] {
        if let Ok(negotiation) = produce::negotiate(kind, &parameters, &router) {
            check_producer(&negotiation, &router);
            check_consumer(&negotiation, &capabilities);
            check_consumer(&negotiation, &router);
        }
    }
}

pub(crate) fn check_producer(negotiation: &ProducerNegotiation, router: &RtpCapabilities) {
    let codecs = &negotiation.mapping.codecs;
    for (index, entry) in codecs.iter().enumerate() {
        let others = codecs.iter().skip(index + 1);
        assert!(
            others
                .clone()
                .all(|other| other.payload_type != entry.payload_type
                    && other.mapped_payload_type != entry.mapped_payload_type),
            "payload types map one to one"
        );
        assert!(
            router
                .codecs
                .iter()
                .any(|codec| codec.preferred_payload_type == entry.mapped_payload_type),
            "mapped payload types are the router's"
        );
    }
    assert!(
        !negotiation.parameters.encodings.is_empty(),
        "a producer has an encoding"
    );
    assert_eq!(
        negotiation.parameters.encodings.len(),
        negotiation.consumable.encodings.len()
    );
    let again = produce::negotiate(codec_kind(negotiation), &negotiation.parameters, router);
    assert_eq!(again.as_ref(), Ok(negotiation), "what was agreed on is agreeable");
}

fn codec_kind(negotiation: &ProducerNegotiation) -> MediaKind {
    negotiation
        .parameters
        .codecs
        .first()
        .expect("a negotiated producer has a codec")
        .kind()
}

pub(crate) fn check_consumer(negotiation: &ProducerNegotiation, capabilities: &RtpCapabilities) {
    let identity = consume::ConsumerIdentity {
        ssrc: 1,
        rtx_ssrc: 2,
        mid: "0".to_owned(),
        cname: "cname".to_owned(),
    };
    let consumer = consume::negotiate(&negotiation.consumable, capabilities, identity);
    assert_eq!(
        consumer.is_ok(),
        consume::can_consume(&negotiation.consumable, capabilities)
    );
    let Ok(consumer) = consumer else {
        return;
    };
    assert_eq!(consumer.encodings.len(), 1, "a consumer has one encoding");
    for codec in &consumer.codecs {
        let consumable = negotiation.consumable.codecs.iter();
        assert!(
            consumable
                .clone()
                .any(|other| other.payload_type == codec.payload_type)
        );
    }
    let json = serde_json::to_string(&consumer).expect("parameters are written");
    assert_eq!(
        serde_json::from_str::<RtpParameters>(&json).ok(),
        Some(consumer),
        "and read back"
    );
}
