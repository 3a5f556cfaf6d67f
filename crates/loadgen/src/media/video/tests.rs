use proptest::prelude::*;

use super::*;
use crate::rtp::Parsed;
use crate::srtp::{Keys, Profile, TAG};

const IDS: ExtensionIds = ExtensionIds {
    mid: Some(1),
    rid: Some(2),
    repaired_rid: Some(3),
    transport_number: Some(5),
    audio_level: None,
};

/// A camera and everything it needs to send.
struct Scene {
    track: VideoTrack,
    keys: Keys,
    number: u16,
    out: Vec<u8>,
    start: Instant,
}

/// A packet as its receiver sees it.
struct Got {
    header: crate::rtp::Header,
    payload: Vec<u8>,
    rid: Option<String>,
    repaired: Option<String>,
    number: u16,
    length: usize,
}

impl Scene {
    fn new(simulcast: Simulcast) -> Self {
        let keys = Keys::of_client(Profile::Aes128Gcm, &[7; 56]).expect("enough");
        Self {
            track: VideoTrack::new(9, "1", simulcast, Random::new(3)).agree((96, 97), IDS),
            keys,
            number: 0,
            out: Vec::new(),
            start: Instant::now(),
        }
    }

    fn sender(&mut self) -> (&mut VideoTrack, Sender<'_>) {
        self.out.clear();
        let sender = Sender {
            keys: &self.keys.outbound,
            transport_number: &mut self.number,
            out: &mut self.out,
            now: Stamp(1_000),
        };
        (&mut self.track, sender)
    }

    /// The packets of one frame of a layer.
    fn frame(&mut self, layer: usize, beat: u32) -> Vec<Got> {
        let now = self.start + FRAME_PERIOD * beat;
        let (track, mut sender) = self.sender();
        let (packets, size) = track.frame(&mut sender, layer, (beat, now)).expect("encrypts");
        let got: Vec<Got> = self
            .out
            .clone()
            .chunks_mut(size)
            .map(|packet| self.read(packet))
            .collect();
        assert_eq!(got.len(), packets);
        got
    }

    /// The retransmission of a packet.
    fn repair(&mut self, ssrc: u32, sequence: u16) -> Option<Got> {
        let (track, mut sender) = self.sender();
        let known = track.repair(&mut sender, ssrc, sequence).expect("encrypts");
        let mut packet = self.out.clone();
        known.then(|| self.read(&mut packet))
    }

    fn read(&self, packet: &mut [u8]) -> Got {
        let parsed = Parsed::read(packet).expect("a header");
        let text = |id| {
            let value = parsed.extension(packet, id)?;
            Some(String::from_utf8(value.to_vec()).expect("text"))
        };
        let (rid, repaired) = (text(2), text(3));
        let number = parsed.extension(packet, 5).expect("numbered");
        let number = u16::from_be_bytes(number.try_into().expect("two bytes"));
        let index = u64::from(parsed.header.sequence);
        let length = packet.len();
        let payload = self.keys.outbound.open(packet, parsed.length, index);
        Got {
            header: parsed.header,
            payload: payload.expect("authentic").to_vec(),
            rid,
            repaired,
            number,
            length,
        }
    }
}

fn is_key(packets: &[Got]) -> bool {
    packets[0].payload[vp8::DESCRIPTOR] & 1 == 0
}

#[test]
fn a_frame_is_packets_of_one_size_in_one_burst() {
    let mut scene = Scene::new(Simulcast::On);
    let packets = scene.frame(2, 0);
    assert!(packets.len() > 20, "a key frame of 720p: {}", packets.len());
    let (last, others) = packets.split_last().expect("packets");
    assert!(others.iter().all(|packet| packet.length == packets[0].length));
    assert!(last.length <= packets[0].length && packets[0].length <= 1_200);
    assert!(last.header.marker && others.iter().all(|packet| !packet.header.marker));
    for (step, packet) in packets.iter().enumerate() {
        let first = &packets[0];
        assert_eq!(packet.header.sequence, first.header.sequence + step as u16);
        assert_eq!(packet.number, first.number + step as u16);
        assert_eq!(packet.header.timestamp, first.header.timestamp);
        assert_eq!(
            packet.payload[0] & 0x10 != 0,
            step == 0,
            "only the first starts the partition"
        );
        assert_eq!(
            Mark::read(&packet.payload).map(|mark| (mark.track, mark.layer)),
            Some((9, 2))
        );
        assert_eq!(packet.rid.as_deref(), Some("r2"));
    }
}

