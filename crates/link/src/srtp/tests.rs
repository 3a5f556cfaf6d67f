//! Published vectors, agreement with another implementation, and what must hold for any packet.

mod differential;
mod properties;
mod vectors;

use rtp::SeqNo;

use super::*;

/// Master key and salt of a profile, the bytes counting up from `first`.
fn master(profile: SrtpProfile, first: u8) -> MasterKey {
    let (key, salt) = master_bytes(profile, first);
    MasterKey::new(profile, &key, &salt).expect("lengths of the profile")
}

fn master_bytes(profile: SrtpProfile, first: u8) -> (Vec<u8>, Vec<u8>) {
    let bytes: Vec<u8> = (0..profile.key_len() + profile.salt_len())
        .map(|byte| first.wrapping_add(byte as u8))
        .collect();
    let (key, salt) = bytes.split_at(profile.key_len());
    (key.to_vec(), salt.to_vec())
}

fn pair(profile: SrtpProfile) -> (Outbound, Inbound) {
    let master = master(profile, 1);
    (
        Outbound::new(&master, 7).expect("keys"),
        Inbound::new(&master, 9).expect("keys"),
    )
}

/// An RTP packet without contributing sources or extension.
fn rtp_packet(ssrc: u32, index: u64, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend_from_slice(&(index as u16).to_be_bytes());
    packet.extend_from_slice(&(index as u32).wrapping_mul(960).to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// A receiver report of one source with one report block made of a filler byte.
fn rtcp_packet(ssrc: u32, filler: u8) -> Vec<u8> {
    let mut packet = vec![0x81, 201, 0, 7];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(&[filler; 24]);
    packet
}

fn protect(outbound: &mut Outbound, plain: &[u8], index: u64) -> Result<Vec<u8>, ProtectError> {
    let mut packet = plain.to_vec();
    packet.resize(plain.len() + SRTP_OVERHEAD, 0);
    let len = outbound.protect(&mut packet, plain.len(), SeqNo(index))?;
    packet.truncate(len);
    Ok(packet)
}

fn unprotect(inbound: &mut Inbound, protected: &[u8]) -> Result<Vec<u8>, UnprotectError> {
    let mut packet = protected.to_vec();
    let len = inbound.unprotect(&mut packet)?;
    packet.truncate(len);
    Ok(packet)
}

#[test]
fn the_same_index_is_never_protected_twice() {
    for profile in SrtpProfile::ALL {
        let (mut outbound, _) = pair(profile);
        let mut send =
            |index: u64| protect(&mut outbound, &rtp_packet(5, index, b"payload"), index).map(drop);
        assert_eq!(send(1000), Ok(()));
        assert_eq!(send(1000), Err(ProtectError::Reused));
        assert_eq!(send(1003), Ok(()));
        assert_eq!(send(1001), Ok(()), "late but unused");
        assert_eq!(send(1001), Err(ProtectError::Reused));
        assert_eq!(send(1003 - 127), Ok(()));
        assert_eq!(send(1003 - 128), Err(ProtectError::TooOld));
        assert_eq!(send(5000), Ok(()));
        assert_eq!(send(1002), Err(ProtectError::TooOld));
        // Another source has indexes of its own.
        assert_eq!(
            protect(&mut outbound, &rtp_packet(6, 1000, b"payload"), 1000).map(drop),
            Ok(())
        );
    }
}

#[test]
fn a_sequence_may_start_in_any_cycle() {
    for profile in SrtpProfile::ALL {
        for start in [0xFFFE_u64, 0x1_FFFE, 0x7_0000, 0xFFFF_FFFF_FFFE] {
            let (mut outbound, mut inbound) = pair(profile);
            for index in start..start + 4 {
                let plain = rtp_packet(5, index, b"payload");
                let protected = protect(&mut outbound, &plain, index).expect("fresh index");
                assert_eq!(unprotect(&mut inbound, &protected), Ok(plain), "index {index:#x}");
            }
            let before = start & !0xFFFF;
            if let Some(before) = before.checked_sub(1) {
                let refused = protect(&mut outbound, &rtp_packet(5, before, b"x"), before);
                assert_eq!(refused, Err(ProtectError::TooOld), "before the first cycle");
            }
        }
    }
}

#[test]
fn indexes_end_after_two_to_the_48() {
    let (mut outbound, _) = pair(SrtpProfile::AeadAes128Gcm);
    assert!(protect(&mut outbound, &rtp_packet(5, 7, b"x"), 7).is_ok());
    let last = (1 << 48) - 1;
    assert!(protect(&mut outbound, &rtp_packet(5, last, b"x"), last).is_ok());
    let beyond = 1 << 48;
    assert_eq!(
        protect(&mut outbound, &rtp_packet(5, beyond, b"x"), beyond),
        Err(ProtectError::Exhausted)
    );
}

#[test]
fn rtcp_indexes_end_before_they_wrap() {
    for profile in SrtpProfile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        outbound.set_next_rtcp_index((1 << 31) - 1);
        let mut packet = rtcp_packet(5, 1);
        outbound.protect_rtcp(&mut packet).expect("the last index");
        assert_eq!(inbound.unprotect_rtcp(&mut packet), Ok(32));
        assert_eq!(
            outbound.protect_rtcp(&mut rtcp_packet(5, 2)),
            Err(ProtectError::Exhausted)
        );
    }
}

#[test]
fn misuse_is_refused_before_anything_is_encrypted() {
    let (mut outbound, mut inbound) = pair(SrtpProfile::AeadAes128Gcm);
    let plain = rtp_packet(5, 9, b"payload");
    let mut exact = plain.clone();
    assert_eq!(
        outbound.protect(&mut exact, plain.len(), SeqNo(9)),
        Err(ProtectError::NoRoom)
    );
    assert_eq!(
        outbound.protect(&mut exact, plain.len() + 1, SeqNo(9)),
        Err(ProtectError::NoRoom)
    );
    assert_eq!(protect(&mut outbound, &plain, 10), Err(ProtectError::WrongIndex));
    assert_eq!(
        protect(&mut outbound, &plain[..11], 9),
        Err(ProtectError::Malformed)
    );
    let mut version = plain.clone();
    version[0] = 0x40;
    assert_eq!(protect(&mut outbound, &version, 9), Err(ProtectError::Malformed));
    let mut sources = plain.clone();
    sources[0] |= 0x0F;
    assert_eq!(protect(&mut outbound, &sources, 9), Err(ProtectError::Malformed));
    assert_eq!(
        outbound.protect_rtcp(&mut vec![0x80, 201, 0, 1]),
        Err(ProtectError::Malformed)
    );
    assert_eq!(exact, plain);
    // None of it used up the index.
    let protected = protect(&mut outbound, &plain, 9).expect("fresh index");
    assert_eq!(unprotect(&mut inbound, &protected), Ok(plain));
}

#[test]
fn replayed_and_old_packets_are_refused() {
    for profile in SrtpProfile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        // In the order of sending: the sender's own window is narrower than the receiver's.
        let mut protected: Vec<Vec<u8>> = (0..3000_u64)
            .map(|index| protect(&mut outbound, &rtp_packet(5, index, b"payload"), index).expect("fresh"))
            .collect();
        for position in [0, 10, 5, 2000, 2000 - 1023] {
            assert!(
                unprotect(&mut inbound, &protected[position]).is_ok(),
                "{position}"
            );
        }
        for position in [0, 10, 5, 2000, 2000 - 1023, 2000 - 1024, 7] {
            let refused = unprotect(&mut inbound, &protected[position]);
            assert_eq!(refused, Err(UnprotectError::Replay), "{position}");
        }
        let last = protected.pop().expect("packets");
        assert!(unprotect(&mut inbound, &last).is_ok());
    }
}

