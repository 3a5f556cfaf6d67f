//! Pipes: a producer's packets on another worker of the process.
//!
//! One call may be served by several workers. The worker that a producer sends to decrypts, places and stores its packets as
//! ever, and hands their plaintext on to every worker that has viewers of it. There the producer has a twin, a *piped*
//! producer without a transport, from which fan-out, retransmission store and layer choice go on as if the packets had been
//! received there. What is encrypted, which is nearly all the work, is so spread over the workers.
//!
//! ```text
//!   worker A                                          worker B
//!   producer ─ tap ─▶ lane to B ═══ PipeBatch ═══▶ handle_piped ─▶ piped producer ─▶ store, fan-out
//!       ▲                                                               │
//!       └──── handle_piped ◀═══ PipeBatch ═══ lane to A ◀── key frame wanted, not wanted any more
//! ```
//!
//! Everything between two workers travels in one [`PipeBatch`] per direction and turn of the loop, in order; whoever runs
//! the workers moves the batches. Batches are buffers to be used again, so a pipe in its steady state allocates nothing.

mod batch;
mod source;
mod target;

use slotmap::SlotMap;

pub(crate) use self::batch::{Continuity, Note, PipedPacket, SourceClock};
pub use self::batch::{PipeBatch, Piped};
pub(crate) use self::source::Progress;
use crate::key::ProducerKey;

/// One life of another worker of the process, as whoever runs the workers numbers them. A number is never used again, so
/// that what a dead worker still had to say is not taken for its successor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u64);

/// A producer's key on another worker: it means nothing here but as the address of what is sent there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteProducer(pub ProducerKey);

slotmap::new_key_type! {
    /// The way to one other worker.
    pub(crate) struct LaneKey;
}

/// What waits to go to one other worker.
#[derive(Debug)]
pub(crate) struct Lane {
    peer: PeerId,
    batch: PipeBatch,
}

/// The ways to all other workers that this one has to do with; a handful.
#[derive(Debug, Default)]
pub(crate) struct Lanes(SlotMap<LaneKey, Lane>);

impl Lanes {
    /// The lane to `peer`, opened if there is none yet.
    fn to(&mut self, peer: PeerId) -> LaneKey {
        self.find(peer).unwrap_or_else(|| {
            self.0.insert(Lane {
                peer,
                batch: PipeBatch::default(),
            })
        })
    }

    fn find(&self, peer: PeerId) -> Option<LaneKey> {
        let mut lanes = self.0.iter();
        lanes.find(|(_, lane)| lane.peer == peer).map(|(key, _)| key)
    }

    /// What waits on a lane; `None` when the worker at its end is gone.
    fn batch(&mut self, key: LaneKey) -> Option<&mut PipeBatch> {
        self.0.get_mut(key).map(|lane| &mut lane.batch)
    }

    /// Bytes on the fullest lane.
    pub(crate) fn waiting_bytes(&self) -> usize {
        let waiting = self.0.values().map(|lane| lane.batch.total_bytes());
        waiting.max().unwrap_or(0)
    }

    /// Lanes on which something waits.
    pub(crate) fn waiting(&mut self) -> impl Iterator<Item = (PeerId, &mut PipeBatch)> {
        self.0
            .values_mut()
            .filter(|lane| !lane.batch.is_empty())
            .map(|lane| (lane.peer, &mut lane.batch))
    }
}

/// Where a producer's packets are handed on to.
#[derive(Debug)]
pub(crate) struct Tap {
    lane: LaneKey,
    remote: RemoteProducer,
    /// Encodings of which a packet was dropped because the pipe was full, as bits.
    gaps: u8,
}

/// Where a piped producer's packets come from.
#[derive(Debug)]
pub(crate) struct Upstream {
    lane: LaneKey,
    source: RemoteProducer,
    requests: target::UpstreamRequests,
}

#[cfg(test)]
mod tests;
