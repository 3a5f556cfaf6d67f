//! From a producer's packet to a consumer's: canonical form, padding, header, picture numbers.

use rtp::codec::vp8;
use rtp::ext::{ExtKind, ExtMap};
use rtp::{Mid, PayloadType, RtpTime, RtpView, Ssrc};

use crate::packet::{HEADER, HeaderTemplate, MAX_PACKET, Stamp, canonicalise};
use crate::padding::Leveller;
use crate::spec::MediaKind;

/// Any packet of a producer that parses becomes a valid packet of a consumer: its payload is the producer's but for the
/// picture numbers, its numbers are the consumer's, and padding, if any, is what it says it is.
pub fn rewrite(data: &[u8]) {
    let Some((&[ids, flags, padding, seed], input)) = data.split_first_chunk() else {
        return;
    };
    let Ok(view) = RtpView::parse(input) else {
        return;
    };
    let received = map(ids).read(&view);
    let mut bytes = [0xee; MAX_PACKET + 255];
    let Some(len) = canonicalise(&mut bytes[..MAX_PACKET], &view, PayloadType(100), &received) else {
        assert!(HEADER + view.payload().len() > MAX_PACKET, "what fits is kept");
        return;
    };
    let total = len + usize::from(padding);
    bytes[len..total].fill(0);
    if padding > 0 {
        bytes[total - 1] = padding;
    }
    let numbers = vp8::parse(&bytes[HEADER..len]).map(|descriptor| descriptor.fields);
    let numbered = numbers.is_some_and(|fields| fields.write(&mut bytes[HEADER..len], 0x1abc, seed));
    let kind = if flags & 1 == 0 {
        MediaKind::Audio
    } else {
        MediaKind::Video
    };
    let mid = Mid::new(b"ab7").expect("a short name");
    let template = HeaderTemplate::new(kind, Ssrc(77), PayloadType(99), &mid, &map(flags));
    let stamp = Stamp {
        sequence: u16::from(seed) * 257,
        timestamp: 0x0102_0304,
        marker: flags & 2 != 0,
        is_padded: padding > 0,
        abs_send_time: 0x00ab_cdef,
        transport_sequence: 0x1234,
    };
    let mut out = [0xdd; MAX_PACKET + 255];
    template.write(&mut out, &bytes[..total], stamp);
    out[HEADER..total].copy_from_slice(&bytes[HEADER..total]);
    let after = RtpView::parse(&out[..total]).expect("a valid packet");
    assert_eq!(
        (after.ssrc(), after.payload_type(), after.marker()),
        (Ssrc(77), PayloadType(99), stamp.marker)
    );
    assert_eq!(
        (after.sequence(), after.timestamp()),
        (stamp.sequence, stamp.timestamp)
    );
    assert_eq!(
        (after.header_len(), after.padding_len()),
        (HEADER, usize::from(padding))
    );
    let read = map(flags).read(&after);
    let has = |kind| map(flags).id(kind).is_some();
    assert_eq!(read.mid, has(ExtKind::Mid).then_some(mid));
    assert_eq!(
        read.transport_sequence,
        has(ExtKind::TransportSequence).then_some(0x1234)
    );
    assert_eq!(
        read.abs_send_time,
        has(ExtKind::AbsSendTime).then_some(0x00ab_cdef)
    );
    assert_eq!(after.payload().len(), view.payload().len());
    if numbered {
        let (before, after) = (vp8::parse(view.payload()), vp8::parse(after.payload()));
        let (before, after) = before.zip(after).expect("the layout is the same");
        assert_eq!(
            (before.len, before.temporal, before.key),
            (after.len, after.temporal, after.key)
        );
    } else if numbers.is_none() {
        assert_eq!(after.payload(), view.payload());
    }
}

/// Extension ids, each present or not by a bit.
fn map(bits: u8) -> ExtMap {
    let kinds = [
        ExtKind::Mid,
        ExtKind::AbsSendTime,
        ExtKind::TransportSequence,
        ExtKind::AudioLevel,
        ExtKind::VideoOrientation,
    ];
    let mut map = ExtMap::new();
    for (at, kind) in (0_u8..).zip(kinds) {
        if bits >> (at + 2) & 1 == 1 {
            map.set(kind, at + 1);
        }
    }
    map
}

/// Any sizes and times: padding is never more than the rule allows, never on a frame's last packet, and packets of a
/// frame that differ by a byte become equal.
pub fn train_padding(data: &[u8]) {
    let mut leveller = Leveller::default();
    let mut frame = 1_u64 << 32;
    for &[step, high, low, end] in data.as_chunks::<4>().0 {
        // Mostly the same frame or the next, sometimes a late packet.
        frame = match step % 8 {
            0 => frame + 3_000,
            1 => frame - 3_000,
            _ => frame,
        };
        let len = usize::from(u16::from_be_bytes([high, low]) % 1_600);
        let is_last = end & 1 == 1;
        let mut next = leveller;
        let padding = usize::from(next.pad(RtpTime(frame), len, is_last));
        assert!(padding <= 16 && (padding == 0 || len + padding <= 1_200));
        assert!(padding == 0 || (!is_last && len >= 600));
        if padding > 0 {
            let mut same = next;
            let longer = usize::from(same.pad(RtpTime(frame), len + 1, false));
            assert_eq!(
                len + padding,
                len + 1 + longer,
                "a byte more makes the same length"
            );
        }
        leveller = next;
    }
}
