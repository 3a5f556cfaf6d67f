//! Which producer's stream an RTP packet of a transport belongs to: by SSRC, then MID and RID, then payload type.
//!
//! Streams announced with an SSRC are known at once. Simulcast layers announce only RIDs (contract §1.8.6) and are
//! learnt from the first packet that carries MID/RID extensions (RFC 8852, RFC 9143 §9.2).

use rtp::ext::HeaderExtensions;
use rtp::{Mid, PayloadType, Rid, Ssrc};

use crate::key::ProducerKey;
use crate::spec::ProducerSpec;

/// SSRCs remembered per transport: 4 tracks × 4 encodings × (media + RTX), twice over for sources that restarted.
const MAX_SSRCS: usize = 64;

/// Where packets of one SSRC go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamSlot {
    /// The producer.
    pub(crate) producer: ProducerKey,
    /// Index of its encoding.
    pub(crate) encoding: u8,
    /// Media or retransmissions of it.
    pub(crate) route: Route,
}

/// Whether an SSRC carries media or repairs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The stream itself.
    Media,
    /// Its RFC 4588 retransmissions.
    Rtx,
}

#[derive(Clone, Debug)]
struct Announced {
    producer: ProducerKey,
    mid: Option<Mid>,
    rids: Vec<Option<Rid>>,
    media_payload_types: Vec<PayloadType>,
    rtx_payload_types: Vec<PayloadType>,
}

/// The listener refused a producer because one of its streams is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamTaken;

/// The streams of one receiving transport.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    ssrcs: Vec<(Ssrc, StreamSlot)>,
    announced: Vec<Announced>,
}

impl Listener {
    /// Registers a producer's streams.
    pub(crate) fn insert(&mut self, producer: ProducerKey, spec: &ProducerSpec) -> Result<(), StreamTaken> {
        let ssrcs = spec
            .encodings
            .iter()
            .flat_map(|encoding| [encoding.ssrc, encoding.rtx_ssrc])
            .flatten();
        let taken_by_ssrc = ssrcs
            .clone()
            .any(|ssrc| self.ssrcs.iter().any(|(known, _)| *known == ssrc));
        let rids: Vec<_> = spec.encodings.iter().map(|encoding| encoding.rid).collect();
        let taken_by_rid = self.announced.iter().any(|other| {
            other.mid == spec.mid
                && spec.mid.is_some()
                && rids.iter().flatten().any(|rid| other.rids.contains(&Some(*rid)))
        });
        let mut own: Vec<_> = ssrcs.collect();
        own.sort_unstable();
        let repeats = own.windows(2).any(|pair| pair[0] == pair[1]);
        if taken_by_ssrc || taken_by_rid || repeats {
            return Err(StreamTaken);
        }
        for (index, encoding) in spec.encodings.iter().enumerate() {
            let slot = |route| StreamSlot {
                producer,
                encoding: index as u8,
                route,
            };
            if let Some(ssrc) = encoding.ssrc {
                self.ssrcs.push((ssrc, slot(Route::Media)));
            }
            if let Some(ssrc) = encoding.rtx_ssrc {
                self.ssrcs.push((ssrc, slot(Route::Rtx)));
            }
        }
        self.announced.push(Announced {
            producer,
            mid: spec.mid,
            rids,
            media_payload_types: spec.codecs.iter().map(|codec| codec.payload_type).collect(),
            rtx_payload_types: spec
                .codecs
                .iter()
                .filter_map(|codec| codec.rtx_payload_type)
                .collect(),
        });
        Ok(())
    }

    /// Forgets a producer's streams.
    pub(crate) fn remove(&mut self, producer: ProducerKey) {
        self.ssrcs.retain(|(_, slot)| slot.producer != producer);
        self.announced.retain(|announced| announced.producer != producer);
    }

    /// The stream of a known SSRC.
    pub(crate) fn by_ssrc(&self, ssrc: Ssrc) -> Option<StreamSlot> {
        self.ssrcs
            .iter()
            .find(|(known, _)| *known == ssrc)
            .map(|(_, slot)| *slot)
    }

    /// Learns the stream of a new SSRC from what the packet says about itself.
    pub(crate) fn learn(
        &mut self,
        ssrc: Ssrc,
        payload_type: PayloadType,
        extensions: &HeaderExtensions,
    ) -> Option<StreamSlot> {
        let slot = self.identify(payload_type, extensions)?;
        if self.ssrcs.len() >= MAX_SSRCS {
            // The oldest learnt SSRC is a source that restarted; announced ones come first only at creation.
            self.ssrcs.remove(0);
        }
        self.ssrcs.push((ssrc, slot));
        Some(slot)
    }

    fn identify(&self, payload_type: PayloadType, extensions: &HeaderExtensions) -> Option<StreamSlot> {
        let route_of = |announced: &Announced| {
            if announced.media_payload_types.contains(&payload_type) {
                Some(Route::Media)
            } else if announced.rtx_payload_types.contains(&payload_type) {
                Some(Route::Rtx)
            } else {
                None
            }
        };
        let slot = |announced: &Announced, encoding: usize| {
            Some(StreamSlot {
                producer: announced.producer,
                encoding: encoding as u8,
                route: route_of(announced)?,
            })
        };
        let of_mid = |announced: &&Announced| extensions.mid.is_none() || announced.mid == extensions.mid;
        if let Some(rid) = extensions.rid.or(extensions.repaired_rid) {
            let (announced, encoding) = self.announced.iter().filter(of_mid).find_map(|announced| {
                announced
                    .rids
                    .iter()
                    .position(|known| *known == Some(rid))
                    .map(|index| (announced, index))
            })?;
            return slot(announced, encoding);
        }
        // Without a RID only a single-stream producer is unambiguous, and without a MID only one with this payload type.
        let mut single = self
            .announced
            .iter()
            .filter(|announced| announced.rids.len() == 1 && route_of(announced).is_some())
            .filter(|announced| extensions.mid.is_none() || announced.mid == extensions.mid);
        let announced = single.next()?;
        if single.next().is_some() {
            return None;
        }
        slot(announced, 0)
    }
}

#[cfg(test)]
mod tests;
