//! RFC 4571 frames: packets on a byte stream, each behind its length.
//!
//! ```text
//!  0                   1
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+------------------
//! |      LENGTH (big endian)      |  packet ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+------------------
//! ```

/// Bytes of the length field.
const PREFIX: usize = 2;

/// The longest packet accepted. STUN, DTLS flights and RTP all keep to a path's MTU of about 1,500 bytes; somebody who
/// announces more is no WebRTC peer, and refusing it bounds what a connection can make us hold.
pub(super) const MAX_PACKET: usize = 4096;

/// A frame announced more than [`MAX_PACKET`] bytes; the stream cannot be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameTooLong;

/// Cuts a byte stream into packets. Whole frames are handed on where they lie; only the tail of a read that ends
/// inside a frame is copied.
#[derive(Debug, Default)]
pub(super) struct Deframer {
    /// An incomplete frame, length field included; empty between frames. At most `PREFIX + MAX_PACKET` bytes.
    partial: Vec<u8>,
}

impl Deframer {
    /// Takes the next bytes of the stream and hands every packet they complete to `deliver`. Empty packets (RFC 4571
    /// §2 allows them) are passed over.
    pub(super) fn feed(
        &mut self,
        mut chunk: &mut [u8],
        mut deliver: impl FnMut(&mut [u8]),
    ) -> Result<(), FrameTooLong> {
        while !self.partial.is_empty() {
            let missing = missing(&self.partial)?;
            if missing == 0 {
                if let Some(packet) = self.partial.get_mut(PREFIX..).filter(|packet| !packet.is_empty()) {
                    deliver(packet);
                }
                self.partial.clear();
                break;
            }
            if chunk.is_empty() {
                return Ok(());
            }
            let (now, later) = chunk.split_at_mut(missing.min(chunk.len()));
            self.partial.extend_from_slice(now);
            chunk = later;
        }
        while !chunk.is_empty() {
            // Bytes the frame at the front lacks in this chunk, its length field first.
            if chunk.len() < PREFIX || missing(chunk)? > 0 {
                self.partial.extend_from_slice(chunk);
                return Ok(());
            }
            let (frame, later) = chunk.split_at_mut(PREFIX + announced(chunk));
            if let Some(packet) = frame.get_mut(PREFIX..).filter(|packet| !packet.is_empty()) {
                deliver(packet);
            }
            chunk = later;
        }
        Ok(())
    }
}

