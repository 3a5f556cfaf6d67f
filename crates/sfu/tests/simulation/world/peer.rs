//! A simulated client: one str0m engine in RTP mode, on one transport of the worker, behind one emulated link.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sfu::key::TransportKey;
use str0m::bwe::BweKind;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Frequency, KeyframeRequestKind, MediaKind, Mid, Pt, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::rtcp::Rtcp;
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RawPacket, RtpPacket, RtpWrite, Ssrc};
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcConfig};
use str0m_netem::{Input as LinkInput, Netem, NetemConfig, Output as LinkOutput};

use super::annex::Site;
use super::media::{Kind, Outgoing, Source, Stamp, Vp8};

/// Payload types on the producing side, unlike the router's so that rewriting shows.
pub const SENT_OPUS: u8 = 109;
pub const SENT_VP8: u8 = 120;
pub const SENT_VP8_RTX: u8 = 124;
/// Payload types of the router, which consumers receive.
pub const ROUTER_OPUS: u8 = 100;
pub const ROUTER_VP8: u8 = 101;
pub const ROUTER_VP8_RTX: u8 = 102;
/// The stream of padding (contract §1.8.10).
pub const PROBE_SSRC: u32 = 1234;
const PROBE: u8 = 127;

/// One UDP datagram on the way.
#[derive(Clone)]
pub struct Datagram {
    /// The client's address as the server sees it.
    pub client: SocketAddr,
    pub bytes: Vec<u8>,
}

impl AsRef<[u8]> for Datagram {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// One RTP packet a client got, retransmissions unwrapped.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: Instant,
    pub ssrc: u32,
    pub payload_type: u8,
    /// Extended sequence number.
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub mid: Option<String>,
    pub audio_level: Option<i8>,
    /// `None` when the payload is not byte for byte what was sent.
    pub stamp: Option<Stamp>,
    pub picture: Option<Vp8>,
}

/// Which side of the call a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Sends,
    Receives,
}

/// A source and the str0m stream it feeds.
pub struct Track {
    pub source: Source,
    pub mid: Mid,
    pub rid: Option<Rid>,
    pub ssrc: u32,
    next: Instant,
}

/// A simulated client.
pub struct Peer {
    pub rtc: Rtc,
    pub side: Side,
    pub transport: TransportKey,
    /// The worker the transport is on.
    pub site: Site,
    /// Its address as the server sees it; moving it is what a network address translator does.
    pub address: SocketAddr,
    local: SocketAddr,
    server: SocketAddr,
    pub uplink: Netem<Datagram>,
    pub downlink: Netem<Datagram>,
    timeout: Instant,
    /// Without feedback of this client the server cannot hear it.
    pub muted: bool,
    /// The first packet of the next key frame gets lost.
    pub lose_next_key_start: bool,
    losing: bool,
    /// How long tracks added from now on can send their packets again.
    pub memory: Duration,
    pub tracks: Vec<Track>,
    probed: bool,
    pub received: Vec<Received>,
    pub key_requests: Vec<(Instant, Mid, Option<Rid>, KeyframeRequestKind)>,
    pub estimates: Vec<(Instant, u64)>,
    pub rembs: Vec<(Instant, u64)>,
    pub rtcp: Vec<(Instant, Rtcp)>,
    /// RTP packets by SSRC as they came, retransmissions and padding included.
    pub raw_received: HashMap<u32, u64>,
    pub ice: Option<IceConnectionState>,
    pub is_connected: bool,
    pub closed: bool,
    /// Abs-send-time, transport numbers: which extensions packets carried.
    pub transport_numbers: u64,
}

/// How a client differs from the usual one.
#[derive(Clone, Copy, Debug)]
pub struct PeerOptions {
    pub side: Side,
    /// Whether transport-wide congestion control is negotiated.
    pub transport_cc: bool,
}

