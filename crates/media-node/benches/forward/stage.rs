//! Who forwards, a client that sends, and an audience.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use link::{DtlsRole, Protocol};
use media_node::worker::{IoCount, SendPath};
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use rtc_srtp::protection_profile::ProtectionProfile;
use sfu::command::{Command, Reply};
use sfu::spec::{Direction, MediaKind};

use crate::audience::Audience;
use crate::floor::Floor;
use crate::machine;
use crate::peer::node::{Joined, Node};
use crate::peer::rtp::Stream;
use crate::peer::{Peer, Wire};
use crate::report::Row;

const WORKER_CPU: usize = 0;
const CLIENT_CPU: usize = 1;
pub(crate) const WORKER: &str = "sfu-worker-0";
/// A frame: 720p at 2.2 Mbit/s and 30 per second.
pub(crate) const BURST: usize = 8;
pub(crate) const VIDEO: usize = 1_150;
pub(crate) const AUDIO: usize = 100;

/// What forwards.
pub(crate) enum Under {
    Worker(Node),
    Floor(Floor),
}

/// A forwarder with one sending client and an audience.
pub(crate) struct Stage {
    pub(crate) under: Under,
    pub(crate) sender: Peer,
    burst_state: UdpSocketState,
    pub(crate) streams: Vec<Stream>,
    pub(crate) audience: Audience,
    pub(crate) packets_in: u64,
    /// Packets the worker chose not to forward (too little bandwidth estimated, waiting for a key frame), as of the
    /// last look.
    pub(crate) held_back: u64,
}

/// What has been counted at one moment.
pub(crate) struct Mark {
    pub(crate) at: Instant,
    cpu: Duration,
    packets_in: u64,
    received: u64,
    verified: u64,
    held_back: u64,
    send_calls: u64,
    receive_calls: u64,
}

/// Runs `begin`, whose threads get the first processor, and stays on the second. Where there is only one, both share
/// it.
pub(crate) fn on_worker_cpu<T>(begin: impl FnOnce() -> T) -> T {
    // Threads inherit it.
    machine::pin(WORKER_CPU);
    let begun = begin();
    machine::pin(CLIENT_CPU);
    begun
}

impl Stage {
    /// The real worker thread with clients that join it as clients do.
    pub(crate) fn new(send_path: SendPath, kind: MediaKind, producers: usize, viewers: usize) -> Self {
        let mut node = on_worker_cpu(|| Node::start(send_path));
        let sender = node.join(Direction::Receive, Protocol::Udp);
        let mut joined: Vec<Joined> = (0..viewers)
            .map(|_| node.invite(Direction::Send, Protocol::Udp, DtlsRole::Client))
            .collect();
        node.settle(&mut joined.iter_mut().collect::<Vec<_>>());
        let streams = streams(producers);
        for stream in &streams {
            let producer = node.produce(sender.transport, kind, stream.ssrc);
            for viewer in &joined {
                node.consume(viewer.transport, producer, kind);
            }
        }
        let viewers = joined.into_iter().map(|viewer| viewer.peer).collect();
        let mut stage = Self::with(Under::Worker(node), (sender.peer, viewers), streams);
        stage.begin(kind);
        stage
    }

    /// A forwarder without an SFU in it, and clients that know its keys.
    pub(crate) fn floor(floor: Floor, clients: (Peer, Vec<Peer>), kind: MediaKind, producers: usize) -> Self {
        let mut stage = Self::with(Under::Floor(floor), clients, streams(producers));
        stage.begin(kind);
        stage
    }

    fn with(under: Under, (sender, viewers): (Peer, Vec<Peer>), streams: Vec<Stream>) -> Self {
        // Preparing a socket also makes it merge what it receives, which the peer does not expect of its own.
        let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        Self {
            burst_state: UdpSocketState::new(UdpSockRef::from(&other)).expect("prepared"),
            under,
            sender,
            streams,
            audience: Audience::new(viewers),
            packets_in: 0,
            held_back: 0,
        }
    }

    /// Lets every stream flow to every viewer once.
    fn begin(&mut self, kind: MediaKind) {
        for index in 0..self.streams.len() {
            match kind {
                MediaKind::Audio => self.send_audio(index),
                MediaKind::Video => self.send_frame(index, true),
            }
            self.wait_for_all();
        }
    }

    /// The profile the sender protects with.
    pub(crate) fn profile(&self) -> ProtectionProfile {
        self.sender.keys.as_ref().expect("connected").profile
    }

    /// Sends a frame packet by packet.
    pub(crate) fn send_frame(&mut self, producer: usize, key: bool) {
        for packet in self.streams[producer].vp8(BURST, VIDEO - 20, key) {
            self.sender.send_rtp(&packet);
        }
        self.packets_in += BURST as u64;
    }

    /// Sends a frame that arrives as a whole, so that every forwarder finds the same work at the same time.
    pub(crate) fn send_burst(&mut self, producer: usize) {
        let keys = self.sender.keys.as_mut().expect("connected");
        let mut train = Vec::new();
        for packet in self.streams[producer].vp8(BURST, VIDEO - 20, false) {
            train.extend(keys.outbound.encrypt_rtp(&packet).expect("protected"));
        }
        let Wire::Udp(socket) = &self.sender.wire else {
            panic!("the sender sends over UDP")
        };
        let transmit = Transmit {
            destination: socket.peer_addr().expect("connected"),
            ecn: None,
            contents: &train,
            segment_size: Some(train.len() / BURST),
            src_ip: None,
        };
        // A full buffer loses it, as a network would; the missing packets are noticed.
        let _ = self.burst_state.try_send(UdpSockRef::from(socket), &transmit);
        self.packets_in += BURST as u64;
    }

