use super::*;
use proptest::prelude::*;

fn ids(picture_id: Option<u16>, long: bool, tl0_pic_idx: Option<u8>) -> PictureIds {
    PictureIds {
        picture_id,
        long,
        tl0_pic_idx,
    }
}

/// `(payload, length, key, start, picture, temporal, layer_sync, key_index)`
type Row = (
    &'static [u8],
    usize,
    bool,
    bool,
    PictureIds,
    Option<u8>,
    bool,
    Option<u8>,
);

#[test]
fn descriptors() {
    let rows: [Row; 10] = [
        // Only the mandatory byte, first packet of a key frame and of another.
        (
            &[0x10, 0x00],
            1,
            true,
            true,
            ids(None, false, None),
            None,
            false,
            None,
        ),
        (
            &[0x10, 0x01],
            1,
            false,
            true,
            ids(None, false, None),
            None,
            false,
            None,
        ),
        // A later packet whose payload looks like a key frame's.
        (
            &[0x00, 0x00],
            1,
            false,
            false,
            ids(None, false, None),
            None,
            false,
            None,
        ),
        // Start of a later partition.
        (
            &[0x11, 0x00],
            1,
            false,
            false,
            ids(None, false, None),
            None,
            false,
            None,
        ),
        // Picture id of 7 and of 15 bits.
        (
            &[0x90, 0x80, 0x11, 0x01],
            3,
            false,
            true,
            ids(Some(17), false, None),
            None,
            false,
            None,
        ),
        (
            &[0x90, 0x80, 0x91, 0x02, 0x00],
            4,
            true,
            true,
            ids(Some(0x1102), true, None),
            None,
            false,
            None,
        ),
        // Everything, as browsers send it.
        (
            &[0x90, 0xe0, 0x80, 0x2a, 0x07, 0xa0, 0x01],
            6,
            false,
            true,
            ids(Some(42), true, Some(7)),
            Some(2),
            true,
            None,
        ),
        // Key index without temporal layer, and with.
        (
            &[0x80, 0x10, 0xff],
            3,
            false,
            false,
            ids(None, false, None),
            None,
            false,
            Some(31),
        ),
        (
            &[0x80, 0x30, 0x45],
            3,
            false,
            false,
            ids(None, false, None),
            Some(1),
            false,
            Some(5),
        ),
        // TL0PICIDX alone.
        (
            &[0x80, 0x40, 0xfe],
            3,
            false,
            false,
            ids(None, false, Some(0xfe)),
            None,
            false,
            None,
        ),
    ];
    for (payload, len, key, start, picture, temporal, layer_sync, key_index) in rows {
        let d = parse(payload).unwrap();
        assert_eq!(
            (
                d.len,
                d.key,
                d.is_frame_start(),
                d.picture,
                d.temporal,
                d.layer_sync,
                d.key_index
            ),
            (len, key, start, picture, temporal, layer_sync, key_index),
            "{payload:02x?}"
        );
    }
}

#[test]
fn descriptors_cut_short() {
    let rows: [&[u8]; 6] = [
        &[],
        &[0x80],
        &[0x80, 0x80],
        &[0x80, 0x80, 0x80],
        &[0x80, 0x40],
        &[0x80, 0x20],
    ];
    for payload in rows {
        assert_eq!(parse(payload), None, "{payload:02x?}");
    }
}

#[test]
fn non_reference_and_partition() {
    let d = parse(&[0x35, 0x00]).unwrap();
    assert!(d.non_reference && d.partition_start);
    assert_eq!(d.partition, 5);
}

#[test]
fn patching_keeps_the_size() {
    let rows: [(&[u8], &[u8], bool); 5] = [
        (&[0x90, 0x80, 0x11, 0x01], &[0x90, 0x80, 0x34, 0x01], true),
        (
            &[0x90, 0x80, 0x91, 0x02, 0x00],
            &[0x90, 0x80, 0x92, 0x34, 0x00],
            true,
        ),
        (
            &[0x90, 0xe0, 0x80, 0x2a, 0x07, 0xa0, 0x01],
            &[0x90, 0xe0, 0x92, 0x34, 0x56, 0xa0, 0x01],
            true,
        ),
        (&[0x80, 0x40, 0xfe], &[0x80, 0x40, 0x56], false),
        (&[0x10, 0x00], &[0x10, 0x00], false),
    ];
    for (before, after, patched) in rows {
        let mut payload = before.to_vec();
        let fields = parse(before).expect("a whole descriptor").fields;
        assert_eq!(fields.write(&mut payload, 0x1234, 0x56), patched, "{before:02x?}");
        assert_eq!(payload, after);
    }
    let fields = parse(&[0x90, 0x80, 0x91, 0x02, 0x00]).expect("whole").fields;
    assert!(!fields.write(&mut [0x80, 0x80], 1, 1), "a shorter payload");
}

proptest! {
    #[test]
    fn every_combination_reads_back(
        start: bool, non_reference: bool, partition in 0..8_u8,
        id in prop::option::of((0..0x8000_u16, any::<bool>())),
        tl0 in prop::option::of(any::<u8>()),
        temporal in prop::option::of((0..4_u8, any::<bool>())),
        key_index in prop::option::of(0..32_u8),
        body in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let mut payload = vec![0x80 | u8::from(non_reference) << 5 | u8::from(start) << 4 | partition];
        let bits = [id.is_some(), tl0.is_some(), temporal.is_some(), key_index.is_some()];
        payload.push(bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit)) << 4);
        let id = id.map(|(id, long)| if long { (id, true) } else { (id & 0x7f, false) });
        match id {
            Some((id, true)) => payload.extend((id | 0x8000).to_be_bytes()),
            Some((id, false)) => payload.push(id as u8),
            None => {}
        }
        payload.extend(tl0);
        if temporal.is_some() || key_index.is_some() {
            let (layer, sync) = temporal.unwrap_or_default();
            payload.push(layer << 6 | u8::from(sync) << 5 | key_index.unwrap_or_default());
        }
        let len = payload.len();
        payload.extend(&body);

        let d = parse(&payload).unwrap();
        prop_assert_eq!(d.len, len);
        prop_assert_eq!(d.picture, ids(id.map(|(id, _)| id), id.is_some_and(|(_, long)| long), tl0));
        prop_assert_eq!(d.temporal, temporal.map(|(layer, _)| layer));
        prop_assert_eq!(d.layer_sync, temporal.is_some_and(|(_, sync)| sync));
        prop_assert_eq!(d.key_index, key_index);
        let key = start && partition == 0 && body.first().is_some_and(|byte| byte & 1 == 0);
        prop_assert_eq!(d.key, key);
    }
}