#[test]
fn packets_reordered_across_the_rollover_are_accepted() {
    for profile in SrtpProfile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let indexes = [
            0xFFF0, 0xFFFE, 0x1_0001, 0xFFFF, 0x1_0000, 0xFFFD, 0x1_0003, 0x1_0002,
        ];
        for index in indexes {
            let plain = rtp_packet(5, index, b"payload");
            let protected = protect(&mut outbound, &plain, index).expect("fresh index");
            assert_eq!(unprotect(&mut inbound, &protected), Ok(plain), "index {index:#x}");
            assert_eq!(unprotect(&mut inbound, &protected), Err(UnprotectError::Replay));
        }
    }
}

#[test]
fn the_rollover_counter_is_kept_over_many_cycles() {
    for profile in SrtpProfile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        for index in (0..10 * 0x1_0000).step_by(0x7000) {
            let plain = rtp_packet(5, index, b"payload");
            let protected = protect(&mut outbound, &plain, index).expect("fresh index");
            assert_eq!(unprotect(&mut inbound, &protected), Ok(plain), "index {index:#x}");
        }
    }
}

#[test]
fn rtcp_is_protected_against_replay_per_source() {
    for profile in SrtpProfile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let mut sealed = Vec::new();
        for (ssrc, filler) in [(5, 1), (6, 2), (5, 3)] {
            let mut packet = rtcp_packet(ssrc, filler);
            outbound.protect_rtcp(&mut packet).expect("fresh index");
            assert_eq!(packet.len(), 32 + profile.tag_len() + 4);
            sealed.push((packet, rtcp_packet(ssrc, filler)));
        }
        for order in [2, 0, 1] {
            let (packet, plain) = &sealed[order];
            let mut opened = packet.clone();
            assert_eq!(inbound.unprotect_rtcp(&mut opened), Ok(plain.len()));
            assert_eq!(&opened[..plain.len()], &plain[..]);
            assert_eq!(
                inbound.unprotect_rtcp(&mut packet.clone()),
                Err(UnprotectError::Replay)
            );
        }
    }
}

