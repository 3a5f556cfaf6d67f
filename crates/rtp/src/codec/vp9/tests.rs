use super::*;

fn descriptor(payload: &[u8]) -> Descriptor {
    parse(payload).unwrap_or_else(|| panic!("{payload:02x?}"))
}

#[test]
fn descriptors() {
    // (payload, length, picture id, tl0, (temporal, up, spatial, inter layer))
    type Row = (
        &'static [u8],
        usize,
        Option<u16>,
        Option<u8>,
        Option<(u8, bool, u8, bool)>,
    );
    let rows: [Row; 8] = [
        (&[0x08, 0xff], 1, None, None, None),
        (&[0x8c, 0x05, 0xff], 2, Some(5), None, None),
        (&[0x8c, 0x85, 0x06, 0xff], 3, Some(0x506), None, None),
        // Non-flexible with layers: TL0PICIDX follows.
        (
            &[0xac, 0x80, 0x01, 0x53, 0x09, 0xff],
            5,
            Some(1),
            Some(9),
            Some((2, true, 1, true)),
        ),
        // Flexible with layers and two references.
        (
            &[0xfc, 0x80, 0x01, 0x20, 0x03, 0x04, 0xff],
            6,
            Some(1),
            None,
            Some((1, false, 0, false)),
        ),
        // Flexible, but not inter predicted: no references.
        (&[0x3c, 0x02, 0xff], 2, None, None, Some((0, false, 1, false))),
        // Scalability structure: two spatial layers with sizes, group of two pictures with one reference.
        (
            &[
                0x0a, 0x38, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 0x02, 0x00, 0x34, 0x01, 0xff,
            ],
            14,
            None,
            None,
            None,
        ),
        // The same without sizes and group.
        (&[0x0a, 0x40, 0xff], 2, None, None, None),
    ];
    for (payload, len, picture_id, tl0, layer) in rows {
        let d = descriptor(payload);
        let read = d
            .layer
            .map(|l| (l.temporal, l.switch_up, l.spatial, l.inter_layer));
        assert_eq!(
            (d.len, d.picture.picture_id, d.picture.tl0_pic_idx, read),
            (len, picture_id, tl0, layer),
            "{payload:02x?}"
        );
    }
}

#[test]
fn structures() {
    let with_group = descriptor(&[0x0a, 0x38, 1, 0x40, 0, 0xb4, 2, 0x80, 1, 0x68, 2, 0x00, 0x34, 1]);
    assert_eq!(
        with_group.structure,
        Some(Structure {
            spatial_layers: 2,
            pictures: 2
        })
    );
    let bare = descriptor(&[0x02, 0xe0]);
    assert_eq!(
        bare.structure,
        Some(Structure {
            spatial_layers: 8,
            pictures: 0
        })
    );
}

#[test]
fn descriptors_cut_short_or_impossible() {
    let rows: [&[u8]; 9] = [
        &[],
        &[0x80],
        &[0x80, 0x80],
        &[0x20],
        &[0x20, 0x00],
        // Three references and a fourth announced.
        &[0x50, 0x03, 0x03, 0x03, 0x02],
        &[0x02],
        // Sizes missing.
        &[0x02, 0x10, 0x01, 0x40],
        // References of a group missing.
        &[0x02, 0x08, 0x01, 0x0c, 0x01, 0x02],
    ];
    for payload in rows {
        assert_eq!(parse(payload), None, "{payload:02x?}");
    }
}

#[test]
fn frames() {
    // (first byte, layer byte, key, inter layer, inter picture, switch up)
    let rows = [
        // Key picture, base and upper layer.
        (0x28, 0x00, true, false, false, true),
        (0x28, 0x03, false, true, false, false),
        // An upper layer of its own, as in simulcast modes.
        (0x28, 0x02, true, false, false, true),
        // A later packet of the key frame.
        (0x20, 0x00, false, false, false, true),
        // Inter pictures.
        (0x68, 0x00, false, false, true, false),
        (0x68, 0x33, false, true, true, true),
    ];
    for (first, layer, key, inter_layer, inter_picture, switch_up) in rows {
        let info = descriptor(&[first, layer, 0, 0xff]).frame_info();
        assert_eq!(
            (info.key, info.inter_layer, info.inter_picture, info.switch_up),
            (key, inter_layer, inter_picture, switch_up),
            "{first:02x} {layer:02x}"
        );
        assert_eq!(info.start, first & 0x08 != 0);
    }
    assert!(descriptor(&[0x04]).end && descriptor(&[0x01]).not_reference);
}

#[test]
fn patching_keeps_the_size() {
    let rows: [(&[u8], &[u8], bool); 4] = [
        (&[0x8c, 0x05, 0xff], &[0x8c, 0x34, 0xff], true),
        (&[0x8c, 0x85, 0x06, 0xff], &[0x8c, 0x92, 0x34, 0xff], true),
        (
            &[0xac, 0x80, 0x01, 0x53, 0x09, 0xff],
            &[0xac, 0x92, 0x34, 0x53, 0x56, 0xff],
            true,
        ),
        (&[0x08, 0xff], &[0x08, 0xff], false),
    ];
    for (before, after, patched) in rows {
        let mut payload = before.to_vec();
        let fields = parse(before).expect("a whole descriptor").fields;
        assert_eq!(fields.write(&mut payload, 0x1234, 0x56), patched, "{before:02x?}");
        assert_eq!(payload, after);
    }
}
