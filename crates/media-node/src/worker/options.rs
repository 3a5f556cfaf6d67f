//! How a worker uses its sockets: choices an operator or a benchmark may want to make.

use std::str::FromStr;
use std::time::Duration;

/// The environment variable that chooses the [`SendPath`].
const SEND_PATH_VARIABLE: &str = "RTC_SEND_PATH";

/// How datagrams leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SendPath {
    /// One system call per datagram; works everywhere.
    Plain,
    /// Many datagrams per system call (`sendmmsg`, Linux).
    Mmsg,
    /// As [`Self::Mmsg`], and equal datagrams to one destination leave as one segmented datagram (UDP GSO, Linux 4.18).
    /// A kernel or device without it is noticed and served by [`Self::Mmsg`].
    #[default]
    Gso,
}

impl FromStr for SendPath {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        match text {
            "plain" => Ok(Self::Plain),
            "mmsg" => Ok(Self::Mmsg),
            "gso" => Ok(Self::Gso),
            _ => Err(OptionsError::SendPath {
                value: text.to_owned(),
            }),
        }
    }
}

/// An option that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Not a send path.
    #[error("RTC_SEND_PATH is \"{value}\"; it must be plain, mmsg or gso")]
    SendPath {
        /// What was found.
        value: String,
    },
}

/// Limits on a worker's TCP connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpLimits {
    /// Connections at once. At the limit the oldest one that never proved itself makes room, else the new one is
    /// refused.
    pub connections: usize,
    /// How long a connection may stay without an answered STUN check.
    pub prove_within: Duration,
    /// How long a proven connection may stay silent. Consent checks (RFC 7675) come every few seconds.
    pub silence: Duration,
    /// How long a connection may refuse every byte offered to it.
    pub stall: Duration,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self {
            connections: 512,
            prove_within: Duration::from_secs(10),
            // Twice the consent timeout: by then the transport has failed and nobody will use the path again.
            silence: Duration::from_secs(60),
            stall: Duration::from_secs(10),
        }
    }
}

/// How a worker uses its sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerOptions {
    /// How datagrams leave.
    pub send_path: SendPath,
    /// Limits on TCP connections.
    pub tcp: TcpLimits,
}

impl WorkerOptions {
    /// The defaults, with the send path of `RTC_SEND_PATH` (`plain`, `mmsg` or `gso`) where that is set.
    ///
    /// # Errors
    /// When the variable names no send path.
    pub fn from_env() -> Result<Self, OptionsError> {
        let send_path = match std::env::var(SEND_PATH_VARIABLE) {
            Ok(text) if !text.is_empty() => text.parse()?,
            _ => SendPath::default(),
        };
        Ok(Self {
            send_path,
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn send_paths_are_read_by_name() {
        for (text, path) in [
            ("plain", SendPath::Plain),
            ("mmsg", SendPath::Mmsg),
            ("gso", SendPath::Gso),
        ] {
            assert_eq!(text.parse(), Ok(path));
        }
    }

    #[test]
    fn an_unknown_send_path_is_named_in_the_error() {
        let error = "io_uring".parse::<SendPath>().expect_err("not a send path");
        assert_eq!(
            error.to_string(),
            "RTC_SEND_PATH is \"io_uring\"; it must be plain, mmsg or gso"
        );
    }
}
