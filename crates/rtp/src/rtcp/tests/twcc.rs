//! Transport-wide feedback.

use super::super::RtcpPacket;
use super::*;
use rtcp_types::prelude::*;
use rtcp_types::{Twcc, TwccPacketStatus};

fn report(statuses: &[Option<i16>]) -> TwccReport<'_> {
    TwccReport {
        sender: SENDER,
        media: MEDIA,
        base: 65530,
        reference_time: -2,
        feedback_count: 250,
        statuses,
    }
}

/// The words between header and deltas.
fn chunks(statuses: &[Option<i16>], count: usize) -> Vec<u16> {
    let bytes = written(|out| write::twcc(out, &report(statuses)));
    bytes[20..]
        .chunks(2)
        .take(count)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect()
}

#[test]
fn the_whole_packet() {
    let bytes = written(|out| write::twcc(out, &report(&[Some(1), None, Some(-4), Some(255), Some(256)])));
    #[rustfmt::skip]
    let expected = [
        0x8f, 205, 0, 6, 1, 2, 3, 4, 0xa0, 0xb0, 0xc0, 0xd0,
        0xff, 0xfa, 0, 5, 0xff, 0xff, 0xfe, 250,
        // 1, 0, 2, 1, 2 in two bits each.
        0b1101_0010, 0b0110_0000,
        1, 0xff, 0xfc, 255, 1, 0,
    ];
    assert_eq!(bytes, expected);

    let RtcpPacket::Twcc(feedback) = only(&bytes) else {
        panic!()
    };
    assert_eq!(
        (feedback.sender, feedback.media, feedback.base, feedback.count),
        (SENDER, MEDIA, 65530, 5)
    );
    assert_eq!((feedback.reference_time, feedback.feedback_count), (-2, 250));
    let read: Vec<_> = feedback.statuses().collect();
    let expected = [
        (65530, Some(1)),
        (65531, None),
        (65532, Some(-4)),
        (65533, Some(255)),
        (65534, Some(256)),
    ];
    assert_eq!(read, expected);
}

#[test]
fn padding_fills_the_last_word_and_says_so() {
    for received in 1..=8 {
        let statuses = vec![Some(3); received];
        let bytes = written(|out| write::twcc(out, &report(&statuses)));
        let content = 22 + received;
        let padding = bytes.len() - content;
        assert!(padding < 4 && bytes.len().is_multiple_of(4));
        assert_eq!(bytes[0] & 0x20 != 0, padding > 0);
        if padding > 0 {
            assert_eq!(usize::from(*bytes.last().unwrap()), padding);
        }
        let RtcpPacket::Twcc(feedback) = only(&bytes) else {
            panic!()
        };
        assert_eq!(feedback.statuses().count(), received);
    }
    assert_eq!(written(|out| write::twcc(out, &report(&[]))), []);
}