#[test]
fn sources_are_bounded_and_created_by_authentic_packets_only() {
    let (mut outbound, mut inbound) = pair(SrtpProfile::AeadAes128Gcm);
    for ssrc in 0..2000 {
        let mut forged = rtp_packet(ssrc, 1, &[0; 32]);
        assert_eq!(
            inbound.unprotect(&mut forged),
            Err(UnprotectError::Authentication)
        );
        let mut forged = rtcp_packet(ssrc, 0);
        assert_eq!(
            inbound.unprotect_rtcp(&mut forged),
            Err(UnprotectError::Authentication)
        );
    }
    assert_eq!(inbound.stream_count(), 0);
    for ssrc in 0..1024 {
        let protected = protect(&mut outbound, &rtp_packet(ssrc, 1, b"x"), 1).expect("fresh");
        assert!(unprotect(&mut inbound, &protected).is_ok());
    }
    let protected = protect(&mut outbound, &rtp_packet(5000, 1, b"x"), 1).expect("fresh");
    assert_eq!(
        unprotect(&mut inbound, &protected),
        Err(UnprotectError::TooManyStreams)
    );
    let protected = protect(&mut outbound, &rtp_packet(17, 2, b"x"), 2).expect("fresh");
    assert!(
        unprotect(&mut inbound, &protected).is_ok(),
        "the known ones go on"
    );
}

#[test]
fn keys_of_wrong_length_are_refused() {
    for profile in SrtpProfile::ALL {
        let (key, salt) = master_bytes(profile, 0);
        assert!(MasterKey::new(profile, &key[1..], &salt).is_err());
        assert!(MasterKey::new(profile, &key, &salt[1..]).is_err());
        let material = vec![0; profile.keying_material_len()];
        assert!(MasterKey::split(profile, &material).is_ok());
        assert!(MasterKey::split(profile, &material[1..]).is_err());
    }
}

#[test]
fn keying_material_is_split_into_client_and_server_keys() {
    for profile in SrtpProfile::ALL {
        let (client_key, client_salt) = master_bytes(profile, 10);
        let (server_key, server_salt) = master_bytes(profile, 90);
        let material = [&client_key[..], &server_key, &client_salt, &server_salt].concat();
        let (client, server) = MasterKey::split(profile, &material).expect("right length");
        for (split, whole) in [(client, master(profile, 10)), (server, master(profile, 90))] {
            let mut outbound = Outbound::new(&split, 1).expect("keys");
            let mut inbound = Inbound::new(&whole, 1).expect("keys");
            let protected = protect(&mut outbound, &rtp_packet(1, 1, b"payload"), 1).expect("fresh");
            assert!(unprotect(&mut inbound, &protected).is_ok());
        }
    }
}
