//! RTP packets as a browser would send them, and what a viewer reads of those it gets.

/// Payload type of the producer's VP8.
pub(crate) const VP8: u8 = 96;
/// Payload type of the producer's Opus.
pub(crate) const OPUS: u8 = 111;
/// Payload type of the packets that only probe for bandwidth (contract §1.8.10).
pub(crate) const PROBE: u8 = 127;
/// Id of transport-wide congestion control on both sides.
pub(crate) const TWCC_ID: u8 = 5;
/// Id of the audio level on both sides.
pub(crate) const LEVEL_ID: u8 = 10;

/// Counters of one outgoing stream.
#[derive(Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) picture: u16,
    pub(crate) twcc: u16,
}

impl Stream {
    pub(crate) fn new(ssrc: u32) -> Self {
        Self {
            ssrc,
            sequence: 65_000,
            timestamp: 1_000_000,
            picture: 100,
            twcc: 0,
        }
    }

    /// The next packet of 20 ms of Opus, `size` bytes of payload each `fill`.
    pub(crate) fn opus(&mut self, size: usize, fill: u8) -> Vec<u8> {
        self.timestamp = self.timestamp.wrapping_add(960);
        // Voice at -30 dBov.
        let extension = [LEVEL_ID << 4, 0x80 | 30, 0, 0];
        self.packet(OPUS, false, extension, &vec![fill; size])
    }

    /// The packets of the next VP8 frame, each with `size` bytes of payload.
    pub(crate) fn vp8(&mut self, packets: usize, size: usize, key: bool) -> Vec<Vec<u8>> {
        self.timestamp = self.timestamp.wrapping_add(3_000);
        self.picture = (self.picture + 1) & 0x7FFF;
        let picture = self.picture.to_be_bytes();
        (0..packets)
            .map(|index| {
                let mut payload = vec![0x55; size];
                // RFC 7741 §4.2: extended, start of partition; I, L and T present.
                payload[0] = if index == 0 { 0x90 } else { 0x80 };
                payload[1] = 0xE0;
                payload[2] = 0x80 | picture[0];
                payload[3] = picture[1];
                payload[4] = picture[1];
                payload[5] = 0;
                if index == 0 {
                    // RFC 6386 §9.1: the lowest bit is clear in a key frame, whose start code follows.
                    payload[6..16].copy_from_slice(&[0x11, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01]);
                    if key {
                        payload[6] = 0x10;
                    }
                }
                self.twcc = self.twcc.wrapping_add(1);
                let [high, low] = self.twcc.to_be_bytes();
                self.packet(
                    VP8,
                    index + 1 == packets,
                    [TWCC_ID << 4 | 1, high, low, 0],
                    &payload,
                )
            })
            .collect()
    }

    fn packet(&mut self, payload_type: u8, marker: bool, extension: [u8; 4], payload: &[u8]) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut packet = vec![0x90, payload_type | u8::from(marker) << 7];
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&self.timestamp.to_be_bytes());
        packet.extend_from_slice(&self.ssrc.to_be_bytes());
        // One word of one-byte extensions (RFC 8285 §4.2).
        packet.extend_from_slice(&[0xBE, 0xDE, 0, 1]);
        packet.extend_from_slice(&extension);
        packet.extend_from_slice(payload);
        packet
    }
}

/// What a viewer checks of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen<'a> {
    pub(crate) payload_type: u8,
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload: &'a [u8],
}

/// Whether a packet, encrypted or not, only probes for bandwidth.
pub(crate) fn is_probe(packet: &[u8]) -> bool {
    packet[1] & 0x7F == PROBE
}

/// Reads a plaintext packet; panics on one that no receiver would accept.
pub(crate) fn read(packet: &[u8]) -> Seen<'_> {
    assert_eq!(packet[0] >> 6, 2, "RTP version");
    let word = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().expect("four bytes"));
    let mut payload = 12 + 4 * usize::from(packet[0] & 0x0F);
    if packet[0] & 0x10 != 0 {
        payload += 4 + 4 * (word(payload) as usize & 0xFFFF);
    }
    let padding = if packet[0] & 0x20 == 0 {
        0
    } else {
        usize::from(packet[packet.len() - 1])
    };
    Seen {
        payload_type: packet[1] & 0x7F,
        marker: packet[1] & 0x80 != 0,
        sequence: u16::from_be_bytes([packet[2], packet[3]]),
        timestamp: word(4),
        ssrc: word(8),
        payload: &packet[payload..packet.len() - padding],
    }
}
