//! The same packets through `rtcp-types`, in both directions.

use super::super::RtcpPacket;
use super::*;
use rtcp_types::prelude::*;
use rtcp_types::{
    Bye, Compound, Fir, Nack, Packet, Pli, ReceiverReport, ReportBlock as TheirBlock, Sdes, SdesChunk,
};
use rtcp_types::{PayloadFeedback, SdesItem, SenderReport, TransportFeedback};

fn their_block(block: &ReportBlock) -> rtcp_types::ReportBlockBuilder {
    TheirBlock::builder(block.ssrc.0)
        .fraction_lost(block.fraction_lost)
        .cumulative_lost(block.cumulative_lost as u32 & 0xff_ffff)
        .extended_sequence_number(block.highest_sequence)
        .interarrival_jitter(block.jitter)
        .last_sender_report_timestamp(block.last_sr)
        .delay_since_last_sender_report_timestamp(block.delay_since_last_sr)
}

fn theirs(packet: &impl RtcpPacketWriter) -> Vec<u8> {
    let mut bytes = vec![0; packet.calculate_size().unwrap()];
    packet.write_into(&mut bytes).unwrap();
    bytes
}

#[test]
fn both_write_the_same_bytes() {
    let info = SenderInfo {
        ssrc: SENDER,
        ntp: NtpTime(0x0102_0304_0506_0708),
        rtp_time: 9,
        packet_count: 10,
        octet_count: 11,
    };
    let blocks = [block(7), block(8)];
    let mut report = SenderReport::builder(SENDER.0)
        .ntp_timestamp(info.ntp.0)
        .rtp_timestamp(info.rtp_time)
        .packet_count(info.packet_count)
        .octet_count(info.octet_count);
    let mut receiver = ReceiverReport::builder(SENDER.0);
    for block in &blocks {
        report = report.add_report_block(their_block(block));
        receiver = receiver.add_report_block(their_block(block));
    }
    assert_eq!(
        written(|out| write::sender_report(out, &info, &blocks)),
        theirs(&report)
    );
    assert_eq!(
        written(|out| write::receiver_report(out, SENDER, &blocks)),
        theirs(&receiver)
    );

    let bye = Bye::builder().add_source(SENDER.0).add_source(MEDIA.0);
    assert_eq!(written(|out| write::bye(out, &[SENDER, MEDIA])), theirs(&bye));

    for cname in ["a", "ab", "abc", "abcd", "abcde"] {
        let chunk = SdesChunk::builder(SENDER.0).add_item(SdesItem::builder(SdesItem::CNAME, cname));
        let sdes = Sdes::builder().add_chunk(chunk);
        assert_eq!(
            written(|out| write::sdes_cname(out, SENDER, cname)),
            theirs(&sdes),
            "{cname}"
        );
    }
}

#[test]
fn both_write_the_same_feedback() {
    let pli = Pli::builder();
    let pli = PayloadFeedback::builder(&pli)
        .sender_ssrc(SENDER.0)
        .media_ssrc(MEDIA.0);
    assert_eq!(written(|out| write::pli(out, SENDER, MEDIA)), theirs(&pli));

    let fir = Fir::builder().add_ssrc(MEDIA.0, 200);
    let fir = PayloadFeedback::builder(&fir).sender_ssrc(SENDER.0);
    assert_eq!(written(|out| write::fir(out, SENDER, MEDIA, 200)), theirs(&fir));

    let lost = [1, 2, 17, 18, 40, 41, 900];
    let nack = lost
        .iter()
        .fold(Nack::builder(), |nack, lost| nack.add_rtp_sequence(*lost));
    let nack = TransportFeedback::builder(&nack)
        .sender_ssrc(SENDER.0)
        .media_ssrc(MEDIA.0);
    assert_eq!(
        written(|out| write::nack(out, SENDER, MEDIA, &lost)),
        theirs(&nack)
    );
}

proptest! {
    #[test]
    fn both_read_the_same_compounds(
        kinds in prop::collection::vec(0..5_u8, 1..6),
        numbers in prop::collection::vec(0..1000_u16, 1..20),
    ) {
        let mut bytes = Vec::new();
        write::receiver_report(&mut bytes, SENDER, &[block(u32::from(numbers[0]))]);
        for kind in kinds {
            match kind {
                0 => write::sdes_cname(&mut bytes, SENDER, &"n".repeat(numbers.len())),
                1 => write::nack(&mut bytes, SENDER, MEDIA, &numbers),
                2 => write::pli(&mut bytes, SENDER, MEDIA),
                3 => write::fir(&mut bytes, SENDER, MEDIA, numbers[0] as u8),
                _ => write::bye(&mut bytes, &[SENDER]),
            }
        }
        let ours: Vec<_> = packets(&bytes).map(|packet| packet.unwrap()).collect();
        let theirs: Vec<_> = Compound::parse(&bytes).unwrap().map(|packet| packet.unwrap()).collect();
        prop_assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            compare(ours, theirs);
        }
    }
}

fn compare(ours: &RtcpPacket<'_>, theirs: &Packet<'_>) {
    match (ours, theirs) {
        (RtcpPacket::ReceiverReport(ours), Packet::Rr(theirs)) => {
            let theirs: Vec<_> = theirs
                .report_blocks()
                .map(|b| (b.ssrc(), b.interarrival_jitter()))
                .collect();
            assert_eq!(
                ours.blocks().map(|b| (b.ssrc.0, b.jitter)).collect::<Vec<_>>(),
                theirs
            );
        }
        (RtcpPacket::Sdes(ours), Packet::Sdes(theirs)) => {
            let theirs = theirs.chunks().next().unwrap().items().next().unwrap().value();
            assert_eq!(ours.cnames().next().unwrap().1, theirs);
        }
        (RtcpPacket::Nack(ours), Packet::TransportFeedback(theirs)) => {
            let theirs = theirs.parse_fci::<Nack<'_>>().unwrap();
            assert!(ours.lost().eq(theirs.entries()));
        }
        (RtcpPacket::Pli { media, .. }, Packet::PayloadFeedback(theirs)) => {
            assert!(theirs.parse_fci::<Pli>().is_ok());
            assert_eq!(media.0, theirs.media_ssrc());
        }
        (RtcpPacket::Fir(ours), Packet::PayloadFeedback(theirs)) => {
            let theirs = theirs.parse_fci::<Fir<'_>>().unwrap();
            let theirs: Vec<_> = theirs.entries().map(|e| (Ssrc(e.ssrc()), e.sequence())).collect();
            assert_eq!(ours.entries().collect::<Vec<_>>(), theirs);
        }
        (RtcpPacket::Bye(ours), Packet::Bye(theirs)) => {
            assert!(ours.ssrcs().map(|ssrc| ssrc.0).eq(theirs.ssrcs()));
        }
        (ours, theirs) => panic!("{ours:?} is not {theirs:?}"),
    }
}
