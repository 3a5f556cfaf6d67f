use super::*;
use proptest::prelude::*;

/// The key frame descriptor of a browser's L3T3 stream: 15 templates, 9 decode targets, 3 chains, and
/// resolutions 120x67, 240x135, 480x270.
const L3T3_STRUCTURE: &str = "c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d95\
     4926e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .bytes()
        .filter_map(|b| (b as char).to_digit(16))
        .map(|d| d as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// `(start, end, number, spatial, temporal, inter_layer, inter_picture)`
type Row = (bool, bool, u16, u8, u8, bool, bool);

fn row(d: &Descriptor) -> Row {
    (
        d.start,
        d.end,
        d.frame_number,
        d.spatial,
        d.temporal,
        d.inter_layer,
        d.inter_picture,
    )
}

#[test]
fn a_captured_stream() {
    let mut reader = DescriptorReader::default();
    let key = reader.read(&bytes(L3T3_STRUCTURE)).unwrap();
    assert_eq!(row(&key), (true, true, 370, 0, 0, false, false));
    assert!(key.structure_attached && key.switch_up);
    assert_eq!(key.active_targets, Some(0x1ff));
    assert!(key.frame_info().key);

    let rows: [(&str, Row); 10] = [
        ("860173", (true, false, 371, 1, 0, true, false)),
        ("460173", (false, true, 371, 1, 0, true, false)),
        ("8b0174", (true, false, 372, 2, 0, true, false)),
        ("0b0174", (false, false, 372, 2, 0, true, false)),
        ("c30175", (true, true, 373, 0, 2, false, true)),
        // With active decode targets: the two lower spatial layers.
        ("88017640fc", (true, false, 374, 1, 2, true, true)),
        ("48017640fc", (false, true, 374, 1, 2, true, true)),
        ("c2017840fc", (true, true, 376, 0, 1, false, true)),
        ("c00179", (true, true, 377, 0, 0, false, true)),
        ("ca017a", (true, true, 378, 2, 0, true, true)),
    ];
    for (hex, expected) in rows {
        let descriptor = reader.read(&bytes(hex)).unwrap();
        assert_eq!(row(&descriptor), expected, "{hex}");
        assert!(!descriptor.structure_attached);
        let active = if hex.len() > 6 { Some(0x3f) } else { None };
        assert_eq!(descriptor.active_targets, active, "{hex}");
    }
}

#[test]
fn nothing_is_known_before_the_structure_or_of_unknown_templates() {
    let mut reader = DescriptorReader::default();
    assert_eq!(reader.read(&bytes("860173")), None);
    assert!(reader.read(&bytes(L3T3_STRUCTURE)).is_some());
    assert!(reader.read(&bytes("860173")).is_some());
    // Template 15 of 15 does not exist.
    assert_eq!(reader.read(&bytes("8f0174")), None);
    assert_eq!(reader.read(&bytes("8601")), None);
    let cut = &bytes(L3T3_STRUCTURE)[..40];
    assert_eq!(reader.read(cut), None);
    assert!(reader.read(&bytes("860173")).is_some(), "the old structure stays");
}

/// Writes what the reader reads.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    len: usize,
}

impl BitWriter {
    fn put(&mut self, value: u32, count: u32) -> &mut Self {
        for bit in (0..count).rev() {
            if self.len.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().unwrap();
            *last |= ((value >> bit & 1) as u8) << (7 - self.len % 8);
            self.len += 1;
        }
        self
    }
}

struct TemplateSpec {
    layer: (u8, u8),
    indications: &'static str,
    differences: &'static [u32],
}

fn spec(layer: (u8, u8), indications: &'static str, differences: &'static [u32]) -> TemplateSpec {
    TemplateSpec {
        layer,
        indications,
        differences,
    }
}

/// A key frame's descriptor with this structure, without chains and resolutions.
fn structure(id_offset: u32, templates: &[TemplateSpec]) -> Vec<u8> {
    let targets = templates[0].indications.len() as u32;
    let mut w = BitWriter::default();
    w.put(0b11, 2).put(id_offset, 6).put(0, 16).put(0b1_0000, 5);
    w.put(id_offset, 6).put(targets - 1, 5);
    for pair in templates.windows(2) {
        let (now, next) = (pair[0].layer, pair[1].layer);
        let code = if next.0 > now.0 {
            2
        } else {
            u32::from(next.1 > now.1)
        };
        w.put(code, 2);
    }
    w.put(3, 2);
    for template in templates {
        for indication in template.indications.chars() {
            w.put("-DSR".find(indication).unwrap() as u32, 2);
        }
    }
    for template in templates {
        for difference in template.differences {
            w.put(1, 1).put(difference - 1, 4);
        }
        w.put(0, 1);
    }
    // No chains: 0 of targets + 1 values.
    let n = targets + 1;
    w.put(0, u32::BITS - n.leading_zeros() - 1);
    w.put(0, 1);
    w.bytes
}

