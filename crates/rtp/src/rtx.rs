//! Retransmission packets (RFC 4588 §4): the payload begins with the original sequence number (OSN), the
//! header belongs to a stream of its own.

use crate::{PayloadType, RtpView, Ssrc, patch};

/// Length of the original sequence number in front of the payload.
pub const OSN_LEN: usize = 2;

/// Header fields a retransmission has instead of the original's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RtxHeader {
    /// SSRC of the retransmission stream.
    pub ssrc: Ssrc,
    /// Payload type negotiated with `apt` of the original's.
    pub payload_type: PayloadType,
    /// Next number of the retransmission stream.
    pub sequence: u16,
}

/// Turns a retransmission back into the original, in place, and returns the new length: two bytes less.
/// Timestamp, marker, extensions and padding stay.
///
/// `None`, the packet untouched, if it is not RTP or has no room for an original sequence number: bandwidth
/// probes are often padding on the retransmission stream.
pub fn unwrap(packet: &mut [u8], media_ssrc: Ssrc, media_payload_type: PayloadType) -> Option<usize> {
    let view = RtpView::parse(packet).ok()?;
    let original = u16::from_be_bytes(*view.payload().first_chunk::<OSN_LEN>()?);
    let header_len = view.header_len();
    packet.copy_within(header_len + OSN_LEN.., header_len);
    patch::sequence(packet, original);
    patch::ssrc(packet, media_ssrc);
    patch::payload_type(packet, media_payload_type);
    Some(packet.len() - OSN_LEN)
}

/// Turns the packet in `packet[..len]` into a retransmission, in place, and returns the new length: two
/// bytes more.
///
/// `None`, the packet untouched, if `packet` has no two bytes to spare behind `len`, or is not RTP.
pub fn wrap(packet: &mut [u8], len: usize, rtx: RtxHeader) -> Option<usize> {
    let wrapped_len = len
        .checked_add(OSN_LEN)
        .filter(|&wrapped| wrapped <= packet.len())?;
    let view = RtpView::parse(packet.get(..len)?).ok()?;
    let original = view.sequence();
    let header_len = view.header_len();
    packet.copy_within(header_len..len, header_len + OSN_LEN);
    packet
        .get_mut(header_len..header_len + OSN_LEN)?
        .copy_from_slice(&original.to_be_bytes());
    patch::sequence(packet, rtx.sequence);
    patch::ssrc(packet, rtx.ssrc);
    patch::payload_type(packet, rtx.payload_type);
    Some(wrapped_len)
}

#[cfg(test)]
mod tests;
