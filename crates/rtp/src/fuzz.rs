//! Bodies of the fuzz targets: each takes any bytes and asserts what must hold for all of them.

use crate::codec::{CodecKind, FrameReader, vp8, vp9};
use crate::ext::{ExtKind, ExtMap, ExtWriter, Form, HeaderExtensions};
use crate::rtcp::{self, RtcpPacket, TwccReport};
use crate::rtx::{self, RtxHeader};
use crate::{PayloadType, RtpView, RtpViewMut, Ssrc, is_rtcp, patch};

/// Identifiers for every known extension, counted from 1.
fn full_map() -> ExtMap {
    let mut map = ExtMap::new();
    for (id, kind) in (1..).zip(ExtKind::ALL) {
        map.set(kind, id);
    }
    map
}

/// A parsed packet's parts lie inside it, in order, and setters change nothing else.
pub fn rtp_view(data: &[u8]) {
    let _ = is_rtcp(data);
    let Ok(view) = RtpView::parse(data) else {
        let mut copy = data.to_vec();
        assert!(RtpViewMut::parse(&mut copy).is_err());
        return;
    };
    let payload = view.payload_range();
    assert!(view.header_len() >= patch::FIXED_HEADER_LEN + usize::from(view.csrc_count()) * 4);
    assert_eq!(view.header_len(), payload.start);
    assert_eq!(payload.end + view.padding_len(), data.len());
    assert_eq!(view.payload(), &data[payload.clone()]);
    assert_eq!(view.has_extension(), view.extension_block().is_some());
    if let Some(block) = view.extension_block() {
        assert_eq!(block.data_offset + block.data.len(), view.header_len());
        let mut ranges = block.elements();
        for (id, element) in block.elements() {
            let (same, range) = ranges.next_range().expect("both walks are the same");
            assert!(range.start > block.data_offset && range.end <= view.header_len());
            assert_eq!((same, &data[range]), (id, element));
        }
    }

    let mut copy = data.to_vec();
    let mut view_mut = RtpViewMut::parse(&mut copy).expect("parsed before");
    view_mut.set_marker(!view.marker());
    view_mut.set_payload_type(PayloadType(view.payload_type().0 ^ 0x7f));
    view_mut.set_sequence(!view.sequence());
    view_mut.set_timestamp(!view.timestamp());
    view_mut.set_ssrc(Ssrc(!view.ssrc().0));
    assert_eq!(view_mut.payload_mut(), view.payload());
    assert_eq!(view_mut.view().marker(), !view.marker());
    assert_eq!(view_mut.view().payload_type().0, view.payload_type().0 ^ 0x7f);
    assert_eq!(view_mut.view().sequence(), !view.sequence());
    assert_eq!(view_mut.view().timestamp(), !view.timestamp());
    assert_eq!(view_mut.view().ssrc().0, !view.ssrc().0);
    assert_eq!(copy[0], data[0]);
    assert_eq!(copy[patch::FIXED_HEADER_LEN..], data[patch::FIXED_HEADER_LEN..]);
}

/// A packet whose known extensions are written anew, in either form, has the same values and payload.
pub fn ext_rewrite(data: &[u8]) {
    let map = full_map();
    let Ok(view) = RtpView::parse(data) else {
        return;
    };
    let values = map.read(&view);
    for form in [Form::OneByte, Form::TwoByte] {
        let packet = rewrite(&view, &values, form);
        let again = RtpView::parse(&packet).expect("a written packet is valid");
        assert_eq!(again.payload(), view.payload());
        assert_eq!((again.ssrc(), again.sequence()), (view.ssrc(), view.sequence()));
        let mut expected = values.clone();
        let mut read = map.read(&again);
        let descriptor = expected.dependency_descriptor.take().map(|range| &data[range]);
        let descriptor_again = read.dependency_descriptor.take().map(|range| &packet[range]);
        if form == Form::TwoByte || descriptor.is_none_or(|bytes| bytes.len() <= 16) {
            assert_eq!(descriptor, descriptor_again);
        }
        assert_eq!(read, expected);
    }
}

