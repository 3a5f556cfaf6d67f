//! What workers, transports and tracks of the world are set up with.

use std::time::Duration;

use link::Certificate;
use link::ice::IceCredentials;
use rtp::{ExtKind, ExtMap};
use sfu::spec::{TrainPadding, WorkerConfig};

/// A video track to produce.
#[derive(Clone, Copy, Debug)]
pub struct Camera {
    pub packets_per_frame: u8,
    pub temporal_layers: u8,
    /// Layers of the simulcast; 1 is a single stream with an announced SSRC.
    pub layers: u8,
    pub rtx: bool,
}

impl Default for Camera {
    /// 25 frames a second of 5 packets: about 1 Mbit/s.
    fn default() -> Self {
        Self {
            packets_per_frame: 5,
            temporal_layers: 1,
            layers: 1,
            rtx: true,
        }
    }
}

pub fn config(certificate: &Certificate, seed: u64, train_padding: TrainPadding) -> WorkerConfig {
    WorkerConfig {
        certificate: certificate.clone(),
        seed,
        extensions: router_extensions(),
        consent_timeout: Duration::from_secs(30),
        train_padding,
    }
}

pub fn clone(ice: &IceCredentials) -> IceCredentials {
    IceCredentials {
        ufrag: ice.ufrag.clone(),
        pwd: ice.pwd.clone(),
    }
}

fn extensions(ids: [(ExtKind, u8); 6]) -> ExtMap {
    let mut map = ExtMap::new();
    for (kind, id) in ids {
        map.set(kind, id);
    }
    map
}

/// The ids of contract §1.8.3.
pub fn router_extensions() -> ExtMap {
    extensions([
        (ExtKind::Mid, 1),
        (ExtKind::Rid, 2),
        (ExtKind::RepairedRid, 3),
        (ExtKind::AbsSendTime, 4),
        (ExtKind::TransportSequence, 5),
        (ExtKind::AudioLevel, 10),
    ])
}

/// The ids the simulated producers chose.
pub fn sender_extensions() -> ExtMap {
    extensions([
        (ExtKind::Mid, 3),
        (ExtKind::Rid, 9),
        (ExtKind::RepairedRid, 8),
        (ExtKind::AbsSendTime, 2),
        (ExtKind::TransportSequence, 6),
        (ExtKind::AudioLevel, 7),
    ])
}
