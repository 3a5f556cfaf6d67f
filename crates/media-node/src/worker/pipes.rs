//! The lanes between worker threads: full batches go one way, and come back empty to be filled again.
//!
//! A lane is a pair of bounded queues, so a batch costs two queue operations and at most one wake-up, however many packets
//! are in it. A worker that does not keep up fills its queue; the batch that waits then stays with the engine, which
//! drops video before audio when it has grown to its bound.

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use sfu::{PeerId, PipeBatch};

use super::engine::Engine;
use super::mailbox::Bell;

/// Batches under way in one direction. At one for each turn of the sender's loop this is several milliseconds of a busy
/// sender, longer than any turn of a receiver that keeps up.
const DEPTH: usize = 16;

/// Batches of one lane taken per turn, so that no neighbour starves the sockets.
pub(super) const BATCHES: usize = 4;

/// One thread's end of the lanes between it and another.
pub(super) struct PipeEnd {
    peer: PeerId,
    outgoing: Sender<PipeBatch>,
    /// Our batches, emptied by the other thread.
    returned: Receiver<PipeBatch>,
    incoming: Receiver<PipeBatch>,
    give_back: Sender<PipeBatch>,
    /// Wakes the other thread.
    bell: Bell,
}

/// Both ends of the lanes between two threads, each with its name and its bell.
pub(super) fn ends(one: (PeerId, Bell), other: (PeerId, Bell)) -> (PipeEnd, PipeEnd) {
    let (to_other, from_one) = bounded(DEPTH);
    let (to_one, from_other) = bounded(DEPTH);
    // One more than can be under way, for the one that is being filled.
    let (back_to_one, returned_to_one) = bounded(DEPTH + 1);
    let (back_to_other, returned_to_other) = bounded(DEPTH + 1);
    let of_one = PipeEnd {
        peer: other.0,
        outgoing: to_other,
        returned: returned_to_one,
        incoming: from_other,
        give_back: back_to_other,
        bell: other.1,
    };
    let of_other = PipeEnd {
        peer: one.0,
        outgoing: to_one,
        returned: returned_to_other,
        incoming: from_one,
        give_back: back_to_one,
        bell: one.1,
    };
    (of_one, of_other)
}

/// All lanes of one thread.
#[derive(Default)]
pub(super) struct Pipes {
    ends: Vec<PipeEnd>,
    jammed: bool,
}

impl Pipes {
    /// Adds the lanes to another thread.
    pub(super) fn attach(&mut self, end: PipeEnd) {
        self.detach(end.peer);
        self.ends.push(end);
    }

    /// Removes the lanes to a thread that is gone.
    pub(super) fn detach(&mut self, peer: PeerId) {
        self.ends.retain(|end| end.peer != peer);
    }

    /// Number of other threads.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether a batch waits to be taken.
    pub(super) fn work_left(&self) -> bool {
        self.ends.iter().any(|end| !end.incoming.is_empty())
    }

    /// Whether a batch could not leave because another thread's queue was full.
    pub(super) fn jammed(&self) -> bool {
        self.jammed
    }

    /// Sends on its way what the engine has for other workers.
    pub(super) fn send<E: Engine>(&mut self, engine: &mut E) {
        let Self { ends, jammed } = self;
        *jammed = false;
        engine.for_each_pipe(&mut |peer, batch| {
            let Some(end) = ends.iter().find(|end| end.peer == peer) else {
                // Its worker is gone, and the engine is about to be told.
                batch.clear();
                return;
            };
            // Nobody else sends here, so what is not full now has room below.
            if end.outgoing.is_full() {
                *jammed = true;
                return;
            }
            let empty = end.returned.try_recv().unwrap_or_default();
            match end.outgoing.try_send(std::mem::replace(batch, empty)) {
                Ok(()) => end.bell.ring(),
                // The other thread is gone or was overtaken; what was for it is lost with it.
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
            }
        });
    }

    /// The next batch from the thread at `index`.
    pub(super) fn next(&self, index: usize) -> Option<(PeerId, PipeBatch)> {
        let end = self.ends.get(index)?;
        let batch = end.incoming.try_recv().ok()?;
        Some((end.peer, batch))
    }

