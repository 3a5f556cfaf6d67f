//! Why datagrams were thrown away. A peer's rubbish is counted, never an error value.

use std::ops::Index;

/// The reason a received datagram had no effect, or (where it says so) not its whole effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DropReason {
    /// It came from an address that has not passed an authenticated ICE check.
    UnknownTuple,
    /// STUN that does not parse, or a request lacking a required attribute.
    BadStun,
    /// A STUN request with an unknown user name or a wrong message integrity.
    StunIntegrity,
    /// A STUN request of a peer that believes itself controlled; answered 487.
    StunRole,
    /// A STUN response: a lite agent sends no requests.
    StunResponse,
    /// The request was valid, but too many answers wait to be sent already.
    QueueFull,
    /// A DTLS record before the remote fingerprints are known (the client repeats it).
    DtlsEarly,
    /// A DTLS record the engine refused, or one after the handshake failed.
    DtlsRejected,
    /// RTP or RTCP before the handshake has been completed and the peer's certificate verified.
    NotReady,
    /// RTP or RTCP whose unencrypted part does not parse.
    Malformed,
    /// RTP or RTCP with a wrong authentication tag.
    Authentication,
    /// RTP or RTCP seen before, or older than the replay window.
    Replay,
    /// Authentic RTP or RTCP of one synchronization source more than a link keeps state for.
    TooManyStreams,
    /// Longer than any datagram this server accepts.
    TooLarge,
    /// Anything after the link was closed by either side.
    Closed,
    /// Nothing this server speaks.
    Unknown,
}

impl DropReason {
    /// Every reason, in the order of the discriminants.
    pub const ALL: [Self; 16] = [
        Self::UnknownTuple,
        Self::BadStun,
        Self::StunIntegrity,
        Self::StunRole,
        Self::StunResponse,
        Self::QueueFull,
        Self::DtlsEarly,
        Self::DtlsRejected,
        Self::NotReady,
        Self::Malformed,
        Self::Authentication,
        Self::Replay,
        Self::TooManyStreams,
        Self::TooLarge,
        Self::Closed,
        Self::Unknown,
    ];

    /// A stable lower-case name for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownTuple => "unknown_tuple",
            Self::BadStun => "bad_stun",
            Self::StunIntegrity => "stun_integrity",
            Self::StunRole => "stun_role",
            Self::StunResponse => "stun_response",
            Self::QueueFull => "queue_full",
            Self::DtlsEarly => "dtls_early",
            Self::DtlsRejected => "dtls_rejected",
            Self::NotReady => "not_ready",
            Self::Malformed => "malformed",
            Self::Authentication => "authentication",
            Self::Replay => "replay",
            Self::TooManyStreams => "too_many_streams",
            Self::TooLarge => "too_large",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }
}

/// Dropped datagrams of one link by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DropCounters([u64; DropReason::ALL.len()]);

impl DropCounters {
    pub(crate) const fn count(&mut self, reason: DropReason) {
        // The discriminants are 0..ALL.len(), see the test.
        self.0[reason as usize] += 1;
    }

    /// Datagrams dropped for any reason.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each reason with its count.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL.into_iter().map(|reason| (reason, self[reason]))
    }
}

impl Index<DropReason> for DropCounters {
    type Output = u64;

    fn index(&self, reason: DropReason) -> &u64 {
        &self.0[reason as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_index_their_own_counter_and_names_differ() {
        let mut counters = DropCounters::default();
        for (position, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, position);
            for _ in 0..=position {
                counters.count(reason);
            }
        }
        for (position, (reason, count)) in counters.iter().enumerate() {
            assert_eq!(count, position as u64 + 1, "{}", reason.name());
        }
        let mut names: Vec<_> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DropReason::ALL.len());
        assert_eq!(counters.total(), (1..=16).sum::<u64>());
    }
}