impl Peer {
    pub fn new(
        now: Instant,
        options: PeerOptions,
        address: SocketAddr,
        server: SocketAddr,
        seed: u64,
    ) -> Self {
        let mut rtc = config(options).build(now);
        let local = str0m::Candidate::host(address, "udp").expect("an address makes a candidate");
        rtc.add_local_candidate(local);
        let remote = str0m::Candidate::host(server, "udp").expect("an address makes a candidate");
        rtc.add_remote_candidate(remote);
        if options.transport_cc {
            rtc.direct_api().enable_twcc_feedback();
        }
        Self {
            rtc,
            side: options.side,
            transport: TransportKey::default(),
            site: Site::Home,
            address,
            local: address,
            server,
            uplink: Netem::new(link(seed)),
            downlink: Netem::new(link(seed ^ 0x5555)),
            timeout: now,
            muted: false,
            lose_next_key_start: false,
            losing: false,
            memory: Duration::from_secs(3),
            tracks: Vec::new(),
            probed: false,
            received: Vec::new(),
            key_requests: Vec::new(),
            estimates: Vec::new(),
            rembs: Vec::new(),
            rtcp: Vec::new(),
            raw_received: HashMap::new(),
            ice: None,
            is_connected: false,
            closed: false,
            transport_numbers: 0,
        }
    }

    /// Begins to send a source; the first frame leaves at once.
    pub fn add_track(
        &mut self,
        now: Instant,
        source: Source,
        mid: Mid,
        rid: Option<Rid>,
        ssrcs: (u32, Option<u32>),
    ) {
        let kind = match source.kind {
            Kind::Audio { .. } => MediaKind::Audio,
            Kind::Video { .. } => MediaKind::Video,
        };
        let known = self.tracks.iter().any(|track| track.mid == mid);
        let mut direct = self.rtc.direct_api();
        if !known {
            direct.declare_media(mid, kind);
        }
        let stream = direct.declare_stream_tx(ssrcs.0.into(), ssrcs.1.map(Into::into), mid, rid);
        // Every retransmission asked for is sent: what is tested is the other side.
        stream.set_rtx_cache(1024, self.memory, None);
        stream.set_unpaced(true);
        self.tracks.push(Track {
            source,
            mid,
            rid,
            ssrc: ssrcs.0,
            next: now,
        });
    }

    /// Expects a stream of the server.
    pub fn expect(&mut self, kind: MediaKind, mid: Mid, ssrc: u32, rtx: Option<u32>) {
        let mut direct = self.rtc.direct_api();
        direct.declare_media(mid, kind);
        direct.expect_stream_rx(ssrc.into(), rtx.map(Into::into), mid, None);
    }

    /// Expects the server's padding, as clients do from their first video consumer on (contract §1.8.10).
    pub fn expect_probes(&mut self) {
        if !self.probed {
            self.probed = true;
            self.expect(MediaKind::Video, Mid::from("probator"), PROBE_SSRC, None);
        }
    }

    /// Asks for a key frame of a received stream.
    pub fn request_key_frame(&mut self, now: Instant, ssrc: u32, kind: KeyframeRequestKind) {
        let mut direct = self.rtc.direct_api();
        direct
            .stream_rx(&Ssrc::from(ssrc))
            .expect("a stream of this client")
            .request_keyframe(kind);
        self.timeout = now;
    }

    /// Stops asking for lost packets of a stream: what the network loses stays lost.
    pub fn suppress_nack(&mut self, ssrc: u32) {
        let mut direct = self.rtc.direct_api();
        direct
            .stream_rx(&Ssrc::from(ssrc))
            .expect("a stream of this client")
            .suppress_nack(true);
    }

    /// Packets of one received stream, by sequence number.
    pub fn stream(&self, ssrc: u32) -> Vec<&Received> {
        let mut packets: Vec<_> = self
            .received
            .iter()
            .filter(|packet| packet.ssrc == ssrc)
            .collect();
        packets.sort_by_key(|packet| packet.sequence);
        packets
    }

