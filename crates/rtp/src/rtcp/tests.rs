mod oracle;
mod twcc;

use super::*;
use proptest::prelude::*;

const SENDER: Ssrc = Ssrc(0x0102_0304);
const MEDIA: Ssrc = Ssrc(0xa0b0_c0d0);

fn only(bytes: &[u8]) -> RtcpPacket<'_> {
    let mut packets = packets(bytes);
    let packet = packets.next().expect("a packet").expect("a valid one");
    assert!(packets.next().is_none(), "only one packet");
    packet
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    // Something in front, because writers append.
    let mut out = vec![0xee; 3];
    write(&mut out);
    assert_eq!(out[..3], [0xee; 3]);
    out.split_off(3)
}

fn block(n: u32) -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(n),
        fraction_lost: n as u8,
        cumulative_lost: n as i32 - 5,
        highest_sequence: 0x1_0000 + n,
        jitter: 3 * n,
        last_sr: 0x1122_3344,
        delay_since_last_sr: 65536,
    }
}

#[test]
fn sender_report() {
    let info = SenderInfo {
        ssrc: SENDER,
        ntp: NtpTime(0x0102_0304_0506_0708),
        rtp_time: 0x1112_1314,
        packet_count: 0x21,
        octet_count: 0x31,
    };
    let bytes = written(|out| write::sender_report(out, &info, &[block(2)]));
    #[rustfmt::skip]
    let expected = [
        0x81, 200, 0, 12, 1, 2, 3, 4,
        1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0, 0, 0, 0x21, 0, 0, 0, 0x31,
        0, 0, 0, 2, 2, 0xff, 0xff, 0xfd, 0, 1, 0, 2, 0, 0, 0, 6, 0x11, 0x22, 0x33, 0x44, 0, 1, 0, 0,
    ];
    assert_eq!(bytes, expected);
    let RtcpPacket::SenderReport(report) = only(&bytes) else {
        panic!()
    };
    let read = (
        report.ssrc,
        report.ntp,
        report.rtp_time,
        report.packet_count,
        report.octet_count,
    );
    assert_eq!(
        read,
        (
            info.ssrc,
            info.ntp,
            info.rtp_time,
            info.packet_count,
            info.octet_count
        )
    );
    assert_eq!(report.blocks().collect::<Vec<_>>(), [block(2)]);
    assert_eq!(report.ntp.middle(), 0x0304_0506);
}

#[test]
fn reports_go_on_in_further_packets() {
    let blocks: Vec<_> = (0..70).map(block).collect();
    let bytes = written(|out| write::receiver_report(out, SENDER, &blocks));
    let mut read = Vec::new();
    let mut counts = Vec::new();
    for packet in packets(&bytes) {
        let Ok(RtcpPacket::ReceiverReport(report)) = packet else {
            panic!()
        };
        assert_eq!(report.ssrc, SENDER);
        counts.push(report.blocks().count());
        read.extend(report.blocks());
    }
    assert_eq!((read, counts), (blocks.clone(), vec![31, 31, 8]));

    assert_eq!(
        written(|out| write::receiver_report(out, SENDER, &[])),
        [0x80, 201, 0, 1, 1, 2, 3, 4]
    );

    let info = SenderInfo {
        ssrc: SENDER,
        ntp: NtpTime(0),
        rtp_time: 0,
        packet_count: 0,
        octet_count: 0,
    };
    let bytes = written(|out| write::sender_report(out, &info, &blocks));
    let kinds: Vec<u8> = split(&bytes).iter().map(|packet| packet[1]).collect();
    assert_eq!(kinds, [200, 201, 201]);
}

/// The packets of a compound as bytes.
fn split(compound: &[u8]) -> Vec<&[u8]> {
    let mut rest = compound;
    let mut found = Vec::new();
    while let [_, _, high, low, ..] = rest {
        let (packet, tail) = rest.split_at((usize::from(u16::from_be_bytes([*high, *low])) + 1) * 4);
        found.push(packet);
        rest = tail;
    }
    found
}

#[test]
fn cumulative_loss_is_clamped_to_24_bits() {
    for (lost, expected) in [
        (i32::MAX, 0x7f_ffff),
        (i32::MIN, -0x80_0000),
        (-1, -1),
        (0x7f_ffff, 0x7f_ffff),
    ] {
        let bytes = written(|out| {
            write::receiver_report(
                out,
                SENDER,
                &[ReportBlock {
                    cumulative_lost: lost,
                    ..block(1)
                }],
            )
        });
        let RtcpPacket::ReceiverReport(report) = only(&bytes) else {
            panic!()
        };
        assert_eq!(report.blocks().next().unwrap().cumulative_lost, expected);
    }
}

