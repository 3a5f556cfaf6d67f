//! A worker's thread in its steady state allocates nothing: not to receive, forward, repair, report or keep time, over
//! real sockets. Only the worker's own thread is counted; clients allocate as they like.
#![allow(unsafe_code, reason = "a counting allocator cannot be written without it")]

mod peer;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use link::Protocol;
use link::twcc::ArrivalRecorder;
use media_node::worker::{IoCount, SendPath};
use peer::Peer;
use peer::node::{Joined, Node};
use peer::rtp::{Stream, TWCC_ID, read};
use rtp::ext::{ExtKind, ExtMap};
use rtp::{RtpView, Ssrc};
use sfu::command::Command;
use sfu::spec::{Direction, MediaKind};

struct Counting;

thread_local! {
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

fn count() {
    if IS_WORKER.try_with(Cell::get).unwrap_or(false) {
        ALLOCATIONS.fetch_add(1, Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches neither the memory nor the layout.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A viewer that reports what arrives, as browsers do.
struct Viewer {
    peer: Peer,
    recorder: ArrivalRecorder,
    received: usize,
}

/// A call of one speaker and several viewers.
struct Call {
    node: Node,
    sender: Peer,
    voice: Stream,
    camera: Stream,
    viewers: Vec<Viewer>,
    extensions: ExtMap,
    rounds: usize,
}

/// Packets of a frame.
const FRAME: usize = 8;
/// How long a round waits for its packets.
const PATIENCE: Duration = Duration::from_millis(30);
/// Buffers that may still grow when a machine lets the worker wait for longer than it did before, so that more than ever
/// has piled up. Usually none does.
const GROWTH: u64 = 4;
/// Packets to be sent while allocations are counted.
const ENOUGH: u64 = 3_000;

impl Call {
    fn new(path: SendPath, wires: &[Protocol]) -> Self {
        let mut node = Node::start(path);
        let sender = node.join(Direction::Receive, Protocol::Udp);
        let audio = node.produce(sender.transport, MediaKind::Audio, 11);
        let video = node.produce(sender.transport, MediaKind::Video, 22);
        let mut viewers = Vec::new();
        for wire in wires {
            let Joined { peer, transport } = node.join(Direction::Send, *wire);
            node.consume(transport, audio, MediaKind::Audio);
            node.consume(transport, video, MediaKind::Video);
            viewers.push(Viewer {
                peer,
                recorder: ArrivalRecorder::new(Instant::now()),
                received: 0,
            });
        }
        let mut extensions = ExtMap::new();
        extensions.set(ExtKind::TransportSequence, TWCC_ID);
        Self {
            node,
            sender: sender.peer,
            voice: Stream::new(11),
            camera: Stream::new(22),
            viewers,
            extensions,
            rounds: 0,
        }
    }

    /// A frame, an audio packet and everybody's answer to them.
    fn round(&mut self) {
        let key = self.rounds == 0;
        self.rounds += 1;
        self.sender.send_rtp(&self.voice.opus(80, 0x55));
        for packet in self.camera.vp8(FRAME, 1_000, key) {
            self.sender.send_rtp(&packet);
        }
        let before: Vec<usize> = self.viewers.iter().map(|viewer| viewer.received).collect();
        let awaited = |viewers: &[Viewer]| {
            viewers
                .iter()
                .zip(&before)
                .any(|(viewer, before)| viewer.received < before + FRAME + 1)
        };
        // On a busy machine the estimator may find the path slow and hold video back for a while.
        let give_up = Instant::now() + PATIENCE;
        while awaited(&self.viewers) {
            let now = Instant::now();
            if now >= give_up {
                break;
            }
            self.sender.turn(now);
            for viewer in &mut self.viewers {
                viewer.turn(now, &self.extensions);
            }
            std::thread::yield_now();
        }
        self.sender.rtcp.clear();
        for viewer in &mut self.viewers {
            viewer.report(Instant::now());
        }
    }

    /// Runs for a time, and until so many packets were sent; how many that were.
    fn run(&mut self, time: Duration, packets: u64) -> u64 {
        let (end, before) = (Instant::now() + time, self.sent());
        let give_up = end + Duration::from_secs(20);
        while Instant::now() < end || self.sent() < before + packets {
            self.round();
            assert!(
                Instant::now() < give_up,
                "hardly anything is sent: {:?}",
                self.node.handle.io_counters()
            );
        }
        self.sent() - before
    }

    /// Packets sent so far.
    fn sent(&self) -> u64 {
        self.node.handle.io_counters().of(IoCount::PacketsOut)
    }
}

impl Viewer {
    fn turn(&mut self, now: Instant, extensions: &ExtMap) {
        self.peer.turn(now);
        for packet in self.peer.rtp.drain(..) {
            assert!(!read(&packet).payload.is_empty());
            let view = RtpView::parse(&packet).expect("an RTP packet");
            if let Some(sequence) = extensions.read(&view).transport_sequence {
                self.recorder.on_packet(now, sequence);
            }
            self.received += 1;
        }
        self.peer.rtcp.clear();
    }

    fn report(&mut self, now: Instant) {
        let mut compound = Vec::new();
        if self.recorder.build(now, Ssrc(1), Ssrc(1), &mut compound) {
            self.peer.send_rtcp(&compound);
        }
    }
}

#[test]
fn the_loop_of_a_busy_worker_allocates_nothing() {
    for path in [SendPath::Gso, SendPath::Mmsg, SendPath::Plain] {
        let mut call = Call::new(
            path,
            &[Protocol::Udp, Protocol::Udp, Protocol::Udp, Protocol::Tcp],
        );
        // The reply is called on the worker's thread.
        let reply = Box::new(|_| IS_WORKER.with(|flag| flag.set(true)));
        call.node.handle.call(Command::Stats, reply).expect("alive");
        // Stores, histories and tables reach their size; every timer has fired.
        call.run(Duration::from_millis(1_500), ENOUGH);
        assert!(
            ALLOCATIONS.load(Relaxed) > 0,
            "the count notices what a start allocates"
        );
        ALLOCATIONS.store(0, Relaxed);
        let sent = call.run(Duration::from_millis(800), ENOUGH);
        let allocated = ALLOCATIONS.load(Relaxed);
        assert!(
            allocated <= GROWTH,
            "{path:?}: {allocated} for {sent} packets, reports, feedback and timers"
        );
    }
}