    /// Hands a batch from the thread at `index` back.
    pub(super) fn give_back(&self, index: usize, mut batch: PipeBatch) {
        batch.clear();
        if let Some(end) = self.ends.get(index) {
            // Who is gone, or has plenty, can do without.
            let _ = end.give_back.try_send(batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use link::Certificate;
    use link::bwe::Bitrate;
    use link::ice::IceCredentials;
    use mio::{Poll, Token, Waker};
    use rtp::codec::CodecKind;
    use rtp::{ExtMap, PayloadType, Ssrc};
    use sfu::spec::{
        Direction, MediaKind, ProducerCodec, ProducerEncoding, ProducerSpec, Scalability, Source,
        TransportSpec, WorkerConfig,
    };
    use sfu::{Command, RemoteProducer, Reply, Worker};

    use super::super::mailbox::Mailbox;
    use super::*;

    const NEAR: PeerId = PeerId(1);
    const FAR: PeerId = PeerId(2);

    /// A worker whose producer has a twin with `FAR`: every pause and resumption is a note to it.
    fn talkative() -> (Worker, sfu::key::ProducerKey) {
        let now = Instant::now();
        let config = WorkerConfig {
            certificate: Certificate::generate().expect("randomness"),
            seed: 1,
            extensions: ExtMap::new(),
            consent_timeout: Duration::from_secs(30),
            train_padding: sfu::spec::TrainPadding::On,
        };
        let mut worker = Worker::new(now, config);
        let Reply::Router(router) = worker.handle_command(now, Command::CreateRouter) else {
            panic!("a router opens")
        };
        let spec = TransportSpec {
            direction: Direction::Receive,
            ice: IceCredentials::generate().expect("randomness"),
            initial_outgoing_bitrate: Bitrate(1),
            max_incoming_bitrate: Bitrate(1),
        };
        let command = Command::CreateTransport { router, spec };
        let Reply::Transport(transport) = worker.handle_command(now, command) else {
            panic!("a transport opens")
        };
        let spec = ProducerSpec {
            kind: MediaKind::Audio,
            source: Source::Microphone,
            mid: None,
            codecs: vec![ProducerCodec {
                codec: CodecKind::Opus,
                clock_rate: 48_000,
                payload_type: PayloadType(111),
                mapped_payload_type: PayloadType(100),
                rtx_payload_type: None,
                nack: false,
                pli: false,
                fir: false,
            }],
            extensions: ExtMap::new(),
            encodings: vec![ProducerEncoding {
                ssrc: Some(Ssrc(1)),
                rtx_ssrc: None,
                rid: None,
                spatial_layers: 1,
                temporal_layers: 1,
            }],
            scalability: Scalability::Simple,
            paused: false,
        };
        let command = Command::Produce { transport, spec };
        let Reply::Producer(producer) = worker.handle_command(now, command) else {
            panic!("a producer opens")
        };
        let open = Command::OpenPipe {
            producer,
            to: FAR,
            twin: RemoteProducer(producer),
        };
        assert!(matches!(worker.handle_command(now, open), Reply::Done));
        (worker, producer)
    }

    fn pair() -> (Pipes, Pipes, Poll, Mailbox) {
        let poll = Poll::new().expect("polls");
        let waker = Waker::new(poll.registry(), Token(0)).expect("wakes");
        let (mailbox, postbox) = Mailbox::new(waker);
        let (near, far) = ends((NEAR, postbox.bell()), (FAR, postbox.bell()));
        let (mut one, mut other) = (Pipes::default(), Pipes::default());
        one.attach(near);
        other.attach(far);
        (one, other, poll, mailbox)
    }

    #[test]
    fn a_batch_arrives_with_a_wake_up_and_its_memory_comes_back() {
        let (mut near, far, mut poll, _mailbox) = pair();
        let (mut worker, producer) = talkative();
        near.send(&mut worker);
        let mut events = mio::Events::with_capacity(1);
        poll.poll(&mut events, Some(Duration::ZERO)).expect("polls");
        assert!(!events.is_empty() && far.work_left());
        let (peer, batch) = far.next(0).expect("a batch");
        assert_eq!((peer, batch.len()), (NEAR, 1));
        far.give_back(0, batch);
        assert!(near.ends[0].returned.len() == 1 && !far.work_left());
        worker.handle_command(Instant::now(), Command::PauseProducer(producer));
        near.send(&mut worker);
        assert!(near.ends[0].returned.is_empty(), "used again");
        assert_eq!(far.next(0).map(|(_, batch)| batch.len()), Some(1));
    }

    #[test]
    fn what_finds_no_room_waits_in_order() {
        let (mut near, far, _poll, _mailbox) = pair();
        let (mut worker, producer) = talkative();
        near.send(&mut worker);
        for _ in 0..DEPTH {
            worker.handle_command(Instant::now(), Command::PauseProducer(producer));
            near.send(&mut worker);
        }
        assert!(near.jammed());
        assert_eq!(worker.pipes().map(|(_, batch)| batch.len()).sum::<usize>(), 1);
        let mut taken = 0;
        while let Some((_, batch)) = far.next(0) {
            taken += batch.len();
            far.give_back(0, batch);
        }
        near.send(&mut worker);
        assert!(!near.jammed());
        assert_eq!(
            (taken, far.next(0).map(|(_, batch)| batch.len())),
            (DEPTH, Some(1))
        );
    }

    #[test]
    fn nothing_piles_up_for_a_thread_that_is_gone() {
        let (mut near, far, _poll, _mailbox) = pair();
        let (mut worker, producer) = talkative();
        drop(far);
        near.send(&mut worker);
        assert_eq!(worker.pipes().count(), 0);
        near.detach(FAR);
        worker.handle_command(Instant::now(), Command::PauseProducer(producer));
        near.send(&mut worker);
        assert_eq!((worker.pipes().count(), near.jammed()), (0, false));
    }
}
