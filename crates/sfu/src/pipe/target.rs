//! The viewers' side of a pipe: producers without a transport.

use std::time::{Duration, Instant};

use super::batch::{Item, Note, Wish};
use super::{Continuity, Lanes, PeerId, Piped, PipedPacket, RemoteProducer, Upstream};
use crate::command::CommandError;
use crate::event::MAX_ENCODINGS;
use crate::key::{ProducerKey, RouterKey};
use crate::packet;
use crate::producer::{Origin, Producer};
use crate::router::Placed;
use crate::spec::{MediaKind, ProducerSpec};
use crate::transport::{Route, StreamSlot};
use crate::worker::Worker;

/// A wish for a key frame that crossed is not repeated for this long unless one came: the producer's worker, which
/// knows the path, asks its sender again by itself. The same time as between two requests there (contract §5.3).
const WISH_INTERVAL: Duration = Duration::from_millis(500);

/// Key frames wished for and not yet come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UpstreamRequests {
    wished: [Option<Instant>; MAX_ENCODINGS],
}

impl UpstreamRequests {
    /// Whether a wish is to cross now.
    fn request(&mut self, now: Instant, encoding: u8) -> bool {
        let Some(wished) = self.wished.get_mut(usize::from(encoding)) else {
            return false;
        };
        if wished.is_some_and(|at| now.saturating_duration_since(at) < WISH_INTERVAL) {
            return false;
        }
        *wished = Some(now);
        true
    }

    /// A key frame began to come, or nobody was there to hear the wish: the next one crosses.
    fn forget(&mut self, encoding: u8) {
        if let Some(wished) = self.wished.get_mut(usize::from(encoding)) {
            *wished = None;
        }
    }
}

impl Upstream {
    /// Wishes for a key frame, unless a wish is on its way.
    pub(crate) fn request_key_frame(&mut self, now: Instant, encoding: u8, lanes: &mut Lanes) {
        if self.requests.request(now, encoding)
            && let Some(batch) = lanes.batch(self.lane)
        {
            batch.push_wish(self.source, Wish::KeyFrame { encoding });
        }
    }

    /// Says that nothing is wanted any more; `twin` is the piped producer.
    pub(crate) fn leave(&self, twin: ProducerKey, lanes: &mut Lanes) {
        let remote = RemoteProducer(twin);
        if let Some(batch) = lanes.batch(self.lane) {
            batch.push_wish(self.source, Wish::Nothing { remote });
        }
    }
}

impl Worker {
    /// Opens the twin of a producer of another worker. It stands still until that worker says how its producer is.
    pub(crate) fn produce_piped(
        &mut self,
        now: Instant,
        router: RouterKey,
        (from, source): (PeerId, RemoteProducer),
        spec: ProducerSpec,
    ) -> Result<ProducerKey, CommandError> {
        let owner = self.routers.get_mut(router).ok_or(CommandError::UnknownRouter)?;
        let upstream = Upstream {
            lane: self.lanes.to(from),
            source,
            requests: UpstreamRequests::default(),
        };
        let spec = ProducerSpec { paused: true, ..spec };
        let producer = Producer::new(now, Origin::Pipe(upstream), router, spec);
        let key = self
            .producers
            .insert(producer.ok_or(CommandError::EmptyProducer)?);
        owner.piped.push(key);
        Ok(key)
    }

    /// Takes one item of a batch of the worker `from`.
    pub fn handle_piped(&mut self, now: Instant, from: PeerId, piped: Piped<'_>) {
        // A worker that was forgotten has nothing to say any more.
        let Some(lane) = self.lanes.find(from) else {
            return;
        };
        match piped.item {
            Item::Packet { packet, .. } => {
                let key = packet.to.0;
                let is_of_lane = |own: &Producer| matches!(&own.origin, Origin::Pipe(up) if up.lane == lane);
                if self.producers.get(key).is_some_and(is_of_lane) {
                    self.counters.piped_in += 1;
                    self.take_piped(now, packet, piped.bytes);
                }
            }
            Item::Note { to, note } => {
                // What it changes comes after the packets that came before it.
                self.settle();
                self.take_note(now, to.0, *note);
            }
            Item::Wish { of, wish } => {
                self.settle();
                self.grant(now, lane, of.0, *wish);
            }
        }
    }

    /// Forgets a worker that is gone, with all that came from it and went there.
    pub(crate) fn forget_peer(&mut self, peer: PeerId) {
        let Some(lane) = self.lanes.find(peer) else {
            return;
        };
        self.lanes.0.remove(lane);
        let mut lost = Vec::new();
        for (key, producer) in &mut self.producers {
            producer.taps.retain(|tap| tap.lane != lane);
            if matches!(&producer.origin, Origin::Pipe(upstream) if upstream.lane == lane) {
                lost.push(key);
            }
        }
        for key in lost {
            // Found a moment ago.
            let _ = self.close_producer(key);
        }
    }