    /// When something happens here next.
    pub fn next(&self) -> Instant {
        let sources = self
            .tracks
            .iter()
            .filter(|track| !track.source.paused)
            .map(|track| track.next);
        let first = sources.min().unwrap_or(self.timeout);
        first
            .min(self.timeout)
            .min(self.uplink.poll_timeout())
            .min(self.downlink.poll_timeout())
    }

    /// Runs everything due, and returns what reaches the server now.
    pub fn run(&mut self, now: Instant) -> Vec<Datagram> {
        self.downlink.handle_input(LinkInput::Timeout(now));
        while let Some(output) = self.downlink.poll_output() {
            let LinkOutput::Packet(datagram) = output else {
                break;
            };
            if datagram.client == self.address {
                self.receive(now, &datagram.bytes);
            }
        }
        for index in 0..self.tracks.len() {
            self.send_due(now, index);
        }
        if self.timeout <= now {
            self.rtc
                .handle_input(Input::Timeout(now))
                .expect("time is valid input");
        }
        self.drain(now);
        let mut arrived = Vec::new();
        self.uplink.handle_input(LinkInput::Timeout(now));
        while let Some(LinkOutput::Packet(datagram)) = self.uplink.poll_output() {
            arrived.push(datagram);
        }
        arrived
    }

    fn receive(&mut self, now: Instant, bytes: &[u8]) {
        let contents = bytes
            .try_into()
            .expect("the worker sends what str0m can tell apart");
        let receive = Receive {
            proto: Protocol::Udp,
            source: self.server,
            destination: self.local,
            contents,
        };
        let input = Input::Receive(now, receive);
        self.rtc
            .handle_input(input)
            .expect("str0m takes what the worker sends");
        self.drain(now);
    }

    fn send_due(&mut self, now: Instant, index: usize) {
        while self.tracks[index].next <= now && !self.tracks[index].source.paused {
            let track = &mut self.tracks[index];
            track.next += track.source.interval;
            if !self.is_connected {
                continue;
            }
            for packet in track.source.next_frame() {
                let is_first = packet.stamp.key && packet.stamp.index == 0;
                self.losing = is_first && std::mem::take(&mut self.lose_next_key_start);
                self.send(now, index, packet);
                self.drain(now);
                self.losing = false;
            }
        }
    }

    fn send(&mut self, now: Instant, index: usize, packet: Outgoing) {
        let track = &self.tracks[index];
        let video = matches!(track.source.kind, Kind::Video { .. });
        let mut values = ExtensionValues::default();
        if let Kind::Audio { level } = track.source.kind {
            values.audio_level = Some(-(level as i8));
            values.voice_activity = Some(true);
        }
        let payload_type = Pt::new_with_value(if video { SENT_VP8 } else { SENT_OPUS });
        let sequence = packet.sequence.into();
        let write = RtpWrite::new(payload_type, sequence, packet.timestamp, now, packet.payload)
            .marker(packet.marker)
            .ext_vals(values)
            .nackable(video);
        let ssrc = track.ssrc.into();
        let mut direct = self.rtc.direct_api();
        direct
            .stream_tx(&ssrc)
            .expect("declared with the track")
            .write_rtp(write);
        // str0m keeps one packet per stream until time passes.
        self.rtc
            .handle_input(Input::Timeout(now))
            .expect("time is valid input");
    }

