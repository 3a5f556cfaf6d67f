//! What a datagram is, told by its first two bytes (RFC 7983 §7, RFC 5761 §4).

/// The protocol of one received datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatagramKind {
    /// STUN, first byte 0 to 3.
    Stun,
    /// DTLS record, first byte 20 to 63.
    Dtls,
    /// RTP or SRTP, first byte 128 to 191.
    Rtp,
    /// RTCP or SRTCP multiplexed with RTP: as RTP, and the second byte is 192 to 223.
    Rtcp,
    /// Nothing this server speaks (ZRTP, TURN channels, QUIC, an empty datagram).
    Other,
}

/// Classifies a datagram without validating it: the parser of the protocol still has to accept it.
pub fn classify(datagram: &[u8]) -> DatagramKind {
    match datagram {
        [0..=3, ..] => DatagramKind::Stun,
        [20..=63, ..] => DatagramKind::Dtls,
        [128..=191, 192..=223, ..] => DatagramKind::Rtcp,
        [128..=191, _, ..] => DatagramKind::Rtp,
        _ => DatagramKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_first_byte_falls_into_the_range_of_rfc_7983() {
        for first in 0..=255_u8 {
            let expected = match first {
                0..=3 => DatagramKind::Stun,
                20..=63 => DatagramKind::Dtls,
                128..=191 => DatagramKind::Rtp,
                _ => DatagramKind::Other,
            };
            assert_eq!(classify(&[first, 96, 0, 0]), expected, "first byte {first}");
        }
    }

    #[test]
    fn rtcp_is_told_from_rtp_by_its_packet_type() {
        for second in 0..=255_u8 {
            let expected = if (192..=223).contains(&second) {
                DatagramKind::Rtcp
            } else {
                DatagramKind::Rtp
            };
            assert_eq!(classify(&[0x80, second, 0, 0]), expected, "second byte {second}");
        }
        // Payload type 72 with the marker bit looks like a sender report: RFC 5761 §4 forbids it for RTP.
        assert_eq!(classify(&[0x80, 0x80 | 72]), DatagramKind::Rtcp);
    }

    #[test]
    fn truncated_datagrams_are_not_media() {
        assert_eq!(classify(&[]), DatagramKind::Other);
        assert_eq!(classify(&[0x80]), DatagramKind::Other);
        assert_eq!(classify(&[0]), DatagramKind::Stun);
    }
}
