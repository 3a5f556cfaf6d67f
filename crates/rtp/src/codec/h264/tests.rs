use super::*;

const SPS: &[u8] = &[0x67, 0x42, 0xe0, 0x1f];
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
const SEI_UNIT: &[u8] = &[0x06, 0x05, 0x01, 0x00];
const DELIMITER: &[u8] = &[0x09, 0xf0];
const IDR: &[u8] = &[0x65, 0x88, 0x84];
const IDR_SECOND_SLICE: &[u8] = &[0x65, 0x40, 0x84];
const INTER: &[u8] = &[0x41, 0x9a, 0x00];
const INTER_SECOND_SLICE: &[u8] = &[0x41, 0x5a, 0x00];
const IDR_FIRST_FRAGMENT: &[u8] = &[0x7c, 0x85, 0x88, 0x84];
const IDR_NEXT_FRAGMENT: &[u8] = &[0x7c, 0x05, 0x88, 0x84];
const IDR_LAST_FRAGMENT: &[u8] = &[0x7c, 0x45, 0x88, 0x84];
const INTER_FIRST_FRAGMENT: &[u8] = &[0x5c, 0x81, 0x9a, 0x00];

fn aggregate(units: &[&[u8]]) -> Vec<u8> {
    let mut payload = vec![0x78];
    for unit in units {
        payload.extend((unit.len() as u16).to_be_bytes());
        payload.extend_from_slice(unit);
    }
    payload
}

fn contents(
    sequence_parameters: bool,
    idr_start: bool,
    picture_start: bool,
    slice: bool,
    prefix: bool,
) -> Contents {
    Contents {
        sequence_parameters,
        idr_start,
        picture_start,
        slice,
        prefix,
    }
}

#[test]
fn payloads() {
    let parameters = aggregate(&[SPS, PPS]);
    let whole = aggregate(&[SPS, PPS, IDR]);
    let delimited = aggregate(&[DELIMITER, INTER]);
    let rows: [(&[u8], Contents); 13] = [
        (SPS, contents(true, false, false, false, true)),
        (PPS, contents(false, false, false, false, true)),
        (SEI_UNIT, contents(false, false, false, false, true)),
        (IDR, contents(false, true, true, true, false)),
        (IDR_SECOND_SLICE, contents(false, false, false, true, false)),
        (INTER, contents(false, false, true, true, false)),
        (INTER_SECOND_SLICE, contents(false, false, false, true, false)),
        (&parameters, contents(true, false, false, false, true)),
        (&whole, contents(true, true, true, true, true)),
        (&delimited, contents(false, false, true, true, true)),
        (IDR_FIRST_FRAGMENT, contents(false, true, true, true, false)),
        (IDR_NEXT_FRAGMENT, contents(false, false, false, true, false)),
        (INTER_FIRST_FRAGMENT, contents(false, false, true, true, false)),
    ];
    for (payload, expected) in rows {
        assert_eq!(parse(payload), Some(expected), "{payload:02x?}");
    }
}

#[test]
fn malformed_payloads() {
    let rows: [&[u8]; 7] = [
        &[],
        // Type 0 and an interleaved mode's STAP-B.
        &[0x60, 0x00],
        &[0x79, 0x00],
        // STAP-A whose unit is longer than the payload, or empty.
        &[0x78, 0x00, 0x05, 0x67],
        &[0x78, 0x00, 0x00],
        // FU-A without its header, and FU-B.
        &[0x7c],
        &[0x7d, 0x85],
    ];
    for payload in rows {
        assert_eq!(parse(payload), None, "{payload:02x?}");
    }
}

/// Runs packets `(payload, marker)` and lists `(start, key)`.
fn walk(packets: &[(&[u8], bool)]) -> Vec<(bool, bool)> {
    let mut units = AccessUnits::default();
    let mut first = true;
    let mut answers = Vec::new();
    for (payload, marker) in packets {
        let info = units.read(payload, first).unwrap();
        answers.push((info.start, info.key));
        first = *marker;
    }
    answers
}

#[test]
fn the_first_packet_of_a_key_picture_is_the_key() {
    let parameters = aggregate(&[SPS, PPS]);
    let with_sei = aggregate(&[SEI_UNIT, SPS, PPS]);
    type Case<'a> = (&'static str, Vec<(&'a [u8], bool)>, Vec<(bool, bool)>);
    let cases: [Case<'_>; 4] = [
        (
            "parameter sets aggregated, picture fragmented, then an inter picture",
            vec![
                (&parameters, false),
                (IDR_FIRST_FRAGMENT, false),
                (IDR_NEXT_FRAGMENT, false),
                (IDR_LAST_FRAGMENT, true),
                (INTER, true),
            ],
            vec![
                (true, true),
                (false, false),
                (false, false),
                (false, false),
                (true, false),
            ],
        ),
        (
            "everything apart",
            vec![
                (DELIMITER, false),
                (SPS, false),
                (PPS, false),
                (IDR, false),
                (IDR_SECOND_SLICE, true),
            ],
            vec![
                (true, false),
                (false, true),
                (false, false),
                (false, false),
                (false, false),
            ],
        ),
        (
            "no parameter sets in band",
            vec![(IDR_FIRST_FRAGMENT, false), (IDR_LAST_FRAGMENT, true)],
            vec![(true, true), (false, false)],
        ),
        (
            "information in front",
            vec![(&with_sei, false), (IDR, true)],
            vec![(true, true), (false, false)],
        ),
    ];
    for (name, packets, expected) in cases {
        assert_eq!(walk(&packets), expected, "{name}");
    }
}

#[test]
fn a_lost_marker_does_not_hide_the_next_picture() {
    let parameters = aggregate(&[SPS, PPS]);
    let answers = walk(&[
        (INTER, false),
        (INTER_SECOND_SLICE, false),
        // Its last packet is lost.
        (INTER, false),
        (&parameters, false),
        (IDR, true),
    ]);
    assert_eq!(
        answers,
        [
            (true, false),
            (false, false),
            (true, false),
            (true, true),
            (false, false)
        ]
    );
}
