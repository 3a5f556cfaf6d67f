//! A WebRTC client of one transport: str0m in RTP mode over a real socket, told by REST where to go.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use str0m::bwe::BweKind;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Frequency, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpWrite, Ssrc};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

use crate::harness::{Member, PATIENCE};

/// How often a microphone sends (RFC 7587 §4.2: 20 ms by default).
const PACKET_TIME: Duration = Duration::from_millis(20);

/// What the client sends or expects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Track {
    /// Opus of this SSRC with payload type 111.
    Sends(u32),
    /// VP8 of this SSRC with payload type 96.
    Films(u32),
    /// The consumer's stream of this SSRC with the router's payload type.
    Receives(u32, u8),
    /// The streams of the first two consumers.
    ReceivesBoth([u32; 2], u8),
}

/// One received packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) ssrc: u32,
    pub(crate) payload_type: u8,
    pub(crate) mid: Option<String>,
    pub(crate) sequence: u64,
    pub(crate) payload: Vec<u8>,
}

/// What has happened to a client.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connected: bool,
    pub(crate) packets: Vec<Received>,
    /// Bit/s that the server said (by REMB) it may send.
    pub(crate) ceilings: Vec<u64>,
}

/// A running client.
pub(crate) struct MediaClient {
    seen: Arc<Mutex<Seen>>,
    end: CancellationToken,
}

impl Drop for MediaClient {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

impl MediaClient {
    /// Connects the member's transport, as created by REST, and starts sending or receiving.
    pub(crate) async fn start(member: &Member<'_>, transport: &Value, track: Track) -> Self {
        let (client, fingerprint) = Self::begin(transport, track).await;
        let connect = format!("/transports/{}/connect", text(&transport["transportId"]));
        let parameters = json!({"dtlsParameters": {"role": "client", "fingerprints": [fingerprint]}});
        member
            .post_json(&connect, &parameters)
            .await
            .says("Transport connected");
        client
    }

    /// The same, without telling the server the certificate's fingerprint.
    pub(crate) async fn start_unannounced(transport: &Value, track: Track) -> Self {
        Self::begin(transport, track).await.0
    }

