//! What can be wrong with a setting; each message names the setting and says how to put it right.

use edge::setting::{SettingError, Wrong};

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// What can be wrong with any setting.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The range of ports is empty.
    #[error("RTC_MIN_PORT ({min}) is above RTC_MAX_PORT ({max}); swap them or widen the range")]
    PortRange {
        /// RTC_MIN_PORT.
        min: u16,
        /// RTC_MAX_PORT.
        max: u16,
    },
    /// The range of ports has fewer ports than there are workers.
    #[error(
        "WORKERS is {workers} but RTC_MIN_PORT to RTC_MAX_PORT holds only {ports} port(s); \
         each worker needs one: lower WORKERS or raise RTC_MAX_PORT"
    )]
    TooFewPorts {
        /// Number of workers.
        workers: usize,
        /// Number of ports in the range.
        ports: usize,
    },
    /// An announced name that no resolver knows.
    #[error(
        "ANNOUNCED_IP: `{name}` cannot be resolved ({reason}); \
         set ANNOUNCED_IP to an address or host name at which clients reach this node"
    )]
    Unresolvable {
        /// What was given.
        name: String,
        /// What the resolver said.
        reason: String,
    },
    /// A file with announced addresses that cannot be read.
    #[error(
        "ANNOUNCED_IP: {path} cannot be read ({reason}); \
         write the address at which clients reach this node into it, or set ANNOUNCED_IP to the address itself"
    )]
    AnnouncedFile {
        /// Where it should be.
        path: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// An announced address that no client can reach.
    #[error(
        "ANNOUNCED_IP: {address} is not an address clients can connect to; \
         set ANNOUNCED_IP to the address at which clients reach this node"
    )]
    Unreachable {
        /// The address.
        address: std::net::IpAddr,
    },
    /// An IPv6 address is announced by sockets bound to IPv4, or the other way round.
    #[error(
        "ANNOUNCED_IP: {announced} does not belong to the address family of BIND_IP ({bind}); \
         set BIND_IP to `::` to serve both families"
    )]
    Family {
        /// The announced address.
        announced: std::net::IpAddr,
        /// The bound address.
        bind: std::net::IpAddr,
    },
    /// Only one half of a key pair was given.
    #[error("{missing} is not set although {given} is; set both files or neither")]
    HalfKeyPair {
        /// The setting that was given.
        given: &'static str,
        /// The setting that is missing.
        missing: &'static str,
    },
}

/// Every wrong setting of a configuration; never empty.
pub type ConfigErrors = Wrong<ConfigError>;
