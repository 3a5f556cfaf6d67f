//! What the control plane asks for when it creates an object: numbers only, no JSON, no UUIDs.
//!
//! All negotiation has happened before a spec is built (crate `ortc`); the worker trusts specs, never packets.

use std::net::SocketAddr;
use std::time::Duration;

use link::bwe::Bitrate;
use link::ice::IceCredentials;
use link::{Certificate, RemoteDtls};
use rtp::codec::CodecKind;
use rtp::ext::ExtMap;
use rtp::{Mid, PayloadType, Rid, Ssrc};

/// Settings of a worker, fixed for its life.
#[derive(Clone)]
pub struct WorkerConfig {
    /// The DTLS identity shared by all transports of the process.
    pub certificate: Certificate,
    /// Seed of every number this worker draws (first sequence numbers, timestamps, picture ids).
    pub seed: u64,
    /// Ids of the header extensions that consumers receive; one map for all of them (contract §1.8.3).
    pub extensions: ExtMap,
    /// Silence after which a transport's ICE state becomes failed (contract §1.9: 30 s).
    pub consent_timeout: Duration,
    /// Whether the packets of a video frame are made equally long, so that they travel as one train.
    pub train_padding: TrainPadding,
}

/// Whether video packets get a few bytes of RTP padding (RFC 3550 §5.1) that make those of a frame equally long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrainPadding {
    /// Packets are padded; worth it wherever the kernel sends equal datagrams as one.
    #[default]
    On,
    /// Packets are as long as their producers made them.
    Off,
}

/// Which way media flows on a transport, from the server's viewpoint.
///
/// The contract's `direction:"send"` is the client's sending side and so is [`Direction::Receive`] here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The client produces; the worker receives.
    Receive,
    /// The client consumes; the worker sends.
    Send,
}

/// A transport to create.
#[derive(Clone)]
pub struct TransportSpec {
    /// Which way media flows.
    pub direction: Direction,
    /// This side's ICE credentials; the ufrag must be unique among all transports of the process.
    pub ice: IceCredentials,
    /// Where the outgoing bandwidth estimate starts.
    pub initial_outgoing_bitrate: Bitrate,
    /// Ceiling announced by REMB to clients without transport-wide congestion control.
    pub max_incoming_bitrate: Bitrate,
}

/// Parameters of `connect` (contract §1.3, endpoint 4).
#[derive(Clone, Debug)]
pub struct ConnectSpec {
    /// The remote's DTLS role and certificate fingerprints.
    pub dtls: RemoteDtls,
}

/// Audio or video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Audio; never held back or dropped in favour of video.
    Audio,
    /// Video.
    Video,
}

/// What a producer's track shows; decides priority when bandwidth is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A microphone.
    Microphone,
    /// A camera.
    Camera,
    /// A shared screen.
    Screen,
}

/// One codec of a producer, with the payload types on both sides of the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerCodec {
    /// What the payload holds.
    pub codec: CodecKind,
    /// Ticks per second of the RTP clock.
    pub clock_rate: u32,
    /// The payload type the producer sends.
    pub payload_type: PayloadType,
    /// The router's payload type, which every consumer receives (contract §1.8.4).
    pub mapped_payload_type: PayloadType,
    /// The payload type of the producer's retransmissions, if it negotiated RTX.
    pub rtx_payload_type: Option<PayloadType>,
    /// Whether the producer answers generic NACK.
    pub nack: bool,
    /// Whether the producer answers PLI.
    pub pli: bool,
    /// Whether the producer answers FIR.
    pub fir: bool,
}

/// One encoding of a producer: a single stream or a simulcast layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerEncoding {
    /// The stream's SSRC where the client announced it (single-stream producers).
    pub ssrc: Option<Ssrc>,
    /// The SSRC of its retransmissions where announced.
    pub rtx_ssrc: Option<Ssrc>,
    /// The simulcast layer's name where SSRCs are learnt from packets.
    pub rid: Option<Rid>,
    /// Number of spatial layers inside this one stream (SVC), at least 1.
    pub spatial_layers: u8,
    /// Number of temporal layers, at least 1.
    pub temporal_layers: u8,
}

/// How a producer's encodings relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalability {
    /// One stream, forwarded whole.
    Simple,
    /// Several streams of the same picture, one forwarded at a time.
    Simulcast,
    /// One stream with spatial layers inside.
    Svc,
}

/// A producer to create.
#[derive(Clone, Debug)]
pub struct ProducerSpec {
    /// Audio or video.
    pub kind: MediaKind,
    /// What the track shows.
    pub source: Source,
    /// Its MID on the transport, where the client sends the extension.
    pub mid: Option<Mid>,
    /// Its codecs; the first is the one it sends.
    pub codecs: Vec<ProducerCodec>,
    /// The ids under which the producer sends header extensions.
    pub extensions: ExtMap,
    /// Its encodings, lowest quality first.
    pub encodings: Vec<ProducerEncoding>,
    /// How the encodings relate.
    pub scalability: Scalability,
    /// Whether it starts paused.
    pub paused: bool,
}

/// A layer choice of a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layers {
    /// Spatial (or simulcast) layer, 0 is the lowest.
    pub spatial: u8,
    /// Temporal layer, 0 is the lowest.
    pub temporal: u8,
}

/// How good cameras' pictures may be: all of a worker's, whatever their viewers wish and their paths carry (contract §3.8).
/// Shared screens and audio are never touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VideoQuality {
    /// One spatial layer below the top for viewers who want the top, the lowest for those who want less. Of one spatial
    /// layer the highest temporal one is left out. Senders are told a lower ceiling yet.
    Lowest,
    /// At most one spatial layer below the top; of one spatial layer the highest temporal one is left out. Senders are
    /// told a ceiling that leaves no room for what nobody receives.
    Reduced,
    /// As good as viewers wish and their paths carry.
    #[default]
    Full,
}

/// A consumer to create.
#[derive(Clone, Debug)]
pub struct ConsumerSpec {
    /// The MID on the consumer's transport.
    pub mid: Mid,
    /// The one SSRC the consumer receives.
    pub ssrc: Ssrc,
    /// The SSRC and payload type of retransmissions where RTX was negotiated.
    pub rtx: Option<RtxSpec>,
    /// The payload type the consumer receives.
    pub payload_type: PayloadType,
    /// RTCP CNAME of the producing participant.
    pub cname: String,
    /// The subset of the router's header extensions that this consumer negotiated.
    pub extensions: ExtMap,
    /// Whether the consumer sends generic NACK.
    pub nack: bool,
    /// Whether it starts paused (contract §1.3, endpoint 6: always).
    pub paused: bool,
    /// The best layers it wants; `None` wants the best there is.
    pub preferred: Option<Layers>,
}

/// Retransmission stream of a consumer (RFC 4588).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtxSpec {
    /// Its SSRC.
    pub ssrc: Ssrc,
    /// Its payload type.
    pub payload_type: PayloadType,
}

/// Where a worker can be reached; part of the answers the control plane gives to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerAddresses {
    /// The bound UDP address.
    pub udp: SocketAddr,
    /// The bound TCP listener, if ICE-TCP is on.
    pub tcp: Option<SocketAddr>,
}
