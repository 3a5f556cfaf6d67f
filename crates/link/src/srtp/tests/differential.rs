//! Agreement with `rtc-srtp`, an implementation by other people, in both directions and over rollovers.

use rtc_srtp::context::Context;
use rtc_srtp::crypto;
use rtc_srtp::protection_profile::ProtectionProfile;

use super::*;

fn oracle(profile: SrtpProfile) -> Context {
    let (key, salt) = master_bytes(profile, 1);
    let profile = match profile {
        SrtpProfile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
        SrtpProfile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        SrtpProfile::AesCm128HmacSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
    };
    let provider = crypto::default_provider().expect("a built-in provider");
    Context::new(&key, &salt, profile, None, None, provider.crypto()).expect("keys")
}

/// Plain, with contributing sources, with an extension, with both, and with no payload at all.
fn shapes(ssrc: u32, index: u64) -> Vec<Vec<u8>> {
    let plain = rtp_packet(ssrc, index, &[0xAB; 61]);
    let insert = |flags: u8, block: &[u8]| {
        let mut packet = plain.clone();
        packet[0] |= flags;
        packet.splice(12..12, block.iter().copied());
        packet
    };
    let sources = [1, 2, 3, 4, 5, 6, 7, 8];
    let extension = [0xBE, 0xDE, 0, 2, 0x10, 0xAA, 0x21, 0x01, 0x02, 0, 0, 0];
    vec![
        plain.clone(),
        insert(0x02, &sources),
        insert(0x10, &extension),
        insert(0x12, &[&sources[..], &extension].concat()),
        rtp_packet(ssrc, index, &[]),
    ]
}

#[test]
fn rtp_agrees_over_two_rollovers() {
    for profile in SrtpProfile::ALL {
        for shape in 0..5 {
            let (mut outbound, mut inbound) = pair(profile);
            let (mut their_outbound, mut their_inbound) = (oracle(profile), oracle(profile));
            for index in (0xFF00_u64..0x2_0200).step_by(0x55) {
                let plain = &shapes(0xCAFE_0000 + shape as u32, index)[shape];
                let ours = protect(&mut outbound, plain, index).expect("fresh index");
                let theirs = their_outbound.encrypt_rtp(plain).expect("their protect");
                assert_eq!(
                    ours,
                    theirs.to_vec(),
                    "{profile:?} shape {shape} index {index:#x}"
                );
                assert_eq!(
                    their_inbound
                        .decrypt_rtp(&ours)
                        .expect("their unprotect")
                        .to_vec(),
                    *plain
                );
                assert_eq!(unprotect(&mut inbound, &theirs), Ok(plain.clone()));
            }
        }
    }
}

#[test]
fn rtcp_agrees() {
    for profile in SrtpProfile::ALL {
        let (mut outbound, mut inbound) = pair(profile);
        let (mut their_outbound, mut their_inbound) = (oracle(profile), oracle(profile));
        for filler in 0..200 {
            let plain = rtcp_packet(0xCAFE_BABE, filler);
            let mut ours = plain.clone();
            outbound.protect_rtcp(&mut ours).expect("fresh index");
            let theirs = their_outbound.encrypt_rtcp(&plain).expect("their protect");
            assert_eq!(ours, theirs.to_vec(), "{profile:?} {filler}");
            assert_eq!(
                their_inbound
                    .decrypt_rtcp(&ours)
                    .expect("their unprotect")
                    .to_vec(),
                plain
            );
            let mut opened = theirs.to_vec();
            let len = inbound.unprotect_rtcp(&mut opened).expect("our unprotect");
            assert_eq!(opened[..len], plain);
        }
    }
}
