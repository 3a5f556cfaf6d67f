//! What is turned on (contract §8.9): by settings, and by what operators stored, which outweighs them.
//!
//! * `stored`: what operators stored, as text and as values.
//! * `poll`: reading it anew while calls run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use signalling::ConversationId;
use signalling::client_gateway::{AdminFlag, AdminFlags, FlagSource};

mod poll;
mod stored;

pub use poll::{Changed, Follower, refresh};
pub use stored::{Stored, WrongChange, changes};

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

    /// The flag of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|flag| flag.name() == name)
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

impl FlagsConfig {
    /// As set, but for what operators stored.
    #[must_use]
    pub fn outweighed_by(&self, stored: &Stored) -> Self {
        let is_on = |flag: &Flag| stored.on.get(flag).copied().unwrap_or(self.on.contains(flag));
        Self {
            on: Flag::ALL.iter().copied().filter(is_on).collect(),
            sfu_percent: stored.sfu_percent.unwrap_or(self.sfu_percent),
            sfu_conversations: stored
                .sfu_conversations
                .clone()
                .unwrap_or_else(|| self.sfu_conversations.clone()),
        }
    }
}

/// The flags now; they may change while calls run.
#[derive(Debug, Default)]
pub struct Flags {
    state: RwLock<State>,
    /// Held from reading what is stored until it is taken over: of two who read at a time, the one who read earlier
    /// could otherwise undo what the other has found.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    settings: FlagsConfig,
    stored: Stored,
    /// What follows from both.
    now: FlagsConfig,
}

impl Flags {
    /// As configured.
    #[must_use]
    pub fn new(settings: FlagsConfig) -> Self {
        Self {
            state: RwLock::new(State {
                now: settings.clone(),
                stored: Stored::default(),
                settings,
            }),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// Whether something is on.
    #[must_use]
    pub fn is_on(&self, flag: Flag) -> bool {
        self.read(|state| state.now.on.contains(&flag))
    }

    /// Whether calls in a conversation may use a media node. All its members get the same answer, as it depends on
    /// the conversation alone.
    #[must_use]
    pub fn sfu_for(&self, conversation: &ConversationId) -> bool {
        self.read(|State { now, .. }| {
            let listed = now.sfu_conversations.contains(conversation);
            now.on.contains(&Flag::Sfu) && (listed || bucket(conversation) < now.sfu_percent)
        })
    }

    /// All flags by name, for `/api/config`.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<String, bool> {
        let shown = self.shown().flags;
        shown.into_iter().map(|(name, flag)| (name, flag.on)).collect()
    }

    /// All of them with what says so, for operators.
    #[must_use]
    pub fn shown(&self) -> AdminFlags {
        self.read(|State { stored, now, .. }| {
            let shown = |flag: &Flag| AdminFlag {
                on: now.on.contains(flag),
                source: if stored.on.contains_key(flag) {
                    FlagSource::Stored
                } else {
                    FlagSource::Setting
                },
            };
            AdminFlags {
                flags: Flag::ALL
                    .iter()
                    .map(|flag| (flag.name().to_owned(), shown(flag)))
                    .collect(),
                sfu_percent: now.sfu_percent,
                sfu_conversations: now.sfu_conversations.iter().copied().collect(),
            }
        })
    }

    /// Takes other settings; what is stored still outweighs them.
    pub fn set(&self, settings: FlagsConfig) {
        self.change(|state| state.settings = settings);
    }

    /// Takes over what is stored. Whether anything is different now.
    pub fn outweigh(&self, stored: Stored) -> Changed {
        self.change(|state| state.stored = stored)
    }

    fn change(&self, change: impl FnOnce(&mut State)) -> Changed {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let before = (state.stored.clone(), state.now.clone());
        change(&mut state);
        state.now = state.settings.outweighed_by(&state.stored);
        if before == (state.stored.clone(), state.now.clone()) {
            Changed::No
        } else {
            Changed::Yes
        }
    }

    fn read<T>(&self, ask: impl FnOnce(&State) -> T) -> T {
        ask(&self.state.read().unwrap_or_else(PoisonError::into_inner))
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
mod tests;
