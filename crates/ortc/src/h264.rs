//! H.264 profiles and levels as SDP spells them: three bytes in hexadecimal (RFC 6184 §8.1).

use crate::types::{ParameterValue, Parameters};

/// Profile and level of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileLevelId {
    /// The tool set.
    pub profile: Profile,
    /// The size and rate limits.
    pub level: Level,
}

/// The tool sets WebRTC endpoints tell apart (ITU-T H.264 Annex A.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Constrained Baseline, the one that every WebRTC endpoint with H.264 has (RFC 7742 §6.2).
    ConstrainedBaseline,
    /// Baseline.
    Baseline,
    /// Main.
    Main,
    /// Constrained High.
    ConstrainedHigh,
    /// High.
    High,
    /// High 4:4:4 Predictive.
    PredictiveHigh444,
}

/// A level (ITU-T H.264 Annex A.3), ordered by what it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(
    /// Ten times the level's number, doubled to make room for 1b between 1 and 1.1.
    u8,
);

impl Level {
    /// Level 1b.
    pub const L1B: Self = Self(21);
    /// Level 3.1, enough for 720p at 30 frames per second.
    pub const L3_1: Self = Self::of_idc(31);

    /// `level_idc` of each level but 1b.
    const KNOWN: [u8; 16] = [10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52];

    const fn of_idc(idc: u8) -> Self {
        Self(idc * 2)
    }

    const fn idc(self) -> u8 {
        self.0 / 2
    }
}

/// Which `profile_idc` and `profile_iop` mean which profile: `iop & mask == value` (RFC 6184 §8.1, table 5).
const PROFILES: [(u8, u8, u8, Profile); 9] = [
    (0x42, 0b0100_1111, 0b0100_0000, Profile::ConstrainedBaseline),
    (0x4d, 0b1000_1111, 0b1000_0000, Profile::ConstrainedBaseline),
    (0x58, 0b1100_1111, 0b1100_0000, Profile::ConstrainedBaseline),
    (0x42, 0b0100_1111, 0b0000_0000, Profile::Baseline),
    (0x58, 0b1100_1111, 0b1000_0000, Profile::Baseline),
    (0x4d, 0b1010_1111, 0b0000_0000, Profile::Main),
    (0x64, 0b1111_1111, 0b0000_0000, Profile::High),
    (0x64, 0b1111_1111, 0b0000_1100, Profile::ConstrainedHigh),
    (0xf4, 0b1111_1111, 0b0000_0000, Profile::PredictiveHigh444),
];

/// Set in `profile_iop` to tell level 1b from 1.1, which share a `level_idc`.
const CONSTRAINT_SET3: u8 = 0x10;

impl ProfileLevelId {
    /// What a codec without `profile-level-id` is taken for, as browsers and mediasoup do. RFC 6184 §8.1 says
    /// Baseline level 1, which no endpoint means.
    pub const DEFAULT: Self = Self {
        profile: Profile::ConstrainedBaseline,
        level: Level::L3_1,
    };

    /// Reads the six hexadecimal digits. `None` for anything else and for unknown profiles and levels.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, profile_idc, profile_iop, level_idc] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
        let level = match level_idc {
            11 if profile_iop & CONSTRAINT_SET3 != 0 => Level::L1B,
            _ if Level::KNOWN.contains(&level_idc) => Level::of_idc(level_idc),
            _ => return None,
        };
        let (.., profile) = PROFILES
            .iter()
            .find(|(idc, mask, value, _)| *idc == profile_idc && profile_iop & mask == *value)?;
        Some(Self {
            profile: *profile,
            level,
        })
    }

    /// The canonical six digits. `None` for level 1b in a profile that has no spelling for it.
    #[must_use]
    pub fn spell(self) -> Option<String> {
        if self.level == Level::L1B {
            return match self.profile {
                Profile::ConstrainedBaseline => Some("42f00b".to_owned()),
                Profile::Baseline => Some("42100b".to_owned()),
                Profile::Main => Some("4d100b".to_owned()),
                Profile::ConstrainedHigh | Profile::High | Profile::PredictiveHigh444 => None,
            };
        }
        let profile = match self.profile {
            Profile::ConstrainedBaseline => "42e0",
            Profile::Baseline => "4200",
            Profile::Main => "4d00",
            Profile::ConstrainedHigh => "640c",
            Profile::High => "6400",
            Profile::PredictiveHigh444 => "f400",
        };
        Some(format!("{profile}{:02x}", self.level.idc()))
    }
}

/// The outcome of comparing two H.264 codecs of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What the answering side states as `profile-level-id`, if either side stated one.
    pub(crate) profile_level_id: Option<String>,
}

/// Compares `packetization-mode` and profile of two codecs and finds the level to answer with (RFC 6184 §8.2.2).
///
/// With `level-asymmetry-allowed` on both sides each keeps its own level, else the lower one counts for both. `None`
/// if they do not match.
pub(crate) fn answer(own: &Parameters, offered: &Parameters) -> Option<Answer> {
    if packetization_mode(own) != packetization_mode(offered) {
        return None;
    }
    let (own_id, offered_id) = (stated_id(own)?, stated_id(offered)?);
    if own_id.is_none() && offered_id.is_none() {
        return Some(Answer {
            profile_level_id: None,
        });
    }
    let own_id = own_id.unwrap_or(ProfileLevelId::DEFAULT);
    let offered_id = offered_id.unwrap_or(ProfileLevelId::DEFAULT);
    if own_id.profile != offered_id.profile {
        return None;
    }
    let asymmetry = level_asymmetry_allowed(own) && level_asymmetry_allowed(offered);
    let level = if asymmetry {
        own_id.level
    } else {
        own_id.level.min(offered_id.level)
    };
    Some(Answer {
        profile_level_id: ProfileLevelId {
            profile: own_id.profile,
            level,
        }
        .spell(),
    })
}

/// Profile and level that a codec's parameters state, if they do. The outer `None` is for an unknown statement.
fn stated_id(parameters: &Parameters) -> Option<Option<ProfileLevelId>> {
    match parameters.get("profile-level-id") {
        Some(ParameterValue::Text(text)) if !text.is_empty() => ProfileLevelId::parse(text).map(Some),
        // All of the six hexadecimal digits happen to be decimal, and the client turned them into a number.
        Some(number @ ParameterValue::Number(_)) => {
            ProfileLevelId::parse(&format!("{:06}", number.integer()?)).map(Some)
        }
        Some(ParameterValue::Text(_)) | None => Some(None),
    }
}

fn packetization_mode(parameters: &Parameters) -> u32 {
    parameters
        .get("packetization-mode")
        .and_then(ParameterValue::integer)
        .unwrap_or(0)
}

fn level_asymmetry_allowed(parameters: &Parameters) -> bool {
    parameters
        .get("level-asymmetry-allowed")
        .and_then(ParameterValue::integer)
        == Some(1)
}

#[cfg(test)]
mod tests;
