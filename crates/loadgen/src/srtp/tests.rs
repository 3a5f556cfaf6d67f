//! The examples of RFC 3711 appendix B, RFC 6188 §7, RFC 7714 §16 and §17, and properties.

use proptest::prelude::*;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("a byte"))
        .collect()
}

const SALT_HEX: &str = "51756964 2070726f 2071756f";
const RTP: &str = "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120
    696e2070 61727465 73207472 6573";
const RTCP: &str = "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
    deadbeef deadbeef deadbeef deadbeef deadbeef";

/// Session keys as the RFC gives them: the bytes 0, 1, 2… and one salt.
fn example(profile: Profile, next_rtcp: u32) -> Session {
    let key: Vec<u8> = (0..32).take(profile.key_bytes()).collect();
    let half = || {
        let salt = hex(SALT_HEX).try_into().expect("a salt");
        Half::new(profile, &key, salt).expect("a key")
    };
    Session {
        rtp: half(),
        rtcp: half(),
        next_rtcp,
    }
}

fn derived(master: &Master<'_>, label: Label, bytes: usize) -> Vec<u8> {
    let mut out = vec![0xFF; bytes];
    master.derive(label, &mut out).expect("derives");
    out
}

#[test]
fn rfc_3711_b3_derivation_with_128_bits() {
    let (key, salt) = (
        hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
        hex("0EC675AD498AFEEBB6960B3AABE6"),
    );
    let profile = Profile::Aes128Gcm;
    let (key, salt) = (&key, &salt);
    let master = Master { profile, key, salt };
    assert_eq!(
        derived(&master, Label::RtpKey, 16),
        hex("C61E7A93744F39EE10734AFE3FF7A087")
    );
    assert_eq!(
        derived(&master, Label::RtpSalt, 14),
        hex("30CBBC08863D8C85D49DB34A9AE1")
    );
}

#[test]
fn rfc_6188_7_2_derivation_with_256_bits() {
    let key = hex("f0f04914b513f2763a1b1fa130f10e29 98f6f6e43e4309d1e622a0e332b9f1b6");
    let salt = hex("3b04803de51ee7c96423ab5b78d2");
    let profile = Profile::Aes256Gcm;
    let (key, salt) = (&key, &salt);
    let master = Master { profile, key, salt };
    assert_eq!(
        derived(&master, Label::RtpKey, 32),
        hex("5ba1064e30ec51613cad926c5a28ef73 1ec7fb397f70a96065 3caf06554cd8c4")
    );
    assert_eq!(
        derived(&master, Label::RtpSalt, 14),
        hex("fa31791685ca444a9e07c6c64e93")
    );
}

#[test]
fn rfc_7714_16_rtp() {
    let examples = [
        (
            Profile::Aes128Gcm,
            "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
             51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce",
        ),
        (
            Profile::Aes256Gcm,
            "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
             76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
        ),
    ];
    for (profile, protected) in examples {
        let session = example(profile, 0);
        let mut packet = hex(RTP);
        packet.extend_from_slice(&[0; TAG]);
        session.seal(&mut packet, 12, 0xf17b).expect("seals");
        assert_eq!(packet, hex(protected), "{profile:?}");
        let opened = session.open(&mut packet, 12, 0xf17b).expect("authentic");
        assert_eq!(opened, &hex(RTP)[12..], "{profile:?}");
    }
}

#[test]
fn rfc_7714_17_rtcp() {
    let examples = [
        (
            Profile::Aes128Gcm,
            "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
             4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4",
        ),
        (
            Profile::Aes256Gcm,
            "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be
             8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4",
        ),
    ];
    for (profile, protected) in examples {
        let mut session = example(profile, 0x5d4);
        let mut packet = hex(RTCP);
        session.seal_rtcp(&mut packet).expect("seals");
        assert_eq!(packet, hex(protected), "{profile:?}");
        assert_eq!(session.next_rtcp, 0x5d5);
        assert_eq!(session.open_rtcp(&mut packet).expect("authentic"), hex(RTCP));
    }
}

#[test]
fn the_clients_keys_are_the_first_and_third_part() {
    for profile in [Profile::Aes128Gcm, Profile::Aes256Gcm] {
        let bytes = profile.key_bytes();
        let material: Vec<u8> = (0..200).take(2 * bytes + 2 * SALT).collect();
        let keys = Keys::of_client(profile, &material).expect("enough");
        let server = Master {
            profile,
            key: &material[bytes..2 * bytes],
            salt: &material[2 * bytes + SALT..],
        };
        let mut packet = hex(RTP);
        packet.extend_from_slice(&[0; TAG]);
        let server = server.session().expect("lengths");
        server.seal(&mut packet, 12, 7).expect("seals");
        assert!(keys.inbound.open(&mut packet.clone(), 12, 7).is_ok());
        assert!(keys.outbound.open(&mut packet, 12, 7).is_err());
        assert!(Keys::of_client(profile, &material[1..]).is_err());
    }
}

#[test]
fn short_packets_are_refused_and_plain_rtcp_too() {
    let session = example(Profile::Aes128Gcm, 0);
    for length in 0..30 {
        assert!(session.open(&mut vec![0x80; length], 12, 0).is_err());
        assert!(session.open_rtcp(&mut vec![0x80; length]).is_err());
    }
    let mut plain = hex(RTCP);
    plain.extend_from_slice(&[0; TAG + RTCP_INDEX]);
    assert!(session.open_rtcp(&mut plain).is_err());
}

proptest! {
    #[test]
    fn a_changed_bit_or_index_is_not_authentic(
        payload in prop::collection::vec(any::<u8>(), 0..300),
        index in 0u64..1 << 48,
        position in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let session = example(Profile::Aes128Gcm, 0);
        let mut packet = hex(RTP)[..12].to_vec();
        packet.extend_from_slice(&payload);
        packet.extend_from_slice(&[0; TAG]);
        session.seal(&mut packet, 12, index).expect("seals");
        let mut copy = packet.clone();
        prop_assert_eq!(session.open(&mut copy, 12, index).expect("authentic"), &payload[..]);
        prop_assert!(session.open(&mut packet.clone(), 12, index ^ 1).is_err());
        let position = position.index(packet.len());
        packet[position] ^= 1 << bit;
        prop_assert!(session.open(&mut packet, 12, index).is_err());
    }
}
