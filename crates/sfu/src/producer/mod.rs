//! One track sent to the worker: its streams, what is kept of them, and who consumes them.

mod ingress;
mod keyframe;
mod nack;
mod pace;
mod piped;
mod score;
mod stream;

use std::time::{Duration, Instant};

use link::bwe::Bitrate;
use rtp::codec::{FrameInfo, FrameReader};
use rtp::rtcp::{NtpTime, write};
use rtp::{PayloadType, RtpTime, RtpView, SeqNo, Ssrc};
use slotmap::SlotMap;

use self::ingress::IngressBudget;
use self::keyframe::KeyFrameRequests;
pub(crate) use self::nack::NackAction;
use self::nack::{Arrival, NackGenerator};
use self::pace::Pace;
use self::score::Score;
pub(crate) use self::stream::SenderClock;
use self::stream::{Order, RateMeter, ReceiveStream};
use crate::consumer::{Available, Consumer};
use crate::event::{MAX_ENCODINGS, Scores};
use crate::key::{ConsumerKey, RouterKey, TransportKey};
use crate::padding::Leveller;
use crate::pipe::{Tap, Upstream};
use crate::spec::{MediaKind, ProducerCodec, ProducerEncoding, ProducerSpec, Scalability, Source};
use crate::store::PacketStore;

/// At most one key frame request per stream in this time (contract §5.3).
const KEY_FRAME_DEBOUNCE: Duration = Duration::from_millis(500);

/// Packets kept per video stream for retransmission (contract §5.3: at least 1 s or 500 packets).
const VIDEO_STORE: usize = 1024;

/// How long packets are kept: what contract §5.3 asks for, and as long as browsers keep their own. Who asks for an older
/// one gets a key frame instead. Audio keeps none: its consumers have no RTX (contract §1.8.2), so nothing could be sent
/// again without using an SRTP index twice.
const STORE_AGE: Duration = Duration::from_secs(1);

/// A stream's clock is told to other workers no more often: browsers report once a second and faster only to sink a
/// receiver.
const CLOCK_INTERVAL: Duration = Duration::from_millis(200);

/// A stream without packets for this long is not there for layer choice. Browsers stop upper simulcast layers when the
/// uplink or the camera cannot feed them; at 1 frame per second of a still screen share, a layer is still alive.
const STREAM_SILENCE: Duration = Duration::from_millis(2_500);

/// One stream of a producer: a simulcast layer, or all there is.
pub(crate) struct Stream {
    pub(crate) encoding: ProducerEncoding,
    pub(crate) receive: Option<ReceiveStream>,
    pub(crate) store: PacketStore,
    /// When twins on other workers were last told its sender's clock.
    clock_told: Option<Instant>,
    pub(crate) keyframes: KeyFrameRequests,
    /// Packets lost for good when last counted.
    pub(crate) lost: u64,
    nack: NackGenerator,
    frames: FrameReader,
    leveller: Leveller,
    score: Score,
    last_packet: Option<Instant>,
    pace: Pace,
    /// The first packet of its newest key frame.
    key_frame: Option<SeqNo>,
    /// Temporal layers seen per spatial layer inside the stream.
    temporal_layers: [u8; MAX_ENCODINGS],
    rates: [RateMeter; MAX_ENCODINGS],
}

/// A packet that belongs to the stream and was not seen before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    /// Its extended sequence number.
    pub(crate) sequence: SeqNo,
    /// Its timestamp.
    pub(crate) time: RtpTime,
    /// What its payload says.
    pub(crate) frame: FrameInfo,
    /// The sender started anew: numbers jumped, or the SSRC is another one.
    pub(crate) restarted: bool,
    /// The stream, or this layer of it, had been silent: there is more to choose from now.
    pub(crate) woke: bool,
    /// Another stream is seen to have stopped: there is less to choose from now.
    pub(crate) outlived: bool,
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// On the stream's own SSRC.
    Media,
    /// Unwrapped from a retransmission.
    Rtx,
}

impl Stream {
    fn new(encoding: ProducerEncoding, codec: &ProducerCodec, kind: MediaKind) -> Self {
        let capacity = match kind {
            MediaKind::Audio => 1,
            MediaKind::Video => VIDEO_STORE,
        };
        Self {
            encoding,
            receive: None,
            store: PacketStore::new(capacity, STORE_AGE),
            clock_told: None,
            keyframes: KeyFrameRequests::new(KEY_FRAME_DEBOUNCE),
            lost: 0,
            nack: NackGenerator::new(),
            frames: FrameReader::new(codec.codec),
            leveller: Leveller::default(),
            score: Score::new(),
            last_packet: None,
            pace: Pace::default(),
            key_frame: None,
            temporal_layers: [0; MAX_ENCODINGS],
            rates: std::array::from_fn(|_| RateMeter::new()),
        }
    }

