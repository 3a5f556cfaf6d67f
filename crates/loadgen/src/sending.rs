//! A transport on which a participant sends: microphone and camera, what the server asks for, and reports.

use std::ops::{AddAssign, Sub};
use std::time::{Duration, Instant};

use crate::clock::Stamp;
use crate::media::{AUDIO_PERIOD, AudioTrack, FRAME_PERIOD, Sender, VideoTrack};
use crate::pace::{Beat, Cadence};
use crate::rtcp::{self, Item};
use crate::srtp::Keys;
use crate::wire::Wire;

/// What was sent, and how punctually.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// Frames and audio packets left out because the tester was too busy.
    pub(crate) skipped: u64,
    /// Packets sent again because the server missed them.
    pub(crate) repairs: u64,
    pub(crate) key_frames_asked: u64,
}

impl AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.skipped += other.skipped;
        self.repairs += other.repairs;
        self.key_frames_asked += other.key_frames_asked;
    }
}

impl Sub for Sent {
    type Output = Self;

    /// What was added since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            packets: self.packets - earlier.packets,
            bytes: self.bytes - earlier.bytes,
            skipped: self.skipped - earlier.skipped,
            repairs: self.repairs - earlier.repairs,
            key_frames_asked: self.key_frames_asked - earlier.key_frames_asked,
        }
    }
}

/// A track and its moments, the first of which is when it could first be sent.
struct Track<T> {
    track: T,
    cadence: Option<Cadence>,
}

impl<T> Track<T> {
    const fn new(track: T) -> Self {
        Self { track, cadence: None }
    }
}

/// Something that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// How much later than planned.
    pub(crate) late: Duration,
    /// When the next is due.
    pub(crate) next: Instant,
}

/// Takes the moment that has come, if any, and says when the next will.
fn step(cadence: &mut Option<Cadence>, period: Duration, now: Instant) -> (Option<Beat>, Instant) {
    let cadence = cadence.get_or_insert_with(|| Cadence::new(now, period));
    let beat = cadence.take(now);
    (beat, cadence.due())
}

/// One participant's outgoing media.
#[derive(Default)]
pub(crate) struct Sending {
    audio: Option<Track<AudioTrack>>,
    video: Option<Track<VideoTrack>>,
    transport_number: u16,
    cname: String,
    pub(crate) sent: Sent,
}

/// What a transport's parts are lent for sending.
pub(crate) struct Outlet<'a> {
    pub(crate) wire: &'a mut Wire,
    pub(crate) keys: &'a mut Keys,
    /// Memory for a burst, empty.
    pub(crate) burst: &'a mut Vec<u8>,
}

impl Sending {
    pub(crate) fn new(cname: String) -> Self {
        Self {
            cname,
            ..Self::default()
        }
    }

    /// Adds the microphone.
    pub(crate) fn set_audio(&mut self, track: AudioTrack) {
        self.audio = Some(Track::new(track));
    }

    /// Adds the camera.
    pub(crate) fn set_video(&mut self, track: VideoTrack) {
        self.video = Some(Track::new(track));
    }

    /// Sends an audio packet, if there is a microphone.
    pub(crate) fn audio(&mut self, outlet: Outlet<'_>, now: Instant) -> Option<Moment> {
        let Track { track, cadence } = self.audio.as_mut()?;
        let (beat, next) = step(cadence, AUDIO_PERIOD, now);
        let Some(beat) = beat else {
            let late = Duration::ZERO;
            return Some(Moment { late, next });
        };
        let mut sender = Sender {
            keys: &outlet.keys.outbound,
            transport_number: &mut self.transport_number,
            out: outlet.burst,
            now: Stamp::now(),
        };
        if track.packet(&mut sender, beat.number).is_ok() {
            outlet.wire.send(outlet.burst);
            self.sent.packets += 1;
            self.sent.bytes += outlet.burst.len() as u64;
        }
        self.sent.skipped += u64::from(beat.skipped);
        let late = beat.late;
        Some(Moment { late, next })
    }

    /// Sends a frame of each layer, each as one burst, if there is a camera.
    pub(crate) fn video(&mut self, outlet: Outlet<'_>, now: Instant) -> Option<Moment> {
        let Track { track, cadence } = self.video.as_mut()?;
        let (beat, next) = step(cadence, FRAME_PERIOD, now);
        let Some(beat) = beat else {
            let late = Duration::ZERO;
            return Some(Moment { late, next });
        };
        for layer in 0..track.layers() {
            outlet.burst.clear();
            let mut sender = Sender {
                keys: &outlet.keys.outbound,
                transport_number: &mut self.transport_number,
                out: outlet.burst,
                now: Stamp::now(),
            };
            let Ok((packets, size)) = track.frame(&mut sender, layer, (beat.number, now)) else {
                continue;
            };
            outlet.wire.send_burst(outlet.burst, size);
            self.sent.packets += packets as u64;
            self.sent.bytes += outlet.burst.len() as u64;
        }
        self.sent.skipped += u64::from(beat.skipped);
        let late = beat.late;
        Some(Moment { late, next })
    }

    /// Does what a compound packet of the server asks for.
    pub(crate) fn asked(&mut self, compound: &[u8], outlet: Outlet<'_>) {
        let mut missing = Vec::new();
        rtcp::read(compound, |item| match item {
            Item::KeyFrame { ssrc } => {
                self.sent.key_frames_asked += 1;
                if let Some(video) = &mut self.video {
                    video.track.want_key_frame(ssrc);
                }
            }
            Item::Known { ssrc } => {
                if let Some(audio) = &mut self.audio {
                    audio.track.known(ssrc);
                }
                if let Some(video) = &mut self.video {
                    video.track.known(ssrc);
                }
            }
            Item::Missing { ssrc, sequence } => missing.push((ssrc, sequence)),
            Item::Sent { .. } => {}
        });
        let Some(video) = &mut self.video else { return };
        for (ssrc, sequence) in missing {
            outlet.burst.clear();
            let mut sender = Sender {
                keys: &outlet.keys.outbound,
                transport_number: &mut self.transport_number,
                out: outlet.burst,
                now: Stamp::now(),
            };
            if video.track.repair(&mut sender, ssrc, sequence) == Ok(true) {
                outlet.wire.send(outlet.burst);
                self.sent.repairs += 1;
            }
        }
    }

    /// Sends a sender report for each stream.
    pub(crate) fn report(&self, outlet: Outlet<'_>) {
        let now = Stamp::now();
        let audio = self.audio.iter().filter_map(|audio| audio.track.report(now));
        let video = self.video.iter().flat_map(|video| video.track.reports(now));
        for info in audio.chain(video) {
            outlet.burst.clear();
            rtcp::sender_report(outlet.burst, &info);
            rtcp::description(outlet.burst, info.ssrc, &self.cname);
            if outlet.keys.outbound.seal_rtcp(outlet.burst).is_ok() {
                outlet.wire.send(outlet.burst);
            }
        }
    }
}