    async fn begin(transport: &Value, track: Track) -> (Self, Value) {
        let mut rtc = config(track).build(Instant::now());
        let candidate = &transport["iceCandidates"][0];
        let port = candidate["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .expect("a port");
        let server: SocketAddr = format!("{}:{port}", text(&candidate["ip"]))
            .parse()
            .expect("an address");
        let wire = Wire::open(&text(&candidate["protocol"]), server).await;
        rtc.add_local_candidate(wire.candidate(wire.local));
        rtc.add_remote_candidate(wire.candidate(server));
        let fingerprint = prepare(&mut rtc, transport, track);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let end = CancellationToken::new();
        tokio::spawn(
            end.clone()
                .run_until_cancelled_owned(drive(rtc, wire, track, Arc::clone(&seen))),
        );
        (Self { seen, end }, fingerprint)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `condition` holds.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Seen) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !condition(&self.seen()) {
            assert!(tokio::time::Instant::now() < deadline, "did not happen: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text but {value}"))
        .to_owned()
}

fn config(track: Track) -> RtcConfig {
    let mut extensions = ExtensionMap::empty();
    // A producer's own ids; consumers have the router's (contract §1.8.3).
    let (mid, level) = match track {
        Track::Sends(_) | Track::Films(_) => (4, 7),
        Track::Receives(..) | Track::ReceivesBoth(..) => (1, 10),
    };
    extensions.set(mid, Extension::RtpMid);
    extensions.set(level, Extension::AudioLevel);
    let payload_type = match track {
        Track::Sends(_) => 111,
        Track::Films(_) => 96,
        Track::Receives(_, payload_type) | Track::ReceivesBoth(_, payload_type) => payload_type,
    };
    let mut config = RtcConfig::new()
        .clear_codecs()
        .set_extension_map(extensions)
        .set_rtp_mode(true);
    let (codec, clock, channels) = match track {
        Track::Films(_) => (Codec::Vp8, Frequency::NINETY_KHZ, None),
        _ => (Codec::Opus, Frequency::FORTY_EIGHT_KHZ, Some(2)),
    };
    let payload_type = Pt::new_with_value(payload_type);
    let format = FormatParams::default();
    config
        .codec_config()
        .add_config(payload_type, None, codec, clock, channels, format);
    config
}

/// Tells str0m what the server said, and returns our certificate's fingerprint.
fn prepare(rtc: &mut Rtc, transport: &Value, track: Track) -> Value {
    let mut direct = rtc.direct_api();
    direct.set_ice_controlling(true);
    direct.set_remote_ice_credentials(str0m::IceCreds {
        ufrag: text(&transport["iceParameters"]["usernameFragment"]),
        pass: text(&transport["iceParameters"]["password"]),
    });
    let theirs = text(&transport["dtlsParameters"]["fingerprints"][0]["value"]);
    let bytes = theirs
        .split(':')
        .map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal"))
        .collect();
    direct.set_remote_fingerprint(str0m::crypto::Fingerprint {
        hash_func: "sha-256".to_owned(),
        bytes,
    });
    let mid = Mid::from("0");
    let kind = match track {
        Track::Films(_) => MediaKind::Video,
        _ => MediaKind::Audio,
    };
    direct.declare_media(mid, kind);
    match track {
        Track::Sends(ssrc) | Track::Films(ssrc) => direct
            .declare_stream_tx(ssrc.into(), None, mid, None)
            .set_unpaced(true),
        Track::Receives(ssrc, _) => drop(direct.expect_stream_rx(ssrc.into(), None, mid, None)),
        Track::ReceivesBoth([first, second], _) => {
            direct.expect_stream_rx(first.into(), None, mid, None);
            let mid = Mid::from("1");
            direct.declare_media(mid, MediaKind::Audio);
            direct.expect_stream_rx(second.into(), None, mid, None);
        }
    }
    let ours = direct.local_dtls_fingerprint().clone();
    direct.start_dtls(true).expect("DTLS starts");
    let value: Vec<String> = ours.bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    json!({"algorithm": ours.hash_func, "value": value.join(":")})
}

async fn drive(mut rtc: Rtc, mut wire: Wire, track: Track, seen: Arc<Mutex<Seen>>) {
    let mut sender = Sender {
        next: Instant::now(),
        sequence: 1000,
    };
    loop {
        let wake = loop {
            match rtc.poll_output().expect("str0m runs") {
                Output::Timeout(at) => break at,
                Output::Transmit(transmit) => wire.send(&transmit.contents, transmit.destination).await,
                Output::Event(event) => note(&mut seen.lock().unwrap_or_else(PoisonError::into_inner), event),
            }
        };
        let connected = seen.lock().unwrap_or_else(PoisonError::into_inner).connected;
        let due = match track {
            Track::Sends(_) | Track::Films(_) if connected => wake.min(sender.next),
            _ => wake,
        };
        tokio::select! {
            packet = wire.receive() => {
                let contents = packet.as_slice().try_into().expect("the node sends what str0m can tell apart");
                let receive =
                    Receive { proto: wire.protocol, source: wire.server, destination: wire.local, contents };
                rtc.handle_input(Input::Receive(Instant::now(), receive)).expect("str0m takes it");
            }
            () = tokio::time::sleep_until(due.into()) => {}
        }
        let now = Instant::now();
        if connected {
            match track {
                Track::Sends(ssrc) => sender.send_due(&mut rtc, (ssrc, 111), now),
                Track::Films(ssrc) => sender.send_due(&mut rtc, (ssrc, 96), now),
                Track::Receives(..) | Track::ReceivesBoth(..) => {}
            }
        }
        rtc.handle_input(Input::Timeout(now))
            .expect("time is valid input");
    }
}

fn note(seen: &mut Seen, event: Event) {
    match event {
        Event::Connected => seen.connected = true,
        Event::RtpPacket(packet) => seen.packets.push(Received {
            ssrc: *packet.header.ssrc,
            payload_type: *packet.header.payload_type,
            mid: packet.header.ext_vals.mid.map(|mid| mid.to_string()),
            sequence: *packet.seq_no,
            payload: packet.payload.to_vec(),
        }),
        Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => seen.ceilings.push(estimate.as_u64()),
        _ => {}
    }
}

/// A loud microphone, or a camera whose pictures mean nothing.
struct Sender {
    next: Instant,
    sequence: u64,
}

impl Sender {
    fn send_due(&mut self, rtc: &mut Rtc, (ssrc, payload_type): (u32, u8), now: Instant) {
        if self.next > now {
            return;
        }
        self.next = now + PACKET_TIME;
        self.sequence += 1;
        let timestamp = u32::try_from(self.sequence * 960 % (1 << 32)).expect("below 2^32");
        let payload = self.sequence.to_be_bytes().to_vec();
        let values = ExtensionValues {
            audio_level: Some(-5),
            voice_activity: Some(true),
            ..ExtensionValues::default()
        };
        let payload_type = Pt::new_with_value(payload_type);
        let write =
            RtpWrite::new(payload_type, self.sequence.into(), timestamp, now, payload).ext_vals(values);
        let mut direct = rtc.direct_api();
        direct
            .stream_tx(&Ssrc::from(ssrc))
            .expect("declared at the start")
            .write_rtp(write);
    }
}

/// One UDP or TCP path to the server.
struct Wire {
    socket: Socket,
    protocol: Protocol,
    local: SocketAddr,
    server: SocketAddr,
}

enum Socket {
    Udp(UdpSocket),
    /// With the bytes of frames that have not come whole (RFC 4571).
    Tcp(TcpStream, Vec<u8>),
}

impl Wire {
    async fn open(protocol: &str, server: SocketAddr) -> Self {
        let (socket, protocol, local) = if protocol == "udp" {
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
            let local = socket.local_addr().expect("bound");
            (Socket::Udp(socket), Protocol::Udp, local)
        } else {
            let stream = TcpStream::connect(server).await.expect("the node listens");
            let local = stream.local_addr().expect("bound");
            (Socket::Tcp(stream, Vec::new()), Protocol::Tcp, local)
        };
        Self {
            socket,
            protocol,
            local,
            server,
        }
    }

