//! Single header fields written into a packet that is already known to be valid RTP.
//!
//! A slice shorter than the fixed header is left as it is.

use crate::{PayloadType, Ssrc};

/// Length of the fixed RTP header (RFC 3550 §5.1).
pub const FIXED_HEADER_LEN: usize = 12;

fn header(packet: &mut [u8]) -> Option<&mut [u8; FIXED_HEADER_LEN]> {
    packet.first_chunk_mut()
}

/// Replaces the sequence number.
pub fn sequence(packet: &mut [u8], sequence: u16) {
    if let Some(header) = header(packet) {
        header[2..4].copy_from_slice(&sequence.to_be_bytes());
    }
}

/// Replaces the timestamp.
pub fn timestamp(packet: &mut [u8], timestamp: u32) {
    if let Some(header) = header(packet) {
        header[4..8].copy_from_slice(&timestamp.to_be_bytes());
    }
}

/// Replaces the SSRC.
pub fn ssrc(packet: &mut [u8], ssrc: Ssrc) {
    if let Some(header) = header(packet) {
        header[8..12].copy_from_slice(&ssrc.0.to_be_bytes());
    }
}

/// Replaces the payload type (its low seven bits) and keeps the marker.
pub fn payload_type(packet: &mut [u8], payload_type: PayloadType) {
    if let Some(header) = header(packet) {
        header[1] = (header[1] & 0x80) | (payload_type.0 & 0x7f);
    }
}

/// Sets or clears the marker and keeps the payload type.
pub fn marker(packet: &mut [u8], marker: bool) {
    if let Some(header) = header(packet) {
        header[1] = (header[1] & 0x7f) | (u8::from(marker) << 7);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RtpView;

    #[test]
    fn each_field_is_written_alone() {
        let original = [0x80, 0x60, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xaa];
        let mut packet = original;
        sequence(&mut packet, 0xfffe);
        timestamp(&mut packet, 0x0102_0304);
        ssrc(&mut packet, Ssrc(0xdead_beef));
        payload_type(&mut packet, PayloadType(0xff));
        marker(&mut packet, true);
        let view = RtpView::parse(&packet).unwrap();
        assert_eq!(view.sequence(), 0xfffe);
        assert_eq!(view.timestamp(), 0x0102_0304);
        assert_eq!(view.ssrc(), Ssrc(0xdead_beef));
        assert_eq!(view.payload_type(), PayloadType(127));
        assert!(view.marker());
        assert_eq!(view.payload(), &[0xaa]);

        marker(&mut packet, false);
        payload_type(&mut packet, PayloadType(0x60));
        assert_eq!(packet[..2], original[..2]);
    }

    #[test]
    fn a_short_slice_is_left_alone() {
        let mut packet = [1; 11];
        sequence(&mut packet, 9);
        timestamp(&mut packet, 9);
        ssrc(&mut packet, Ssrc(9));
        payload_type(&mut packet, PayloadType(9));
        marker(&mut packet, true);
        assert_eq!(packet, [1; 11]);
    }
}
