//! Opus packets (RFC 6716 §3, RFC 7587): the table-of-contents byte and the hint that nothing is said.
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! | config  |s| c |   config: mode, bandwidth and duration of a frame; s: stereo; c: frame count code
//! ```

use core::time::Duration;

/// The first byte of an Opus packet, and the frame count behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contents {
    /// Configuration, 0 to 31 (RFC 6716 table 2).
    pub config: u8,
    /// Two channels are coded.
    pub stereo: bool,
    /// Number of frames, 0 to 63; more than [`Contents::MAX_DURATION`] in all is not valid Opus.
    pub frames: u8,
}

/// Reads the table of contents; `None` for an empty payload or a missing frame count.
pub fn parse(payload: &[u8]) -> Option<Contents> {
    let toc = *payload.first()?;
    let frames = match toc & 0x03 {
        0 => 1,
        1 | 2 => 2,
        _ => *payload.get(1)? & 0x3f,
    };
    Some(Contents {
        config: toc >> 3,
        stereo: toc & 0x04 != 0,
        frames,
    })
}

impl Contents {
    /// The longest packet Opus allows (RFC 6716 §3.2.5).
    pub const MAX_DURATION: Duration = Duration::from_millis(120);

    /// Duration of one frame (RFC 6716 table 2).
    pub const fn frame_duration(&self) -> Duration {
        let microseconds = match (self.config, self.config & 0x03) {
            (0..=11, 0) => 10_000,
            (0..=11, 1) => 20_000,
            (0..=11, 2) => 40_000,
            (0..=11, _) => 60_000,
            (12..=15, size) => {
                if size & 1 == 0 {
                    10_000
                } else {
                    20_000
                }
            }
            (_, size) => 2_500 << size,
        };
        Duration::from_micros(microseconds)
    }

    /// Duration of the whole packet.
    pub fn duration(&self) -> Duration {
        self.frame_duration() * u32::from(self.frames)
    }
}

/// Whether the packet stands for silence: an encoder with discontinuous transmission sends one or two
/// bytes every 400 ms then, which hold no frame of more than one byte (RFC 6716 §2.1.9).
pub const fn is_dtx(payload: &[u8]) -> bool {
    matches!(payload.len(), 1 | 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_contents() {
        let rows: [(&[u8], _, u64); 7] = [
            (
                &[0x00],
                Contents {
                    config: 0,
                    stereo: false,
                    frames: 1,
                },
                10_000,
            ),
            (
                &[0x0c],
                Contents {
                    config: 1,
                    stereo: true,
                    frames: 1,
                },
                20_000,
            ),
            (
                &[0x59],
                Contents {
                    config: 11,
                    stereo: false,
                    frames: 2,
                },
                120_000,
            ),
            (
                &[0x78, 0xaa],
                Contents {
                    config: 15,
                    stereo: false,
                    frames: 1,
                },
                20_000,
            ),
            (
                &[0x80],
                Contents {
                    config: 16,
                    stereo: false,
                    frames: 1,
                },
                2_500,
            ),
            (
                &[0xfc, 0xff, 0xfe],
                Contents {
                    config: 31,
                    stereo: true,
                    frames: 1,
                },
                20_000,
            ),
            (
                &[0xff, 0x03],
                Contents {
                    config: 31,
                    stereo: true,
                    frames: 3,
                },
                60_000,
            ),
        ];
        for (payload, expected, microseconds) in rows {
            assert_eq!(parse(payload), Some(expected), "{payload:02x?}");
            assert_eq!(
                expected.duration(),
                Duration::from_micros(microseconds),
                "{payload:02x?}"
            );
        }
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&[0xff]), None, "the frame count is missing");
    }

    #[test]
    fn silence_is_one_or_two_bytes() {
        assert!(is_dtx(&[0xf8]));
        assert!(is_dtx(&[0xfb, 0x01]));
        assert!(!is_dtx(&[]));
        assert!(!is_dtx(&[0xfc, 0xff, 0xfe]));
    }
}
