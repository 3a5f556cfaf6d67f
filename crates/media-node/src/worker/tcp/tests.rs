use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use crossbeam_channel::{Receiver, unbounded};
use mio::{Events, Poll};
use sfu::TransmitClass;

use super::super::engine::fake::{Deadlines, Fake, Note};
use super::*;

const LISTENER: Token = Token(0);
const BASE: usize = 1;
const PATIENCE: Duration = Duration::from_secs(10);
/// A STUN Binding success response without attributes.
const SUCCESS: [u8; 20] = [
    1, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
];

struct Server {
    poll: Poll,
    streams: Streams,
    engine: Fake,
    notes: Receiver<Note>,
    counters: IoCounters,
}

impl Server {
    fn new(limits: TcpLimits) -> Self {
        let poll = Poll::new().expect("polls");
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
        let streams = Streams::open(listener, poll.registry(), (LISTENER, BASE), limits).expect("opens");
        let (note, notes) = unbounded();
        let engine = Fake::new(note, Deadlines::Never);
        Self {
            poll,
            streams,
            engine,
            notes,
            counters: IoCounters::default(),
        }
    }

    /// Connects, and lets the server accept at `now`.
    fn connect(&mut self, now: Instant) -> TcpStream {
        let client = TcpStream::connect(self.streams.local()).expect("connects");
        client.set_read_timeout(Some(PATIENCE)).expect("set");
        // The kernel has completed the handshake, so it is waiting.
        self.streams.note_listener();
        self.streams.accept(now, &mut self.engine, &mut self.counters);
        client
    }

    /// Waits for readiness once and does what it allows.
    fn turn(&mut self, now: Instant) {
        let mut events = Events::with_capacity(64);
        self.poll.poll(&mut events, Some(PATIENCE)).expect("polls");
        for event in events.iter().filter(|event| event.token() != LISTENER) {
            self.streams.note_ready(event.token(), event);
        }
        while self.streams.read_one(now, &mut self.engine, &mut self.counters) {}
        self.flush(now);
    }

    fn flush(&mut self, now: Instant) {
        self.streams.flush(now, &mut self.engine, &mut self.counters);
    }

    fn push(&mut self, client: &TcpStream, class: TransmitClass, bytes: &[u8], now: Instant) {
        let tuple = self.tuple(client);
        self.streams
            .push(&Transmit { tuple, class, bytes }, now, &mut self.counters);
    }

    fn tuple(&self, client: &TcpStream) -> FiveTuple {
        let remote = client.local_addr().expect("bound");
        FiveTuple {
            protocol: Protocol::Tcp,
            local: self.streams.local(),
            remote,
        }
    }

    fn time_passes(&mut self, now: Instant) {
        self.streams.handle_timeout(now);
        self.flush(now);
    }

    fn count(&self, count: IoCount) -> u64 {
        self.counters.of(count)
    }
}

