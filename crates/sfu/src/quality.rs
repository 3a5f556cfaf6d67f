//! What a worker under load leaves of cameras' pictures (contract §3.8).
//!
//! Two things follow from a [`VideoQuality`]: which layers a viewer may have at most, and how much a sender is told to send at
//! most. Both are asked for wherever layers are chosen and reports are written anyway, so that a change costs nothing when
//! it comes and spreads over the half second and the second in which those are due. Nothing is ever stopped: a camera
//! without lower layers goes on, at the lower bitrate that its sender is asked for.

use link::bwe::Bitrate;
use slotmap::SlotMap;

use crate::consumer::Available;
use crate::downlink::AUDIO_RESERVE;
use crate::key::ProducerKey;
use crate::producer::Producer;
use crate::spec::{Layers, MediaKind, Scalability, Source, VideoQuality};
use crate::transport::Transport;

/// What the layers of a camera take, the smallest picture first (contract §5.3).
const LAYER_BITRATES: [Bitrate; 3] = [Bitrate(500_000), Bitrate(1_000_000), Bitrate(2_500_000)];

/// The most a camera of one layer is to send under [`VideoQuality::Reduced`]: what the two lower layers take elsewhere.
const REDUCED: Bitrate = Bitrate(1_500_000);

/// The same under [`VideoQuality::Lowest`], and the most with layers: the middle picture (contract §5.3). With three layers
/// the browser divides it over the lower two.
const LOWEST: Bitrate = Bitrate(1_000_000);

/// A ceiling no camera reaches. It ends one told before; zero would mean the same to libwebrtc and silence to others.
const UNLIMITED: Bitrate = Bitrate(1_000_000_000);

/// How many reports say that a ceiling is lifted: one may be lost, and its sender would be held down for the rest of the call.
const LIFTS: u8 = 5;

impl VideoQuality {
    /// The best layers of a producer that a viewer who prefers `preferred` may have; `None` for no bound.
    ///
    /// The layers a producer was created with count, not those it sends now: its top layer stops once nobody may have
    /// it, and the next would then be the top.
    pub(crate) fn bound(
        self,
        producer: &Producer,
        preferred: Option<Layers>,
        available: &Available,
    ) -> Option<Layers> {
        if self == Self::Full || !is_camera(producer) {
            return None;
        }
        let below = |count: u8| count.checked_sub(2);
        let count = spatial_layers(producer);
        let Some(spatial) = below(count) else {
            if producer.scalability == Scalability::Simple {
                return None;
            }
            // Senders need not have said how many there are.
            let stated = producer
                .streams
                .first()
                .map_or(1, |stream| stream.encoding.temporal_layers);
            let temporal = below(stated.max(available.temporal_layers[0]))?;
            return Some(Layers { spatial: 0, temporal });
        };
        // A viewer who wants less than the top shows a small tile.
        let is_small = preferred.is_some_and(|preferred| preferred.spatial < count - 1);
        let spatial = if self == Self::Lowest && is_small {
            0
        } else {
            spatial
        };
        Some(Layers {
            spatial,
            temporal: u8::MAX,
        })
    }

    /// The most that a sender of these producers is to send altogether; `None` for no ceiling. A ceiling is one for all
    /// that a sender sends: where a screen is shared, it could be the screen that suffers, so there is none.
    pub(crate) fn ceiling(
        self,
        keys: &[ProducerKey],
        producers: &SlotMap<ProducerKey, Producer>,
    ) -> Option<Bitrate> {
        if self == Self::Full {
            return None;
        }
        let (mut cameras, mut audio) = (0, 0);
        let running = keys
            .iter()
            .filter_map(|key| producers.get(*key))
            .filter(|producer| !producer.paused);
        for producer in running {
            match (producer.kind, producer.source) {
                (MediaKind::Audio, _) => audio += AUDIO_RESERVE.0,
                (MediaKind::Video, Source::Screen) => return None,
                (MediaKind::Video, _) => cameras += self.camera_bitrate(spatial_layers(producer)).0,
            }
        }
        (cameras > 0).then_some(Bitrate(cameras + audio))
    }

    /// The most a camera with so many spatial layers is to send: too little for its top layer beside the others.
    fn camera_bitrate(self, spatial_layers: u8) -> Bitrate {
        let most = match self {
            Self::Lowest => LOWEST,
            Self::Reduced => REDUCED,
            Self::Full => UNLIMITED,
        };
        let lower = usize::from(spatial_layers.saturating_sub(1));
        if lower == 0 {
            return most;
        }
        let sum = LAYER_BITRATES.iter().take(lower).map(|rate| rate.0).sum();
        Bitrate(sum).min(most)
    }
}

impl Transport {
    /// What its sender is told that it may send, with the report that is due; `None` for nothing. `ceiling` is what the
    /// worker's load leaves.
    pub(crate) fn ceiling_to_tell(&mut self, ceiling: Option<Bitrate>) -> Option<Bitrate> {
        // With transport feedback senders find out by themselves what the path carries; browsers take the lower of both.
        let has_feedback = self.feedback_media != rtp::Ssrc(0);
        let usual = (!has_feedback).then_some(self.max_incoming_bitrate);
        if let Some(ceiling) = ceiling {
            self.ceiling_lifts = LIFTS;
            return Some(usual.map_or(ceiling, |usual| usual.min(ceiling)));
        }
        let is_lifted = self.ceiling_lifts > 0;
        self.ceiling_lifts = self.ceiling_lifts.saturating_sub(1);
        usual.or_else(|| is_lifted.then_some(UNLIMITED))
    }
}

fn is_camera(producer: &Producer) -> bool {
    producer.kind == MediaKind::Video && producer.source != Source::Screen
}

/// The spatial layers a producer was created with, in one stream or several.
fn spatial_layers(producer: &Producer) -> u8 {
    match producer.scalability {
        // At most `MAX_ENCODINGS`.
        Scalability::Simple | Scalability::Simulcast => producer.streams.len() as u8,
        Scalability::Svc => producer
            .streams
            .first()
            .map_or(1, |stream| stream.encoding.spatial_layers),
    }
}

#[cfg(test)]
mod tests;
