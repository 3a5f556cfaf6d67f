//! H.264 payloads (RFC 6184 §5): single NAL units, STAP-A and FU-A, as packetization modes 0 and 1 have them.
//!
//! ```text
//!           |F|NRI| Type    |  1-23: the NAL unit itself
//! STAP-A    |F|NRI|   24    |  size (16) | NAL unit | size (16) | NAL unit ...
//! FU-A      |F|NRI|   28    |S|E|R| Type | part of the NAL unit ...
//! ```

use super::FrameInfo;

const SLICE: u8 = 1;
const IDR_SLICE: u8 = 5;
const SEI: u8 = 6;
const SEQUENCE_PARAMETERS: u8 = 7;
const ACCESS_UNIT_DELIMITER: u8 = 9;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

/// What the NAL units (or the part of one) in a packet are.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Contents {
    /// A sequence parameter set is in the packet.
    pub sequence_parameters: bool,
    /// The beginning of the first slice of an IDR picture is in the packet.
    pub idr_start: bool,
    /// The beginning of the first slice of any picture is in the packet.
    pub picture_start: bool,
    /// Slice data is in the packet.
    pub slice: bool,
    /// The packet begins with a NAL unit that comes before the slices of a picture (ITU-T H.264 §7.4.1.2.3).
    pub prefix: bool,
}

/// Reads the headers of the NAL units; `None` for an empty payload, a broken length, or a packet type
/// that modes 0 and 1 do not have.
pub fn parse(payload: &[u8]) -> Option<Contents> {
    let mut contents = Contents::default();
    let (&header, rest) = payload.split_first()?;
    match header & 0x1f {
        1..=23 => contents.add(header & 0x1f, rest),
        STAP_A => {
            let mut rest = rest;
            while let [high, low, tail @ ..] = rest {
                let (unit, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
                let (&header, body) = unit.split_first()?;
                contents.add(header & 0x1f, body);
                rest = tail;
            }
        }
        FU_A => {
            let (&fragment, body) = rest.split_first()?;
            if fragment & 0x80 != 0 {
                contents.add(fragment & 0x1f, body);
            } else {
                contents.slice = matches!(fragment & 0x1f, SLICE..=IDR_SLICE);
            }
        }
        _ => return None,
    }
    Some(contents)
}

impl Contents {
    fn add(&mut self, unit: u8, body: &[u8]) {
        match unit {
            SLICE..=IDR_SLICE => {
                // A slice header begins with first_mb_in_slice as ue(v); a leading 1 bit is the value zero.
                let first = body.first().is_some_and(|byte| byte & 0x80 != 0);
                self.picture_start |= first;
                self.idr_start |= first && unit == IDR_SLICE;
                self.slice = true;
            }
            // 8 between them is a picture parameter set.
            SEI..=ACCESS_UNIT_DELIMITER => {
                self.sequence_parameters |= unit == SEQUENCE_PARAMETERS;
                self.prefix |= !self.slice;
            }
            _ => {}
        }
    }
}

/// Which part of an access unit the packets have reached.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Position {
    /// Parameter sets, delimiters and the like.
    #[default]
    Prefix,
    Slices,
}

/// Finds the access units in a stream of payloads. RTP marks only their ends, and a key picture is often
/// spread over packets of which any may be the first.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct AccessUnits {
    position: Position,
    /// A packet of the current access unit has been called key.
    key: bool,
}

impl AccessUnits {
    /// `first`: the previous packet had the marker, or there was none.
    pub(super) fn read(&mut self, payload: &[u8], first: bool) -> Option<FrameInfo> {
        let contents = parse(payload)?;
        // Without a marker (its packet is lost), a new access unit shows by what cannot follow slices.
        let begins = contents.prefix || contents.picture_start;
        let start = first || (self.position == Position::Slices && begins);
        if start {
            self.key = false;
        }
        self.position = if contents.slice {
            Position::Slices
        } else {
            Position::Prefix
        };
        let key = !self.key && (contents.sequence_parameters || contents.idr_start);
        self.key |= key;
        Some(FrameInfo {
            key,
            start,
            switch_up: key,
            ..FrameInfo::default()
        })
    }
}

#[cfg(test)]
mod tests;