    fn candidate(&self, address: SocketAddr) -> Candidate {
        Candidate::host(address, self.protocol).expect("an address makes a candidate")
    }

    async fn send(&mut self, packet: &[u8], destination: SocketAddr) {
        match &self.socket {
            Socket::Udp(socket) => drop(
                socket
                    .send_to(packet, destination)
                    .await
                    .expect("loopback takes it"),
            ),
            Socket::Tcp(stream, _) => {
                let length = u16::try_from(packet.len())
                    .expect("a packet is short")
                    .to_be_bytes();
                write_all(stream, &[&length, packet].concat()).await;
            }
        }
    }

    /// Waits for the next packet; may be dropped while waiting without losing any.
    async fn receive(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 2048];
        match &mut self.socket {
            Socket::Udp(socket) => {
                let (length, _) = socket.recv_from(&mut buffer).await.expect("loopback works");
                buffer.truncate(length);
                buffer
            }
            Socket::Tcp(stream, pending) => loop {
                if let Some(packet) = take_frame(pending) {
                    return packet;
                }
                stream.readable().await.expect("loopback works");
                match stream.try_read(&mut buffer) {
                    Ok(0) => std::future::pending().await,
                    Ok(length) => pending.extend_from_slice(&buffer[..length]),
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                }
            },
        }
    }
}

fn take_frame(pending: &mut Vec<u8>) -> Option<Vec<u8>> {
    let (length, rest) = pending.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let packet = rest.get(..length)?.to_vec();
    pending.drain(..2 + length);
    Some(packet)
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        stream.writable().await.expect("loopback works");
        match stream.try_write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
}
