use rtp::codec::CodecKind;
use rtp::ext::ExtMap;
use slotmap::SlotMap;

use super::*;
use crate::spec::{MediaKind, ProducerCodec, ProducerEncoding, Scalability, Source};

fn encoding(ssrc: Option<u32>, rtx: Option<u32>, rid: Option<&[u8]>) -> ProducerEncoding {
    ProducerEncoding {
        ssrc: ssrc.map(Ssrc),
        rtx_ssrc: rtx.map(Ssrc),
        rid: rid.and_then(Rid::new),
        spatial_layers: 1,
        temporal_layers: 1,
    }
}

fn spec(mid: &[u8], payload_type: u8, encodings: Vec<ProducerEncoding>) -> ProducerSpec {
    ProducerSpec {
        kind: MediaKind::Video,
        source: Source::Camera,
        mid: Mid::new(mid),
        codecs: vec![ProducerCodec {
            codec: CodecKind::Vp8,
            clock_rate: 90_000,
            payload_type: PayloadType(payload_type),
            mapped_payload_type: PayloadType(101),
            rtx_payload_type: Some(PayloadType(payload_type + 1)),
            nack: true,
            pli: true,
            fir: true,
        }],
        extensions: ExtMap::new(),
        encodings,
        scalability: Scalability::Simple,
        paused: false,
    }
}

fn says(mid: Option<&[u8]>, rid: Option<&[u8]>, repaired: Option<&[u8]>) -> HeaderExtensions {
    HeaderExtensions {
        mid: mid.and_then(Mid::new),
        rid: rid.and_then(Rid::new),
        repaired_rid: repaired.and_then(Rid::new),
        ..HeaderExtensions::default()
    }
}

#[test]
fn streams_are_found_by_ssrc_then_mid_and_rid_then_payload_type() {
    let mut keys: SlotMap<ProducerKey, ()> = SlotMap::with_key();
    let (single, simulcast) = (keys.insert(()), keys.insert(()));
    let mut listener = Listener::default();
    listener
        .insert(single, &spec(b"0", 96, vec![encoding(Some(10), Some(11), None)]))
        .expect("free");
    let layers = [&b"r0"[..], b"r1", b"r2"]
        .map(|rid| encoding(None, None, Some(rid)))
        .to_vec();
    listener.insert(simulcast, &spec(b"1", 98, layers)).expect("free");
    let slot = |producer, encoding, route| {
        Some(StreamSlot {
            producer,
            encoding,
            route,
        })
    };

    assert_eq!(listener.by_ssrc(Ssrc(10)), slot(single, 0, Route::Media));
    assert_eq!(listener.by_ssrc(Ssrc(11)), slot(single, 0, Route::Rtx));
    assert_eq!(listener.by_ssrc(Ssrc(20)), None);

    // (payload type, what the packet says, expected slot)
    let rows = [
        (
            98,
            says(Some(b"1"), Some(b"r1"), None),
            slot(simulcast, 1, Route::Media),
        ),
        (
            99,
            says(Some(b"1"), None, Some(b"r1")),
            slot(simulcast, 1, Route::Rtx),
        ),
        (
            98,
            says(None, Some(b"r2"), None),
            slot(simulcast, 2, Route::Media),
        ),
        (98, says(Some(b"9"), Some(b"r1"), None), None),
        (98, says(Some(b"1"), Some(b"rX"), None), None),
        (77, says(Some(b"1"), Some(b"r1"), None), None),
        (98, says(Some(b"1"), None, None), None),
        (96, says(None, None, None), slot(single, 0, Route::Media)),
        (97, says(Some(b"0"), None, None), slot(single, 0, Route::Rtx)),
        (96, says(Some(b"1"), None, None), None),
    ];
    for (index, (payload_type, says, expected)) in rows.into_iter().enumerate() {
        let ssrc = Ssrc(100 + index as u32);
        assert_eq!(
            listener.learn(ssrc, PayloadType(payload_type), &says),
            expected,
            "row {index}"
        );
        assert_eq!(listener.by_ssrc(ssrc), expected, "row {index} is remembered");
    }

    listener.remove(simulcast);
    assert_eq!(listener.by_ssrc(Ssrc(100)), None);
    assert_eq!(listener.by_ssrc(Ssrc(10)), slot(single, 0, Route::Media));
}

#[test]
fn a_taken_stream_is_refused_and_nothing_changes() {
    let mut keys: SlotMap<ProducerKey, ()> = SlotMap::with_key();
    let (a, b) = (keys.insert(()), keys.insert(()));
    let mut listener = Listener::default();
    listener
        .insert(a, &spec(b"0", 96, vec![encoding(Some(10), Some(11), None)]))
        .expect("free");
    for encodings in [
        vec![encoding(Some(11), None, None)],
        vec![encoding(Some(12), Some(12), None)],
    ] {
        assert_eq!(listener.insert(b, &spec(b"1", 98, encodings)), Err(StreamTaken));
    }
    assert_eq!(listener.by_ssrc(Ssrc(12)), None);
    listener
        .insert(a, &spec(b"5", 98, vec![encoding(None, None, Some(b"r0"))]))
        .expect("free");
    assert_eq!(
        listener.insert(b, &spec(b"5", 100, vec![encoding(None, None, Some(b"r0"))])),
        Err(StreamTaken),
        "same MID and RID"
    );
}

#[test]
fn invented_ssrcs_are_bounded() {
    let mut keys: SlotMap<ProducerKey, ()> = SlotMap::with_key();
    let a = keys.insert(());
    let mut listener = Listener::default();
    listener
        .insert(a, &spec(b"0", 96, vec![encoding(None, None, Some(b"r0"))]))
        .expect("free");
    for ssrc in 0..1_000 {
        listener.learn(Ssrc(ssrc), PayloadType(96), &says(None, Some(b"r0"), None));
    }
    assert_eq!(listener.ssrcs.len(), MAX_SSRCS);
}
