//! RTP headers with their extensions (RFC 3550 §5.1, RFC 8285).

/// Bytes of a header without extensions.
pub(crate) const FIXED: usize = 12;
/// The profile word of one-byte extensions (RFC 8285 §4.2).
const ONE_BYTE: [u8; 2] = [0xBE, 0xDE];
const EXTENDED: u8 = 0x10;
const PADDED: u8 = 0x20;
const VERSION: u8 = 0x80;

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) payload_type: u8,
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
}

/// Appends one header to a buffer.
pub(crate) struct HeaderWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> HeaderWriter<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>, header: &Header) -> Self {
        let start = out.len();
        let marker = u8::from(header.marker) << 7;
        out.extend_from_slice(&[VERSION, header.payload_type | marker]);
        out.extend_from_slice(&header.sequence.to_be_bytes());
        out.extend_from_slice(&header.timestamp.to_be_bytes());
        out.extend_from_slice(&header.ssrc.to_be_bytes());
        Self { out, start }
    }

    /// Adds an extension of 1 to 16 bytes, if it has an id that fits the one-byte form.
    pub(crate) fn extension(&mut self, id: Option<u8>, value: &[u8]) {
        let Some(id) = id.filter(|id| (1..=14).contains(id) && (1..=16).contains(&value.len())) else {
            return;
        };
        if self.out[self.start] & EXTENDED == 0 {
            self.out[self.start] |= EXTENDED;
            self.out.extend_from_slice(&ONE_BYTE);
            self.out.extend_from_slice(&[0; 2]);
        }
        // At most 16, checked above.
        self.out.push(id << 4 | (value.len() - 1) as u8);
        self.out.extend_from_slice(value);
    }

    /// Pads the extensions; the length of the whole header.
    pub(crate) fn finish(self) -> usize {
        let block = self.start + FIXED;
        if self.out[self.start] & EXTENDED != 0 {
            while !(self.out.len() - block).is_multiple_of(4) {
                self.out.push(0);
            }
            let words = (self.out.len() - block - 4) / 4;
            // Five extensions of 17 bytes at most.
            self.out[block + 2..block + 4].copy_from_slice(&(words as u16).to_be_bytes());
        }
        self.out.len() - self.start
    }
}

/// A header as read, and where things are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) header: Header,
    /// Bytes before the payload.
    pub(crate) length: usize,
    padded: bool,
    /// Start of the extensions' elements, which end with the header.
    elements: Option<usize>,
    two_byte: bool,
}

impl Parsed {
    /// Reads the header of a packet, whose payload may be encrypted.
    pub(crate) fn read(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; FIXED] = packet.first_chunk()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut length = FIXED + 4 * usize::from(fixed[0] & 0x0F);
        let (mut elements, mut two_byte) = (None, false);
        if fixed[0] & EXTENDED != 0 {
            let [profile @ .., high, low]: [u8; 4] = *packet.get(length..)?.first_chunk()?;
            two_byte = profile[0] == 0x10;
            if two_byte || profile == ONE_BYTE {
                elements = Some(length + 4);
            }
            length += 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        }
        let header = Header {
            payload_type: fixed[1] & 0x7F,
            marker: fixed[1] & 0x80 != 0,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        };
        (length <= packet.len()).then_some(Self {
            header,
            length,
            padded: fixed[0] & PADDED != 0,
            elements,
            two_byte,
        })
    }

    /// The value of an extension.
    pub(crate) fn extension<'p>(&self, packet: &'p [u8], id: u8) -> Option<&'p [u8]> {
        let mut rest = packet.get(self.elements?..self.length)?;
        while let [first, behind @ ..] = rest {
            if *first == 0 {
                rest = behind;
                continue;
            }
            let (found, length, value) = if self.two_byte {
                let (length, value) = behind.split_first()?;
                (*first, usize::from(*length), value)
            } else {
                (first >> 4, usize::from(first & 0x0F) + 1, behind)
            };
            let (value, behind) = value.split_at_checked(length)?;
            if found == id {
                return Some(value);
            }
            rest = behind;
        }
        None
    }

    /// A decrypted payload without its padding.
    pub(crate) fn unpadded<'p>(&self, payload: &'p [u8]) -> &'p [u8] {
        match payload.last() {
            Some(padding) if self.padded => &payload[..payload.len().saturating_sub(usize::from(*padding))],
            _ => payload,
        }
    }
}

/// What a datagram on a WebRTC transport is (RFC 7983, RFC 5761 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Datagram {
    Stun,
    Dtls,
    Rtp,
    Rtcp,
    Other,
}

