//! What is turned on (contract §8.9).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use signalling::ConversationId;

/// Something that can be turned off on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// Calls at all.
    VideoCalls,
    /// Group calls through media nodes; for all conversations, some, or a share of them.
    Sfu,
    /// Sharing screens.
    ScreenShare,
    /// Cameras in several sizes at once.
    Simulcast,
    /// Captions made by the speaker's browser.
    TranscriptionClient,
    /// Captions made by a server; not built yet.
    TranscriptionServer,
    /// Captions in other languages; not built yet.
    Translation,
    /// Recording; not built yet.
    Recording,
    /// Effects on one's voice; not built yet.
    AudioEffects,
    /// A rented TURN server as the last resort.
    TurnFallback,
}

impl Flag {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::VideoCalls,
        Self::Sfu,
        Self::ScreenShare,
        Self::Simulcast,
        Self::TranscriptionClient,
        Self::TranscriptionServer,
        Self::Translation,
        Self::Recording,
        Self::AudioEffects,
        Self::TurnFallback,
    ];

    /// The name clients read in `/api/config`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VideoCalls => "video_calls",
            Self::Sfu => "sfu",
            Self::ScreenShare => "screen_share",
            Self::Simulcast => "simulcast",
            Self::TranscriptionClient => "transcription_client",
            Self::TranscriptionServer => "transcription_server",
            Self::Translation => "translation",
            Self::Recording => "recording",
            Self::AudioEffects => "audio_effects",
            Self::TurnFallback => "turn_fallback",
        }
    }

    /// The setting that turns it on or off.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::VideoCalls => "FEATURE_VIDEO_CALLS",
            Self::Sfu => "FEATURE_SFU",
            Self::ScreenShare => "FEATURE_SCREEN_SHARE",
            Self::Simulcast => "FEATURE_SIMULCAST",
            Self::TranscriptionClient => "FEATURE_TRANSCRIPTION_CLIENT",
            Self::TranscriptionServer => "FEATURE_TRANSCRIPTION_SERVER",
            Self::Translation => "FEATURE_TRANSLATION",
            Self::Recording => "FEATURE_RECORDING",
            Self::AudioEffects => "FEATURE_AUDIO_EFFECTS",
            Self::TurnFallback => "FEATURE_TURN_FALLBACK",
        }
    }

    /// Whether it can be turned on at all in this version.
    #[must_use]
    pub const fn is_built(self) -> bool {
        !matches!(
            self,
            Self::TranscriptionServer | Self::Translation | Self::Recording | Self::AudioEffects
        )
    }
}

/// The flags as they are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagsConfig {
    /// Those that are on. `Sfu` here means: for a share of conversations, and for those listed.
    pub on: BTreeSet<Flag>,
    /// Share of conversations that may use a media node, per cent.
    pub sfu_percent: u8,
    /// Conversations that may in any case.
    pub sfu_conversations: BTreeSet<ConversationId>,
}

impl Default for FlagsConfig {
    fn default() -> Self {
        Self {
            on: Flag::ALL.iter().copied().filter(|flag| flag.is_built()).collect(),
            sfu_percent: 100,
            sfu_conversations: BTreeSet::new(),
        }
    }
}

/// The flags now; they may change while calls run.
#[derive(Debug, Default)]
pub struct Flags(RwLock<FlagsConfig>);

impl Flags {
    /// As configured.
    #[must_use]
    pub fn new(config: FlagsConfig) -> Self {
        Self(RwLock::new(config))
    }

    /// Whether something is on.
    #[must_use]
    pub fn is_on(&self, flag: Flag) -> bool {
        self.read(|config| config.on.contains(&flag))
    }

    /// Whether calls in a conversation may use a media node. All its members get the same answer, as it depends on
    /// the conversation alone.
    #[must_use]
    pub fn sfu_for(&self, conversation: &ConversationId) -> bool {
        self.read(|config| {
            let listed = config.sfu_conversations.contains(conversation);
            config.on.contains(&Flag::Sfu) && (listed || bucket(conversation) < config.sfu_percent)
        })
    }

    /// All flags by name, for `/api/config`.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<String, bool> {
        self.read(|config| {
            Flag::ALL
                .iter()
                .map(|flag| (flag.name().to_owned(), config.on.contains(flag)))
                .collect()
        })
    }

    /// Sets all of them anew.
    pub fn set(&self, config: FlagsConfig) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    fn read<T>(&self, ask: impl FnOnce(&FlagsConfig) -> T) -> T {
        ask(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Which hundredth a conversation belongs to; the same on every machine and in every version (FNV-1a, 64 bit).
fn bucket(conversation: &ConversationId) -> u8 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = conversation
        .to_string()
        .bytes()
        .fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    // The low bits of this hash are its weakest for texts of one length.
    u8::try_from((hash >> 32) % 100).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use signalling::Timestamp;

    use super::*;

    fn conversation(number: u64) -> ConversationId {
        ConversationId::mint(Timestamp::from_unix_millis(1_700_000_000_000), number)
    }

    fn flags(change: impl FnOnce(&mut FlagsConfig)) -> Flags {
        let mut config = FlagsConfig::default();
        change(&mut config);
        Flags::new(config)
    }

    #[test]
    fn only_what_is_built_is_on() {
        let flags = Flags::default();
        for flag in Flag::ALL {
            assert_eq!(flags.is_on(*flag), flag.is_built(), "{flag:?}");
            assert_eq!(flags.by_name().get(flag.name()), Some(&flag.is_built()));
            assert_eq!(flag.setting(), format!("FEATURE_{}", flag.name().to_uppercase()));
        }
        assert_eq!(flags.by_name().len(), Flag::ALL.len());
    }

    #[test]
    fn a_share_of_conversations_is_about_that_share_and_grows_with_it() {
        let mut before = BTreeSet::new();
        for percent in [0, 10, 25, 50, 100] {
            let flags = flags(|config| config.sfu_percent = percent);
            let chosen: BTreeSet<u64> = (0..10_000_u64)
                .filter(|number| flags.sfu_for(&conversation(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
                .collect();
            let expected = usize::from(percent) * 100;
            assert!(
                chosen.len().abs_diff(expected) <= 150,
                "{percent} %: {}",
                chosen.len()
            );
            assert!(before.is_subset(&chosen), "nobody loses it when the share grows");
            before = chosen;
        }
    }

    #[test]
    fn listed_conversations_have_it_unless_it_is_off() {
        let listed = conversation(1);
        let change = |config: &mut FlagsConfig| {
            config.sfu_percent = 0;
            config.sfu_conversations.insert(listed);
        };
        let flags = flags(change);
        assert!(flags.sfu_for(&listed));
        assert!(!flags.sfu_for(&conversation(2)));
        let mut off = FlagsConfig::default();
        change(&mut off);
        off.on.remove(&Flag::Sfu);
        flags.set(off);
        assert!(!flags.sfu_for(&listed));
    }

    #[test]
    fn the_bucket_is_the_same_for_ever() {
        let id: ConversationId = "65a1b2c3d4e5f60718293a4b".parse().expect("an id");
        assert_eq!(bucket(&id), BUCKET_OF_THE_EXAMPLE);
    }

    /// Written down once: another value would move conversations between shares at an update.
    const BUCKET_OF_THE_EXAMPLE: u8 = 98;
}
