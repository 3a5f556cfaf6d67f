//! What the loop needs of an engine, so that it can be tested without rooms and keys.

use std::time::Instant;

use link::FiveTuple;
use sfu::command::{Command, Reply};
use sfu::event::Event;
use sfu::{PeerId, PipeBatch, Piped, Transmit};

/// A packet engine: datagrams, commands and time in; datagrams and events out. Implemented by [`sfu::Worker`].
pub(super) trait Engine {
    /// Carries out a command.
    fn handle_command(&mut self, now: Instant, command: Command) -> Reply;
    /// Takes a datagram (or an unframed TCP packet), which it may change in place.
    fn handle_datagram(&mut self, now: Instant, tuple: FiveTuple, datagram: &mut [u8]);
    /// Says that no more datagrams are at hand: whatever was held to leave together is to be queued.
    fn end_burst(&mut self);
    /// Takes note that a TCP connection is gone.
    fn handle_stream_closed(&mut self, now: Instant, tuple: FiveTuple);
    /// Does what is due.
    fn handle_timeout(&mut self, now: Instant);
    /// When something will be due.
    fn poll_timeout(&mut self) -> Option<Instant>;
    /// The next event, if there is one.
    fn poll_event(&mut self) -> Option<Event>;
    /// Number of datagrams waiting to be sent.
    fn pending(&self) -> usize;
    /// The waiting datagram at `index`, in order of queueing.
    fn transmit(&self, index: usize) -> Option<Transmit<'_>>;
    /// Forgets the waiting datagrams.
    fn clear_transmits(&mut self);
    /// Shows each batch that waits for another worker; who takes one puts an empty one in its place.
    fn for_each_pipe(&mut self, show: &mut dyn FnMut(PeerId, &mut PipeBatch));
    /// Bytes that wait for other workers, for the one with the most.
    fn piped_bytes(&self) -> usize;
    /// Takes one item of another worker's batch.
    fn handle_piped(&mut self, now: Instant, from: PeerId, piped: Piped<'_>);
}

impl Engine for sfu::Worker {
    fn handle_command(&mut self, now: Instant, command: Command) -> Reply {
        Self::handle_command(self, now, command)
    }

    fn handle_datagram(&mut self, now: Instant, tuple: FiveTuple, datagram: &mut [u8]) {
        // Held until the loop has no more: every flush ends the burst.
        self.begin_burst();
        Self::handle_datagram(self, now, tuple, datagram);
    }

    fn end_burst(&mut self) {
        Self::end_burst(self);
    }

    fn handle_stream_closed(&mut self, now: Instant, tuple: FiveTuple) {
        Self::handle_stream_closed(self, now, tuple);
    }

    fn handle_timeout(&mut self, now: Instant) {
        Self::handle_timeout(self, now);
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn poll_event(&mut self) -> Option<Event> {
        Self::poll_event(self)
    }

    fn pending(&self) -> usize {
        self.transmits().len()
    }

    fn transmit(&self, index: usize) -> Option<Transmit<'_>> {
        self.transmits().at(index)
    }

    fn clear_transmits(&mut self) {
        Self::clear_transmits(self);
    }

    fn for_each_pipe(&mut self, show: &mut dyn FnMut(PeerId, &mut PipeBatch)) {
        self.pipes().for_each(|(peer, batch)| show(peer, batch));
    }

    fn piped_bytes(&self) -> usize {
        Self::piped_bytes(self)
    }

    fn handle_piped(&mut self, now: Instant, from: PeerId, piped: Piped<'_>) {
        // As with datagrams: a batch is flushed as a whole.
        self.begin_burst();
        Self::handle_piped(self, now, from, piped);
    }
}

#[cfg(test)]
pub(super) mod fake;
