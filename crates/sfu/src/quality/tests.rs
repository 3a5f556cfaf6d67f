//! Which layers are left, whatever viewers wish and senders send.

use std::time::Instant;

use proptest::prelude::*;
use rtp::PayloadType;
use rtp::codec::CodecKind;
use rtp::ext::ExtMap;

use super::*;
use crate::consumer::Available;
use crate::event::MAX_ENCODINGS;
use crate::key::TransportKey;
use crate::producer::Origin;
use crate::spec::{ProducerCodec, ProducerEncoding, ProducerSpec};

/// A video producer: its streams, and the spatial and temporal layers stated for each.
fn producer(
    source: Source,
    scalability: Scalability,
    (streams, spatial, temporal): (u8, u8, u8),
) -> Producer {
    let kind = match source {
        Source::Microphone => MediaKind::Audio,
        Source::Camera | Source::Screen => MediaKind::Video,
    };
    let encoding = ProducerEncoding {
        ssrc: None,
        rtx_ssrc: None,
        rid: None,
        spatial_layers: spatial,
        temporal_layers: temporal,
    };
    let codec = ProducerCodec {
        codec: CodecKind::Vp8,
        clock_rate: 90_000,
        payload_type: PayloadType(96),
        mapped_payload_type: PayloadType(101),
        rtx_payload_type: None,
        nack: true,
        pli: true,
        fir: true,
    };
    let spec = ProducerSpec {
        kind,
        source,
        mid: None,
        codecs: vec![codec],
        extensions: ExtMap::new(),
        encodings: vec![encoding; usize::from(streams)],
        scalability,
        paused: false,
    };
    let origin = Origin::Transport(TransportKey::default());
    Producer::new(Instant::now(), origin, Default::default(), spec).expect("a codec and an encoding")
}

fn layers(spatial: u8, temporal: u8) -> Option<Layers> {
    Some(Layers { spatial, temporal })
}

/// Three layers of one temporal layer each.
const THREE: Available = Available {
    temporal_layers: [1, 1, 1, 0],
};

#[test]
fn only_cameras_are_bound_and_only_below_their_top() {
    use Scalability::{Simple, Simulcast, Svc};
    use VideoQuality::{Full, Lowest, Reduced};
    const ALL: u8 = u8::MAX;
    let camera = |scalability, shape| producer(Source::Camera, scalability, shape);
    let screen = producer(Source::Screen, Simulcast, (1, 1, 3));
    let voice = producer(Source::Microphone, Simple, (1, 1, 1));
    let three = camera(Simulcast, (3, 1, 3));
    let two = camera(Simulcast, (2, 1, 3));
    let rates = camera(Simulcast, (1, 1, 3));
    let svc = camera(Svc, (1, 3, 3));
    let whole = camera(Simple, (1, 1, 1));
    let rows = [
        (&three, Full, None, None),
        (&three, Reduced, None, layers(1, ALL)),
        (&three, Reduced, layers(2, 0), layers(1, ALL)),
        (&three, Reduced, layers(1, 0), layers(1, ALL)),
        (&three, Lowest, None, layers(1, ALL)),
        (&three, Lowest, layers(2, ALL), layers(1, ALL)),
        (&three, Lowest, layers(1, ALL), layers(0, ALL)),
        (&two, Reduced, None, layers(0, ALL)),
        (&two, Lowest, layers(0, ALL), layers(0, ALL)),
        (&svc, Reduced, None, layers(1, ALL)),
        (&svc, Lowest, layers(0, ALL), layers(0, ALL)),
        (&rates, Reduced, None, layers(0, 1)),
        (&rates, Lowest, layers(0, ALL), layers(0, 1)),
        (&whole, Lowest, None, None),
        (&screen, Lowest, layers(0, ALL), None),
        (&voice, Lowest, None, None),
    ];
    for (index, (producer, quality, preferred, expected)) in rows.into_iter().enumerate() {
        assert_eq!(
            quality.bound(producer, preferred, &THREE),
            expected,
            "row {index}"
        );
    }
}

#[test]
fn frame_rates_seen_count_where_none_were_stated() {
    let silent = producer(Source::Camera, Scalability::Simulcast, (1, 1, 1));
    let seen = |count| Available {
        temporal_layers: [count, 0, 0, 0],
    };
    assert_eq!(VideoQuality::Reduced.bound(&silent, None, &seen(1)), None);
    assert_eq!(VideoQuality::Reduced.bound(&silent, None, &seen(3)), layers(0, 1));
}

