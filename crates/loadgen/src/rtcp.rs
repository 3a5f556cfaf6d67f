//! The RTCP that a browser writes and reads (RFC 3550 §6, RFC 4585 §6, RFC 5104 §4.3).

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
/// Report blocks that one report can hold.
pub(crate) const MAX_BLOCKS: usize = 31;

/// Appends a packet; `body` writes what follows its header.
pub(crate) fn packet(out: &mut Vec<u8>, count: u8, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count, kind, 0, 0]);
    body(out);
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
    // A datagram's worth of words.
    let words = ((out.len() - start) / 4 - 1) as u16;
    out[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
}

fn word(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

/// What a sender says about a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SenderInfo {
    pub(crate) ssrc: u32,
    pub(crate) ntp: u64,
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

pub(crate) fn sender_report(out: &mut Vec<u8>, info: &SenderInfo) {
    packet(out, 0, SENDER_REPORT, |out| {
        word(out, info.ssrc);
        out.extend_from_slice(&info.ntp.to_be_bytes());
        for value in [info.timestamp, info.packets, info.octets] {
            word(out, value);
        }
    });
}

/// What a receiver says about a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) ssrc: u32,
    /// Share lost since the last report, of 256.
    pub(crate) fraction_lost: u8,
    /// Lost altogether; 24 bits.
    pub(crate) lost: u32,
    /// Highest sequence number with roll-overs.
    pub(crate) highest: u32,
    /// The middle of the last sender report's time, and how long ago it came in 1/65536 s; both 0 before the first.
    pub(crate) last_report: u32,
    pub(crate) delay: u32,
}

/// Appends a report of at most [`MAX_BLOCKS`] streams.
pub(crate) fn receiver_report(out: &mut Vec<u8>, ssrc: u32, blocks: &[Block]) {
    let blocks = &blocks[..blocks.len().min(MAX_BLOCKS)];
    packet(out, blocks.len() as u8, RECEIVER_REPORT, |out| {
        word(out, ssrc);
        for block in blocks {
            let lost = u32::from(block.fraction_lost) << 24 | (block.lost & 0x00FF_FFFF);
            // Jitter is not measured: nothing reacts to it.
            let values = [block.ssrc, lost, block.highest, 0, block.last_report, block.delay];
            values.into_iter().for_each(|value| word(out, value));
        }
    });
}

/// Appends the canonical name that every compound packet holds.
pub(crate) fn description(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    packet(out, 1, DESCRIPTION, |out| {
        word(out, ssrc);
        let cname = &cname.as_bytes()[..cname.len().min(255)];
        out.extend_from_slice(&[1, cname.len() as u8]);
        out.extend_from_slice(cname);
        // The list of items ends with at least one zero.
        out.push(0);
    });
}

/// Appends a request for a key frame.
pub(crate) fn picture_loss(out: &mut Vec<u8>, sender: u32, media: u32) {
    packet(out, 1, PAYLOAD_FEEDBACK, |out| {
        word(out, sender);
        word(out, media);
    });
}

/// What we react to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// PLI or FIR: the stream's next frame is to be a key frame.
    KeyFrame { ssrc: u32 },
    /// A packet is missing.
    Missing { ssrc: u32, sequence: u16 },
    /// The other side knows the stream.
    Known { ssrc: u32 },
    /// A stream's sender report, with the middle of its time.
    Sent { ssrc: u32, time: u32 },
}

/// Reads a compound packet as far as it makes sense.
pub(crate) fn read(mut compound: &[u8], mut on: impl FnMut(Item)) {
    while let [first, kind, high, low, rest @ ..] = compound {
        let length = 4 * usize::from(u16::from_be_bytes([*high, *low]));
        if first >> 6 != 2 || length > rest.len() {
            return;
        }
        let (body, behind) = rest.split_at(length);
        read_one(*kind, first & 0x1F, body, &mut on);
        compound = behind;
    }
}

