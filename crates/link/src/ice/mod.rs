//! The ICE-lite half of a link (RFC 8445 §2.5): it answers connectivity checks, follows the peer's nomination
//! and watches that checks keep coming. It gathers nothing and sends no checks of its own.

mod lite;
pub mod stun;

use std::fmt;

use aws_lc_rs::rand;
pub use stun::stun_username_local_ufrag;

pub(crate) use lite::{Check, IceEvent, LiteAgent};

/// User name fragment and password of one side of an ICE session (RFC 8445 §5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// User name fragment, at least 4 characters of `A-Za-z0-9+/`.
    pub ufrag: String,
    /// Password, at least 22 characters of the same alphabet. Never shown.
    pub pwd: String,
}

impl IceCredentials {
    /// Characters of a generated fragment: 96 bits, so that no two links of a worker ever share one.
    const UFRAG_CHARACTERS: usize = 16;
    /// Characters of a generated password: 192 bits; RFC 8445 §5.3 asks for 128.
    const PWD_CHARACTERS: usize = 32;

    /// Fresh credentials from the operating system's randomness, which is read here, at construction, and
    /// nowhere on the packet path; `None` when it is not to be had.
    pub fn generate() -> Option<Self> {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut random = [0; Self::UFRAG_CHARACTERS + Self::PWD_CHARACTERS];
        rand::fill(&mut random).ok()?;
        let mut characters = random
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte & 63)]));
        let ufrag = characters.by_ref().take(Self::UFRAG_CHARACTERS).collect();
        Some(Self {
            ufrag,
            pwd: characters.collect(),
        })
    }
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCredentials")
            .field("ufrag", &self.ufrag)
            .finish_non_exhaustive()
    }
}

/// Where the ICE session stands, in the words of the ORTC `RTCIceTransportState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IceState {
    /// No authenticated check has arrived yet.
    New,
    /// An authenticated check has arrived, none nominated a path.
    Connected,
    /// A path is selected.
    Completed,
    /// No authenticated check for some seconds; media still flows on the selected path.
    Disconnected,
    /// No authenticated check for the consent timeout (or none at all after `connect`): nothing is sent any
    /// more. A new authenticated check revives the session.
    Failed,
    /// Closed by the application.
    Closed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_credentials_are_long_fresh_and_keep_their_password_to_themselves() {
        let first = IceCredentials::generate().expect("randomness");
        let second = IceCredentials::generate().expect("randomness");
        assert!(first.ufrag != second.ufrag && first.pwd != second.pwd);
        assert_eq!((first.ufrag.len(), first.pwd.len()), (16, 32));
        let legal = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
        };
        assert!(legal(&first.ufrag) && legal(&first.pwd));
        assert!(!format!("{first:?}").contains(&first.pwd));
    }
}