    fn take_piped(&mut self, now: Instant, packet: &PipedPacket, bytes: &[u8]) {
        let key = packet.to.0;
        let Some(producer) = self.producers.get_mut(key) else {
            return;
        };
        let Some(accepted) = producer.accept_piped(now, packet, bytes.len()) else {
            return;
        };
        let is_audio = producer.kind == MediaKind::Audio;
        if let Origin::Pipe(upstream) = &mut producer.origin {
            if packet.frame.key {
                // Who starts with this very packet still waits when the layers are chosen below.
                upstream.requests.request(now, packet.encoding);
            } else if accepted.woke || packet.continuity == Continuity::AfterGap {
                // The key frame that a wish brought may be what the pipe dropped.
                upstream.requests.forget(packet.encoding);
            }
        }
        if producer.paused {
            return;
        }
        if accepted.restarted {
            self.restart_consumers(StreamSlot {
                producer: key,
                encoding: packet.encoding,
                route: Route::Media,
            });
        }
        if accepted.woke || accepted.outlived || accepted.restarted {
            self.retarget_consumers(now, key);
        }
        if packet.continuity == Continuity::AfterGap && self.is_watched(key, packet.encoding) {
            // What the pipe dropped is not in the store here, so no viewer can have it again.
            self.request_key_frame(now, key, packet.encoding);
        }
        let placed = Placed {
            producer: key,
            encoding: packet.encoding,
            sequence: accepted.sequence,
            time: accepted.time,
            frame: accepted.frame,
            len: bytes.len(),
        };
        match self.scratch.packet.get_mut(..bytes.len()) {
            Some(scratch) if !bytes.is_empty() => {
                scratch.copy_from_slice(bytes);
                if is_audio {
                    // What lies there in a video packet is its orientation.
                    self.observe(now, key, packet::audio_level(bytes));
                }
                self.store(now, placed);
                self.forward(now, placed);
            }
            _ => self.skip(placed),
        }
        if packet.frame.key
            && let Some(Producer {
                origin: Origin::Pipe(upstream),
                ..
            }) = self.producers.get_mut(key)
        {
            upstream.requests.forget(packet.encoding);
        }
    }

    fn is_watched(&self, key: ProducerKey, encoding: u8) -> bool {
        let producer = self.producers.get(key);
        producer.is_some_and(|own| own.is_watched(encoding, &self.consumers))
    }

    fn take_note(&mut self, now: Instant, key: ProducerKey, note: Note) {
        // A twin that closed meanwhile needs no news.
        let Some(producer) = self.producers.get_mut(key) else {
            return;
        };
        match note {
            Note::Paused => {
                if let Origin::Pipe(upstream) = &mut producer.origin {
                    // Its worker forgets what it asked a sender for that stops.
                    upstream.requests = UpstreamRequests::default();
                }
                drop(self.pause_producer(key));
            }
            Note::Running => drop(self.resume_producer(now, key)),
            Note::PathOpened => self.wish_anew(now, key),
            Note::Clock(clock) => producer.follow_clock(clock),
            Note::Closed => drop(self.close_producer(key)),
        }
    }

    /// Wishes that found no way to the sender are made again.
    fn wish_anew(&mut self, now: Instant, key: ProducerKey) {
        let Some(producer) = self.producers.get_mut(key) else {
            return;
        };
        if let Origin::Pipe(upstream) = &mut producer.origin {
            upstream.requests = UpstreamRequests::default();
        }
        self.scratch.wanted.clear();
        for consumer in &producer.consumers {
            let awaited = self
                .consumers
                .get(*consumer)
                .and_then(|own| own.awaited_key_frame());
            self.scratch
                .wanted
                .extend(awaited.map(|encoding| (key, encoding)));
        }
        self.request_wanted_key_frames(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wish_crosses_until_a_key_frame_comes_or_half_a_second_passes() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut requests = UpstreamRequests::default();
        assert!(requests.request(at(0), 1));
        assert!(!requests.request(at(499), 1));
        assert!(requests.request(at(10), 2), "other encodings are apart");
        assert!(requests.request(at(500), 1));
        requests.forget(1);
        assert!(
            requests.request(at(520), 1),
            "a viewer who came after the key frame"
        );
        assert!(!requests.request(at(521), 200), "no such encoding");
    }
}
