//! A transport on which a participant receives: every packet is counted, some are decrypted, and the server hears about
//! all of them as it would from a browser.

use std::time::{Duration, Instant};

use aws_lc_rs::error::Unspecified;

use crate::clock::Stamp;
use crate::histogram::Histogram;
use crate::liveness::Liveness;
use crate::mark::Mark;
use crate::plan::OneIn;
use crate::random::Random;
use crate::rtcp::{self, Block, Item, MAX_BLOCKS};
use crate::rtp::{Extended, Parsed};
use crate::sending::Outlet;
use crate::srtp::{Session, TAG};
use crate::twcc::Feedback;

/// What the probe stream of clients is called (contract §1.8.10).
const PROBE_SSRC: u32 = 1_234;
const PROBE_TYPE: u8 = 127;
/// A key frame is asked for at most once in this time.
const PICTURE_LOSS_PAUSE: Duration = Duration::from_secs(1);
/// Simulcast layers that are told apart.
pub(crate) const LAYERS: usize = 3;

/// Audio or video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Audio,
    Video,
}

/// A stream that the server was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// Its number in this run.
    pub(crate) stream: usize,
    pub(crate) kind: Kind,
    /// The track whose marks its packets carry.
    pub(crate) track: u32,
    pub(crate) ssrc: u32,
    /// Where retransmissions would come.
    pub(crate) repair_ssrc: Option<u32>,
    /// Id of the transport-wide number on this transport.
    pub(crate) transport_number: Option<u8>,
}

/// What came on a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) stream: usize,
    pub(crate) kind: Kind,
    pub(crate) live: bool,
    pub(crate) silence: Duration,
    /// Packets between the first and the last sequence number of the measurement.
    pub(crate) expected: u64,
    pub(crate) received: u64,
    /// When its first packet ever came.
    pub(crate) first: Option<Instant>,
}

/// A stream as it comes.
struct Incoming {
    expected: Expected,
    extended: Option<Extended>,
    received: u64,
    /// Where the measurement begins: the number before the first that counts.
    base: Option<u64>,
    live: Liveness,
    first: Option<Instant>,
    last_sender_report: Option<(u32, Instant)>,
    /// What had come at the last receiver report: highest number and packets.
    reported: (u64, u64),
    all: u64,
    gap: bool,
    last_loss_report: Option<Instant>,
}

impl Incoming {
    fn new(expected: Expected, now: Instant) -> Self {
        Self {
            expected,
            extended: None,
            received: 0,
            base: None,
            live: Liveness::begin(now),
            first: None,
            last_sender_report: None,
            reported: (0, 0),
            all: 0,
            gap: false,
            last_loss_report: None,
        }
    }

    /// Takes note of a packet; its index.
    fn note(&mut self, sequence: u16, now: Instant) -> u64 {
        let extended = self.extended.get_or_insert(Extended::new(sequence));
        let before = extended.highest();
        let number = extended.guess(sequence);
        extended.note(number);
        self.gap |= number > before + 1;
        self.received += 1;
        self.all += 1;
        self.base.get_or_insert(number.wrapping_sub(1));
        self.live.packet(now);
        number
    }

    fn begin(&mut self, now: Instant) {
        self.live = Liveness::begin(now);
        self.received = 0;
        self.base = self.extended.map(Extended::highest);
    }

    fn outcome(&self, end: Instant) -> Outcome {
        let highest = self.extended.map(Extended::highest);
        let expected = highest.zip(self.base);
        Outcome {
            stream: self.expected.stream,
            kind: self.expected.kind,
            live: self.live.is_live(end),
            silence: self.live.longest_silence(end),
            expected: expected.map_or(0, |(highest, base)| highest.wrapping_sub(base)),
            received: self.received,
            first: self.first,
        }
    }

    /// What a receiver report says, and that it was said.
    fn block(&mut self, now: Instant) -> Option<Block> {
        let highest = self.extended?.highest();
        let (reported, all) = self.reported;
        let (expected, received) = (highest - reported, self.all - all);
        let fraction = if all == 0 || expected == 0 {
            0
        } else {
            256 * expected.saturating_sub(received) / expected
        };
        self.reported = (highest, self.all);
        let (last_report, delay) = self.last_sender_report.map_or((0, 0), |(time, at)| {
            (time, (now.duration_since(at).as_secs_f64() * 65_536.0) as u32)
        });
        Some(Block {
            ssrc: self.expected.ssrc,
            fraction_lost: fraction.min(255) as u8,
            lost: 0,
            highest: highest as u32,
            last_report,
            delay,
        })
    }