fn is_closed(client: &mut TcpStream) -> bool {
    // Bytes on the way may come first; a reset is an end as well.
    let mut buffer = [0; 4_096];
    loop {
        match client.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

#[test]
fn a_connection_without_an_accepted_check_is_closed_in_time() {
    let limits = TcpLimits::default();
    let mut server = Server::new(limits);
    let start = Instant::now();
    let mut stranger = server.connect(start);
    let guest = server.connect(start);
    // Talking is not enough, and neither is a packet that merely looks like media to us.
    stranger.write_all(&[0, 1, 9]).expect("writes");
    server.turn(start);
    server.push(&stranger, TransmitClass::Control, &[1, 0x11, 0, 0], start);
    server.push(&guest, TransmitClass::Control, &SUCCESS, start);
    server.flush(start);
    let due = server.streams.poll_timeout().expect("a connection is watched");
    assert!(due <= start + SWEEP);
    server.time_passes(start + limits.prove_within - Duration::from_millis(1));
    assert_eq!(server.count(IoCount::StreamsUnproven), 0);
    server.time_passes(start + limits.prove_within + SWEEP);
    assert_eq!(server.count(IoCount::StreamsUnproven), 1);
    assert!(is_closed(&mut stranger));
    let closed = server.tuple(&stranger);
    assert_eq!(
        server
            .notes
            .try_iter()
            .filter(|note| *note == Note::Closed(closed))
            .count(),
        1
    );

    // The proven one lives until it has been silent for too long.
    server.time_passes(start + limits.silence - Duration::from_millis(1));
    assert_eq!(server.count(IoCount::StreamsSilent), 0);
    server.time_passes(start + limits.silence + SWEEP);
    assert_eq!(server.count(IoCount::StreamsSilent), 1);
    assert_eq!(
        server.notes.try_iter().collect::<Vec<_>>(),
        [Note::Closed(server.tuple(&guest))]
    );
    assert_eq!(server.streams.poll_timeout(), None, "nothing is left to watch");
}

#[test]
fn the_oldest_stranger_makes_room_and_the_proven_are_never_thrown_out() {
    let mut server = Server::new(TcpLimits {
        connections: 2,
        ..TcpLimits::default()
    });
    let start = Instant::now();
    let guest = server.connect(start);
    server.push(&guest, TransmitClass::Control, &SUCCESS, start);
    let mut stranger = server.connect(start + Duration::from_secs(1));
    let third = server.connect(start + Duration::from_secs(2));
    assert!(is_closed(&mut stranger));
    assert_eq!(server.count(IoCount::StreamsUnproven), 1);
    server.push(&third, TransmitClass::Control, &SUCCESS, start);
    let mut fourth = server.connect(start + Duration::from_secs(3));
    assert!(is_closed(&mut fourth));
    assert_eq!(server.count(IoCount::StreamsTurnedAway), 1);
    assert_eq!(server.count(IoCount::StreamsAccepted), 3);
}

#[test]
fn a_slow_reader_loses_video_first_and_then_its_connection_and_harms_nobody() {
    let mut server = Server::new(TcpLimits::default());
    let now = Instant::now();
    let (mut slow, mut quick) = (server.connect(now), server.connect(now));
    let video = [7; 1_200];
    let mut audio_before_drop = 0;
    // The kernels' buffers between the two take some megabytes before it shows.
    for _ in 0..20_000 {
        if server.count(IoCount::DroppedVideo) >= 100 {
            break;
        }
        server.push(&slow, TransmitClass::Video, &video, now);
        server.push(&slow, TransmitClass::Audio, &[1; 10], now);
        server.push(&quick, TransmitClass::Audio, &[2; 80], now);
        server.flush(now);
        let mut frame = [0; 82];
        quick.read_exact(&mut frame).expect("the quick one is served");
        assert_eq!(frame[..3], [0, 80, 2]);
        audio_before_drop += 1;
    }
    assert_eq!(server.count(IoCount::DroppedVideo), 100);
    assert_eq!(
        server.count(IoCount::DroppedAudio),
        0,
        "audio goes on: {audio_before_drop} packets"
    );
    let closed = server.tuple(&slow);
    while server.count(IoCount::StreamsStalled) == 0 {
        server.push(&slow, TransmitClass::Audio, &[1; 100], now);
        server.flush(now);
    }
    assert_eq!(
        server
            .notes
            .try_iter()
            .filter(|note| *note == Note::Closed(closed))
            .count(),
        1
    );
    server.push(&slow, TransmitClass::Audio, &[1; 100], now);
    assert_eq!(
        server.count(IoCount::Refused),
        1,
        "its packets have nowhere to go"
    );

    // What the slow one did get is whole frames.
    let mut stream = Vec::new();
    slow.read_to_end(&mut stream).expect("ends");
    let mut deframer = super::super::framing::Deframer::default();
    let mut lengths = HashMap::<usize, usize>::new();
    let whole = deframer.feed(&mut stream, |packet| {
        *lengths.entry(packet.len()).or_default() += 1
    });
    assert_eq!(whole, Ok(()));
    assert!(
        lengths.keys().all(|length| [1_200, 10, 100].contains(length)),
        "{lengths:?}"
    );
    server.push(&quick, TransmitClass::Video, &video, now);
    server.flush(now);
    let mut frame = [0; 1_202];
    quick
        .read_exact(&mut frame)
        .expect("the quick one is still served");
}

#[test]
fn a_peer_that_takes_nothing_at_all_is_closed_in_time() {
    let limits = TcpLimits {
        silence: Duration::from_secs(1_000),
        ..TcpLimits::default()
    };
    let mut server = Server::new(limits);
    let start = Instant::now();
    let client = server.connect(start);
    server.push(&client, TransmitClass::Control, &SUCCESS, start);
    while server.count(IoCount::DroppedVideo) == 0 {
        server.push(&client, TransmitClass::Video, &[7; 1_200], start);
        server.flush(start);
    }
    server.time_passes(start + limits.stall - Duration::from_millis(1));
    assert_eq!(server.count(IoCount::StreamsStalled), 0);
    server.time_passes(start + limits.stall + SWEEP);
    assert_eq!(server.count(IoCount::StreamsStalled), 1);
}

#[test]
fn bytes_that_are_no_frames_end_the_connection() {
    let mut server = Server::new(TcpLimits::default());
    let now = Instant::now();
    let mut client = server.connect(now);
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        .expect("writes");
    server.turn(now);
    assert!(is_closed(&mut client));
    assert_eq!(server.count(IoCount::StreamsMalformed), 1);
    assert_eq!(
        server.notes.try_iter().collect::<Vec<_>>(),
        [Note::Closed(server.tuple(&client))]
    );
}

#[test]
fn a_slot_is_used_again_without_confusing_its_connections() {
    let mut server = Server::new(TcpLimits::default());
    let now = Instant::now();
    for _ in 0..5 {
        let client = server.connect(now);
        let tuple = server.tuple(&client);
        server.turn(now);
        drop(client);
        while server.notes.try_iter().all(|note| note != Note::Closed(tuple)) {
            server.turn(now);
        }
    }
    assert_eq!(server.streams.slots.len(), 1);
    assert_eq!((server.streams.open, server.streams.by_remote.len()), (0, 0));
}
