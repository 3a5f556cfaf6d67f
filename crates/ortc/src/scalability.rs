//! Scalability modes of an encoding: `L3T3_KEY` is three spatial and three temporal layers, spatial ones depending
//! on each other only in key frames (W3C WebRTC-SVC §6).

use std::fmt;

/// How many layers one encoding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScalabilityMode {
    /// Spatial layers, 1 to 99.
    pub spatial: u8,
    /// Temporal layers, 1 to 99.
    pub temporal: u8,
    /// Whether spatial layers depend on each other only in key frames, so that every key frame allows a switch.
    pub key: bool,
}

impl Default for ScalabilityMode {
    /// One layer of each.
    fn default() -> Self {
        Self {
            spatial: 1,
            temporal: 1,
            key: false,
        }
    }
}

impl ScalabilityMode {
    /// Reads the leading part of a mode that counts layers; what follows (`h`, `_SHIFT`) does not change how many
    /// there are. `S` modes (independent spatial layers) count like `L` modes, as in mediasoup.
    ///
    /// `None` if the text is no scalability mode.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(['L', 'S'])?;
        let (spatial, rest) = layers(rest)?;
        let (temporal, rest) = layers(rest.strip_prefix('T')?)?;
        Some(Self {
            spatial,
            temporal,
            key: rest.starts_with("_KEY"),
        })
    }
}

impl fmt::Display for ScalabilityMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key { "_KEY" } else { "" };
        write!(f, "L{}T{}{key}", self.spatial, self.temporal)
    }
}

/// A count of one or two digits without a leading zero, and what follows it.
fn layers(text: &str) -> Option<(u8, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (count, rest) = text.split_at(digits);
    let count = count.parse().ok().filter(|_| !count.starts_with('0'))?;
    Some((count, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn modes_count_layers() {
        let rows = [
            ("L1T1", Some((1, 1, false))),
            ("L1T3", Some((1, 3, false))),
            ("L3T3", Some((3, 3, false))),
            ("L3T3_KEY", Some((3, 3, true))),
            ("L2T2_KEY_SHIFT", Some((2, 2, true))),
            ("L2T1h", Some((2, 1, false))),
            ("S3T3", Some((3, 3, false))),
            ("L12T34", Some((12, 34, false))),
            ("L0T1", None),
            ("L1T0", None),
            ("L01T1", None),
            ("l1t1", None),
            ("L1", None),
            ("T3", None),
            ("L1 T3", None),
            ("", None),
        ];
        for (text, expected) in rows {
            let expected = expected.map(|(spatial, temporal, key)| ScalabilityMode {
                spatial,
                temporal,
                key,
            });
            assert_eq!(ScalabilityMode::parse(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(spatial in 1u8..=99, temporal in 1u8..=99, key: bool) {
            let mode = ScalabilityMode { spatial, temporal, key };
            prop_assert_eq!(ScalabilityMode::parse(&mode.to_string()), Some(mode));
        }

        #[test]
        fn any_text_is_survived(text in "[LST0-9_KEY\u{e9}]{0,12}") {
            let _ = ScalabilityMode::parse(&text);
        }
    }
}
