use super::*;
use crate::mark::Mark;
use crate::rtp::{Header, HeaderWriter};
use crate::srtp::{Keys, Profile};

const SSRC: u32 = 77;
const TRACK: u32 = 5;

/// A receiver with one video stream, and the server that sends it.
struct Scene {
    receiving: Receiving,
    keys: Keys,
    tally: Received,
    sampling: Sampling,
    start: Instant,
}

impl Scene {
    fn new(one_in: u32) -> Self {
        let start = Instant::now();
        let mut receiving = Receiving::new("p0".to_owned(), Random::new(1));
        let expected = Expected {
            stream: 0,
            kind: Kind::Video,
            track: TRACK,
            ssrc: SSRC,
            repair_ssrc: Some(SSRC + 1),
            transport_number: Some(5),
        };
        receiving.expect(expected, start);
        Self {
            receiving,
            keys: Keys::of_client(Profile::Aes128Gcm, &[3; 56]).expect("enough"),
            tally: Received::default(),
            sampling: Sampling::new(OneIn(one_in), Random::new(2)),
            start,
        }
    }

    /// The packet of this index, sent by `track` two milliseconds before it comes at `millis`.
    fn come(&mut self, (ssrc, payload_type): (u32, u8), index: u64, track: u32, millis: u64) {
        let stamp = Stamp(1_000_000_000 + millis * 1_000_000);
        let mut packet = Vec::new();
        let header = Header {
            payload_type,
            marker: false,
            sequence: index as u16,
            timestamp: 0,
            ssrc,
        };
        let mut writer = HeaderWriter::begin(&mut packet, &header);
        writer.extension(Some(5), &(index as u16).to_be_bytes());
        let length = writer.finish();
        packet.extend_from_slice(b"picture");
        let sent = Stamp(stamp.0 - 2_000_000);
        let mark = Mark {
            track,
            layer: 1,
            sent,
        };
        packet.extend_from_slice(&mark.to_bytes());
        packet.extend_from_slice(&[0; TAG]);
        self.keys.inbound.seal(&mut packet, length, index).expect("seals");
        let mut arrival = Arrival {
            now: self.start + Duration::from_millis(millis),
            stamp,
            tally: &mut self.tally,
            sampling: &mut self.sampling,
        };
        self.receiving
            .packet(&mut packet, &self.keys.inbound, &mut arrival);
    }

    fn media(&mut self, index: u64, millis: u64) {
        self.come((SSRC, 96), index, TRACK, millis);
    }

    fn outcome(&self, millis: u64) -> Outcome {
        let end = self.start + Duration::from_millis(millis);
        self.receiving.outcomes(end).next().expect("one stream")
    }
}

#[test]
fn packets_are_counted_checked_and_timed_over_a_roll_over() {
    let mut scene = Scene::new(1);
    for (step, index) in (65_500..65_600).enumerate() {
        scene.media(index, 10 * step as u64);
    }
    assert_eq!((scene.tally.packets, scene.tally.verified), (100, 100));
    assert_eq!((scene.tally.unauthentic, scene.tally.misrouted), (0, 0));
    assert_eq!(scene.tally.layers, [0, 100, 0]);
    assert_eq!(scene.tally.video_latency.max(), Duration::from_millis(2));
    assert_eq!(scene.tally.audio_latency.samples(), 0);
    let outcome = scene.outcome(1_000);
    assert!(outcome.live && outcome.first.is_some());
    assert_eq!((outcome.expected, outcome.received), (100, 100));
}

#[test]
fn gaps_are_loss_and_what_was_before_the_measurement_does_not_count() {
    let mut scene = Scene::new(1);
    for index in [1, 2, 9] {
        scene.media(index, index);
    }
    scene.receiving.begin(scene.start + Duration::from_millis(10));
    for index in [10, 11, 15, 14] {
        scene.media(index, index);
    }
    let outcome = scene.outcome(20);
    assert_eq!((outcome.expected, outcome.received), (6, 4));
    assert!(outcome.live);
    assert!(!scene.outcome(2_000).live);
}

#[test]
fn forged_and_misrouted_packets_are_found() {
    let mut scene = Scene::new(1);
    scene.media(1, 1);
    scene.come((SSRC, 96), 2, TRACK + 1, 2);
    assert_eq!((scene.tally.unauthentic, scene.tally.misrouted), (0, 1));
    // The same number again from another roll-over: its tag does not fit.
    scene.come((SSRC, 96), 3 + 65_536, TRACK, 3);
    assert_eq!((scene.tally.unauthentic, scene.tally.misrouted), (1, 1));
}

#[test]
fn what_is_no_media_is_told_apart() {
    let mut scene = Scene::new(1);
    scene.come((PROBE_SSRC, PROBE_TYPE), 1, 0, 1);
    scene.come((SSRC + 1, 97), 1, 0, 1);
    scene.come((SSRC + 2, 97), 1, 0, 1);
    let tally = &scene.tally;
    assert_eq!(
        (tally.packets, tally.probes, tally.repairs, tally.strange),
        (0, 1, 1, 1)
    );
}

#[test]
fn a_share_of_packets_is_checked() {
    let mut sampling = Sampling::new(OneIn(8), Random::new(5));
    let checked = (0..80_000).filter(|_| sampling.take()).count();
    assert!((9_500..10_500).contains(&checked), "{checked} of 80000");
    let mut all = Sampling::new(OneIn(1), Random::new(5));
    assert!((0..100).all(|_| all.take()));
}

#[test]
fn a_key_frame_is_asked_for_after_a_gap_but_not_too_often() {
    let mut scene = Scene::new(1);
    let at = |millis| scene.start + Duration::from_millis(millis);
    let times = [at(0), at(500), at(1_000), at(1_500), at(2_500)];
    let stream = |scene: &mut Scene, now| scene.receiving.streams[0].misses_picture(now);
    assert!(stream(&mut scene, times[0]), "nothing came yet");
    assert!(!stream(&mut scene, times[1]), "asked already");
    scene.media(1, 900);
    assert!(!stream(&mut scene, times[2]));
    scene.media(3, 1_400);
    assert!(stream(&mut scene, times[3]), "one is missing");
    assert!(!stream(&mut scene, times[4]), "and was asked for");
}

#[test]
fn reports_say_what_came_since_the_last() {
    let mut scene = Scene::new(1);
    for index in 1..=100 {
        scene.media(index, index);
    }
    let now = scene.start + Duration::from_millis(100);
    let block = scene.receiving.streams[0].block(now).expect("something came");
    assert_eq!(
        (block.ssrc, block.highest, block.fraction_lost, block.last_report),
        (SSRC, 100, 0, 0)
    );
    // Half of the next are lost, and a sender report came in between.
    let mut report = Vec::new();
    let info = rtcp::SenderInfo {
        ssrc: SSRC,
        ntp: 0x0000_0001_8000_0000,
        timestamp: 0,
        packets: 0,
        octets: 0,
    };
    rtcp::sender_report(&mut report, &info);
    scene.receiving.told(&report, now);
    for index in (102..=200).step_by(2) {
        scene.media(index, index);
    }
    let block = scene.receiving.streams[0]
        .block(now + Duration::from_millis(500))
        .expect("more came");
    assert_eq!((block.highest, block.fraction_lost), (200, 128));
    assert_eq!((block.last_report, block.delay), (0x0001_8000, 32_768));
}