    /// Whether a browser would ask for a key frame now: nothing came yet, or something is missing.
    fn misses_picture(&mut self, now: Instant) -> bool {
        let misses = self.expected.kind == Kind::Video && (self.gap || self.first.is_none());
        let rested = |last: Instant| now.duration_since(last) >= PICTURE_LOSS_PAUSE;
        let asks = misses && self.last_loss_report.is_none_or(rested);
        if asks {
            self.gap = false;
            self.last_loss_report = Some(now);
        }
        asks
    }
}

/// What came on a transport or on all of a thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    /// Media packets of streams that were asked for.
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// Retransmissions, and packets that only probe for bandwidth.
    pub(crate) repairs: u64,
    pub(crate) probes: u64,
    /// Packets of streams nobody asked for.
    pub(crate) strange: u64,
    pub(crate) verified: u64,
    pub(crate) unauthentic: u64,
    /// Packets whose mark is missing or of another track.
    pub(crate) misrouted: u64,
    /// Checked video packets by simulcast layer.
    pub(crate) layers: [u64; LAYERS],
    /// Of checked packets.
    pub(crate) audio_latency: Histogram,
    pub(crate) video_latency: Histogram,
}

impl Received {
    /// Adds what another one counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.repairs += other.repairs;
        self.probes += other.probes;
        self.strange += other.strange;
        self.verified += other.verified;
        self.unauthentic += other.unauthentic;
        self.misrouted += other.misrouted;
        for (mine, theirs) in self.layers.iter_mut().zip(other.layers) {
            *mine += theirs;
        }
        self.audio_latency.merge(&other.audio_latency);
        self.video_latency.merge(&other.video_latency);
    }
}

/// Chooses which packets are decrypted.
#[derive(Clone, Debug)]
pub(crate) struct Sampling {
    one_in: OneIn,
    left: u32,
    random: Random,
}

impl Sampling {
    pub(crate) const fn new(one_in: OneIn, random: Random) -> Self {
        Self {
            one_in,
            left: 1,
            random,
        }
    }

    /// Whether the next packet is one of those. Irregular, so that it is not always the same packet of a frame.
    pub(crate) fn take(&mut self) -> bool {
        self.left -= 1;
        if self.left > 0 {
            return false;
        }
        let OneIn(mean) = self.one_in;
        self.left = 1 + (self.random.word() % u64::from(2 * mean - 1)) as u32;
        true
    }
}

/// One participant's incoming media.
pub(crate) struct Receiving {
    ssrc: u32,
    cname: String,
    /// Sorted by SSRC.
    streams: Vec<Incoming>,
    repairs: Vec<u32>,
    /// Where the last packet's stream was: packets of one stream come in a row.
    last: usize,
    transport_number: Option<u8>,
    feedback: Feedback,
}

/// When a batch of packets came, and how it is looked at.
pub(crate) struct Arrival<'a> {
    pub(crate) now: Instant,
    pub(crate) stamp: Stamp,
    pub(crate) tally: &'a mut Received,
    pub(crate) sampling: &'a mut Sampling,
}

impl Receiving {
    pub(crate) fn new(cname: String, mut random: Random) -> Self {
        Self {
            ssrc: random.ssrc(),
            cname,
            streams: Vec::new(),
            repairs: Vec::new(),
            last: 0,
            transport_number: None,
            feedback: Feedback::default(),
        }
    }

    /// A stream is about to flow.
    pub(crate) fn expect(&mut self, expected: Expected, now: Instant) {
        let at = self
            .streams
            .partition_point(|stream| stream.expected.ssrc < expected.ssrc);
        self.streams.insert(at, Incoming::new(expected, now));
        self.repairs.extend(expected.repair_ssrc);
        self.transport_number = self.transport_number.or(expected.transport_number);
    }

