use proptest::prelude::*;

use super::*;

fn profile() -> impl Strategy<Value = SrtpProfile> {
    (0_usize..3).prop_map(|position| SrtpProfile::ALL[position])
}

/// Any well-formed RTP packet: up to 15 sources, maybe an extension, any payload.
fn packet() -> impl Strategy<Value = (u64, Vec<u8>)> {
    (
        any::<u32>(),
        0_u64..(1 << 40),
        0_usize..16,
        proptest::option::of(proptest::collection::vec(any::<u32>(), 0..20)),
        proptest::collection::vec(any::<u8>(), 0..1200),
        any::<[u8; 2]>(),
    )
        .prop_map(|(ssrc, index, sources, extension, payload, [first, second])| {
            let mut packet = rtp_packet(ssrc, index, &[]);
            packet[0] |= sources as u8 | (first & 0x20);
            packet[1] = second;
            packet.extend(std::iter::repeat_n(0x5A, 4 * sources));
            if let Some(words) = extension {
                packet[0] |= 0x10;
                packet.extend_from_slice(&[0xBE, 0xDE, 0, words.len() as u8]);
                words
                    .iter()
                    .for_each(|word| packet.extend_from_slice(&word.to_be_bytes()));
            }
            packet.extend_from_slice(&payload);
            (index, packet)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn unprotect_inverts_protect(profile in profile(), (index, plain) in packet()) {
        let (mut outbound, mut inbound) = pair(profile);
        let protected = protect(&mut outbound, &plain, index).expect("fresh index");
        prop_assert_eq!(protected.len(), plain.len() + profile.tag_len());
        prop_assert_eq!(unprotect(&mut inbound, &protected), Ok(plain));
    }

    /// A payload that lies elsewhere gives the very same bytes, whatever was in the buffer before, and the same index
    /// is refused the second time.
    #[test]
    fn protecting_from_elsewhere_is_the_same(profile in profile(), (index, plain) in packet(), dirt: u8) {
        let (mut here, _) = pair(profile);
        let (mut elsewhere, mut inbound) = pair(profile);
        let header = rtp_header_len(&plain).expect("well-formed");
        let expected = protect(&mut here, &plain, index).expect("fresh index");
        let mut buffer = vec![dirt; plain.len() + SRTP_OVERHEAD + 5];
        buffer[..header].copy_from_slice(&plain[..header]);
        let len = elsewhere.protect_from(&mut buffer, header, &plain[header..], SeqNo(index));
        prop_assert_eq!(len, Ok(expected.len()));
        prop_assert_eq!(&buffer[..expected.len()], &expected[..]);
        prop_assert_eq!(unprotect(&mut inbound, &expected), Ok(plain.clone()));
        buffer[..header].copy_from_slice(&plain[..header]);
        let again = elsewhere.protect_from(&mut buffer, header, &plain[header..], SeqNo(index));
        prop_assert_eq!(again, Err(ProtectError::Reused));
        let short = elsewhere.protect_from(&mut buffer[..plain.len()], header, &plain[header..], SeqNo(index + 1));
        prop_assert!(short.is_err());
        let beside = elsewhere.protect_from(&mut buffer, header - 1, &plain[header..], SeqNo(index));
        prop_assert_eq!(beside, Err(ProtectError::Malformed));
    }

    #[test]
    fn unprotect_inverts_protect_for_rtcp(profile in profile(), ssrc: u32, body in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (mut outbound, mut inbound) = pair(profile);
        let mut plain = vec![0x80, 205, 0, 0];
        plain.extend_from_slice(&ssrc.to_be_bytes());
        plain.extend_from_slice(&body);
        let mut packet = plain.clone();
        outbound.protect_rtcp(&mut packet).expect("fresh index");
        let len = inbound.unprotect_rtcp(&mut packet).expect("authentic");
        prop_assert_eq!(&packet[..len], &plain[..]);
    }

    /// A flipped bit anywhere is noticed, and what was forged leaves no trace: the true packet still passes.
    #[test]
    fn forgery_changes_nothing(profile in profile(), (index, plain) in packet(), bit: prop::sample::Index) {
        let (mut outbound, mut inbound) = pair(profile);
        let protected = protect(&mut outbound, &plain, index).expect("fresh index");
        let mut forged = protected.clone();
        let bit = bit.index(forged.len() * 8);
        forged[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(unprotect(&mut inbound, &forged).is_err());
        prop_assert_eq!(inbound.stream_count(), 0);
        prop_assert_eq!(unprotect(&mut inbound, &protected), Ok(plain));
    }

    #[test]
    fn forged_rtcp_changes_nothing(profile in profile(), filler: u8, bit: prop::sample::Index) {
        let (mut outbound, mut inbound) = pair(profile);
        let mut protected = rtcp_packet(77, filler);
        outbound.protect_rtcp(&mut protected).expect("fresh index");
        let mut forged = protected.clone();
        let bit = bit.index(forged.len() * 8);
        forged[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(inbound.unprotect_rtcp(&mut forged).is_err());
        prop_assert_eq!(inbound.stream_count(), 0);
        prop_assert_eq!(inbound.unprotect_rtcp(&mut protected), Ok(32));
    }

    /// However the network reorders and repeats, each packet passes exactly once within the window.
    #[test]
    fn each_packet_passes_once(profile in profile(), start in 0_u64..0x1_0000, order in proptest::collection::vec(0_u64..100, 1..200)) {
        let (mut outbound, mut inbound) = pair(profile);
        let sent: Vec<Vec<u8>> = (start..start + 100)
            .map(|index| protect(&mut outbound, &rtp_packet(3, index, b"payload"), index).expect("fresh index"))
            .collect();
        // The first packet fixes the rollover counter, so it has to be of the first cycle.
        prop_assert!(unprotect(&mut inbound, &sent[0]).is_ok());
        let mut passed = std::collections::HashSet::from([0]);
        for position in order {
            let outcome = unprotect(&mut inbound, &sent[position as usize]).map(drop);
            let expected = if passed.insert(position) { Ok(()) } else { Err(UnprotectError::Replay) };
            prop_assert_eq!(outcome, expected, "packet {}", position);
        }
    }
}
