//! What a producer without a transport keeps of its streams: as much as its consumers need.
//!
//! Another worker received, authenticated, placed and read the packets; loss towards the sender, its score and the
//! requests to it are that worker's business.

use std::time::Instant;

use super::stream::ReceiveStream;
use super::{Accepted, MAX_STEP, Producer, Stream};
use crate::event::MAX_ENCODINGS;
use crate::pipe::{Continuity, PipedPacket, SourceClock};

impl Stream {
    /// The state of the stream that comes with this SSRC.
    fn following(&mut self, ssrc: rtp::Ssrc, clock_rate: u32) -> &mut ReceiveStream {
        if self.receive.as_ref().is_none_or(|known| known.ssrc() != ssrc) {
            self.receive = None;
        }
        self.receive
            .get_or_insert_with(|| ReceiveStream::new(ssrc, clock_rate))
    }
}

impl Producer {
    /// Takes note of a piped packet whose canonical form has `len` bytes; `None` for an encoding it does not have.
    pub(crate) fn accept_piped(
        &mut self,
        now: Instant,
        packet: &PipedPacket,
        len: usize,
    ) -> Option<Accepted> {
        let clock_rate = self.codec().clock_rate;
        let stream = self.streams.get_mut(usize::from(packet.encoding))?;
        let known = stream.receive.as_ref();
        let replaced = known.is_some_and(|known| known.ssrc() != packet.ssrc);
        let before = known.and_then(ReceiveStream::newest).filter(|_| !replaced);
        // The packet that says so may have been dropped on the way.
        let jumped = before.is_some_and(|before| packet.sequence.distance(before).abs() > MAX_STEP);
        let restarted = replaced || jumped || packet.continuity == Continuity::Restarted;
        if restarted {
            stream.begin_anew();
        }
        stream
            .following(packet.ssrc, clock_rate)
            .follow(now, packet.sequence, packet.time, len);
        let was_alive = stream.is_alive(now);
        stream.last_packet = Some(now);
        if !was_alive {
            // Who was silent may come back with another structure.
            stream.temporal_layers = [0; MAX_ENCODINGS];
        }
        let mut woke = !was_alive;
        if let Some(layers) = stream.temporal_layers.get_mut(usize::from(packet.frame.spatial)) {
            woke |= *layers <= packet.frame.temporal;
            *layers = (*layers).max(packet.frame.temporal.saturating_add(1));
            stream.rates[usize::from(packet.frame.spatial)].add(now, len);
        }
        stream.note_frame(now, packet.sequence, &packet.frame);
        Some(Accepted {
            sequence: packet.sequence,
            time: packet.time,
            frame: packet.frame,
            restarted,
            woke,
            outlived: packet.frame.start && self.outlives(now, packet.encoding),
        })
    }

    /// Takes note of the sender's clock.
    pub(crate) fn follow_clock(&mut self, source: SourceClock) {
        let clock_rate = self.codec().clock_rate;
        let Some(stream) = self.streams.get_mut(usize::from(source.encoding)) else {
            return;
        };
        let known = stream.receive.as_ref().map(ReceiveStream::ssrc);
        // Of another SSRC only packets are believed: they say what becomes of those who receive the old one.
        if known.is_none_or(|known| known == source.ssrc) {
            stream
                .following(source.ssrc, clock_rate)
                .follow_clock(source.clock, source.arrived);
        }
    }
}