    /// The measurement begins.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.streams.iter_mut().for_each(|stream| stream.begin(now));
    }

    /// What came since then.
    pub(crate) fn outcomes(&self, end: Instant) -> impl Iterator<Item = Outcome> {
        self.streams.iter().map(move |stream| stream.outcome(end))
    }

    /// Streams on which anything has come.
    pub(crate) fn flowing(&self) -> usize {
        self.streams
            .iter()
            .filter(|stream| stream.first.is_some())
            .count()
    }

    fn find(&mut self, ssrc: u32) -> Option<usize> {
        if self
            .streams
            .get(self.last)
            .is_some_and(|stream| stream.expected.ssrc == ssrc)
        {
            return Some(self.last);
        }
        let found = self
            .streams
            .binary_search_by_key(&ssrc, |stream| stream.expected.ssrc)
            .ok()?;
        self.last = found;
        Some(found)
    }

    /// Takes an encrypted media packet.
    pub(crate) fn packet(&mut self, packet: &mut [u8], keys: &Session, arrival: &mut Arrival<'_>) {
        let Some(parsed) = Parsed::read(packet) else {
            arrival.tally.strange += 1;
            return;
        };
        if let Some(id) = self.transport_number
            && let Some([high, low]) = parsed.extension(packet, id)
        {
            self.feedback
                .note(u16::from_be_bytes([*high, *low]), arrival.stamp);
        }
        let ssrc = parsed.header.ssrc;
        let Some(found) = self.find(ssrc) else {
            self.note_other(&parsed, arrival.tally);
            return;
        };
        let stream = &mut self.streams[found];
        let index = stream.note(parsed.header.sequence, arrival.now);
        if stream.first.is_none() {
            let waited = Stamp::now().since(arrival.stamp);
            stream.first = arrival.now.checked_sub(waited);
        }
        arrival.tally.packets += 1;
        arrival.tally.bytes += packet.len() as u64;
        if arrival.sampling.take() {
            check(stream.expected, (packet, &parsed, index), keys, arrival);
        }
    }

    fn note_other(&self, parsed: &Parsed, tally: &mut Received) {
        let ssrc = parsed.header.ssrc;
        if ssrc == PROBE_SSRC || parsed.header.payload_type == PROBE_TYPE {
            tally.probes += 1;
        } else if self.repairs.contains(&ssrc) {
            tally.repairs += 1;
        } else {
            tally.strange += 1;
        }
    }

    /// Takes a decrypted compound packet of the server.
    pub(crate) fn told(&mut self, compound: &[u8], now: Instant) {
        rtcp::read(compound, |item| {
            if let Item::Sent { ssrc, time } = item
                && let Some(found) = self.find(ssrc)
            {
                self.streams[found].last_sender_report = Some((time, now));
            }
        });
    }

    /// Tells the server when everything since the last time came.
    pub(crate) fn feed_back(&mut self, outlet: Outlet<'_>) {
        let media = self.streams.first().map_or(0, |stream| stream.expected.ssrc);
        outlet.burst.clear();
        while self.feedback.write(outlet.burst, self.ssrc, media) {
            if outlet.keys.outbound.seal_rtcp(outlet.burst).is_ok() {
                outlet.wire.send(outlet.burst);
            }
            outlet.burst.clear();
        }
    }

    /// Sends receiver reports, and asks for pictures that do not come.
    pub(crate) fn report(&mut self, outlet: Outlet<'_>, now: Instant) {
        let mut blocks = Vec::with_capacity(self.streams.len());
        let mut pictureless = Vec::new();
        for stream in &mut self.streams {
            blocks.extend(stream.block(now));
            if stream.misses_picture(now) {
                pictureless.push(stream.expected.ssrc);
            }
        }
        for blocks in blocks.chunks(MAX_BLOCKS) {
            outlet.burst.clear();
            rtcp::receiver_report(outlet.burst, self.ssrc, blocks);
            rtcp::description(outlet.burst, self.ssrc, &self.cname);
            if outlet.keys.outbound.seal_rtcp(outlet.burst).is_ok() {
                outlet.wire.send(outlet.burst);
            }
        }
        for media in pictureless {
            outlet.burst.clear();
            rtcp::picture_loss(outlet.burst, self.ssrc, media);
            if outlet.keys.outbound.seal_rtcp(outlet.burst).is_ok() {
                outlet.wire.send(outlet.burst);
            }
        }
    }
}

/// Decrypts a packet and reads its mark.
fn check(
    expected: Expected,
    (packet, parsed, index): (&mut [u8], &Parsed, u64),
    keys: &Session,
    arrival: &mut Arrival<'_>,
) {
    let tally = &mut *arrival.tally;
    tally.verified += 1;
    let payload: Result<&[u8], Unspecified> = if packet.len() < parsed.length + TAG {
        Err(Unspecified)
    } else {
        keys.open(packet, parsed.length, index)
    };
    let Ok(payload) = payload else {
        tally.unauthentic += 1;
        return;
    };
    let payload = parsed.unpadded(payload);
    if payload.is_empty() {
        // Padding alone keeps a stream's numbers in step; it is nobody's media.
        return;
    }
    match Mark::read(payload) {
        Some(mark) if mark.track == expected.track => {
            let latency = arrival.stamp.since(mark.sent);
            match expected.kind {
                Kind::Audio => tally.audio_latency.record(latency),
                Kind::Video => {
                    tally.video_latency.record(latency);
                    if let Some(count) = tally.layers.get_mut(usize::from(mark.layer)) {
                        *count += 1;
                    }
                }
            }
        }
        _ => tally.misrouted += 1,
    }
}

#[cfg(test)]
mod tests;