#[test]
fn source_description() {
    let rows: [(&str, usize); 5] = [("", 12), ("a", 12), ("ab", 16), ("abcdef", 20), ("abcde", 16)];
    for (cname, len) in rows {
        let bytes = written(|out| write::sdes_cname(out, SENDER, cname));
        assert_eq!(bytes.len(), len, "{cname:?}");
        let RtcpPacket::Sdes(sdes) = only(&bytes) else {
            panic!()
        };
        assert_eq!(sdes.cnames().collect::<Vec<_>>(), [(SENDER, cname.as_bytes())]);
    }
    let long = "x".repeat(300);
    let bytes = written(|out| write::sdes_cname(out, SENDER, &long));
    let RtcpPacket::Sdes(sdes) = only(&bytes) else {
        panic!()
    };
    assert_eq!(sdes.cnames().next().unwrap().1.len(), 255);

    // Two chunks, a note before the name in the first, no name in the second.
    #[rustfmt::skip]
    let bytes = [
        0x82, 202, 0, 5, 0, 0, 0, 1, 7, 1, b'n', 1, 2, b'm', b'e', 0, 0, 0, 0, 2, 0, 0, 0, 0,
    ];
    let RtcpPacket::Sdes(sdes) = only(&bytes) else {
        panic!()
    };
    assert_eq!(sdes.cnames().collect::<Vec<_>>(), [(Ssrc(1), b"me".as_slice())]);
}

#[test]
fn goodbye() {
    let ssrcs = [SENDER, MEDIA];
    let bytes = written(|out| write::bye(out, &ssrcs));
    assert_eq!(bytes, [0x82, 203, 0, 2, 1, 2, 3, 4, 0xa0, 0xb0, 0xc0, 0xd0]);
    let RtcpPacket::Bye(bye) = only(&bytes) else {
        panic!()
    };
    assert_eq!(
        (bye.ssrcs().collect::<Vec<_>>(), bye.reason()),
        (ssrcs.to_vec(), None)
    );
    assert_eq!(written(|out| write::bye(out, &[])), []);

    let RtcpPacket::Bye(bye) = only(&[0x81, 203, 0, 2, 0, 0, 0, 9, 2, b'o', b'k', 0]) else {
        panic!()
    };
    assert_eq!(
        (bye.ssrcs().next(), bye.reason()),
        (Some(Ssrc(9)), Some(b"ok".as_slice()))
    );
}

#[test]
fn nack() {
    // (lost, entries on the wire)
    type Row = (&'static [u16], &'static [(u16, u16)]);
    let rows: [Row; 6] = [
        (&[5], &[(5, 0)]),
        (&[5, 6, 21], &[(5, 0x8001)]),
        (&[5, 22], &[(5, 0), (22, 0)]),
        (&[65534, 65535, 0, 14], &[(65534, 0x8003)]),
        (&[5, 5, 6], &[(5, 1)]),
        (&[9, 8], &[(9, 0), (8, 0)]),
    ];
    for (lost, entries) in rows {
        let bytes = written(|out| write::nack(out, SENDER, MEDIA, lost));
        let wire: Vec<_> = bytes[12..]
            .chunks(4)
            .map(|e| (u16::from_be_bytes([e[0], e[1]]), u16::from_be_bytes([e[2], e[3]])))
            .collect();
        assert_eq!(wire, entries);
        let RtcpPacket::Nack(nack) = only(&bytes) else {
            panic!()
        };
        assert_eq!((nack.sender, nack.media), (SENDER, MEDIA));
        let mut unique = lost.to_vec();
        unique.dedup();
        assert_eq!(nack.lost().collect::<Vec<_>>(), unique);
    }
    assert_eq!(written(|out| write::nack(out, SENDER, MEDIA, &[])), []);

    let scattered: Vec<u16> = (0..600).map(|n| n * 100).collect();
    let bytes = written(|out| write::nack(out, SENDER, MEDIA, &scattered));
    assert!(
        split(&bytes).iter().all(|packet| packet.len() <= 1100),
        "no packet beyond an MTU"
    );
    let read: Vec<u16> = packets(&bytes)
        .flat_map(|packet| {
            let Ok(RtcpPacket::Nack(nack)) = packet else {
                panic!()
            };
            nack.lost()
        })
        .collect();
    assert_eq!(read, scattered);
}