fn rewrite(view: &RtpView<'_>, values: &HeaderExtensions, form: Form) -> Vec<u8> {
    let map = full_map();
    let id = |kind| map.id(kind).expect("all are in the map");
    let fixed = patch::FIXED_HEADER_LEN;
    let mut packet = vec![0; fixed + 1024];
    packet[..fixed].copy_from_slice(&view.as_bytes()[..fixed]);
    // X, and neither CSRC nor padding.
    packet[0] = 0x90;
    let mut writer = ExtWriter::new(&mut packet[fixed..], form);
    let mut push = |kind, data: Option<&[u8]>| {
        if let Some(data) = data {
            let fits = form == Form::TwoByte || data.len() <= 16;
            assert_eq!(writer.push(id(kind), data).is_ok(), fits);
        }
    };
    push(ExtKind::Mid, values.mid.as_ref().map(|mid| mid.as_bytes()));
    push(ExtKind::Rid, values.rid.as_ref().map(|rid| rid.as_bytes()));
    push(
        ExtKind::RepairedRid,
        values.repaired_rid.as_ref().map(|rid| rid.as_bytes()),
    );
    push(
        ExtKind::AbsSendTime,
        values
            .abs_send_time
            .map(u32::to_be_bytes)
            .as_ref()
            .map(|bytes| &bytes[1..]),
    );
    let sequence = values.transport_sequence.map(u16::to_be_bytes);
    push(
        ExtKind::TransportSequence,
        sequence.as_ref().map(<[u8; 2]>::as_slice),
    );
    push(
        ExtKind::AudioLevel,
        values
            .audio_level
            .map(|level| [level.to_byte()])
            .as_ref()
            .map(<[u8; 1]>::as_slice),
    );
    push(
        ExtKind::VideoOrientation,
        values
            .video_orientation
            .map(|byte| [byte])
            .as_ref()
            .map(<[u8; 1]>::as_slice),
    );
    let descriptor = values
        .dependency_descriptor
        .clone()
        .map(|range| &view.as_bytes()[range]);
    push(ExtKind::DependencyDescriptor, descriptor);
    let len = writer.finish();
    packet.truncate(fixed + len);
    packet.extend_from_slice(view.payload());
    packet
}

/// Every packet of a compound can be looked at in full; feedback that was read is written back the same.
pub fn rtcp(data: &[u8]) {
    let mut failed = false;
    for packet in rtcp::packets(data) {
        assert!(!failed, "nothing comes after an error");
        match packet {
            Ok(packet) => rtcp_packet(&packet),
            Err(_) => failed = true,
        }
    }
}

fn rtcp_packet(packet: &RtcpPacket<'_>) {
    let mut out = Vec::new();
    match packet {
        RtcpPacket::SenderReport(report) => assert!(report.blocks().count() <= 31),
        RtcpPacket::ReceiverReport(report) => {
            let blocks: Vec<_> = report.blocks().collect();
            rtcp::write::receiver_report(&mut out, report.ssrc, &blocks);
            let Some(Ok(RtcpPacket::ReceiverReport(again))) = rtcp::packets(&out).next() else {
                panic!("a written report is a report");
            };
            assert!(again.blocks().eq(blocks));
        }
        RtcpPacket::Sdes(sdes) => assert!(sdes.cnames().all(|(_, cname)| cname.len() <= 255)),
        RtcpPacket::Bye(bye) => assert!(bye.ssrcs().count() <= 31),
        RtcpPacket::Nack(nack) => {
            let lost: Vec<_> = nack.lost().collect();
            rtcp::write::nack(&mut out, nack.sender, nack.media, &lost);
            let mut again = Vec::new();
            for packet in rtcp::packets(&out) {
                let Ok(RtcpPacket::Nack(nack)) = packet else {
                    panic!("a written NACK is a NACK");
                };
                again.extend(nack.lost());
            }
            // A sender may repeat numbers; written, some repetitions are gone.
            assert!(lost.iter().all(|number| again.contains(number)));
            assert!(again.iter().all(|number| lost.contains(number)));
        }
        RtcpPacket::Fir(fir) => assert!(fir.entries().count() < 0x1_0000),
        RtcpPacket::Remb(remb) => {
            let ssrcs: Vec<_> = remb.ssrcs().collect();
            rtcp::write::remb(&mut out, remb.sender, remb.bitrate, &ssrcs);
            let Some(Ok(RtcpPacket::Remb(again))) = rtcp::packets(&out).next() else {
                panic!("a written REMB is a REMB");
            };
            assert!(again.bitrate <= remb.bitrate && again.ssrcs().eq(ssrcs));
        }
        RtcpPacket::Twcc(feedback) => {
            let deltas: Vec<Option<i16>> = feedback
                .statuses()
                .map(|(_, delta)| delta.map(|delta| delta as i16))
                .collect();
            assert_eq!(deltas.len(), usize::from(feedback.count));
            let report = TwccReport {
                sender: feedback.sender,
                media: feedback.media,
                base: feedback.base,
                reference_time: feedback.reference_time,
                feedback_count: feedback.feedback_count,
                statuses: &deltas,
            };
            rtcp::write::twcc(&mut out, &report);
            let Some(Ok(RtcpPacket::Twcc(again))) = rtcp::packets(&out).next() else {
                panic!("written feedback is feedback");
            };
            assert!(again.statuses().eq(feedback.statuses()));
            assert_eq!(again.reference_time, feedback.reference_time);
        }
        RtcpPacket::XrDlrr(dlrr) => assert!(dlrr.blocks().count() < 0x1_0000),
        RtcpPacket::Pli { .. } | RtcpPacket::XrRrtr { .. } | RtcpPacket::Other { .. } => {}
    }
}

/// Cuts data into payloads: a byte of length, a byte of flags, that many bytes.
fn payloads(data: &[u8]) -> impl Iterator<Item = (&[u8], u8)> {
    let mut rest = data;
    core::iter::from_fn(move || {
        let (&[len, flags], tail) = rest.split_first_chunk()?;
        let (payload, tail) = tail.split_at(tail.len().min(usize::from(len)));
        rest = tail;
        Some((payload, flags))
    })
}

