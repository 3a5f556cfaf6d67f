use super::*;
use crate::RtpView;
use proptest::prelude::*;

fn block(profile: u16, data: &[u8]) -> ExtBlock<'_> {
    ExtBlock {
        profile,
        data,
        data_offset: 16,
    }
}

fn packet(profile: u16, data: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.extend(profile.to_be_bytes());
    packet.extend((data.len() as u16 / 4).to_be_bytes());
    packet.extend_from_slice(data);
    packet.extend_from_slice(b"payload");
    packet
}

#[test]
fn uris_go_both_ways() {
    for kind in ExtKind::ALL {
        assert_eq!(ExtKind::from_uri(kind.uri()), Some(kind));
    }
    assert_eq!(ExtKind::from_uri("urn:ietf:params:rtp-hdrext:toffset"), None);
}

#[test]
fn an_identifier_means_one_thing() {
    let mut map = ExtMap::new();
    assert_eq!(
        (map.id(ExtKind::Mid), map.kind(0), map.kind(1)),
        (None, None, None)
    );
    map.set(ExtKind::Mid, 1);
    map.set(ExtKind::Rid, 200);
    assert_eq!(
        (map.id(ExtKind::Mid), map.kind(200)),
        (Some(1), Some(ExtKind::Rid))
    );
    map.set(ExtKind::AudioLevel, 1);
    assert_eq!(
        (map.id(ExtKind::Mid), map.kind(1)),
        (None, Some(ExtKind::AudioLevel))
    );
    map.set(ExtKind::Rid, 0);
    assert_eq!((map.id(ExtKind::Rid), map.kind(200)), (None, None));
}

