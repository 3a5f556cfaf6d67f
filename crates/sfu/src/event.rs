//! What a worker tells the control plane.

use link::ice::IceState;
use link::{DtlsState, Protocol};

use crate::key::{ConsumerKey, ProducerKey, RouterKey, TransportKey};
use crate::spec::Layers;

/// Something that happened inside a worker and that a control plane wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A transport's ICE state changed.
    Ice {
        /// The transport.
        transport: TransportKey,
        /// Its new state.
        state: IceState,
    },
    /// A transport's selected path changed.
    Selected {
        /// The transport.
        transport: TransportKey,
        /// UDP or TCP.
        protocol: Protocol,
    },
    /// A transport's DTLS state changed.
    Dtls {
        /// The transport.
        transport: TransportKey,
        /// Its new state.
        state: DtlsState,
    },
    /// A producer's score changed (0 no packets, 10 flawless), one entry per encoding.
    ProducerScore {
        /// The producer.
        producer: ProducerKey,
        /// Score per encoding in the spec's order; at most [`MAX_ENCODINGS`].
        scores: Scores,
    },
    /// A consumer now receives other layers, or none (`None`).
    ConsumerLayers {
        /// The consumer.
        consumer: ConsumerKey,
        /// What it receives.
        layers: Option<Layers>,
    },
    /// The downlink estimate no longer carries this consumer; it was stopped (contract §5.3).
    ConsumerStarved {
        /// The consumer.
        consumer: ConsumerKey,
    },
    /// A starved consumer flows again.
    ConsumerRecovered {
        /// The consumer.
        consumer: ConsumerKey,
    },
    /// The loudest producer of a router changed; `None` when everybody is silent.
    ActiveSpeaker {
        /// The router.
        router: RouterKey,
        /// The loudest audio producer.
        producer: Option<ProducerKey>,
        /// Its volume, dBov, -127 to 0; -127 with no speaker.
        volume: i8,
    },
}

/// The most encodings a producer may have (simulcast uses up to three; RFC 8853 sets no limit).
pub const MAX_ENCODINGS: usize = 4;

/// Scores of a producer's encodings, 0 to 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    values: [u8; MAX_ENCODINGS],
    len: u8,
}

impl Scores {
    /// Appends one encoding's score; more than [`MAX_ENCODINGS`] are ignored.
    pub fn push(&mut self, score: u8) {
        if let Some(slot) = self.values.get_mut(usize::from(self.len)) {
            *slot = score;
            self.len += 1;
        }
    }

    /// The scores in encoding order.
    pub fn as_slice(&self) -> &[u8] {
        &self.values[..usize::from(self.len)]
    }
}