/// The same packets through a reader: never a key frame without a start, whatever comes.
fn read_all(codec: CodecKind, data: &[u8]) {
    let mut reader = FrameReader::new(codec);
    for (payload, flags) in payloads(data) {
        let (descriptor, payload) = payload.split_at(payload.len().min(usize::from(flags >> 1)));
        let descriptor = (!descriptor.is_empty()).then_some(descriptor);
        let info = reader.read(payload, flags & 1 != 0, descriptor);
        assert!(info.spatial <= 7 && info.temporal <= 7);
        assert!(!info.key || info.switch_up || matches!(codec, CodecKind::Opus | CodecKind::Other));
        assert!(!info.key || !info.inter_picture || descriptor.is_some());
    }
}

/// A patched descriptor has the new numbers, the same size, and everything behind it is untouched.
pub fn codec_vp8(data: &[u8]) {
    read_all(CodecKind::Vp8, data);
    let Some(before) = vp8::parse(data) else {
        return;
    };
    assert!(before.len <= data.len());
    let mut copy = data.to_vec();
    let patched = before.fields.write(&mut copy, 0x5aa5, 0x3c);
    let after = vp8::parse(&copy).expect("the layout is the same");
    assert_eq!(patched, before.picture.picture_id.is_some());
    assert_eq!(copy[after.len..], data[before.len..]);
    let mask = if before.picture.long { 0x7fff } else { 0x7f };
    assert_eq!(
        after.picture.picture_id,
        before.picture.picture_id.map(|_| 0x5aa5 & mask)
    );
    assert_eq!(
        after.picture.tl0_pic_idx,
        before.picture.tl0_pic_idx.map(|_| 0x3c)
    );
    assert_eq!(
        (after.len, after.temporal, after.key),
        (before.len, before.temporal, before.key)
    );
}

/// As [`codec_vp8`].
pub fn codec_vp9(data: &[u8]) {
    read_all(CodecKind::Vp9, data);
    let Some(before) = vp9::parse(data) else {
        return;
    };
    assert!(before.len <= data.len());
    let mut copy = data.to_vec();
    let patched = before.fields.write(&mut copy, 0x5aa5, 0x3c);
    let after = vp9::parse(&copy).expect("the layout is the same");
    assert_eq!(patched, before.picture.picture_id.is_some());
    assert_eq!(copy[after.len..], data[before.len..]);
    let mask = if before.picture.long { 0x7fff } else { 0x7f };
    assert_eq!(
        after.picture.picture_id,
        before.picture.picture_id.map(|_| 0x5aa5 & mask)
    );
    assert_eq!(
        after.picture.tl0_pic_idx,
        before.picture.tl0_pic_idx.map(|_| 0x3c)
    );
    assert_eq!(
        (after.len, after.layer, after.structure),
        (before.len, before.layer, before.structure)
    );
}

/// Any payloads through a reader.
pub fn codec_h264(data: &[u8]) {
    read_all(CodecKind::H264, data);
}

/// Any payloads and dependency descriptors through a reader; also for the other codecs.
pub fn codec_av1(data: &[u8]) {
    read_all(CodecKind::Av1, data);
    read_all(CodecKind::Opus, data);
    read_all(CodecKind::Other, data);
}

/// Wrapped and unwrapped, a packet is what it was; unwrapping anything keeps header and payload together.
pub fn rtx(data: &[u8]) {
    let header = RtxHeader {
        ssrc: Ssrc(0xfeed_f00d),
        payload_type: PayloadType(97),
        sequence: 4242,
    };
    let mut buffer = data.to_vec();
    assert_eq!(rtx::wrap(&mut buffer, data.len(), header), None, "no room");
    assert_eq!(buffer, data);

    if let Some(len) = rtx::unwrap(&mut buffer, Ssrc(1), PayloadType(96)) {
        let view = RtpView::parse(&buffer[..len]).expect("still a packet");
        let original = RtpView::parse(data).expect("it was one");
        assert_eq!(view.ssrc(), Ssrc(1));
        assert_eq!(view.payload(), &original.payload()[2..]);
        assert_eq!(view.sequence().to_be_bytes(), original.payload()[..2]);
        assert_eq!(
            buffer[patch::FIXED_HEADER_LEN..view.header_len()],
            data[patch::FIXED_HEADER_LEN..view.header_len()]
        );
    }

    let mut buffer = data.to_vec();
    buffer.extend_from_slice(&[0; 3]);
    let Some(len) = rtx::wrap(&mut buffer, data.len(), header) else {
        assert!(RtpView::parse(data).is_err());
        return;
    };
    let view = RtpView::parse(data).expect("only packets are wrapped");
    assert_eq!(
        RtpView::parse(&buffer[..len]).map(|wrapped| wrapped.ssrc()),
        Ok(header.ssrc)
    );
    let len = rtx::unwrap(&mut buffer[..len], view.ssrc(), view.payload_type());
    assert_eq!(len, Some(data.len()));
    assert_eq!(&buffer[..data.len()], data);
}

#[cfg(test)]
mod tests;