#[test]
fn the_ceiling_leaves_room_for_what_somebody_may_have() {
    let mut producers = SlotMap::with_key();
    let mut insert = |producer| producers.insert(producer);
    let three = insert(producer(Source::Camera, Scalability::Simulcast, (3, 1, 1)));
    let two = insert(producer(Source::Camera, Scalability::Simulcast, (2, 1, 1)));
    let one = insert(producer(Source::Camera, Scalability::Simple, (1, 1, 1)));
    let svc = insert(producer(Source::Camera, Scalability::Svc, (1, 3, 1)));
    let voice = insert(producer(Source::Microphone, Scalability::Simple, (1, 1, 1)));
    let screen = insert(producer(Source::Screen, Scalability::Simple, (1, 1, 1)));
    let mut stopped = producer(Source::Screen, Scalability::Simple, (1, 1, 1));
    stopped.paused = true;
    let stopped = insert(stopped);
    use VideoQuality::{Full, Lowest, Reduced};
    let rows: [(VideoQuality, &[ProducerKey], Option<u64>); 10] = [
        (Full, &[three, voice], None),
        (Reduced, &[three], Some(1_500_000)),
        (Reduced, &[three, voice], Some(1_540_000)),
        (Reduced, &[two], Some(500_000)),
        (Reduced, &[one, stopped], Some(1_500_000)),
        (Reduced, &[svc], Some(1_500_000)),
        (Reduced, &[three, screen], None),
        (Reduced, &[voice], None),
        (Lowest, &[three], Some(1_000_000)),
        (Lowest, &[one, voice], Some(1_040_000)),
    ];
    for (index, (quality, keys, expected)) in rows.into_iter().enumerate() {
        let ceiling = quality.ceiling(keys, &producers);
        assert_eq!(ceiling, expected.map(Bitrate), "row {index}");
    }
}

/// How a producer of video may be layered: its streams, and the spatial and temporal layers stated for each.
fn any_shape() -> impl Strategy<Value = (Scalability, (u8, u8, u8))> {
    let count = || 1..=MAX_ENCODINGS as u8;
    prop_oneof![
        (count(), 1_u8..4).prop_map(|(streams, temporal)| (Scalability::Simulcast, (streams, 1, temporal))),
        (count(), 1_u8..4).prop_map(|(spatial, temporal)| (Scalability::Svc, (1, spatial, temporal))),
    ]
}

proptest! {
    /// Whatever is preferred and sent: nobody has more than the bound, but where nothing as low is sent; and somebody
    /// who has something at full quality has something under load.
    #[test]
    fn no_viewer_exceeds_the_bound(
        (scalability, shape) in any_shape(),
        mut sent in prop::array::uniform4(0_u8..4),
        preferred in prop::option::of((0_u8..5, 0_u8..4)),
    ) {
        let camera = producer(Source::Camera, scalability, shape);
        let count = usize::from(spatial_layers(&camera));
        sent.iter_mut().skip(count).for_each(|none| *none = 0);
        let available = Available { temporal_layers: sent };
        let preferred = preferred.and_then(|(spatial, temporal)| layers(spatial, temporal));
        let chosen = |quality: VideoQuality| {
            let bound = quality.bound(&camera, preferred, &available);
            (bound, crate::consumer::choose([preferred, None, bound], &available))
        };
        let (none, full) = chosen(VideoQuality::Full);
        prop_assert_eq!(none, None);
        for quality in [VideoQuality::Reduced, VideoQuality::Lowest] {
            let (bound, got) = chosen(quality);
            prop_assert_eq!(got.is_some(), full.is_some());
            let (Some(bound), Some(got)) = (bound, got) else { continue };
            let lower = &available.temporal_layers[..=usize::from(bound.spatial)];
            if lower.iter().any(|sent| *sent > 0) {
                prop_assert!(got.spatial <= bound.spatial);
                prop_assert!(got.spatial < bound.spatial || got.temporal <= bound.temporal);
            }
            prop_assert!(got.spatial <= full.map_or(0, |full| full.spatial));
        }
    }
}