#[test]
fn key_frame_requests() {
    let bytes = written(|out| write::pli(out, SENDER, MEDIA));
    assert_eq!(bytes, [0x81, 206, 0, 2, 1, 2, 3, 4, 0xa0, 0xb0, 0xc0, 0xd0]);
    assert!(matches!(
        only(&bytes),
        RtcpPacket::Pli {
            sender: SENDER,
            media: MEDIA
        }
    ));

    let bytes = written(|out| write::fir(out, SENDER, MEDIA, 7));
    assert_eq!(
        bytes,
        [
            0x84, 206, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0, 0xa0, 0xb0, 0xc0, 0xd0, 7, 0, 0, 0
        ]
    );
    let RtcpPacket::Fir(fir) = only(&bytes) else {
        panic!()
    };
    assert_eq!(
        (fir.sender, fir.entries().collect::<Vec<_>>()),
        (SENDER, vec![(MEDIA, 7)])
    );
}

#[test]
fn receiver_estimated_maximum_bitrate() {
    // (asked, read): 18 significant bits.
    let rows = [
        (0, 0),
        (1, 1),
        (0x3_ffff, 0x3_ffff),
        (0x4_0001, 0x4_0000),
        (1_000_000, 1_000_000),
        (8_927_168, 8_927_168),
        (u64::MAX, 0x3_ffff << 46),
    ];
    for (bitrate, expected) in rows {
        let bytes = written(|out| write::remb(out, SENDER, bitrate, &[MEDIA, Ssrc(1)]));
        let RtcpPacket::Remb(remb) = only(&bytes) else {
            panic!()
        };
        assert_eq!((remb.sender, remb.bitrate), (SENDER, expected));
        assert_eq!(remb.ssrcs().collect::<Vec<_>>(), [MEDIA, Ssrc(1)]);
    }
    // Exponent 63 with a mantissa of two bits is more than 64 bits hold; with one bit it just fits.
    let mut bytes = written(|out| write::remb(out, SENDER, 0, &[]));
    for (mantissa, expected) in [(3, u64::MAX), (1, 1 << 63), (0, 0)] {
        bytes[17..20].copy_from_slice(&[0xfc, 0, mantissa]);
        let RtcpPacket::Remb(remb) = only(&bytes) else {
            panic!()
        };
        assert_eq!(remb.bitrate, expected);
    }
}

#[test]
fn extended_reports() {
    let bytes = written(|out| write::xr_rrtr(out, SENDER, NtpTime(0x1_0000_0002)));
    assert_eq!(
        bytes,
        [0x80, 207, 0, 4, 1, 2, 3, 4, 4, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]
    );
    assert!(matches!(
        only(&bytes),
        RtcpPacket::XrRrtr {
            sender: SENDER,
            ntp: NtpTime(0x1_0000_0002)
        }
    ));

    let answers: Vec<_> = (0..40)
        .map(|n| DlrrBlock {
            ssrc: Ssrc(n),
            last_rr: n * 7,
            delay_since_last_rr: n * 9,
        })
        .collect();
    let bytes = written(|out| write::xr_dlrr(out, SENDER, &answers));
    let read: Vec<_> = packets(&bytes)
        .flat_map(|packet| {
            let Ok(RtcpPacket::XrDlrr(dlrr)) = packet else {
                panic!()
            };
            assert_eq!(dlrr.sender, SENDER);
            dlrr.blocks()
        })
        .collect();
    assert_eq!(read, answers);

    // One report with an unknown block, an empty answer and a reference time.
    #[rustfmt::skip]
    let bytes = [
        0x80, 207, 0, 7, 0, 0, 0, 1,
        42, 0, 0, 1, 9, 9, 9, 9,
        5, 0, 0, 0,
        4, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5,
    ];
    let kinds: Vec<_> = packets(&bytes).map(|packet| packet.unwrap()).collect();
    assert!(matches!(kinds[0], RtcpPacket::Other { packet_type: 207 }));
    assert!(matches!(&kinds[1], RtcpPacket::XrDlrr(dlrr) if dlrr.blocks().next().is_none()));
    assert!(matches!(kinds[2], RtcpPacket::XrRrtr { ntp: NtpTime(5), .. }));
    assert_eq!(kinds.len(), 3);
}

