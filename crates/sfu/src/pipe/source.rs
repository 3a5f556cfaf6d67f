//! The producer's side of a pipe: taps, and what goes through them.

use std::time::Instant;

use super::batch::{Note, Wish};
use super::{Continuity, LaneKey, PeerId, PipedPacket, RemoteProducer, SourceClock, Tap};
use crate::command::CommandError;
use crate::key::{ProducerKey, TransportKey};
use crate::producer::{Origin, Producer};
use crate::router::Placed;
use crate::spec::MediaKind;
use crate::worker::Worker;

/// Whether a packet's stream went on or began anew with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    WentOn,
    BeganAnew,
}

impl Worker {
    /// Hands a producer's packets on to its twin `remote` on another worker, beginning with how the producer is now.
    pub(crate) fn open_pipe(
        &mut self,
        key: ProducerKey,
        to: PeerId,
        remote: RemoteProducer,
    ) -> Result<(), CommandError> {
        let producer = self.producers.get_mut(key).ok_or(CommandError::UnknownProducer)?;
        if matches!(producer.origin, Origin::Pipe(_)) {
            // Every worker is one step away from every other; a second step would only add delay.
            return Err(CommandError::ForeignProducer);
        }
        let lane = self.lanes.to(to);
        producer.taps.push(Tap {
            lane,
            remote,
            gaps: 0,
        });
        let Some(batch) = self.lanes.batch(lane) else {
            return Ok(());
        };
        for clock in clocks(producer) {
            batch.push_note(remote, Note::Clock(clock));
        }
        let state = if producer.paused {
            Note::Paused
        } else {
            Note::Running
        };
        batch.push_note(remote, state);
        Ok(())
    }

    /// Hands on the packet in the scratch buffer; one of length 0 carries nothing but its number.
    pub(crate) fn tap(&mut self, placed: Placed, progress: Progress) {
        let Some(producer) = self.producers.get_mut(placed.producer) else {
            return;
        };
        let stream = producer.streams.get(usize::from(placed.encoding));
        let Some(ssrc) = stream.and_then(|stream| stream.ssrc()) else {
            return;
        };
        let gap = 1 << placed.encoding;
        for tap in &mut producer.taps {
            let Some(batch) = self.lanes.batch(tap.lane) else {
                continue;
            };
            let continuity = match progress {
                Progress::BeganAnew => Continuity::Restarted,
                Progress::WentOn if tap.gaps & gap != 0 => Continuity::AfterGap,
                Progress::WentOn => Continuity::Unbroken,
            };
            let packet = PipedPacket {
                to: tap.remote,
                encoding: placed.encoding,
                ssrc,
                sequence: placed.sequence,
                time: placed.time,
                frame: placed.frame,
                continuity,
            };
            if batch.push_packet(producer.kind, packet, &self.scratch.packet[..placed.len]) {
                tap.gaps &= !gap;
                self.counters.piped_out += 1;
                continue;
            }
            tap.gaps |= gap;
            match producer.kind {
                MediaKind::Audio => self.counters.pipe_dropped_audio += 1,
                MediaKind::Video => self.counters.pipe_dropped_video += 1,
            }
        }
    }

    /// Tells a producer's twins.
    pub(crate) fn tell_twins(&mut self, key: ProducerKey, note: Note) {
        if let Some(producer) = self.producers.get(key) {
            for tap in &producer.taps {
                if let Some(batch) = self.lanes.batch(tap.lane) {
                    batch.push_note(tap.remote, note);
                }
            }
        }
    }

    /// Tells a producer's twins what its sender last reported of a stream.
    pub(crate) fn tell_twins_clock(&mut self, now: Instant, key: ProducerKey, encoding: u8) {
        let Some(producer) = self.producers.get_mut(key).filter(|own| !own.taps.is_empty()) else {
            return;
        };
        if !producer.is_clock_due(now, encoding) {
            return;
        }
        let clock = clocks(producer).find(|clock| clock.encoding == encoding);
        if let Some(clock) = clock {
            self.tell_twins(key, Note::Clock(clock));
        }
    }

    /// Tells the twins of what a transport produces that its path opened or changed.
    pub(crate) fn tell_twins_of_path(&mut self, key: TransportKey) {
        let count = self.transports.get(key).map_or(0, |own| own.producers.len());
        for index in 0..count {
            let transport = self.transports.get(key);
            if let Some(producer) = transport.and_then(|own| own.producers.get(index)).copied() {
                self.tell_twins(producer, Note::PathOpened);
            }
        }
    }

    /// Does what the viewers' worker at the end of `lane` wishes of a producer.
    pub(super) fn grant(&mut self, now: Instant, lane: LaneKey, key: ProducerKey, wish: Wish) {
        match wish {
            Wish::KeyFrame { encoding } => self.request_key_frame(now, key, encoding),
            Wish::Nothing { remote } => {
                if let Some(producer) = self.producers.get_mut(key) {
                    // Every worker numbers its producers itself: another's twin may have the same key.
                    producer
                        .taps
                        .retain(|tap| tap.lane != lane || tap.remote != remote);
                }
            }
        }
    }
}

/// What the sender reports of a producer tell, stream by stream.
fn clocks(producer: &Producer) -> impl Iterator<Item = SourceClock> {
    producer.streams.iter().enumerate().filter_map(|(index, stream)| {
        let receive = stream.receive.as_ref()?;
        let (clock, arrived) = receive.last_report()?;
        Some(SourceClock {
            encoding: index as u8,
            ssrc: receive.ssrc(),
            clock,
            arrived,
        })
    })
}
