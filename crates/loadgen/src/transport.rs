//! One transport of a simulated participant: a socket, ICE, DTLS, keys, and what is sent or received on it.

use std::time::Instant;

use tokio::sync::oneshot;

use crate::clock::Stamp;
use crate::dtls::{Handshake, HandshakeError};
use crate::ice::{Agent, Path};
use crate::receiving::{Arrival, Received, Receiving, Sampling};
use crate::rtp::Datagram;
use crate::sending::{Outlet, Sending};
use crate::srtp::Keys;
use crate::wire::{Batch, Rest, Wire};

/// Batches read from one socket before others have their turn.
const TURNS: usize = 16;

/// Which way media flows.
pub(crate) enum Side {
    Send(Sending),
    Receive(Receiving),
}

/// Why a transport is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransportError {
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error("no socket: {0}")]
    Socket(String),
}

/// Where the news of a transport's connection go.
pub(crate) type Ready = oneshot::Sender<Result<(), TransportError>>;

/// A transport.
pub(crate) struct Transport {
    wire: Wire,
    agent: Agent,
    handshake: Handshake,
    keys: Option<Keys>,
    pub(crate) side: Side,
    ready: Option<Ready>,
    failed: bool,
}

/// What a thread has for all its transports.
pub(crate) struct Bench {
    pub(crate) batch: Batch,
    pub(crate) burst: Vec<u8>,
    pub(crate) tally: Received,
    pub(crate) sampling: Sampling,
}

impl Transport {
    pub(crate) fn new(wire: Wire, agent: Agent, handshake: Handshake, side: Side, ready: Ready) -> Self {
        Self {
            wire,
            agent,
            handshake,
            keys: None,
            side,
            ready: Some(ready),
            failed: false,
        }
    }

    pub(crate) fn wire(&mut self) -> &mut Wire {
        &mut self.wire
    }

    /// Whether it is still to be connected.
    pub(crate) const fn is_connecting(&self) -> bool {
        self.keys.is_none() && !self.failed
    }

    pub(crate) const fn is_connected(&self) -> bool {
        self.keys.is_some()
    }

    /// Datagrams that the system did not take.
    pub(crate) const fn refused(&self) -> u64 {
        self.wire.refused
    }

    /// The socket's local port.
    pub(crate) const fn port(&self) -> u16 {
        self.wire.local().port()
    }

    /// Whether it was connected and is no more: consent lost, or the server said goodbye.
    pub(crate) fn is_lost(&self) -> bool {
        self.keys.is_some() && (self.agent.path() == Path::Lost || self.handshake.is_closed())
    }

    /// When [`Self::turn`] is due; before the path is open only the agent has anything to do.
    pub(crate) fn due(&self) -> Instant {
        let handshake = self.handshake.due().filter(|_| self.runs_handshake());
        handshake.map_or(self.agent.due(), |due| due.min(self.agent.due()))
    }

    fn runs_handshake(&self) -> bool {
        !self.failed && self.agent.path() != Path::Checking
    }

    /// Checks the path and retransmits the handshake.
    pub(crate) fn turn(&mut self, now: Instant) {
        let Self { agent, wire, .. } = self;
        agent.checks(now, |to, check| wire.send_to(to, check));
        let due = self.handshake.due().is_some_and(|due| due <= now);
        if due && self.runs_handshake() {
            let outcome = self.handshake.run(now, |record| self.wire.send(record));
            self.advance(outcome);
        }
    }

    fn advance(&mut self, outcome: Result<(), HandshakeError>) {
        if let Err(error) = outcome {
            self.fail(error.into());
        } else if let Some(keys) = self.handshake.take_keys() {
            self.keys = Some(keys);
            self.tell(Ok(()));
        }
    }

    fn fail(&mut self, error: TransportError) {
        // What goes wrong after the handshake shows in the media.
        self.failed |= self.keys.is_none();
        self.tell(Err(error));
    }

    fn tell(&mut self, news: Result<(), TransportError>) {
        if let Some(ready) = self.ready.take() {
            // Nobody waits any more when the run is over.
            let _ = ready.send(news);
        }
    }

    /// Reads what has arrived.
    pub(crate) fn receive(&mut self, bench: &mut Bench, now: Instant) -> Rest {
        for _ in 0..TURNS {
            let Bench { batch, .. } = bench;
            let (filled, rest) = self.wire.receive(batch);
            let stamp = Stamp::now();
            let Bench {
                batch,
                burst,
                tally,
                sampling,
            } = bench;
            for (datagram, arrival) in batch.datagrams(filled) {
                let arrival = Arrival {
                    now,
                    stamp: arrival.unwrap_or(stamp),
                    tally,
                    sampling,
                };
                self.datagram(datagram, arrival, burst);
            }
            if rest == Rest::Empty {
                return Rest::Empty;
            }
        }
        Rest::Maybe
    }

    fn datagram(&mut self, datagram: &mut [u8], mut arrival: Arrival<'_>, burst: &mut Vec<u8>) {
        match Datagram::of(datagram) {
            Datagram::Rtp => {
                if let (Side::Receive(receiving), Some(keys)) = (&mut self.side, &self.keys) {
                    receiving.packet(datagram, &keys.inbound, &mut arrival);
                }
            }
            Datagram::Rtcp => self.compound(datagram, &mut arrival, burst),
            Datagram::Stun => {
                if self.agent.answer(arrival.now, datagram)
                    && let Path::Open(server) = self.agent.path()
                {
                    if let Err(error) = self.wire.connect(server) {
                        self.fail(TransportError::Socket(error.to_string()));
                    }
                    self.turn(arrival.now);
                }
            }
            Datagram::Dtls => {
                let Self { handshake, wire, .. } = self;
                let outcome = handshake.record(arrival.now, datagram, |record| wire.send(record));
                self.advance(outcome);
            }
            Datagram::Other => arrival.tally.strange += 1,
        }
    }

    fn compound(&mut self, datagram: &mut [u8], arrival: &mut Arrival<'_>, burst: &mut Vec<u8>) {
        let Some(keys) = &mut self.keys else { return };
        arrival.tally.verified += 1;
        let Ok(compound) = keys.inbound.open_rtcp(datagram) else {
            arrival.tally.unauthentic += 1;
            return;
        };
        match &mut self.side {
            Side::Receive(receiving) => receiving.told(compound, arrival.now),
            Side::Send(sending) => {
                let wire = &mut self.wire;
                sending.asked(compound, Outlet { wire, keys, burst });
            }
        }
    }

    /// Lends what is needed to send on a connected transport.
    pub(crate) fn with_outlet<T>(
        &mut self,
        burst: &mut Vec<u8>,
        act: impl FnOnce(&mut Side, Outlet<'_>) -> T,
    ) -> Option<T> {
        burst.clear();
        let keys = self.keys.as_mut()?;
        let wire = &mut self.wire;
        Some(act(&mut self.side, Outlet { wire, keys, burst }))
    }
}
