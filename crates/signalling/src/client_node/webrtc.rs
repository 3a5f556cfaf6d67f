//! What a WebRTC transport is made of (contract §1.4).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The ICE credentials of the server's side of a transport.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct IceParameters {
    /// The user name fragment.
    pub username_fragment: String,
    /// The password.
    pub password: String,
    /// Always `true`: the server answers checks and sends none (RFC 8445 §2.5).
    pub ice_lite: bool,
}

impl fmt::Debug for IceParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            username_fragment,
            ice_lite,
            ..
        } = self;
        f.debug_struct("IceParameters")
            .field("username_fragment", username_fragment)
            .field("ice_lite", ice_lite)
            .finish_non_exhaustive()
    }
}

/// An address at which the server can be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// Equal for candidates that share base and protocol.
    pub foundation: String,
    /// Preference, higher first (RFC 8445 §5.1.2).
    pub priority: u32,
    /// The announced address or host name.
    pub address: String,
    /// The same as `address`, under the name that older clients read.
    pub ip: String,
    /// Which transport protocol.
    pub protocol: CandidateProtocol,
    /// Its port.
    pub port: u16,
    /// Always a host candidate.
    #[serde(rename = "type")]
    pub kind: CandidateType,
    /// For TCP: who opens the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_type: Option<TcpType>,
}

/// The transport protocol of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum CandidateProtocol {
    /// UDP.
    Udp,
    /// TCP, with RFC 4571 framing.
    Tcp,
}

/// How a candidate was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum CandidateType {
    /// An address of the server itself.
    Host,
}

/// Who opens a TCP connection (RFC 6544 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum TcpType {
    /// The client.
    Passive,
}

/// One side's part of a DTLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DtlsParameters {
    /// Which end of the handshake it takes; the server leaves the choice to the client.
    #[serde(default)]
    pub role: DtlsRole,
    /// Digests of its certificate; at least one.
    pub fingerprints: Vec<DtlsFingerprint>,
}

/// An end of a DTLS handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum DtlsRole {
    /// Either.
    #[default]
    Auto,
    /// It begins the handshake.
    Client,
    /// It awaits the handshake.
    Server,
}

/// The digest of a certificate (RFC 8122 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DtlsFingerprint {
    /// `sha-256`, or another hash function of RFC 8122.
    pub algorithm: String,
    /// The digest: bytes in hexadecimal with colons between them.
    pub value: String,
}
