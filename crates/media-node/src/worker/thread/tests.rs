use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use crossbeam_channel::{Receiver, unbounded};
use sfu::command::{Command, Reply};
use sfu::key::RouterKey;

use super::super::WorkerGone;
use super::super::engine::fake::{Deadlines, Fake, Note};
use super::*;

/// Nothing on loopback takes this long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(10);

struct Bench {
    handle: WorkerHandle,
    notes: Receiver<Note>,
    notices: Receiver<(usize, WorkerNotice)>,
    client: UdpSocket,
}

fn bench(index: usize, deadlines: Deadlines) -> Bench {
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    client
        .connect(udp.local_addr().expect("bound"))
        .expect("connects");
    client.set_read_timeout(Some(PATIENCE)).expect("set");
    let (note, notes) = unbounded();
    let (notice, notices) = unbounded();
    let sink: NoticeSink = Box::new(move |index, told| {
        // The test may be over.
        let _ = notice.send((index, told));
    });
    let sockets = Sockets {
        index,
        udp,
        tcp: Some(tcp),
    };
    let handle = start(sockets, WorkerOptions::default(), sink, move |_| {
        Fake::new(note, deadlines)
    })
    .expect("starts");
    Bench {
        handle,
        notes,
        notices,
        client,
    }
}

impl Bench {
    fn note(&self) -> Note {
        self.notes.recv_timeout(PATIENCE).expect("noted in time")
    }

    fn echo(&self, datagram: &[u8]) {
        self.client.send(datagram).expect("sends");
        for _ in 0..datagram[1] {
            let mut buffer = [0; 2_000];
            let length = self.client.recv(&mut buffer).expect("answered in time");
            assert_eq!(&buffer[..length], datagram);
        }
    }
}

/// Tells a channel that an answer came.
fn reply_to(answer: crossbeam_channel::Sender<()>) -> Box<dyn FnOnce(Reply) + Send> {
    Box::new(move |_| answer.send(()).expect("the test waits"))
}

#[test]
fn datagrams_commands_and_events_pass() {
    let bench = bench(3, Deadlines::Never);
    bench.echo(&[b'a', 1, 7]);
    let local = bench.client.peer_addr().expect("connected");
    let remote = bench.client.local_addr().expect("bound");
    let tuple = FiveTuple {
        protocol: Protocol::Udp,
        local,
        remote,
    };
    assert_eq!(bench.handle.addresses().udp, local);
    assert_eq!(bench.note(), Note::Datagram(tuple, vec![b'a', 1, 7]));
    // No more than a default receive buffer holds, in case this thread is slow to read.
    bench.echo(&[[b'v', 50].as_slice(), &[9; 1_150]].concat());

    let reply = bench.handle.call_and_wait(Command::CreateRouter);
    assert!(matches!(reply, Ok(Reply::Router(_))), "{reply:?}");
    let router = RouterKey::default();
    let reply = bench.handle.call_and_wait(Command::CloseRouter(router));
    assert!(matches!(reply, Ok(Reply::Done)), "{reply:?}");
    let (index, notice) = bench.notices.recv_timeout(PATIENCE).expect("told in time");
    let event = sfu::event::Event::ActiveSpeaker {
        router,
        producer: None,
        volume: -127,
    };
    assert_eq!((index, notice), (3, WorkerNotice::Event(event)));

    // Counts are shown at the end of a cycle; the reply above came in the middle of one.
    let reply = bench.handle.call_and_wait(Command::CreateRouter);
    assert!(reply.is_ok());
    let counters = bench.handle.io_counters();
    assert_eq!(counters.of(IoCount::PacketsIn), 2);
    assert_eq!(counters.of(IoCount::PacketsOut), 51);
    #[cfg(target_os = "linux")]
    assert!(
        counters.of(IoCount::WaitedNanos) > 0,
        "no datagram is read the moment it arrives"
    );
    assert!(
        counters.of(IoCount::SendCalls) < 20,
        "200 equal datagrams share calls: {counters:?}"
    );
}

#[test]
fn an_idle_worker_sends_in_the_cycle_that_received() {
    let bench = bench(0, Deadlines::Never);
    for round in 1..=20 {
        bench.echo(&[b'l', 1, round]);
        assert!(matches!(bench.note(), Note::Datagram(..)));
        assert_eq!(
            bench.note(),
            Note::Sent { asked: 0 },
            "sent before the loop looked at anything else"
        );
    }
    let reply = bench.handle.call_and_wait(Command::CreateRouter);
    assert!(reply.is_ok());
    let reply = bench.handle.call_and_wait(Command::CreateRouter);
    assert!(reply.is_ok());
    let counters = bench.handle.io_counters();
    assert_eq!(
        (
            counters.of(IoCount::PacketsOut),
            counters.of(IoCount::SendCalls),
            counters.of(IoCount::Deferred)
        ),
        (20, 20, 0),
        "nothing was held to travel with the next"
    );
}