fn read_one(kind: u8, count: u8, body: &[u8], on: &mut impl FnMut(Item)) {
    let words = |bytes: &[u8], at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(*bytes.get(4 * at..)?.first_chunk()?))
    };
    match (kind, count) {
        (SENDER_REPORT, _) => {
            if let (Some(ssrc), Some(seconds), Some(fraction)) =
                (words(body, 0), words(body, 1), words(body, 2))
            {
                let time = seconds << 16 | fraction >> 16;
                on(Item::Sent { ssrc, time });
            }
        }
        (RECEIVER_REPORT, count) => {
            for number in 0..usize::from(count) {
                if let Some(ssrc) = words(body, 1 + 6 * number) {
                    on(Item::Known { ssrc });
                }
            }
        }
        (TRANSPORT_FEEDBACK, 1) => {
            let Some(ssrc) = words(body, 1) else { return };
            for pair in body.get(8..).unwrap_or_default().chunks_exact(4) {
                let first = u16::from_be_bytes([pair[0], pair[1]]);
                let more = u16::from_be_bytes([pair[2], pair[3]]);
                let more = (0..16).filter(|bit| more & 1 << bit != 0).map(|bit| bit + 1);
                for step in std::iter::once(0).chain(more) {
                    let sequence = first.wrapping_add(step);
                    on(Item::Missing { ssrc, sequence });
                }
            }
        }
        (PAYLOAD_FEEDBACK, 1) => {
            if let Some(ssrc) = words(body, 1) {
                on(Item::KeyFrame { ssrc });
            }
        }
        (PAYLOAD_FEEDBACK, 4) => {
            for entry in body.get(8..).unwrap_or_default().chunks_exact(8) {
                if let Some(ssrc) = words(entry, 0) {
                    on(Item::KeyFrame { ssrc });
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items(compound: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        read(compound, |item| items.push(item));
        items
    }

    #[test]
    fn reports_are_written_as_the_rfc_says() {
        let mut out = Vec::new();
        let info = SenderInfo {
            ssrc: 7,
            ntp: 0x1111_2222_3333_4444,
            timestamp: 8,
            packets: 9,
            octets: 10,
        };
        sender_report(&mut out, &info);
        description(&mut out, 7, "me");
        let expected = [
            0x80, 200, 0, 6, 0, 0, 0, 7, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0, 0, 0, 8, 0, 0, 0,
            9, 0, 0, 0, 10, 0x81, 202, 0, 3, 0, 0, 0, 7, 1, 2, b'm', b'e', 0, 0, 0, 0,
        ];
        // RFC 3550 §6.5: the chunk ends on a word boundary, with one zero at least.
        assert_eq!(out[..36], expected[..36]);
        assert_eq!(out.len() % 4, 0);
        assert_eq!(out[36..40], [1, 2, b'm', b'e']);
        assert_eq!(out[40..], [0; 4]);
        assert_eq!(
            items(&out),
            [Item::Sent {
                ssrc: 7,
                time: 0x2222_3333
            }]
        );
    }

    #[test]
    fn blocks_are_written_and_read() {
        let mut out = Vec::new();
        let block = |ssrc| Block {
            ssrc,
            fraction_lost: 3,
            lost: 0x01_0203,
            highest: 0x0001_0000,
            ..Block::default()
        };
        receiver_report(&mut out, 1, &[block(5), block(6)]);
        assert_eq!(out[..4], [0x82, 201, 0, 13]);
        assert_eq!(out[12..16], [3, 1, 2, 3]);
        assert_eq!(items(&out), [Item::Known { ssrc: 5 }, Item::Known { ssrc: 6 }]);
        let many = vec![block(1); 40];
        out.clear();
        receiver_report(&mut out, 1, &many);
        assert_eq!(items(&out).len(), MAX_BLOCKS);
    }

    #[test]
    fn requests_are_read() {
        let mut out = Vec::new();
        picture_loss(&mut out, 1, 2);
        // FIR for SSRC 3, then NACK of 65535, 0 and 15 for SSRC 4.
        out.extend_from_slice(&[0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 9, 0, 0, 0]);
        out.extend_from_slice(&[0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 4, 0xFF, 0xFF, 0x80, 0x01]);
        let missing = |sequence| Item::Missing { ssrc: 4, sequence };
        assert_eq!(
            items(&out),
            [
                Item::KeyFrame { ssrc: 2 },
                Item::KeyFrame { ssrc: 3 },
                missing(65_535),
                missing(0),
                missing(15)
            ]
        );
    }

    proptest! {
        #[test]
        fn anything_may_come(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes, |_| ());
        }
    }
}
