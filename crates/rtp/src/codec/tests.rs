use super::*;
use proptest::prelude::*;

const ALL: [CodecKind; 6] = [
    CodecKind::Opus,
    CodecKind::Vp8,
    CodecKind::H264,
    CodecKind::Vp9,
    CodecKind::Av1,
    CodecKind::Other,
];

#[test]
fn vp8_frames() {
    let mut reader = FrameReader::new(CodecKind::Vp8);
    let key = reader.read(&[0x90, 0xe0, 0x80, 0x2a, 0x07, 0x20, 0x00], false, None);
    let picture = PictureIds {
        picture_id: Some(42),
        long: true,
        tl0_pic_idx: Some(7),
    };
    let expected = FrameInfo {
        key: true,
        start: true,
        switch_up: true,
        picture: Some(picture),
        ..FrameInfo::default()
    };
    assert_eq!(key, expected);
    let rest = reader.read(&[0x80, 0xe0, 0x80, 0x2a, 0x07, 0x20, 0x00], true, None);
    assert_eq!(
        (rest.key, rest.start, rest.end, rest.temporal),
        (false, false, true, 0)
    );
    let upper = reader.read(&[0x90, 0xe0, 0x80, 0x2b, 0x07, 0x80, 0x01], true, None);
    assert_eq!((upper.key, upper.temporal, upper.switch_up), (false, 2, false));
}

#[test]
fn malformed_payloads_fall_back_to_the_marker() {
    for (codec, payload) in [
        (CodecKind::Vp8, &[0x80_u8][..]),
        (CodecKind::Vp9, &[0x80]),
        (CodecKind::H264, &[0x7c]),
        (CodecKind::Av1, &[0x88]),
    ] {
        let mut reader = FrameReader::new(codec);
        let expected = |start, end| FrameInfo {
            start,
            end,
            ..FrameInfo::default()
        };
        assert_eq!(
            reader.read(payload, false, None),
            expected(true, false),
            "{codec:?}"
        );
        assert_eq!(
            reader.read(payload, true, None),
            expected(false, true),
            "{codec:?}"
        );
        assert_eq!(
            reader.read(payload, true, None),
            expected(true, true),
            "{codec:?}"
        );
    }
}

#[test]
fn padding_between_frames_is_not_a_frame() {
    for codec in ALL {
        let mut reader = FrameReader::new(codec);
        let info = reader.read(&[], false, None);
        assert_eq!(info, FrameInfo::default(), "{codec:?}");
        assert_eq!(reader.codec(), codec);
    }
    let mut reader = FrameReader::new(CodecKind::Other);
    assert!(!reader.read(&[], false, None).start);
    assert!(reader.read(&[1], false, None).start);
    assert!(!reader.read(&[1], true, None).start);
}

#[test]
fn opus_packets_stand_alone() {
    let info = FrameReader::new(CodecKind::Opus).read(&[0xfc, 0xff, 0xfe], false, None);
    assert!(info.key && info.start && info.end);
}

#[test]
fn av1_frames_without_a_descriptor() {
    let mut reader = FrameReader::new(CodecKind::Av1);
    let first = reader.read(&[0x68, 0x02, 0x0a, 0x01, 0x30], false, None);
    assert!(first.key && first.start && !first.end);
    let second = reader.read(&[0x90, 0xff], true, None);
    assert!(!second.key && !second.start && second.end);
    let inter = reader.read(&[0x10, 0x34, 0x28], true, None);
    assert_eq!(
        (inter.key, inter.start, inter.temporal, inter.spatial),
        (false, true, 1, 1)
    );
}

#[test]
fn av1_and_h264_believe_the_descriptor() {
    // L1T2: two templates, two targets, no chains, no resolutions.
    let structure = [0x80, 0x00, 0x00, 0x80, 0x01, 0x7a, 0x14, 0x00];
    for (codec, payload) in [
        (CodecKind::Av1, &[0x10_u8, 0x34, 0x00][..]),
        (CodecKind::H264, &[0x41, 0x9a, 0x00]),
    ] {
        let mut reader = FrameReader::new(codec);
        let unknown = reader.read(payload, true, Some(&[0xc1, 0x00, 0x05]));
        assert_eq!(
            (unknown.key, unknown.end, unknown.temporal),
            (false, true, 0),
            "{codec:?}"
        );
        let key = reader.read(payload, true, Some(&structure));
        assert_eq!((key.key, key.start, key.end), (true, true, false), "{codec:?}");
        let upper = reader.read(payload, false, Some(&[0xc1, 0x00, 0x01]));
        assert_eq!(
            (upper.temporal, upper.switch_up, upper.end),
            (1, true, true),
            "{codec:?}"
        );
    }
}

proptest! {
    #[test]
    fn readers_never_panic(
        packets in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), any::<bool>()), 0..20),
    ) {
        for codec in ALL {
            let mut reader = FrameReader::new(codec);
            for (payload, marker) in &packets {
                let descriptor = payload.get(payload.len() / 2..);
                let info = reader.read(payload, *marker, descriptor);
                prop_assert!(!info.key || !payload.is_empty());
            }
        }
    }
}