/// The packet length a frame announces; 0 while the length field is incomplete.
fn announced(frame: &[u8]) -> usize {
    match frame {
        [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    }
}

/// Bytes to add until the length field, and then the frame, is complete.
fn missing(frame: &[u8]) -> Result<usize, FrameTooLong> {
    if frame.len() < PREFIX {
        return Ok(PREFIX - frame.len());
    }
    let length = announced(frame);
    if length > MAX_PACKET {
        return Err(FrameTooLong);
    }
    Ok((PREFIX + length).saturating_sub(frame.len()))
}

/// Appends `packet` as a frame; `false` and nothing appended when no length field can express it.
pub(super) fn frame(packet: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(length) = u16::try_from(packet.len()) else {
        return false;
    };
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(packet);
    true
}

/// Bytes [`frame`] will append for a packet of `length` bytes.
pub(super) fn framed_length(length: usize) -> usize {
    PREFIX + length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn collect(
        deframer: &mut Deframer,
        bytes: &[u8],
        packets: &mut Vec<Vec<u8>>,
    ) -> Result<(), FrameTooLong> {
        let mut copy = bytes.to_vec();
        deframer.feed(&mut copy, |packet| packets.push(packet.to_vec()))
    }

    #[test]
    fn frames_are_cut_wherever_reads_end() {
        type Case<'a> = (&'a str, &'a [&'a [u8]], &'a [&'a [u8]]);
        let table: &[Case<'_>] = &[
            ("one frame", &[&[0, 3, 1, 2, 3]], &[&[1, 2, 3]]),
            ("two in one read", &[&[0, 1, 9, 0, 2, 7, 8]], &[&[9], &[7, 8]]),
            ("split inside the length", &[&[0], &[2, 5, 6]], &[&[5, 6]]),
            ("split after the length", &[&[0, 2], &[5, 6]], &[&[5, 6]]),
            (
                "split inside the packet",
                &[&[0, 3, 1], &[2], &[3, 0, 1, 4]],
                &[&[1, 2, 3], &[4]],
            ),
            ("empty packets between", &[&[0, 0, 0, 1, 4, 0, 0]], &[&[4]]),
            ("empty packet split", &[&[0], &[0, 0, 1], &[4]], &[&[4]]),
            ("unfinished", &[&[0, 9, 1, 2]], &[]),
            ("nothing", &[&[]], &[]),
        ];
        for (name, reads, expected) in table {
            let mut deframer = Deframer::default();
            let mut packets = Vec::new();
            for read in *reads {
                assert_eq!(collect(&mut deframer, read, &mut packets), Ok(()), "{name}");
            }
            assert_eq!(packets, *expected, "{name}");
        }
    }

    #[test]
    fn an_overlong_frame_ends_the_stream_as_soon_as_it_is_announced() {
        let too_long = u16::try_from(MAX_PACKET + 1)
            .expect("fits the length field")
            .to_be_bytes();
        let mut packets = Vec::new();
        assert_eq!(
            collect(&mut Deframer::default(), &too_long, &mut packets),
            Err(FrameTooLong)
        );

        let mut split = Deframer::default();
        assert_eq!(collect(&mut split, &[0, 1, 5, too_long[0]], &mut packets), Ok(()));
        assert_eq!(
            collect(&mut split, &[too_long[1]], &mut packets),
            Err(FrameTooLong)
        );
        assert_eq!(packets, [[5]], "what came before it is delivered");
    }

    #[test]
    fn the_longest_packet_passes() {
        let mut stream = Vec::new();
        assert!(frame(&[7; MAX_PACKET], &mut stream));
        let mut packets = Vec::new();
        assert_eq!(collect(&mut Deframer::default(), &stream, &mut packets), Ok(()));
        assert_eq!(packets, [vec![7; MAX_PACKET]]);
    }

    #[test]
    fn a_packet_no_length_field_can_express_is_refused() {
        let mut out = Vec::new();
        assert!(!frame(&[0; 65_536], &mut out));
        assert!(out.is_empty());
        assert!(frame(&[0; 65_535], &mut out));
        assert_eq!(out.len(), framed_length(65_535));
    }

    proptest! {
        #[test]
        fn any_split_of_a_stream_gives_the_same_packets(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..12),
            cuts in prop::collection::vec(1usize..400, 0..40),
        ) {
            let mut stream = Vec::new();
            for packet in &packets {
                prop_assert!(frame(packet, &mut stream));
            }
            let mut deframer = Deframer::default();
            let mut received = Vec::new();
            let mut rest = stream.as_slice();
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                prop_assert_eq!(collect(&mut deframer, now, &mut received), Ok(()));
                rest = later;
            }
            prop_assert_eq!(collect(&mut deframer, rest, &mut received), Ok(()));
            prop_assert_eq!(received, packets);
        }

        #[test]
        fn garbage_never_holds_more_than_one_frame(
            reads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..10),
        ) {
            let mut deframer = Deframer::default();
            for read in reads {
                let mut ignored = Vec::new();
                let outcome = collect(&mut deframer, &read, &mut ignored);
                prop_assert!(ignored.iter().all(|packet| (1..=MAX_PACKET).contains(&packet.len())));
                if outcome.is_err() {
                    break;
                }
                prop_assert!(deframer.partial.len() < PREFIX + MAX_PACKET);
            }
        }
    }
}