impl Datagram {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0..=3, ..] => Self::Stun,
            [20..=63, ..] => Self::Dtls,
            [128..=191, 192..=223, ..] => Self::Rtcp,
            [128..=191, _, ..] => Self::Rtp,
            _ => Self::Other,
        }
    }
}

/// Sequence numbers without their roll-over (RFC 3711 §3.3.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extended {
    highest: u64,
}

impl Extended {
    /// Begins with this sequence number.
    pub(crate) const fn new(first: u16) -> Self {
        Self {
            highest: first as u64,
        }
    }

    /// The highest so far.
    pub(crate) const fn highest(self) -> u64 {
        self.highest
    }

    /// The number nearest to the highest that ends in `sequence`.
    pub(crate) fn guess(self, sequence: u16) -> u64 {
        let step = sequence.wrapping_sub(self.highest as u16) as i16;
        let guess = self.highest.checked_add_signed(i64::from(step));
        // Before the first there is nothing to roll over from.
        guess.unwrap_or(u64::from(sequence))
    }

    /// Takes note of a number that came.
    pub(crate) fn note(&mut self, number: u64) {
        self.highest = self.highest.max(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(sequence: u16) -> Header {
        Header {
            payload_type: 96,
            marker: true,
            sequence,
            timestamp: 0x0102_0304,
            ssrc: 0xA0B0_C0D0,
        }
    }

    #[test]
    fn a_header_is_written_as_the_rfcs_say() {
        let mut out = vec![0xFF];
        let mut writer = HeaderWriter::begin(&mut out, &header(0x1234));
        writer.extension(Some(5), &[0xAB, 0xCD]);
        writer.extension(None, b"nobody asked");
        writer.extension(Some(1), b"0");
        assert_eq!(writer.finish(), 12 + 4 + 8);
        let expected = [
            0xFF, 0x90, 0xE0, 0x12, 0x34, 1, 2, 3, 4, 0xA0, 0xB0, 0xC0, 0xD0, 0xBE, 0xDE, 0, 2, 0x51, 0xAB,
            0xCD, 0x10, b'0', 0, 0, 0,
        ];
        assert_eq!(out, expected);
        let parsed = Parsed::read(&out[1..]).expect("reads");
        assert_eq!(parsed.header, header(0x1234));
        assert_eq!(parsed.extension(&out[1..], 5), Some(&[0xAB, 0xCD][..]));
        assert_eq!(parsed.extension(&out[1..], 1), Some(&b"0"[..]));
        assert_eq!(parsed.extension(&out[1..], 2), None);
    }

    #[test]
    fn a_header_without_extensions_has_no_block() {
        let mut out = Vec::new();
        assert_eq!(HeaderWriter::begin(&mut out, &header(1)).finish(), FIXED);
        assert_eq!(out[0], 0x80);
    }

    #[test]
    fn two_byte_extensions_and_padding_are_read() {
        let mut packet = vec![
            0xB0, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0x10, 0x00, 0, 1, 7, 1, 0x55, 0,
        ];
        packet.extend_from_slice(&[1, 2, 3, 0, 2]);
        let parsed = Parsed::read(&packet).expect("reads");
        assert_eq!(parsed.extension(&packet, 7), Some(&[0x55][..]));
        assert_eq!(parsed.unpadded(&packet[parsed.length..]), [1, 2, 3]);
    }

    #[test]
    fn datagrams_are_told_apart_by_their_first_bytes() {
        let kinds = [[0, 1], [22, 254], [0x80, 96], [0x80, 0xE0], [0x81, 200], [70, 0]]
            .map(|bytes| Datagram::of(&bytes));
        use Datagram::{Dtls, Other, Rtcp, Rtp, Stun};
        assert_eq!(kinds, [Stun, Dtls, Rtp, Rtp, Rtcp, Other]);
        assert_eq!(Datagram::of(&[]), Other);
    }

    proptest! {
        #[test]
        fn numbers_are_extended_over_roll_overs(first: u16, steps in prop::collection::vec(0u16..0x7FFF, 1..100)) {
            let mut exact = u64::from(first);
            let mut extended = Extended::new(first);
            for step in steps {
                exact += u64::from(step);
                let number = extended.guess(exact as u16);
                prop_assert_eq!(number, exact);
                extended.note(number);
                // One that comes late.
                let late = exact.saturating_sub(100);
                if late >= u64::from(first) {
                    prop_assert_eq!(extended.guess(late as u16), late);
                }
            }
        }

        #[test]
        fn anything_may_come(bytes in prop::collection::vec(any::<u8>(), 0..64), id: u8) {
            if let Some(parsed) = Parsed::read(&bytes) {
                prop_assert!(parsed.length <= bytes.len());
                let _ = parsed.extension(&bytes, id);
                let _ = parsed.unpadded(&bytes[parsed.length..]);
            }
        }
    }
}
