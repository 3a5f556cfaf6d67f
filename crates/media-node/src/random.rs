//! Everything the control plane draws by lot: ids, credentials, SSRCs, seeds; all from the system's randomness.

use edge::random::{bytes, hex};
use link::ice::IceCredentials;
use rtp::Ssrc;

/// ICE credentials of one transport.
pub(crate) fn ice_credentials() -> IceCredentials {
    IceCredentials::generate().expect("the system's random source works, or nothing here is safe")
}

/// Seed of a worker's generator.
pub(crate) fn seed() -> u64 {
    u64::from_ne_bytes(bytes())
}

/// An SSRC that `taken` does not know.
pub(crate) fn ssrc(taken: impl Fn(Ssrc) -> bool) -> Ssrc {
    loop {
        let ssrc = Ssrc(u32::from_ne_bytes(bytes()));
        // Zero means "no SSRC" in some receivers; the other one is the client's probe stream (contract §1.8.10).
        if ssrc.0 != 0 && ssrc.0 != ortc::probator::SSRC && !taken(ssrc) {
            return ssrc;
        }
    }
}

/// What tells this process from all others, at whatever address it is reached.
pub(crate) fn instance() -> String {
    hex(&bytes::<16>())
}

/// A CNAME: unique per participant and session, and telling nothing (RFC 7022 §4.2).
pub(crate) fn cname() -> String {
    hex(&bytes::<12>())
}