#[test]
fn chunk_choice() {
    let small = Some(1);
    let large = Some(-1);
    type Row = (Vec<Option<i16>>, &'static [u16]);
    let rows: [Row; 8] = [
        // A run that covers everything, one of 14, and the longest.
        (vec![small; 3], &[0x2003]),
        (vec![large; 20], &[0x4014]),
        ([vec![None; 8191], vec![small; 2]].concat(), &[0x1fff, 0x2002]),
        // 14 alternating statuses, and 3 more that end the list.
        ([small, None].repeat(7), &[0b1010_1010_1010_1010]),
        (
            [vec![small], vec![None; 15], vec![small]].concat(),
            &[0b1010_0000_0000_0000, 0b1000_0000_0000_0000 | 1 << 11],
        ),
        // A large delta among the next 14 makes seven of two bits.
        (
            [vec![small; 3], vec![None, large], vec![small; 9]].concat(),
            &[0b1101_0101_0010_0101, 0x2007],
        ),
        // Seven equal ones are a run even then.
        ([vec![small; 7], vec![large; 7]].concat(), &[0x2007, 0x4007]),
        (vec![small, large], &[0b1101_1000_0000_0000]),
    ];
    for (statuses, expected) in rows {
        assert_eq!(
            chunks(&statuses, expected.len()),
            expected,
            "{:?}",
            &statuses[..statuses.len().min(20)]
        );
    }
}

#[test]
fn reading_takes_any_chunks() {
    // A run longer than the count, and vectors in the middle of which the count ends.
    type Row = (u16, &'static [u8], &'static [Option<i32>]);
    let rows: [Row; 4] = [
        (2, &[0x3f, 0xff, 7, 8], &[Some(7), Some(8)]),
        (3, &[0xbf, 0xff, 1, 2, 3, 0], &[Some(1), Some(2), Some(3)]),
        (2, &[0x20, 0x01, 0x00, 0x05, 9, 0], &[Some(9), None]),
        // A run of none is allowed and stands for nothing.
        (1, &[0x20, 0x00, 0xe0, 0x00, 0x80, 0x00], &[Some(-32768)]),
    ];
    for (count, rest, expected) in rows {
        let mut bytes = vec![0x8f, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 100];
        bytes.extend(count.to_be_bytes());
        bytes.extend([0x80, 0, 0, 3]);
        bytes.extend_from_slice(rest);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes[3] = (bytes.len() / 4 - 1) as u8;
        let RtcpPacket::Twcc(feedback) = only(&bytes) else {
            panic!("{rest:02x?}")
        };
        assert_eq!(feedback.reference_time, -0x80_0000);
        assert_eq!(
            feedback.statuses().map(|(_, delta)| delta).collect::<Vec<_>>(),
            expected
        );
    }
}

#[test]
fn malformed_feedback() {
    let rows: [&[u8]; 6] = [
        // No statuses, no chunk, no delta, half a large delta, a reserved status, too short a header.
        &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 1, 0, 1, 0, 0, 0, 0],
        &[0, 1, 0, 3, 0, 0, 0, 0, 0x20, 0x03, 1, 2],
        &[0, 1, 0, 2, 0, 0, 0, 0, 0x40, 0x02, 1, 2],
        &[0, 1, 0, 1, 0, 0, 0, 0, 0x60, 0x01, 1, 2],
        &[0, 1, 0, 1],
    ];
    for information in rows {
        let mut bytes = vec![
            0x8f,
            205,
            0,
            (2 + information.len() / 4) as u8,
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            2,
        ];
        bytes.extend_from_slice(information);
        let error = packets(&bytes).next().unwrap().unwrap_err();
        assert_eq!(
            error,
            RtcpError::Content { packet_type: 205 },
            "{information:02x?}"
        );
    }
}

fn arrivals() -> impl Strategy<Value = Vec<Option<i16>>> {
    let status = prop_oneof![
        4 => (0..=255_i16).prop_map(Some),
        2 => Just(None),
        1 => any::<i16>().prop_map(Some),
    ];
    let run = (status.clone(), 1..40_usize).prop_map(|(status, count)| vec![status; count]);
    prop::collection::vec(prop_oneof![status.prop_map(|status| vec![status]), run], 1..60)
        .prop_map(|runs| runs.concat())
}

proptest! {
    #[test]
    fn any_arrivals_read_back(statuses in arrivals(), base: u16, reference in -0x80_0000..0x80_0000_i32) {
        let report = TwccReport { base, reference_time: reference, ..report(&statuses) };
        let bytes = written(|out| write::twcc(out, &report));
        let RtcpPacket::Twcc(feedback) = only(&bytes) else { panic!() };
        prop_assert_eq!((feedback.base, feedback.reference_time), (base, reference));
        let read: Vec<_> = feedback.statuses().collect();
        prop_assert_eq!(read.len(), statuses.len());
        for (index, ((number, read), written)) in read.into_iter().zip(&statuses).enumerate() {
            prop_assert_eq!(number, base.wrapping_add(index as u16));
            prop_assert_eq!(read, written.map(i32::from));
        }
    }

    #[test]
    fn agrees_with_the_oracle(statuses in arrivals(), base: u16) {
        let bytes = written(|out| write::twcc(out, &TwccReport { base, ..report(&statuses) }));
        let theirs = Twcc::parse(&bytes[12..]).unwrap();
        let read: Vec<_> = theirs.packets().map(|status| status.unwrap()).collect();
        let expected: Vec<_> = statuses
            .iter()
            .enumerate()
            .map(|(index, delta)| {
                let status = match delta {
                    Some(delta) => TwccPacketStatus::Received { delta: *delta },
                    None => TwccPacketStatus::NotReceived,
                };
                (base.wrapping_add(index as u16), status)
            })
            .collect();
        prop_assert_eq!(read, expected.clone());

        // And the other way round: their bytes, our reading.
        let list: Vec<_> = expected.iter().map(|(_, status)| *status).collect();
        let builder = Twcc::builder(base, 77, 3, &list, None);
        let feedback = rtcp_types::TransportFeedback::builder(&builder).sender_ssrc(1).media_ssrc(2);
        let mut theirs = vec![0; feedback.calculate_size().unwrap()];
        feedback.write_into(&mut theirs).unwrap();
        let RtcpPacket::Twcc(feedback) = only(&theirs) else { panic!() };
        prop_assert_eq!(feedback.reference_time, 77);
        prop_assert!(feedback.statuses().map(|(_, delta)| delta).eq(statuses.iter().map(|d| d.map(i32::from))));
    }
}
