use super::*;
use proptest::prelude::*;

const FIXED: [u8; 12] = [
    0x80, 0xe0, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0xde, 0xad, 0xbe, 0xef,
];

fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = FIXED.to_vec();
    bytes[0] = first;
    bytes.extend_from_slice(rest);
    bytes
}

#[test]
fn fields() {
    let bytes = packet(0x80, &[1, 2, 3]);
    let view = RtpView::parse(&bytes).unwrap();
    assert_eq!(view.payload_type(), PayloadType(96));
    assert!(view.marker());
    assert_eq!(view.sequence(), 0x1234);
    assert_eq!(view.timestamp(), 0x0102_0304);
    assert_eq!(view.ssrc(), Ssrc(0xdead_beef));
    assert_eq!(
        (view.csrc_count(), view.header_len(), view.padding_len()),
        (0, 12, 0)
    );
    assert_eq!(view.extension_block(), None);
    assert_eq!(view.payload(), &[1, 2, 3]);
    assert_eq!(view.as_bytes(), &bytes);
}

#[test]
fn layouts() {
    // (first byte, after the fixed header, header length, payload)
    let rows: [(u8, &[u8], usize, &[u8]); 7] = [
        (0x80, &[], 12, &[]),
        (0x81, &[9, 9, 9, 9, 5], 16, &[5]),
        (0x90, &[0xbe, 0xde, 0, 0, 5], 16, &[5]),
        (0x90, &[0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0, 5], 20, &[5]),
        (0x91, &[9, 9, 9, 9, 0x10, 0x00, 0, 1, 0, 0, 0, 0], 24, &[]),
        (0xa0, &[5, 6, 0, 2], 12, &[5, 6]),
        // Nothing but padding.
        (0xa0, &[0, 0, 0, 4], 12, &[]),
    ];
    for (first, rest, header_len, payload) in rows {
        let bytes = packet(first, rest);
        let view = RtpView::parse(&bytes).unwrap();
        assert_eq!(
            (view.header_len(), view.payload()),
            (header_len, payload),
            "{first:02x} {rest:02x?}"
        );
        assert_eq!(view.payload_range().end + view.padding_len(), bytes.len());
    }
    let bytes = packet(0x91, &[9, 9, 9, 9, 0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
    let block = RtpView::parse(&bytes).unwrap().extension_block().unwrap();
    assert_eq!(
        block,
        ExtBlock {
            profile: 0xbede,
            data: &[1, 2, 3, 4],
            data_offset: 20
        }
    );
}

#[test]
fn errors() {
    let rows: [(Vec<u8>, RtpError); 9] = [
        (vec![], RtpError::TooShort),
        (FIXED[..11].to_vec(), RtpError::TooShort),
        (packet(0x40, &[]), RtpError::Version),
        (packet(0x82, &[0; 7]), RtpError::Csrc),
        (packet(0x90, &[0xbe, 0xde, 0]), RtpError::Extension),
        (packet(0x90, &[0xbe, 0xde, 0, 2, 0, 0, 0, 0]), RtpError::Extension),
        (packet(0xa0, &[]), RtpError::Padding),
        (packet(0xa0, &[1, 0]), RtpError::Padding),
        (packet(0xa0, &[1, 3]), RtpError::Padding),
    ];
    for (bytes, error) in rows {
        assert_eq!(RtpView::parse(&bytes).unwrap_err(), error, "{bytes:02x?}");
        assert_eq!(RtpViewMut::parse(&mut bytes.clone()).err(), Some(error));
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn changes_are_seen_at_once() {
    let mut bytes = packet(0xa0, &[5, 6, 0, 2]);
    let mut view = RtpViewMut::parse(&mut bytes).unwrap();
    view.set_sequence(7);
    view.payload_mut()[0] = 8;
    assert_eq!((view.view().sequence(), view.view().payload()), (7, &[8, 6][..]));
    assert_eq!(view.into_bytes()[2..4], [0, 7]);
}

#[test]
fn rtcp_is_told_by_the_second_byte() {
    for (second, expected) in [
        (191, false),
        (192, true),
        (200, true),
        (223, true),
        (224, false),
        (96, false),
    ] {
        assert_eq!(is_rtcp(&[0x80, second]), expected, "{second}");
    }
    assert!(!is_rtcp(&[]));
    assert!(!is_rtcp(&[0x80]));
}

/// Bytes that are often valid RTP.
fn rtp_like() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![4 => (0..64_u8).prop_map(|low| 0x80 | low), 1 => any::<u8>()];
    let small_lengths = prop::collection::vec(prop_oneof![any::<u8>(), 0..4_u8], 0..120);
    (first, small_lengths).prop_map(|(first, mut bytes)| {
        if let Some(byte) = bytes.first_mut() {
            *byte = first;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn agrees_with_the_oracle(bytes in rtp_like()) {
        let oracle = rtp_types::RtpPacket::parse(&bytes);
        let view = RtpView::parse(&bytes);
        prop_assert_eq!(view.is_ok(), oracle.is_ok());
        if let (Ok(view), Ok(oracle)) = (view, oracle) {
            prop_assert_eq!(view.payload_type().0, oracle.payload_type());
            prop_assert_eq!(view.marker(), oracle.marker_bit());
            prop_assert_eq!(view.sequence(), oracle.sequence_number());
            prop_assert_eq!(view.timestamp(), oracle.timestamp());
            prop_assert_eq!(view.ssrc().0, oracle.ssrc());
            prop_assert_eq!(view.csrc_count(), oracle.n_csrcs());
            prop_assert_eq!(view.payload(), oracle.payload());
            prop_assert_eq!(view.padding_len(), usize::from(oracle.padding().unwrap_or(0)));
            let block = view.extension_block().map(|block| (block.profile, block.data));
            prop_assert_eq!(block, oracle.extension());
        }
    }

    #[test]
    fn reads_what_the_oracle_builds(
        marker: bool, payload_type in 0..128_u8, sequence: u16, timestamp: u32, ssrc: u32,
        csrc in prop::collection::vec(any::<u32>(), 0..16),
        extension in prop::option::of(prop::collection::vec(any::<[u8; 4]>(), 0..8)),
        payload in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let extension = extension.map(|words| words.concat());
        let mut builder = rtp_types::RtpPacketBuilder::new()
            .marker_bit(marker).payload_type(payload_type).sequence_number(sequence).timestamp(timestamp)
            .ssrc(ssrc).payload(payload.as_slice());
        for source in &csrc {
            builder = builder.add_csrc(*source);
        }
        if let Some(extension) = &extension {
            builder = builder.extension(0xbede, extension.as_slice());
        }
        let bytes = builder.write_vec().unwrap();
        let view = RtpView::parse(&bytes).unwrap();
        prop_assert_eq!((view.marker(), view.payload_type().0), (marker, payload_type));
        prop_assert_eq!((view.sequence(), view.timestamp(), view.ssrc().0), (sequence, timestamp, ssrc));
        prop_assert_eq!(view.payload(), payload.as_slice());
        prop_assert_eq!(view.extension_block().map(|block| block.data.to_vec()), extension);
    }
}
