//! RFC 3711 appendix B, RFC 7714 §16 and §17.

use super::super::keys::{self, Half};
use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex"))
        .collect()
}

fn block(text: &str) -> [u8; 16] {
    hex(text).try_into().expect("a block")
}

#[test]
fn rfc_3711_b2_aes_counter_mode() {
    let key = keys::ctr_key(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).expect("key");
    for (counter, keystream) in [
        (
            "F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000",
            "E03EAD0935C95E80E166B16DD92B4EB4",
        ),
        (
            "F0F1F2F3F4F5F6F7F8F9FAFBFCFD0001",
            "D23513162B02D0F72A43A2FE4A5F97AB",
        ),
        (
            "F0F1F2F3F4F5F6F7F8F9FAFBFCFD0002",
            "41E95B3BB0A2E8DD477901E4FCA894C0",
        ),
        (
            "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF",
            "EC8CDF7398607CB0F2D21675EA9EA1E4",
        ),
        (
            "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFF00",
            "362B7C3C6773516318A077D7FC5073AE",
        ),
        (
            "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFF01",
            "6A2CC3787889374FBEB4C81B17BA6C44",
        ),
    ] {
        let mut bytes = [0; 16];
        keys::apply_keystream(&key, block(counter), &mut bytes).expect("keystream");
        assert_eq!(bytes.to_vec(), hex(keystream), "counter {counter}");
    }
}

#[test]
fn rfc_3711_b3_key_derivation() {
    let master = MasterKey::new(
        SrtpProfile::AesCm128HmacSha1_80,
        &hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
        &hex("0EC675AD498AFEEBB6960B3AABE6"),
    )
    .expect("lengths");
    let keys = master.derive(Half::Rtp).expect("keys");
    assert_eq!(keys.cipher(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(keys.salt(), hex("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(
        keys.auth().to_vec(),
        hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
    );
    let rtcp = master.derive(Half::Rtcp).expect("keys");
    assert_ne!(rtcp.cipher(), keys.cipher());
    assert_ne!(rtcp.auth(), keys.auth());
    assert_ne!(rtcp.salt(), keys.salt());
}

const SALT: &str = "517569642070726f2071756f";
const RTP_PLAIN: &str = "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
    69736120 696e2070 61727465 73207472 6573";
const RTCP_PLAIN: &str = "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
    deadbeef deadbeef deadbeef deadbeef deadbeef";
const RTCP_INDEX: u32 = 0x5d4;

fn gcm_keys(profile: SrtpProfile) -> SessionKeys {
    let key: Vec<u8> = (0..profile.key_len() as u8).collect();
    SessionKeys::from_parts(profile, &key, &[], &hex(SALT))
}

#[test]
fn rfc_7714_16_srtp() {
    for (profile, protected) in [
        (
            SrtpProfile::AeadAes128Gcm,
            "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
             51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce",
        ),
        (
            SrtpProfile::AeadAes256Gcm,
            "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
             76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
        ),
    ] {
        let keys = gcm_keys(profile);
        let mut outbound = Outbound::from_session_keys(profile, &keys);
        let mut inbound = Inbound::from_session_keys(profile, &keys);
        let sealed = protect(&mut outbound, &hex(RTP_PLAIN), 0xf17b).expect("fresh index");
        assert_eq!(sealed, hex(protected), "{profile:?}");
        assert_eq!(
            unprotect(&mut inbound, &sealed),
            Ok(hex(RTP_PLAIN)),
            "{profile:?}"
        );
    }
}

#[test]
fn rfc_7714_17_srtcp() {
    for (profile, protected) in [
        (
            SrtpProfile::AeadAes128Gcm,
            "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
             4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4",
        ),
        (
            SrtpProfile::AeadAes256Gcm,
            "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be
             8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4",
        ),
    ] {
        let keys = gcm_keys(profile);
        let mut outbound = Outbound::from_session_keys(profile, &keys);
        outbound.set_next_rtcp_index(RTCP_INDEX);
        let mut inbound = Inbound::from_session_keys(profile, &keys);
        let mut packet = hex(RTCP_PLAIN);
        outbound.protect_rtcp(&mut packet).expect("fresh index");
        assert_eq!(packet, hex(protected), "{profile:?}");
        let len = inbound.unprotect_rtcp(&mut packet).expect("authentic");
        assert_eq!(packet[..len], hex(RTCP_PLAIN), "{profile:?}");
    }
}

/// The same packets authenticated only (E flag clear): the whole packet is associated data.
#[test]
fn rfc_7714_17_3_authenticated_only_srtcp() {
    for (profile, protected) in [
        (
            SrtpProfile::AeadAes128Gcm,
            "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef
             deadbeef deadbeef deadbeef 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4",
        ),
        (
            SrtpProfile::AeadAes256Gcm,
            "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef
             deadbeef deadbeef deadbeef 91db4afb feee5a97 8fab4393 ed2615fe 000005d4",
        ),
    ] {
        let mut inbound = Inbound::from_session_keys(profile, &gcm_keys(profile));
        let mut packet = hex(protected);
        let len = inbound.unprotect_rtcp(&mut packet).expect("authentic");
        assert_eq!(packet[..len], hex(RTCP_PLAIN), "{profile:?}");
    }
}