#[test]
fn the_first_frame_is_a_key_frame_and_later_ones_come_when_asked() {
    let mut scene = Scene::new(Simulcast::On);
    let first = scene.frame(1, 0);
    assert!(is_key(&first));
    assert_eq!(
        first[0].payload[vp8::DESCRIPTOR + 6..][..4],
        [0x80, 0x02, 0x68, 0x01],
        "640 by 360"
    );
    assert!(!is_key(&scene.frame(1, 1)));
    scene.track.want_key_frame(first[0].header.ssrc);
    // Ten frames are the least pause between two.
    let beats: Vec<u32> = (2..20).filter(|beat| is_key(&scene.frame(1, *beat))).collect();
    assert_eq!(beats, [10]);
    assert!(is_key(&scene.frame(0, 20)), "layers have key frames of their own");
}

#[test]
fn names_are_left_out_once_the_server_knows_the_stream() {
    let mut scene = Scene::new(Simulcast::On);
    let ssrc = scene.frame(0, 0)[0].header.ssrc;
    scene.track.known(ssrc);
    assert_eq!(scene.frame(0, 1)[0].rid, None);
    assert!(scene.frame(1, 1)[0].rid.is_some(), "another layer is not known");
    let mut single = Scene::new(Simulcast::Off);
    assert_eq!(single.frame(0, 0)[0].rid, None, "one stream has no name");
}

#[test]
fn a_missed_packet_is_sent_again_as_a_retransmission() {
    let mut scene = Scene::new(Simulcast::On);
    let packets = scene.frame(2, 0);
    let missed = &packets[3];
    let repair = scene
        .repair(missed.header.ssrc, missed.header.sequence)
        .expect("kept");
    assert_ne!(repair.header.ssrc, missed.header.ssrc);
    assert_eq!(repair.header.payload_type, 97);
    assert_eq!(repair.header.timestamp, missed.header.timestamp);
    assert_eq!(repair.payload[..2], missed.header.sequence.to_be_bytes());
    assert_eq!(repair.payload[2..], missed.payload[..]);
    assert_eq!(repair.repaired.as_deref(), Some("r2"));
    assert!(
        scene
            .repair(missed.header.ssrc, missed.header.sequence.wrapping_sub(9))
            .is_none()
    );
    assert!(scene.repair(1, missed.header.sequence).is_none());
}

#[test]
fn rates_are_those_of_the_encodings() {
    let mut scene = Scene::new(Simulcast::On);
    for (layer, encoding) in SIMULCAST.iter().enumerate() {
        // Without the key frame at the beginning.
        scene.frame(layer, 0);
        let bytes: usize = (1..601)
            .map(|beat| {
                scene
                    .frame(layer, beat)
                    .iter()
                    .map(|packet| packet.payload.len())
                    .sum::<usize>()
            })
            .sum();
        let bitrate = bytes as f64 * 8.0 / 20.0;
        let ratio = bitrate / f64::from(encoding.bitrate);
        assert!((0.95..1.05).contains(&ratio), "{} sends {bitrate}", encoding.rid);
    }
}

proptest! {
    #[test]
    fn every_cut_holds_the_whole_frame(bytes in 32usize..100_000) {
        let (packets, share) = cut(bytes);
        prop_assert!(share <= MAX_PAYLOAD);
        prop_assert!(share * packets >= bytes);
        let last = bytes - share * (packets - 1);
        // Room for the descriptor and the mark in the last packet, too.
        prop_assert!(last >= 32 && last <= share);
        prop_assert!(share + TAG + 40 <= 1_200);
    }
}