    /// The sender started anew: what is known of its numbers and times has nothing to do with those to come.
    fn begin_anew(&mut self) {
        self.nack.reset();
        self.store.clear();
        self.leveller = Leveller::default();
        self.key_frame = None;
    }

    /// Notes what a packet says of its picture.
    fn note_frame(&mut self, now: Instant, sequence: SeqNo, frame: &FrameInfo) {
        if frame.start {
            self.pace.on_own_picture(now);
        } else {
            self.pace.on_own_packet(now);
        }
        if frame.key {
            self.key_frame = self.key_frame.max(Some(sequence));
        }
    }

    /// Whether a decoder that misses this packet is helped by a key frame that came after it.
    pub(crate) fn has_key_frame_after(&self, sequence: SeqNo) -> bool {
        self.key_frame > Some(sequence)
    }

    /// The SSRC its packets come on, once known.
    pub(crate) fn ssrc(&self) -> Option<Ssrc> {
        self.receive
            .as_ref()
            .map(ReceiveStream::ssrc)
            .or(self.encoding.ssrc)
    }

    fn is_alive(&self, now: Instant) -> bool {
        !self.pace.is_stopped()
            && self
                .last_packet
                .is_some_and(|last| now.saturating_duration_since(last) < STREAM_SILENCE)
    }
}

/// Where a producer's packets come from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// From an endpoint.
    Transport(TransportKey),
    /// From another worker, where the endpoint is.
    Pipe(Upstream),
}

impl Origin {
    /// The endpoint's transport, if it is this worker's.
    pub(crate) fn transport(&self) -> Option<TransportKey> {
        match self {
            Self::Transport(key) => Some(*key),
            Self::Pipe(_) => None,
        }
    }
}

/// A producer of a router.
pub(crate) struct Producer {
    pub(crate) origin: Origin,
    pub(crate) router: RouterKey,
    pub(crate) kind: MediaKind,
    pub(crate) source: Source,
    pub(crate) scalability: Scalability,
    pub(crate) streams: Vec<Stream>,
    pub(crate) consumers: Vec<ConsumerKey>,
    /// Its twins on other workers.
    pub(crate) taps: Vec<Tap>,
    pub(crate) paused: bool,
    codecs: Vec<ProducerCodec>,
    ingress: IngressBudget,
    announced: Scores,
    fir_number: u8,
}

impl Producer {
    /// A producer as negotiated. The spec has at least one codec and one encoding.
    pub(crate) fn new(now: Instant, origin: Origin, router: RouterKey, spec: ProducerSpec) -> Option<Self> {
        let codec = *spec.codecs.first()?;
        if spec.encodings.is_empty() || spec.encodings.len() > MAX_ENCODINGS {
            return None;
        }
        Some(Self {
            origin,
            router,
            kind: spec.kind,
            source: spec.source,
            scalability: spec.scalability,
            streams: spec
                .encodings
                .iter()
                .map(|encoding| Stream::new(*encoding, &codec, spec.kind))
                .collect(),
            consumers: Vec::new(),
            taps: Vec::new(),
            paused: spec.paused,
            codecs: spec.codecs,
            ingress: IngressBudget::new(now),
            announced: Scores::default(),
            fir_number: 0,
        })
    }

    /// The codec it sends.
    pub(crate) fn codec(&self) -> &ProducerCodec {
        &self.codecs[0]
    }

    /// The codec with this media payload type.
    pub(crate) fn codec_of(&self, payload_type: PayloadType) -> Option<&ProducerCodec> {
        self.codecs
            .iter()
            .find(|codec| codec.payload_type == payload_type)
    }

    /// The codec whose retransmissions have this payload type.
    pub(crate) fn codec_of_rtx(&self, payload_type: PayloadType) -> Option<&ProducerCodec> {
        self.codecs
            .iter()
            .find(|codec| codec.rtx_payload_type == Some(payload_type))
    }

    /// Whether a packet of `len` bytes is within the producer's ingress cap (contract §1.9).
    pub(crate) fn admits(&mut self, now: Instant, len: usize) -> bool {
        self.ingress.admits(now, len)
    }