/// AV1 RTP specification appendix A.8.2.3, L1T3.
fn l1t3() -> Vec<u8> {
    structure(
        5,
        &[
            spec((0, 0), "SSS", &[]),
            spec((0, 0), "SSS", &[4]),
            spec((0, 1), "-DS", &[2]),
            spec((0, 2), "--D", &[1]),
            spec((0, 2), "--D", &[1]),
        ],
    )
}

fn frame(template: u8, number: u16) -> [u8; 3] {
    let [high, low] = number.to_be_bytes();
    [0xc0 | template, high, low]
}

#[test]
fn template_ids_count_from_the_offset_and_wrap() {
    for offset in [0, 5, 60, 63] {
        let mut reader = DescriptorReader::default();
        let templates = [spec((0, 0), "SS", &[]), spec((0, 1), "-D", &[1])];
        assert!(reader.read(&structure(offset, &templates)).is_some());
        let second = (offset as u8 + 1) % 64;
        assert_eq!(reader.read(&frame(second, 1)).map(|d| d.temporal), Some(1));
        assert_eq!(reader.read(&frame((second + 1) % 64, 2)), None);
    }
}

#[test]
fn temporal_layers_open_after_base_frames_and_close_once_missed() {
    let mut reader = DescriptorReader::default();
    assert!(reader.read(&l1t3()).unwrap().switch_up);
    // (template, number, switch_up): T2, T1, T2, T0 ...
    let rows = [
        (8, 1, true),
        (7, 2, true),
        // Refers to the T1 before it, which a receiver of T0 has not had.
        (9, 3, false),
        (6, 4, true),
        (8, 5, true),
        (8, 5, true),
        // The T2 of this number is known already, one of the past is not answered for.
        (8, 1, false),
        // Frame 6 is missing, so who knows.
        (9, 7, false),
        (6, 8, true),
        (8, 9, true),
    ];
    for (template, number, expected) in rows {
        let descriptor = reader.read(&frame(template, number)).unwrap();
        assert_eq!(
            descriptor.switch_up, expected,
            "template {template}, frame {number}"
        );
    }
}

#[test]
fn a_structure_whose_upper_layer_refers_to_itself_opens_only_at_key_frames() {
    let mut reader = DescriptorReader::default();
    let templates = [
        spec((0, 0), "SS", &[]),
        spec((0, 0), "SR", &[2]),
        spec((0, 1), "-R", &[1, 2]),
    ];
    assert!(reader.read(&structure(0, &templates)).is_some());
    for (template, number, expected) in [
        (2, 1, true),
        (1, 2, true),
        (2, 3, false),
        (1, 4, true),
        (2, 5, false),
    ] {
        assert_eq!(
            reader.read(&frame(template, number)).unwrap().switch_up,
            expected,
            "frame {number}"
        );
    }
}

#[test]
fn custom_fields_replace_the_templates() {
    let mut reader = DescriptorReader::default();
    assert!(reader.read(&l1t3()).is_some());
    let mut w = BitWriter::default();
    // T1 with custom indications "-SS" and custom differences 300 and 1; custom chains would follow.
    w.put(0b11, 2).put(7, 6).put(1, 16).put(0b0_0111, 5);
    w.put(0b00_10_10, 6);
    w.put(3, 2).put(299, 12).put(1, 2).put(0, 4).put(0, 2);
    let descriptor = reader.read(&w.bytes).unwrap();
    assert_eq!(
        (
            descriptor.temporal,
            descriptor.inter_picture,
            descriptor.switch_up
        ),
        (1, true, true)
    );
    assert!(!descriptor.structure_attached);
}

#[test]
fn a_new_structure_replaces_the_old_one() {
    let mut reader = DescriptorReader::default();
    assert!(reader.read(&l1t3()).is_some());
    let two = [spec((0, 0), "S", &[]), spec((1, 0), "R", &[1])];
    assert!(reader.read(&structure(20, &two)).is_some());
    assert_eq!(reader.read(&frame(6, 1)), None);
    let upper = reader.read(&frame(21, 1)).unwrap();
    assert_eq!((upper.spatial, upper.inter_layer), (1, true));
}

proptest! {
    #[test]
    fn never_panics(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..8)) {
        let mut reader = DescriptorReader::default();
        for packet in &packets {
            let _ = reader.read(packet);
        }
    }

    #[test]
    fn never_panics_behind_a_structure(flip in 0..768_usize, packet in prop::collection::vec(any::<u8>(), 0..20)) {
        let mut reader = DescriptorReader::default();
        let mut key = bytes(L3T3_STRUCTURE);
        let _ = reader.read(&key);
        if let Some(byte) = key.get_mut(flip / 8) {
            *byte ^= 1 << (flip % 8);
        }
        let _ = reader.read(&key);
        let _ = reader.read(&packet);
    }
}