#[test]
fn audio_between_video_leaves_in_the_cycle_that_received_it() {
    let bench = bench(0, Deadlines::Never);
    let one = |class: u8| [[class, 1].as_slice(), &[5; 98]].concat();
    for packet in [one(b'v'), one(b'v'), one(b'l'), one(b'v')] {
        bench.client.send(&packet).expect("sends");
    }
    let mut answers = Vec::new();
    for _ in 0..4 {
        let mut buffer = [0; 200];
        bench.client.recv(&mut buffer).expect("answered in time");
        answers.push(buffer[0]);
    }
    answers.sort_unstable();
    assert_eq!(answers, [b'l', b'v', b'v', b'v']);
    let sent = std::iter::repeat_with(|| bench.note()).find(|note| matches!(note, Note::Sent { .. }));
    assert_eq!(sent, Some(Note::Sent { asked: 0 }));
}

#[test]
fn commands_are_carried_out_in_order() {
    let bench = bench(0, Deadlines::Never);
    let (answer, answers) = unbounded();
    for number in 0..1_000 {
        let answer = answer.clone();
        let reply = Box::new(move |_| answer.send(number).expect("the test waits"));
        bench.handle.call(Command::CreateRouter, reply).expect("open");
    }
    drop(answer);
    assert!(answers.iter().eq(0..1_000));
}

#[test]
fn a_flood_of_commands_does_not_hold_up_packets() {
    let bench = bench(0, Deadlines::Never);
    const COMMANDS_SENT: usize = 3_000;
    for _ in 0..COMMANDS_SENT {
        bench.handle.call(Command::Stats, Box::new(|_| {})).expect("open");
    }
    bench.echo(b"a\x01 in between");
    let notes: Vec<Note> = bench.notes.try_iter().collect();
    let before = notes.iter().take_while(|note| **note == Note::Command).count();
    assert!(
        before < COMMANDS_SENT,
        "the datagram waited for all {before} commands"
    );
}

#[test]
fn a_flood_of_packets_does_not_hold_up_commands() {
    let bench = bench(0, Deadlines::Never);
    let (stop, stopped) = unbounded::<()>();
    let flood = bench.client.try_clone().expect("clones");
    let flooder = std::thread::spawn(move || {
        while stopped.try_recv().is_err_and(|error| error.is_empty()) {
            // A full buffer is what this is about.
            let _ = flood.send(&[0; 100]);
        }
    });
    for _ in 0..20 {
        let (answer, answers) = unbounded();
        bench
            .handle
            .call(Command::CreateRouter, reply_to(answer))
            .expect("open");
        answers.recv_timeout(PATIENCE).expect("answered in the flood");
    }
    drop(stop);
    flooder.join().expect("ends");
}

#[test]
fn a_panic_is_confined_to_its_worker() {
    let (sick, healthy) = (bench(1, Deadlines::Never), bench(2, Deadlines::Never));
    let clone = sick.client.try_clone().expect("clones");
    clone.send(b"boom").expect("sends");
    let (index, notice) = sick.notices.recv_timeout(PATIENCE).expect("told in time");
    assert_eq!(index, 1);
    let WorkerNotice::Died { message } = notice else {
        panic!("{notice:?}")
    };
    assert!(message.contains("the engine met its bug"), "{message}");
    let dropped = sick.notes.try_iter().any(|note| note == Note::Dropped);
    assert!(dropped, "the engine is gone before anybody is told");
    assert_eq!(
        sick.handle.call(Command::Stats, Box::new(|_| {})),
        Err(WorkerGone)
    );
    assert_eq!(sick.handle.call_and_wait(Command::Stats).err(), Some(WorkerGone));
    sick.handle.stop();
    healthy.echo(b"a\x01 still there");
}

#[test]
fn calls_that_wait_at_a_panic_learn_that_the_worker_is_gone() {
    let bench = bench(0, Deadlines::Never);
    let (answer, answers) = unbounded::<()>();
    // Slow enough that the calls behind the panic are in the mailbox when it comes.
    for _ in 0..50 {
        bench.handle.call(Command::Stats, Box::new(|_| {})).expect("open");
    }
    bench.handle.panic_for_test().expect("open");
    for _ in 0..10 {
        let answer = answer.clone();
        // The worker may be gone by now, which says the same.
        let _ = bench.handle.call(Command::Stats, reply_to(answer));
    }
    drop(answer);
    assert!(
        answers
            .recv_timeout(PATIENCE)
            .is_err_and(|error| error.is_disconnected()),
        "dropped uncalled"
    );
}

