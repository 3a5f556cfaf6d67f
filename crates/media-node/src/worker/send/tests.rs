use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use link::{FiveTuple, Protocol};

use super::*;

type Datagram = (SocketAddr, TransmitClass, Vec<u8>);

fn send(sender: &mut Sender, port: &impl Port, batch: &[Datagram], counters: &mut IoCounters) {
    let transmit = |index: usize| {
        let (remote, class, bytes): &Datagram = batch.get(index)?;
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        Some(Transmit {
            tuple: FiveTuple {
                protocol: Protocol::Udp,
                local,
                remote: *remote,
            },
            class: *class,
            bytes,
        })
    };
    sender.begin();
    for index in 0..batch.len() {
        sender.push(index, &transmit(index).expect("in the batch"));
    }
    sender.finish(port, transmit, counters);
}

fn peer(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A kernel with room for a number of messages.
struct Kernel {
    room: Cell<usize>,
    segments: bool,
    /// What it says to a segmented message.
    refuses_trains: Option<i32>,
    /// What it says to any message for this peer.
    refuses_peer: Option<(SocketAddr, i32)>,
    took: RefCell<Vec<(SocketAddr, Vec<u8>)>>,
}

impl Kernel {
    fn with_room(room: usize) -> Self {
        Self {
            room: Cell::new(room),
            segments: true,
            refuses_trains: None,
            refuses_peer: None,
            took: RefCell::default(),
        }
    }

    fn take(&self, destination: SocketAddr, segment: Option<u16>, parts: &[&[u8]]) -> io::Result<()> {
        if let Some(errno) = self.refuses_trains.filter(|_| segment.is_some()) {
            return Err(io::Error::from_raw_os_error(errno));
        }
        if let Some((_, errno)) = self.refuses_peer.filter(|(peer, _)| *peer == destination) {
            return Err(io::Error::from_raw_os_error(errno));
        }
        let Some(room) = self.room.get().checked_sub(1) else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        self.room.set(room);
        self.took
            .borrow_mut()
            .extend(parts.iter().map(|part| (destination, part.to_vec())));
        Ok(())
    }

    fn took(&self) -> Vec<(SocketAddr, Vec<u8>)> {
        self.took.take()
    }
}

impl Port for Kernel {
    fn segments(&self) -> bool {
        self.segments
    }

    fn send_one(&self, destination: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        self.take(destination, None, &[datagram])
    }

    fn send_many<'a, I>(
        &self,
        _block: &mut MessageBlock,
        messages: impl Iterator<Item = Message<I>>,
    ) -> io::Result<usize>
    where
        I: Iterator<Item = &'a [u8]>,
    {
        let mut taken = 0;
        for message in messages.take(64) {
            let parts: Vec<&[u8]> = message.parts.collect();
            match self.take(message.destination, message.segment, &parts) {
                Ok(()) => taken += 1,
                Err(error) if taken == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(taken)
    }
}

const PATHS: [SendPath; 3] = [SendPath::Plain, SendPath::Mmsg, SendPath::Gso];

#[test]
fn every_path_delivers_every_datagram_intact_and_in_order() {
    for path in PATHS {
        let port = UdpPort::open(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds")).expect("opens");
        let mut sender = Sender::new(path, &port, 3);
        let receivers: Vec<UdpSocket> = (0..5)
            .map(|_| {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
                socket
                    .set_read_timeout(Some(Duration::from_secs(5)))
                    .expect("set");
                socket
            })
            .collect();
        // Bursts of a frame to every receiver, the last packet shorter, with audio in between.
        let mut batch = Vec::new();
        for number in 0..40_u8 {
            for receiver in &receivers {
                let size = if number % 8 == 7 { 333 } else { 1_150 };
                let to = receiver.local_addr().expect("bound");
                batch.push((to, TransmitClass::Video, vec![number; size]));
                batch.push((
                    to,
                    TransmitClass::Audio,
                    vec![100 + number; 80 + usize::from(number)],
                ));
            }
        }
        let mut counters = IoCounters::default();
        send(&mut sender, &port, &batch, &mut counters);
        assert_eq!(counters.of(IoCount::PacketsOut), 400, "{path:?}");
        assert_eq!(
            counters.of(IoCount::BytesOut),
            batch.iter().map(|(.., bytes)| bytes.len() as u64).sum::<u64>()
        );
        for receiver in &receivers {
            let mut buffer = [0; 2_000];
            let mut got: [Vec<Vec<u8>>; 2] = [Vec::new(), Vec::new()];
            for _ in 0..80 {
                let length = receiver.recv(&mut buffer).expect("comes over loopback");
                let datagram = buffer[..length].to_vec();
                got[usize::from(datagram[0] >= 100)].push(datagram);
            }
            for (audio, got) in got.into_iter().enumerate() {
                let sent = batch.iter().filter(|(to, class, _)| {
                    *to == receiver.local_addr().expect("bound")
                        && (*class == TransmitClass::Audio) == (audio == 1)
                });
                assert!(sent.map(|(.., bytes)| bytes).eq(got.iter()), "{path:?}");
            }
        }
    }
}

#[test]
fn trains_need_fewer_calls() {
    let batch: Vec<_> = (0..80)
        .map(|index| (peer(1 + index % 10), TransmitClass::Video, vec![0; 100]))
        .collect();
    for (path, calls) in [(SendPath::Plain, 80), (SendPath::Mmsg, 2), (SendPath::Gso, 1)] {
        let kernel = Kernel::with_room(1_000);
        let mut counters = IoCounters::default();
        send(&mut Sender::new(path, &kernel, 3), &kernel, &batch, &mut counters);
        assert_eq!(counters.of(IoCount::SendCalls), calls, "{path:?}");
        assert_eq!(kernel.took().len(), 80, "{path:?}");
    }
}

#[test]
fn a_full_buffer_costs_video_and_never_the_path_or_audio() {
    for path in PATHS {
        let kernel = Kernel::with_room(1);
        let mut sender = Sender::new(path, &kernel, 3);
        let mut counters = IoCounters::default();
        let batch = [
            (peer(1), TransmitClass::Video, vec![1; 9]),
            (peer(1), TransmitClass::Audio, vec![2; 3]),
            (peer(2), TransmitClass::Audio, vec![3; 3]),
            (peer(1), TransmitClass::Control, vec![4; 5]),
            (peer(2), TransmitClass::Retransmission, vec![5; 9]),
            (peer(2), TransmitClass::Probe, vec![6; 9]),
        ];
        send(&mut sender, &kernel, &batch, &mut counters);
        assert!(sender.blocked(), "{path:?}");
        assert_eq!(
            kernel.took(),
            [(peer(1), vec![2; 3])],
            "{path:?}: audio before video"
        );
        assert_eq!(counters.of(IoCount::Deferred), 2);
        for class in [
            TransmitClass::Video,
            TransmitClass::Retransmission,
            TransmitClass::Probe,
        ] {
            assert_eq!(counters.of(IoCount::dropped(class)), 1, "{path:?} {class:?}");
        }
        assert_eq!(counters.dropped(), 3);

        // Still full: what comes now waits behind what waits.
        send(
            &mut sender,
            &kernel,
            &[(peer(3), TransmitClass::Audio, vec![7])],
            &mut counters,
        );
        kernel.room.set(10);
        assert_eq!(sender.retry(&kernel, &mut counters), Ok(()));
        assert!(!sender.blocked());
        let waited = [(peer(2), vec![3; 3]), (peer(1), vec![4; 5]), (peer(3), vec![7])];
        assert_eq!(kernel.took(), waited, "{path:?}");
        assert_eq!(counters.of(IoCount::PacketsOut), 4);
    }
}

#[test]
fn what_waited_leaves_before_the_next_batch() {
    let kernel = Kernel::with_room(0);
    let mut sender = Sender::new(SendPath::Gso, &kernel, 3);
    let mut counters = IoCounters::default();
    send(
        &mut sender,
        &kernel,
        &[(peer(1), TransmitClass::Audio, vec![1])],
        &mut counters,
    );
    kernel.room.set(5);
    send(
        &mut sender,
        &kernel,
        &[(peer(1), TransmitClass::Audio, vec![2])],
        &mut counters,
    );
    assert_eq!(kernel.took(), [(peer(1), vec![1]), (peer(1), vec![2])]);
}

#[test]
fn the_queue_of_what_waits_has_an_end() {
    let kernel = Kernel::with_room(0);
    let mut sender = Sender::new(SendPath::Mmsg, &kernel, 3);
    let mut counters = IoCounters::default();
    let batch: Vec<_> = (0..300)
        .map(|_| (peer(1), TransmitClass::Audio, vec![0; 50]))
        .collect();
    send(&mut sender, &kernel, &batch, &mut counters);
    assert_eq!(counters.of(IoCount::Deferred), BACKLOG as u64);
    assert_eq!(counters.of(IoCount::DroppedAudio), 300 - BACKLOG as u64);
}

#[test]
fn a_long_blockade_does_not_grow_the_queue_of_bytes() {
    let mut backlog = Backlog::default();
    for round in 0..10_000_u32 {
        assert!(backlog.push(peer(1), &round.to_be_bytes()));
        if round >= 3 {
            let (_, oldest) = backlog.front().expect("four wait");
            assert_eq!(oldest, (round - 3).to_be_bytes());
            backlog.pop();
        }
    }
    assert!(
        backlog.bytes.len() < 100,
        "{} bytes held for three entries",
        backlog.bytes.len()
    );
}

#[test]
fn a_system_that_refuses_trains_gets_single_datagrams() {
    let train = [
        (peer(1), TransmitClass::Video, vec![1; 9]),
        (peer(1), TransmitClass::Video, vec![2; 9]),
    ];
    for (errno, tries) in [(libc::EIO, 1), (libc::EINVAL, usize::from(REFUSALS))] {
        let mut kernel = Kernel::with_room(1_000);
        kernel.refuses_trains = Some(errno);
        let mut sender = Sender::new(SendPath::Gso, &kernel, 3);
        let mut counters = IoCounters::default();
        for round in 0..tries {
            assert_eq!(sender.path, SendPath::Gso, "round {round}");
            send(&mut sender, &kernel, &train, &mut counters);
            assert_eq!(
                kernel.took(),
                [(peer(1), vec![1; 9]), (peer(1), vec![2; 9])],
                "nothing is lost over it"
            );
        }
        assert_eq!(sender.path, SendPath::Mmsg);
    }
    let mut without = Kernel::with_room(1);
    without.segments = false;
    assert_eq!(Sender::new(SendPath::Gso, &without, 3).path, SendPath::Mmsg);
}

#[test]
fn an_unreachable_peer_costs_its_own_packets_only() {
    for path in PATHS {
        let mut kernel = Kernel::with_room(1_000);
        kernel.refuses_peer = Some((peer(2), libc::EHOSTUNREACH));
        let mut counters = IoCounters::default();
        let batch: Vec<_> = (0..6)
            .map(|index| (peer(1 + index % 3), TransmitClass::Video, vec![0; 9]))
            .collect();
        let mut sender = Sender::new(path, &kernel, 3);
        send(&mut sender, &kernel, &batch, &mut counters);
        assert_eq!(kernel.took().len(), 4, "{path:?}");
        assert_eq!(counters.of(IoCount::Refused), 2, "{path:?}");
        assert!(!sender.blocked());
    }
}