    fn drain(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output().expect("str0m runs") {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
                Output::Transmit(transmit) => {
                    if !self.muted && !self.losing {
                        let datagram = Datagram {
                            client: self.address,
                            bytes: transmit.contents.to_vec(),
                        };
                        self.uplink.handle_input(LinkInput::Packet(now, datagram));
                    }
                }
                Output::Event(event) => self.on_event(now, event),
            }
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => self.is_connected = true,
            Event::Closed => self.closed = true,
            Event::IceConnectionStateChange(state) => self.ice = Some(state),
            Event::RtpPacket(packet) if *packet.header.ssrc == PROBE_SSRC => {}
            Event::RtpPacket(packet) => self.on_rtp(now, &packet),
            Event::KeyframeRequest(request) => {
                self.key_requests
                    .push((now, request.mid, request.rid, request.kind));
                for track in &mut self.tracks {
                    if track.mid == request.mid && track.rid == request.rid {
                        track.source.want_key();
                    }
                }
            }
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                self.estimates.push((now, estimate.as_u64()));
            }
            Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => {
                self.rembs.push((now, estimate.as_u64()))
            }
            Event::RawPacket(raw) => match *raw {
                RawPacket::RtcpRx(rtcp) => self.rtcp.push((now, rtcp)),
                RawPacket::RtpRx(header, _) => {
                    *self.raw_received.entry(*header.ssrc).or_default() += 1;
                    self.transport_numbers += u64::from(header.ext_vals.transport_cc.is_some());
                }
                RawPacket::RtcpTx(_) | RawPacket::RtpTx(..) => {}
            },
            _ => {}
        }
    }

    fn on_rtp(&mut self, now: Instant, packet: &RtpPacket) {
        let payload_type = *packet.header.payload_type;
        let video = payload_type != ROUTER_OPUS;
        let (stamp, picture) = if video {
            Stamp::read_vp8(&packet.payload).unzip()
        } else {
            (Stamp::read(&packet.payload), None)
        };
        self.received.push(Received {
            at: now,
            ssrc: *packet.header.ssrc,
            payload_type,
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            mid: packet.header.ext_vals.mid.map(|mid| mid.to_string()),
            audio_level: packet.header.ext_vals.audio_level,
            stamp,
            picture,
        });
    }
}

/// A link without faults: 10 ms each way.
pub fn link(seed: u64) -> NetemConfig {
    NetemConfig::new().latency(Duration::from_millis(10)).seed(seed)
}

fn config(options: PeerOptions) -> RtcConfig {
    let mut extensions = ExtensionMap::empty();
    // Producers have their own ids; the router's are those of contract §1.8.3.
    let ids = match options.side {
        Side::Sends => [
            (3, Extension::RtpMid),
            (9, Extension::RtpStreamId),
            (8, Extension::RepairedRtpStreamId),
        ],
        Side::Receives => [
            (1, Extension::RtpMid),
            (2, Extension::RtpStreamId),
            (3, Extension::RepairedRtpStreamId),
        ],
    };
    for (id, extension) in ids {
        extensions.set(id, extension);
    }
    let (send_time, numbers, level) = match options.side {
        Side::Sends => (2, 6, 7),
        Side::Receives => (4, 5, 10),
    };
    extensions.set(send_time, Extension::AbsoluteSendTime);
    extensions.set(level, Extension::AudioLevel);
    if options.transport_cc {
        extensions.set(numbers, Extension::TransportSequenceNumber);
    }
    let (opus, vp8, rtx) = match options.side {
        Side::Sends => (SENT_OPUS, SENT_VP8, SENT_VP8_RTX),
        Side::Receives => (ROUTER_OPUS, ROUTER_VP8, ROUTER_VP8_RTX),
    };
    let mut config = RtcConfig::new()
        .clear_codecs()
        .set_extension_map(extensions)
        .set_rtp_mode(true)
        .enable_raw_packets(true);
    if options.side == Side::Sends && options.transport_cc {
        config = config.enable_bwe(Some(str0m::bwe::Bitrate::kbps(500)));
    }
    let pt = Pt::new_with_value;
    let codecs = config.codec_config();
    let format = FormatParams::default();
    codecs.add_config(
        pt(opus),
        None,
        Codec::Opus,
        Frequency::FORTY_EIGHT_KHZ,
        Some(2),
        format,
    );
    codecs.add_config(
        pt(vp8),
        Some(pt(rtx)),
        Codec::Vp8,
        Frequency::NINETY_KHZ,
        None,
        format,
    );
    codecs.add_config(
        pt(PROBE),
        None,
        Codec::Vp8,
        Frequency::NINETY_KHZ,
        None,
        FormatParams::default(),
    );
    config
}