#[test]
fn a_cloned_socket_survives_its_worker_and_serves_the_next() {
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    let address = udp.local_addr().expect("bound");
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("binds");
    client.set_read_timeout(Some(PATIENCE)).expect("set");
    for generation in 0..3_u8 {
        let (notice, notices) = unbounded();
        let (note, _notes) = unbounded();
        let sink: NoticeSink = Box::new(move |_, told| notice.send(told).expect("the test waits"));
        let sockets = Sockets {
            index: 0,
            udp: udp.try_clone().expect("clones"),
            tcp: None,
        };
        let handle = start(sockets, WorkerOptions::default(), sink, move |_| {
            Fake::new(note, Deadlines::Never)
        })
        .expect("starts");
        client.send_to(&[b'a', 1, generation], address).expect("sends");
        let mut buffer = [0; 10];
        assert_eq!(client.recv(&mut buffer).expect("answered"), 3);
        assert_eq!(buffer[2], generation);
        handle.panic_for_test().expect("open");
        let notice = notices.recv_timeout(PATIENCE).expect("told in time");
        assert!(matches!(notice, WorkerNotice::Died { .. }), "{notice:?}");
    }
}

#[test]
fn stopping_waits_until_everything_is_dropped() {
    let bench = bench(0, Deadlines::Never);
    let (answer, answers) = unbounded();
    bench
        .handle
        .call(Command::CreateRouter, reply_to(answer))
        .expect("open");
    let address = bench.handle.addresses().udp;
    let other = bench.handle.clone();
    bench.handle.stop();
    assert_eq!(answers.try_recv(), Ok(()), "what was asked before is answered");
    assert!(bench.notes.try_iter().any(|note| note == Note::Dropped));
    UdpSocket::bind(address).expect("the port is free again");
    assert_eq!(other.call(Command::Stats, Box::new(|_| {})), Err(WorkerGone));
    other.stop();
    assert!(
        bench.notices.try_iter().next().is_none(),
        "an end that was asked for is no death"
    );
}

#[test]
fn a_worker_nobody_holds_ends() {
    let Bench { handle, notes, .. } = bench(0, Deadlines::Never);
    drop(handle.clone());
    assert!(
        handle.call_and_wait(Command::CreateRouter).is_ok(),
        "one handle is left"
    );
    drop(handle);
    let deadline = Instant::now() + PATIENCE;
    while notes.recv_deadline(deadline).expect("ends in time") != Note::Dropped {}
}

#[test]
fn a_deadline_is_met_without_any_traffic() {
    let due = Instant::now() + Duration::from_millis(30);
    let bench = bench(0, Deadlines::Once(due));
    assert_eq!(bench.note(), Note::Timeout);
    assert!(Instant::now() >= due);
    assert!(bench.handle.call_and_wait(Command::CreateRouter).is_ok());
    assert_eq!(bench.note(), Note::Command, "served once");
}

#[test]
fn a_deadline_that_never_moves_does_not_spin() {
    let started = Instant::now();
    let bench = bench(0, Deadlines::Stuck(started));
    let mut served = 0;
    while started.elapsed() < Duration::from_millis(50) {
        assert_eq!(bench.note(), Note::Timeout);
        served += 1;
    }
    let most = started.elapsed().as_millis() + 5;
    assert!(served <= most, "served {served} times in {most} ms");
}

#[test]
fn tcp_carries_the_same_packets_in_frames() {
    let bench = bench(0, Deadlines::Never);
    let local = bench.handle.addresses().tcp.expect("listens");
    let mut client = TcpStream::connect(local).expect("connects");
    client.set_read_timeout(Some(PATIENCE)).expect("set");
    // Two frames of which the second is split.
    client.write_all(&[0, 3, b'a', 1, 5, 0, 2, b'v']).expect("writes");
    let mut echoed = [0; 5];
    client.read_exact(&mut echoed).expect("answered");
    assert_eq!(echoed, [0, 3, b'a', 1, 5]);
    client.write_all(&[2]).expect("writes");
    let mut echoed = [0; 8];
    client.read_exact(&mut echoed).expect("answered");
    assert_eq!(echoed, [0, 2, b'v', 2, 0, 2, b'v', 2]);
    let remote = client.local_addr().expect("bound");
    drop(client);
    let tuple = FiveTuple {
        protocol: Protocol::Tcp,
        local,
        remote,
    };
    assert_eq!(bench.note(), Note::Datagram(tuple, vec![b'a', 1, 5]));
    assert_eq!(bench.note(), Note::Datagram(tuple, vec![b'v', 2]));
    assert_eq!(bench.note(), Note::Closed(tuple));
    let reply = bench.handle.call_and_wait(Command::CreateRouter);
    assert!(reply.is_ok());
}

#[test]
fn a_connection_that_ends_right_after_its_last_packet_is_noticed() {
    let bench = bench(0, Deadlines::Never);
    let local: SocketAddr = bench.handle.addresses().tcp.expect("listens");
    for _ in 0..50 {
        let mut client = TcpStream::connect(local).expect("connects");
        client.write_all(&[0, 1, b'x']).expect("writes");
        drop(client);
        assert!(matches!(bench.note(), Note::Datagram(..)));
        assert!(matches!(bench.note(), Note::Closed(..)));
    }
}