#[test]
fn compounds_stop_at_the_first_malformed_packet() {
    let good = written(|out| write::pli(out, SENDER, MEDIA));
    let content = |packet_type| RtcpError::Content { packet_type };
    let rows: [(&[u8], RtcpError); 16] = [
        (&[0x80, 200, 0], RtcpError::TooShort),
        (&[0x40, 200, 0, 0], RtcpError::Version),
        (&[0x80, 200, 0, 1], RtcpError::Length),
        (&[0xa0, 201, 0, 0], RtcpError::Padding),
        (&[0xa0, 201, 0, 1, 0, 0, 0, 0], RtcpError::Padding),
        (&[0xa0, 201, 0, 1, 0, 0, 0, 5], RtcpError::Padding),
        (&[0x80, 200, 0, 1, 0, 0, 0, 0], content(200)),
        (&[0x81, 201, 0, 1, 0, 0, 0, 0], content(201)),
        (&[0x81, 202, 0, 1, 0, 0, 0, 0], content(202)),
        (&[0x81, 202, 0, 2, 0, 0, 0, 0, 1, 9, 0, 0], content(202)),
        (&[0x82, 203, 0, 1, 0, 0, 0, 0], content(203)),
        (&[0x81, 203, 0, 2, 0, 0, 0, 0, 9, 0, 0, 0], content(203)),
        (&[0x81, 205, 0, 1, 0, 0, 0, 0], content(205)),
        (
            &[0x84, 206, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
            content(206),
        ),
        (&[0x80, 207, 0, 0], content(207)),
        (&[0x80, 207, 0, 2, 0, 0, 0, 1, 4, 0, 0, 1], content(207)),
    ];
    for (bad, error) in rows {
        let mut compound = good.clone();
        compound.extend_from_slice(bad);
        if error != RtcpError::TooShort {
            compound.extend_from_slice(&good);
        }
        let mut packets = packets(&compound);
        assert!(matches!(packets.next(), Some(Ok(RtcpPacket::Pli { .. }))));
        if error == RtcpError::Length {
            // What follows stands in for the rest of the packet; cut it off.
            assert_eq!(super::packets(bad).next().unwrap().unwrap_err(), error);
            continue;
        }
        assert_eq!(packets.next().unwrap().unwrap_err(), error, "{bad:02x?}");
        assert!(packets.next().is_none(), "{bad:02x?}");
        assert!(!error.to_string().is_empty());
    }
    assert!(packets(&[]).next().is_none());
}

#[test]
fn what_is_not_known_is_passed_over() {
    let rows: [&[u8]; 4] = [
        // APP, slice loss indication, another application's message, unknown transport feedback.
        &[0x80, 204, 0, 2, 0, 0, 0, 1, b'n', b'a', b'm', b'e'],
        &[0x82, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0],
        &[0x8f, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, b'A', b'B', b'C', b'D'],
        &[0x8b, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2],
    ];
    for bytes in rows {
        assert!(matches!(only(bytes), RtcpPacket::Other { packet_type } if packet_type == bytes[1]));
    }
}

#[test]
fn padding_is_taken_off() {
    let bytes = [0xa1, 203, 0, 2, 0, 0, 0, 7, 0, 0, 0, 4];
    let RtcpPacket::Bye(bye) = only(&bytes) else {
        panic!()
    };
    assert_eq!(
        (bye.ssrcs().collect::<Vec<_>>(), bye.reason()),
        (vec![Ssrc(7)], None)
    );
}

proptest! {
    #[test]
    fn parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        for packet in packets(&bytes) {
            let _ = packet;
        }
    }

    #[test]
    fn nack_reads_back_every_set_of_numbers(start: u16, gaps in prop::collection::vec(1..60_u16, 0..80)) {
        let lost: Vec<u16> = gaps.iter().scan(start, |at, gap| { *at = at.wrapping_add(*gap); Some(*at) }).collect();
        let bytes = written(|out| write::nack(out, SENDER, MEDIA, &lost));
        let read: Vec<u16> = packets(&bytes).flat_map(|packet| match packet {
            Ok(RtcpPacket::Nack(nack)) => nack.lost().collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(read, lost);
    }
}
