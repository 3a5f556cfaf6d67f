//! Bodies of the fuzz targets, kept here so that they compile and run with the tests.

use serde::Deserialize;
use serde_json::Value;

use crate::field::FromJson;
use crate::produce::ProducerNegotiation;
use crate::types::{MediaKind, RtpCapabilities, RtpParameters};
use crate::{CodecChoice, consume, produce, supported};

/// A client's whole say: what it sends and what it receives.
#[derive(Deserialize)]
#[serde(default)]
struct Input {
    kind: MediaKind,
    parameters: Value,
    capabilities: Value,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            kind: MediaKind::Video,
            parameters: Value::Null,
            capabilities: Value::Null,
        }
    }
}

/// Negotiates whatever the bytes say as JSON (`{kind, parameters, capabilities}`) and checks what must hold of every
/// outcome.
///
/// # Panics
/// If a negotiation breaks one of its promises.
pub fn negotiate_json(bytes: &[u8]) {
    let Ok(input) = serde_json::from_slice::<Input>(bytes) else {
        return;
    };
    let router = supported::router_capabilities(&CodecChoice::DEFAULT);
    let capabilities = RtpCapabilities::from_json(&input.capabilities).unwrap_or_else(|_| router.clone());
    let Ok(parameters) = RtpParameters::from_json(&input.parameters) else {
        return;
    };
    let Ok(negotiation) = produce::negotiate(input.kind, &parameters, &router) else {
        return;
    };
    check_producer(&negotiation, &router);
    check_consumer(&negotiation, &capabilities);
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
