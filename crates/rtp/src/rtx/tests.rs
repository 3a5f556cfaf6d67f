use super::*;
use proptest::prelude::*;

const RTX: RtxHeader = RtxHeader {
    ssrc: Ssrc(0x0a0b_0c0d),
    payload_type: PayloadType(97),
    sequence: 0x0102,
};

/// A packet with marker, one extension word, payload "abc" and two bytes of padding.
const ORIGINAL: [u8; 25] = [
    0xb0, 0xe0, 0x12, 0x34, 0, 0, 0, 9, 1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x10, 7, 0, 0, b'a', b'b', b'c', 0, 2,
];
const WRAPPED: [u8; 27] = [
    0xb0, 0xe1, 0x01, 0x02, 0, 0, 0, 9, 0x0a, 0x0b, 0x0c, 0x0d, 0xbe, 0xde, 0, 1, 0x10, 7, 0, 0, 0x12, 0x34,
    b'a', b'b', b'c', 0, 2,
];

#[test]
fn wraps() {
    let mut buffer = [0; 30];
    buffer[..25].copy_from_slice(&ORIGINAL);
    assert_eq!(wrap(&mut buffer, 25, RTX), Some(27));
    assert_eq!(buffer[..27], WRAPPED);
}

#[test]
fn unwraps() {
    let mut buffer = WRAPPED;
    assert_eq!(unwrap(&mut buffer, Ssrc(0x0102_0304), PayloadType(96)), Some(25));
    assert_eq!(buffer[..25], ORIGINAL);
}

#[test]
fn what_cannot_be_wrapped_is_untouched() {
    let mut exact = ORIGINAL.to_vec();
    assert_eq!(wrap(&mut exact, 25, RTX), None, "no room");
    assert_eq!(wrap(&mut exact, 24, RTX), None, "one byte of room");
    assert_eq!(wrap(&mut exact, usize::MAX, RTX), None);
    assert_eq!(exact, ORIGINAL);
    assert_eq!(wrap(&mut [0; 20], 12, RTX), None, "not RTP");
}

#[test]
fn padding_is_no_retransmission() {
    // Header and four bytes of padding, then header and one byte of payload.
    for packet in [
        &[0xa0, 97, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4][..],
        &[0x80, 97, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9],
        &[0x80, 97, 0, 1],
    ] {
        let mut buffer = packet.to_vec();
        assert_eq!(unwrap(&mut buffer, Ssrc(1), PayloadType(96)), None);
        assert_eq!(buffer, packet);
    }
}

#[test]
fn an_empty_original_comes_back_empty() {
    let mut buffer = [0x80, 97, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xff, 0xfe];
    assert_eq!(unwrap(&mut buffer, Ssrc(1), PayloadType(96)), Some(12));
    assert_eq!(RtpView::parse(&buffer[..12]).unwrap().sequence(), 0xfffe);
}

proptest! {
    #[test]
    fn wrapping_is_reversible(
        head in any::<[u8; 12]>(), csrc in 0..4_u8, padding in 0..5_u8,
        body in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut packet = head.to_vec();
        packet[0] = 0x80 | csrc;
        packet.extend(core::iter::repeat_n(7, usize::from(csrc) * 4));
        packet.extend(&body);
        if padding > 0 {
            packet[0] |= 0x20;
            packet.extend(core::iter::repeat_n(padding, usize::from(padding)));
        }
        let len = packet.len();
        let view = RtpView::parse(&packet).unwrap();
        let (ssrc, payload_type) = (view.ssrc(), view.payload_type());

        let mut buffer = packet.clone();
        buffer.resize(len + OSN_LEN, 0);
        prop_assert_eq!(wrap(&mut buffer, len, RTX), Some(len + 2));
        let wrapped = RtpView::parse(&buffer).unwrap();
        prop_assert_eq!((wrapped.ssrc(), wrapped.sequence()), (RTX.ssrc, RTX.sequence));
        prop_assert_eq!(&wrapped.payload()[2..], body.as_slice());
        prop_assert_eq!(unwrap(&mut buffer, ssrc, payload_type), Some(len));
        prop_assert_eq!(&buffer[..len], packet.as_slice());
    }
}