    pub(crate) fn send_audio(&mut self, producer: usize) {
        let packet = self.streams[producer].opus(AUDIO - 20, 0x55);
        self.sender.send_rtp(&packet);
        self.packets_in += 1;
    }

    fn expected(&self) -> u64 {
        self.packets_in * self.audience.viewers.len() as u64
    }

    pub(crate) fn outstanding(&self) -> u64 {
        self.expected()
            .saturating_sub(self.held_back + self.audience.received)
    }

    /// Asks the worker how much of what it got it did not forward.
    pub(crate) fn look_at_held_back(&mut self) {
        let Under::Worker(node) = &self.under else { return };
        let Ok(Reply::Stats(stats)) = node.handle.call_and_wait(Command::Stats) else {
            panic!("the worker is gone")
        };
        let counters = stats.counters;
        let due = counters.rtp_received * self.audience.viewers.len() as u64;
        self.held_back = due.saturating_sub(counters.rtp_sent);
    }

    pub(crate) fn turn(&mut self, patience: Duration) {
        self.audience.collect(patience);
        self.sender.turn(Instant::now());
        self.sender.rtcp.clear();
        self.sender.rtp.clear();
    }

    /// Waits for everything that was sent, but not for ever.
    pub(crate) fn wait_for_all(&mut self) {
        let give_up = Instant::now() + Duration::from_secs(2);
        while self.outstanding() > 0 && Instant::now() < give_up {
            let before = self.audience.received;
            self.turn(Duration::from_millis(5));
            if self.audience.received == before {
                self.look_at_held_back();
            }
        }
    }

    /// Gives up on what is missing.
    pub(crate) fn forget_missing(&mut self) {
        self.audience.received = self.expected().saturating_sub(self.held_back);
    }

    /// Processor time of the forwarding thread.
    pub(crate) fn cpu(&self) -> Duration {
        match &self.under {
            Under::Worker(_) => machine::thread_time(WORKER),
            Under::Floor(floor) => machine::thread_time(floor.name()),
        }
    }

    /// Calls that sent and calls that received, so far.
    fn calls(&self) -> (u64, u64) {
        match &self.under {
            Under::Worker(node) => {
                let counters = node.handle.io_counters();
                (
                    counters.of(IoCount::SendCalls),
                    counters.of(IoCount::ReceiveCalls),
                )
            }
            Under::Floor(floor) => floor.calls(),
        }
    }

    pub(crate) fn mark(&mut self) -> Mark {
        // An answer means that the counters of all cycles before are shown.
        for _ in 0..2 {
            self.look_at_held_back();
        }
        let (send_calls, receive_calls) = self.calls();
        Mark {
            at: Instant::now(),
            cpu: self.cpu(),
            packets_in: self.packets_in,
            received: self.audience.received,
            verified: self.audience.verified,
            held_back: self.held_back,
            send_calls,
            receive_calls,
        }
    }

    /// What happened since `before`.
    pub(crate) fn row(&mut self, scenario: &'static str, path: &str, before: &Mark) -> Row {
        self.wait_for_all();
        let after = self.mark();
        let viewers = self.audience.viewers.len();
        let packets_in = after.packets_in - before.packets_in;
        let dropped = match &self.under {
            Under::Worker(node) => node.handle.io_counters().dropped(),
            Under::Floor(_) => 0,
        };
        Row {
            scenario,
            send_path: path.to_lowercase(),
            producers: self.streams.len(),
            viewers,
            seconds: (after.at - before.at).as_secs_f64(),
            packets_in,
            expected: packets_in * viewers as u64,
            held_back: after.held_back - before.held_back,
            received: after.received - before.received,
            verified: after.verified - before.verified,
            cpu: (after.cpu - before.cpu).as_secs_f64(),
            send_calls: after.send_calls - before.send_calls,
            receive_calls: after.receive_calls - before.receive_calls,
            dropped,
        }
    }

    /// Runs producers at their own rate for `seconds`, staggered, each doing `send` every `interval`.
    pub(crate) fn pace(&mut self, seconds: f64, interval: Duration, mut send: impl FnMut(&mut Self, usize)) {
        let producers = self.streams.len();
        let step = interval / producers as u32;
        let start = Instant::now();
        let steps = (seconds / step.as_secs_f64()) as usize;
        for number in 0..steps {
            let due = start + step * number as u32;
            while Instant::now() < due {
                self.turn(Duration::ZERO);
                // Not spinning: the two processors may share a core.
                let rest = due.saturating_duration_since(Instant::now());
                std::thread::sleep(rest.min(Duration::from_micros(200)));
            }
            send(self, number % producers);
        }
    }
}

fn streams(producers: usize) -> Vec<Stream> {
    (0..producers as u32)
        .map(|index| Stream::new(FIRST_SSRC + index))
        .collect()
}

/// SSRC of the first stream; the others follow.
pub(crate) const FIRST_SSRC: u32 = 100_000;