    /// Places a packet of one of its streams; `None` for duplicates and strays.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        encoding: u8,
        via: Via,
        view: &RtpView<'_>,
        descriptor: Option<&[u8]>,
    ) -> Option<Accepted> {
        let codec = *self.codec();
        let stream = self.streams.get_mut(usize::from(encoding))?;
        let known = stream.receive.as_ref().map(ReceiveStream::ssrc);
        let replaced = known.is_some_and(|known| known != view.ssrc());
        let receive = match &mut stream.receive {
            Some(receive) if receive.ssrc() == view.ssrc() => receive,
            // A new SSRC is a sender that started anew (RFC 3550 §8.2): its numbers have nothing to do with the old.
            _ if via == Via::Media => {
                stream.begin_anew();
                stream.lost = 0;
                stream
                    .receive
                    .insert(ReceiveStream::new(view.ssrc(), codec.clock_rate))
            }
            _ => return None,
        };
        let len = view.as_bytes().len();
        let before = receive.newest();
        let received = match via {
            Via::Media => receive.on_packet(now, view.sequence(), view.timestamp(), len)?,
            Via::Rtx => receive.on_repair(now, view.sequence(), view.timestamp(), len)?,
        };
        if received.order == Order::Duplicate {
            return None;
        }
        let was_alive = stream.is_alive(now);
        stream.last_packet = Some(now);
        let frame = stream.frames.read(view.payload(), view.marker(), descriptor);
        let jumped = before.is_some_and(|before| received.seq.distance(before) > MAX_STEP);
        if jumped {
            stream.begin_anew();
        }
        if codec.nack
            && stream.nack.on_packet(now, received.seq, frame.key) == Arrival::Duplicate
            && via == Via::Rtx
            && frame.key
        {
            // A key frame given up has been asked for anew. Any other packet still fills a hole, however late it comes.
            return None;
        }
        if frame.key {
            stream.keyframes.on_key_frame(now);
        }
        stream.note_frame(now, received.seq, &frame);
        let mut woke = !was_alive;
        if let Some(layers) = stream.temporal_layers.get_mut(usize::from(frame.spatial)) {
            woke |= *layers <= frame.temporal;
            *layers = (*layers).max(frame.temporal.saturating_add(1));
            stream.rates[usize::from(frame.spatial)].add(now, len);
        }
        Some(Accepted {
            sequence: received.seq,
            time: received.time,
            frame,
            restarted: jumped || replaced,
            woke,
            outlived: frame.start && self.outlives(now, encoding),
        })
    }

    /// A picture of one stream began; whether another one is seen thereby to have stopped.
    fn outlives(&mut self, now: Instant, encoding: u8) -> bool {
        let mut outlived = false;
        for (other, stream) in self.streams.iter_mut().enumerate() {
            if other != usize::from(encoding) && stream.pace.on_other_picture(now) {
                // Nobody answers there any more; a key frame of it would only burden an uplink that is narrow already.
                stream.keyframes.cancel();
                stream.nack.reset();
                outlived = true;
            }
        }
        outlived
    }

    /// Whether anybody receives a stream, or waits to. Who does on another worker is known there alone, so a twin counts as
    /// watching every stream.
    pub(crate) fn is_watched(&self, encoding: u8, consumers: &SlotMap<ConsumerKey, Consumer>) -> bool {
        let watches = |consumer: &Consumer| {
            consumer.is_active()
                && (consumer.current_encoding() == encoding || consumer.awaited_key_frame() == Some(encoding))
        };
        let mut own = self.consumers.iter().filter_map(|key| consumers.get(*key));
        !self.taps.is_empty() || own.any(watches)
    }

    /// The highest number received of a stream.
    pub(crate) fn newest(&self, encoding: u8) -> Option<SeqNo> {
        self.streams
            .get(usize::from(encoding))?
            .receive
            .as_ref()?
            .newest()
    }

    /// Whether twins on other workers are to be told a stream's clock now; if so, they were.
    pub(crate) fn is_clock_due(&mut self, now: Instant, encoding: u8) -> bool {
        let Some(stream) = self.streams.get_mut(usize::from(encoding)) else {
            return false;
        };
        let told = stream.clock_told;
        let is_due = told.is_none_or(|at| now.saturating_duration_since(at) >= CLOCK_INTERVAL);
        if is_due {
            stream.clock_told = Some(now);
        }
        is_due
    }

    /// Bytes of RTP padding for a packet of `len` bytes; audio never gets any.
    pub(crate) fn pad(&mut self, encoding: u8, time: RtpTime, len: usize, is_last: bool) -> u8 {
        match self.streams.get_mut(usize::from(encoding)) {
            Some(stream) if self.kind == MediaKind::Video => stream.leveller.pad(time, len, is_last),
            _ => 0,
        }
    }

    /// The sender's wall clock when media of this stream and timestamp was captured, if its reports tell.
    pub(crate) fn capture_time(&self, encoding: u8, time: RtpTime) -> Option<NtpTime> {
        self.streams
            .get(usize::from(encoding))?
            .receive
            .as_ref()?
            .rtp_to_ntp(time)
    }

    /// A stream's clock carried on to `now`, if its reports tell.
    pub(crate) fn sender_clock(&self, encoding: u8, now: Instant) -> Option<SenderClock> {
        self.streams
            .get(usize::from(encoding))?
            .receive
            .as_ref()?
            .sender_clock(now)
    }

    /// The layers that have packets now.
    pub(crate) fn available(&self, now: Instant) -> Available {
        let mut available = Available::default();
        match self.scalability {
            Scalability::Simple | Scalability::Simulcast => {
                for (slot, stream) in available.temporal_layers.iter_mut().zip(&self.streams) {
                    if stream.is_alive(now) {
                        let seen = stream.temporal_layers.iter().copied().max().unwrap_or(0);
                        *slot = seen.max(1);
                    }
                }
            }
            Scalability::Svc => {
                if let Some(stream) = self.streams.first().filter(|stream| stream.is_alive(now)) {
                    available.temporal_layers = stream.temporal_layers;
                    available.temporal_layers[0] = available.temporal_layers[0].max(1);
                }
            }
        }
        available
    }

    /// What forwarding the spatial (or simulcast) layer costs: with SVC all layers below it are part of it.
    pub(crate) fn bitrate(&mut self, now: Instant, spatial: u8) -> Bitrate {
        let index = usize::from(spatial);
        match self.scalability {
            Scalability::Simple | Scalability::Simulcast => {
                let stream = self.streams.get_mut(index);
                stream
                    .and_then(|stream| stream.receive.as_mut())
                    .map_or(Bitrate(0), |receive| receive.bitrate(now))
            }
            Scalability::Svc => {
                let rates = self.streams.first_mut().map(|stream| &mut stream.rates);
                let sum = rates
                    .into_iter()
                    .flatten()
                    .take(index + 1)
                    .map(|rate| rate.bitrate(now).0)
                    .sum();
                Bitrate(sum)
            }
        }
    }

    /// What to ask the sender for again: the numbers go to `lost`.
    pub(crate) fn poll_nack(
        &mut self,
        now: Instant,
        encoding: usize,
        round_trip: Duration,
        lost: &mut Vec<u16>,
    ) -> NackAction {
        let wanted = !self.paused && self.codec().nack;
        match self.streams.get_mut(encoding) {
            Some(stream) if wanted => stream.nack.poll(now, round_trip, lost),
            Some(stream) => {
                stream.nack.reset();
                NackAction::None
            }
            None => NackAction::None,
        }
    }

    /// The soonest deadline of its streams.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.streams
            .iter()
            .flat_map(|stream| [stream.nack.poll_timeout(), stream.keyframes.poll_timeout()])
            .flatten()
            .min()
    }

    /// The deadline of one stream's NACKs; cheap enough for every packet.
    pub(crate) fn nack_timeout(&self, encoding: u8) -> Option<Instant> {
        self.streams.get(usize::from(encoding))?.nack.poll_timeout()
    }

    /// Rates the last interval of each stream; the scores if they changed.
    pub(crate) fn poll_scores(&mut self, now: Instant) -> Option<Scores> {
        let mut scores = Scores::default();
        for stream in &mut self.streams {
            if stream.is_alive(now) {
                stream.score.on_active();
                if let Some(receive) = &mut stream.receive {
                    stream.score.on_interval(receive.take_interval());
                }
            } else {
                stream.score.on_silence();
                // A layer that fell silent and comes back may have another structure.
                stream.temporal_layers = [0; MAX_ENCODINGS];
            }
            scores.push(stream.score.value());
        }
        if scores == self.announced {
            return None;
        }
        self.announced = scores;
        Some(scores)
    }

    /// Appends a request for a key frame of the stream `media`: PLI, or FIR where the sender knows nothing else.
    pub(crate) fn write_key_frame_request(&mut self, out: &mut Vec<u8>, sender: Ssrc, media: Ssrc) {
        let codec = self.codec();
        if codec.pli || !codec.fir {
            write::pli(out, sender, media);
            return;
        }
        // RFC 5104 §4.3.1.1: the number changes with every new request.
        self.fir_number = self.fir_number.wrapping_add(1);
        write::fir(out, sender, media, self.fir_number);
    }
}

/// A larger step between two packets is a sender that started anew (the same bound as RFC 3550 §A.1 `MAX_DROPOUT`).
const MAX_STEP: i64 = 3_000;
