//! Which layers a consumer should get: what it prefers, within what exists and what its path carries.

use rtp::codec::FrameInfo;

use crate::event::MAX_ENCODINGS;
use crate::spec::Layers;

/// The layers of a producer that have packets now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Available {
    /// Number of temporal layers per spatial layer; 0 where the layer sends nothing.
    pub(crate) temporal_layers: [u8; MAX_ENCODINGS],
}

/// The layers to aim for within `bounds`. Prefers the highest spatial layer that all of them allow, then the next lower that
/// exists, then the next higher: a picture that is too good beats none. `None` when nothing is sent.
pub(crate) fn choose(bounds: [Option<Layers>; 3], available: &Available) -> Option<Layers> {
    let exists = |spatial: u8| {
        available
            .temporal_layers
            .get(usize::from(spatial))
            .is_some_and(|count| *count > 0)
    };
    let top = Layers {
        spatial: MAX_ENCODINGS as u8 - 1,
        temporal: u8::MAX,
    };
    let bounds = bounds.map(|bound| bound.unwrap_or(top));
    let ceiling = bounds
        .iter()
        .fold(top.spatial, |lowest, bound| lowest.min(bound.spatial));
    let spatial = (0..=ceiling)
        .rev()
        .find(|spatial| exists(*spatial))
        .or_else(|| (ceiling..MAX_ENCODINGS as u8).find(|spatial| exists(*spatial)))?;
    let highest = available.temporal_layers[usize::from(spatial)] - 1;
    // Temporal wishes are about the spatial layer they were made for.
    let temporal = bounds
        .iter()
        .filter(|bound| bound.spatial == spatial)
        .fold(highest, |lowest, bound| lowest.min(bound.temporal));
    Some(Layers { spatial, temporal })
}

/// Lets frames through up to a temporal layer; raises the layer only where the encoder allows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TemporalFilter {
    current: u8,
}

impl TemporalFilter {
    /// A key frame: any layer may follow.
    pub(crate) fn restart(&mut self, target: u8) {
        self.current = target;
    }

    /// Whether to forward a packet of this frame.
    pub(crate) fn admits(&mut self, frame: &FrameInfo, target: u8) -> bool {
        if frame.start && target < self.current {
            self.current = target;
        } else if frame.start && frame.temporal > self.current && frame.temporal <= target && frame.switch_up
        {
            self.current = frame.temporal;
        }
        frame.temporal <= self.current
    }

    /// The highest temporal layer now forwarded.
    pub(crate) fn current(&self) -> u8 {
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(spatial: u8, temporal: u8) -> Layers {
        Layers { spatial, temporal }
    }

    #[test]
    fn the_best_allowed_layer_that_exists_is_chosen() {
        let all = Available {
            temporal_layers: [3, 3, 3, 0],
        };
        let low_only = Available {
            temporal_layers: [2, 0, 0, 0],
        };
        let gap = Available {
            temporal_layers: [3, 0, 3, 0],
        };
        let high_only = Available {
            temporal_layers: [0, 0, 1, 0],
        };
        let rows = [
            (None, None, all, Some(layers(2, 2))),
            (Some(layers(1, 1)), None, all, Some(layers(1, 1))),
            (Some(layers(2, 0)), None, all, Some(layers(2, 0))),
            (Some(layers(2, 0)), Some(layers(1, 2)), all, Some(layers(1, 2))),
            (Some(layers(2, 2)), Some(layers(2, 1)), all, Some(layers(2, 1))),
            (Some(layers(9, 9)), None, all, Some(layers(2, 2))),
            (Some(layers(2, 2)), None, low_only, Some(layers(0, 1))),
            (Some(layers(1, 2)), None, gap, Some(layers(0, 2))),
            (Some(layers(0, 0)), None, high_only, Some(layers(2, 0))),
            (None, None, Available::default(), None),
        ];
        for (index, (wanted, limit, available, expected)) in rows.into_iter().enumerate() {
            assert_eq!(choose([wanted, limit, None], &available), expected, "row {index}");
            assert_eq!(choose([None, wanted, limit], &available), expected, "row {index}");
        }
    }

    #[test]
    fn temporal_layers_rise_only_at_a_switching_point() {
        let frame = |temporal, start, switch_up| FrameInfo {
            temporal,
            start,
            switch_up,
            ..FrameInfo::default()
        };
        let mut filter = TemporalFilter::default();
        filter.restart(0);
        // (frame, target, forwarded)
        let rows = [
            (frame(0, true, false), 2, true),
            (frame(2, true, false), 2, false),
            (frame(1, true, true), 2, true),
            (frame(1, false, true), 2, true),
            (frame(2, true, true), 2, true),
            (frame(2, true, true), 0, false),
            (frame(1, true, true), 0, false),
            (frame(0, true, false), 0, true),
            (frame(1, false, true), 1, false),
            (frame(1, true, true), 1, true),
        ];
        for (index, (frame, target, forwarded)) in rows.into_iter().enumerate() {
            assert_eq!(filter.admits(&frame, target), forwarded, "row {index}");
        }
    }
}