#[test]
fn walks() {
    type Row = (u16, &'static [u8], &'static [(u8, &'static [u8])]);
    let rows: [Row; 14] = [
        // RFC 8285 §4.2, the example of three elements with padding in the middle.
        (
            0xbede,
            &[0x10, 0xaa, 0x21, 0xbb, 0xbb, 0, 0, 0x33, 1, 2, 3, 4],
            &[(1, &[0xaa]), (2, &[0xbb, 0xbb]), (3, &[1, 2, 3, 4])],
        ),
        // RFC 8285 §4.3, the same in two bytes, with an empty element.
        (
            0x1000,
            &[1, 0, 2, 1, 0xbb, 0, 3, 4, 1, 2, 3, 4],
            &[(1, &[]), (2, &[0xbb]), (3, &[1, 2, 3, 4])],
        ),
        (0x100f, &[0xff, 1, 7, 0], &[(0xff, &[7])]),
        // Two-byte blocks know nothing special about 15.
        (0x1000, &[15, 1, 7, 0], &[(15, &[7])]),
        (0xbede, &[], &[]),
        (0xbede, &[0, 0, 0, 0], &[]),
        // 15 ends the walk, as does padding with a length.
        (0xbede, &[0x10, 7, 0xf0, 1, 0x20, 8, 0, 0], &[(1, &[7])]),
        (0xbede, &[0x10, 7, 0x01, 1, 0x20, 8, 0, 0], &[(1, &[7])]),
        // Elements past the end.
        (0xbede, &[0x10, 7, 0x22, 1], &[(1, &[7])]),
        (0xbede, &[0, 0, 0, 0x10], &[]),
        (0x1000, &[1, 1, 7, 2], &[(1, &[7])]),
        (0x1000, &[1, 1, 7, 0, 2, 200, 0, 0], &[(1, &[7])]),
        // Profiles that mean nothing here.
        (0x0000, &[0x10, 7, 0, 0], &[]),
        (0x1010, &[1, 1, 7, 0], &[]),
    ];
    for (profile, data, expected) in rows {
        let elements: Vec<_> = block(profile, data).elements().collect();
        assert_eq!(elements, expected, "{profile:04x} {data:02x?}");
        let mut elements = block(profile, data).elements();
        for (id, element) in expected {
            let (read, range) = elements.next_range().unwrap();
            assert_eq!((read, &data[range.start - 16..range.end - 16]), (*id, *element));
        }
        assert_eq!(elements.next_range(), None);
        assert_eq!(elements.next(), None, "an ended walk stays ended");
    }
}

fn map() -> ExtMap {
    let mut map = ExtMap::new();
    for (id, kind) in (1..).zip(ExtKind::ALL) {
        map.set(kind, id);
    }
    map
}

#[test]
fn values() {
    let data = [
        0x11, b'v', b'0', // mid
        0x20, b'h', // rid
        0x30, b'q', // repaired rid
        0x42, 1, 2, 3, // abs send time
        0x51, 0xab, 0xcd, // transport sequence
        0x60, 0x85, // audio level
        0x70, 0x03, // orientation
        0x82, 0xc0, 0x00, 0x01, // dependency descriptor
        0xc0, 0xff, // unknown
        0, 0, 0,
    ];
    let bytes = packet(0xbede, &data);
    let values = map().read(&RtpView::parse(&bytes).unwrap());
    let descriptor = values.dependency_descriptor.clone().unwrap();
    assert_eq!(bytes[descriptor.clone()], [0xc0, 0x00, 0x01]);
    let expected = HeaderExtensions {
        mid: Mid::new(b"v0"),
        rid: Rid::new(b"h"),
        repaired_rid: Rid::new(b"q"),
        abs_send_time: Some(0x01_0203),
        transport_sequence: Some(0xabcd),
        audio_level: Some(AudioLevel {
            voice: true,
            level: 5,
        }),
        video_orientation: Some(3),
        dependency_descriptor: Some(descriptor),
    };
    assert_eq!(values, expected);

    let bare = [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    assert_eq!(
        map().read(&RtpView::parse(&bare).unwrap()),
        HeaderExtensions::default()
    );
    let nothing_negotiated = ExtMap::new().read(&RtpView::parse(&bytes).unwrap());
    assert_eq!(nothing_negotiated, HeaderExtensions::default());
}

#[test]
fn values_of_the_wrong_size_are_left_out() {
    let data = [
        4, 2, 1, 2, 5, 1, 9, 6, 0, 7, 2, 1, 1, 8, 2, 1, 1, 1, 1, b' ', 0, 0, 0, 0,
    ];
    let bytes = packet(0x1000, &data);
    assert_eq!(
        map().read(&RtpView::parse(&bytes).unwrap()),
        HeaderExtensions::default()
    );
}

#[test]
fn transport_sequence_version_two_and_padded_audio_level() {
    let bytes = packet(0x1000, &[5, 4, 0x12, 0x34, 0xff, 0xff, 6, 2, 0x7f, 0, 0, 0]);
    let values = map().read(&RtpView::parse(&bytes).unwrap());
    assert_eq!(values.transport_sequence, Some(0x1234));
    assert_eq!(
        values.audio_level,
        Some(AudioLevel {
            voice: false,
            level: 127
        })
    );
}

#[test]
fn audio_level_bytes() {
    for byte in 0..=255 {
        assert_eq!(AudioLevel::from_byte(byte).to_byte(), byte);
    }
}

#[test]
fn writes_the_examples() {
    let mut buffer = [0xff; 32];
    let mut writer = ExtWriter::new(&mut buffer, Form::OneByte);
    assert!(writer.is_empty());
    assert_eq!(writer.push(1, &[0xaa]), Ok(5));
    assert_eq!(writer.push(2, &[0xbb, 0xbb]), Ok(7));
    assert!(!writer.is_empty());
    assert_eq!(writer.finish(), 12);
    assert_eq!(
        buffer[..13],
        [0xbe, 0xde, 0, 2, 0x10, 0xaa, 0x21, 0xbb, 0xbb, 0, 0, 0, 0xff]
    );

    let mut writer = ExtWriter::new(&mut buffer, Form::TwoByte);
    assert_eq!(writer.push(200, &[]), Ok(6));
    assert_eq!(writer.push(1, &[7; 17]), Ok(8));
    assert_eq!(writer.finish(), 28);
    assert_eq!(buffer[..9], [0x10, 0x00, 0, 6, 200, 0, 1, 17, 7]);

    assert_eq!(ExtWriter::new(&mut buffer, Form::OneByte).finish(), 4);
    assert_eq!(buffer[..4], [0xbe, 0xde, 0, 0]);
}

#[test]
fn refuses_what_the_form_or_the_room_does_not_allow() {
    let mut buffer = [0; 15];
    let mut writer = ExtWriter::new(&mut buffer, Form::OneByte);
    for (id, data) in [(0, &[1][..]), (15, &[1]), (1, &[]), (1, &[0; 17])] {
        assert_eq!(writer.push(id, data), Err(ExtFull), "{id}");
    }
    // Of 15 bytes 12 are whole words, 8 of them behind the block header.
    assert_eq!(writer.push(1, &[1; 8]), Err(ExtFull));
    assert_eq!(writer.push(1, &[1; 5]), Ok(5));
    assert_eq!(writer.push(2, &[2]), Ok(11));
    assert_eq!(writer.push(3, &[3]), Err(ExtFull));
    assert_eq!(writer.finish(), 12);

    let mut writer = ExtWriter::new(&mut buffer, Form::TwoByte);
    assert_eq!(writer.push(0, &[1]), Err(ExtFull));
    let mut tiny = [0; 3];
    let mut writer = ExtWriter::new(&mut tiny, Form::OneByte);
    assert_eq!(writer.push(1, &[1]), Err(ExtFull));
    assert_eq!(writer.finish(), 0);
}

/// A second, plain implementation of RFC 8285 to compare with.
fn reference_walk(profile: u16, data: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = data.to_vec();
    let two = profile & 0xfff0 == 0x1000;
    if !two && profile != 0xbede {
        return found;
    }
    while !rest.is_empty() {
        if rest[0] == 0 {
            rest.remove(0);
            continue;
        }
        let (id, header, len) = if two {
            if rest.len() < 2 {
                break;
            }
            (rest[0], 2, usize::from(rest[1]))
        } else {
            (rest[0] >> 4, 1, usize::from(rest[0] % 16) + 1)
        };
        if rest.len() < header + len || (!two && (id == 0 || id == 15)) {
            break;
        }
        found.push((id, rest[header..header + len].to_vec()));
        rest.drain(..header + len);
    }
    found
}

proptest! {
    #[test]
    fn the_walk_equals_the_reference(
        profile in prop_oneof![Just(0xbede_u16), 0x1000..0x1010_u16, any::<u16>()],
        data in prop::collection::vec(prop_oneof![any::<u8>(), 0..4_u8], 0..60),
    ) {
        let walked: Vec<_> = block(profile, &data).elements().map(|(id, data)| (id, data.to_vec())).collect();
        prop_assert_eq!(walked, reference_walk(profile, &data));
    }

    #[test]
    fn what_is_written_is_read(
        two: bool,
        elements in prop::collection::vec((1..=14_u8, prop::collection::vec(any::<u8>(), 1..=16)), 0..8),
        room in 0..160_usize,
    ) {
        let form = if two { Form::TwoByte } else { Form::OneByte };
        let mut buffer = vec![0xff; room];
        let mut writer = ExtWriter::new(&mut buffer, form);
        let mut written = Vec::new();
        for (id, data) in &elements {
            if let Ok(offset) = writer.push(*id, data) {
                written.push((*id, data.as_slice(), offset));
            }
        }
        let len = writer.finish();
        prop_assert!(len <= room && len.is_multiple_of(4));
        prop_assert!(buffer[len..].iter().all(|&byte| byte == 0xff));
        if len > 0 {
            let block = ExtBlock {
                profile: u16::from_be_bytes([buffer[0], buffer[1]]), data: &buffer[4..len], data_offset: 4,
            };
            prop_assert_eq!(block.form(), Some(form));
            prop_assert_eq!(usize::from(buffer[2]) << 8 | usize::from(buffer[3]), len / 4 - 1);
            let read: Vec<_> = block.elements().collect();
            let expected: Vec<_> = written.iter().map(|&(id, data, _)| (id, data)).collect();
            prop_assert_eq!(read, expected);
            for (_, data, offset) in written {
                prop_assert_eq!(&buffer[offset..offset + data.len()], data);
            }
        }
    }
}
