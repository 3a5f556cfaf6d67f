//! A short random run of every fuzz target, so that `cargo test` finds what is easy to find.

use proptest::prelude::*;

use super::*;

/// Chunks as the targets cut them: more of them make sense than of plain random bytes.
fn operations(kinds: impl Strategy<Value = u16>, count: usize) -> impl Strategy<Value = Vec<u8>> {
    let chunk = (kinds, proptest::collection::vec(any::<u8>(), 0..80), 0_u8..6).prop_map(
        |(kind, mut bytes, shape)| {
            // Lead the demultiplexer into each protocol often enough.
            match (shape, bytes.first_mut()) {
                (0, Some(first)) => *first = 0x80 | (*first & 0x1F),
                (1, Some(first)) => *first = 20 + (*first & 7),
                (2, Some(first)) => *first &= 3,
                _ => {}
            }
            let mut chunk = kind.to_be_bytes().to_vec();
            chunk.push(bytes.len() as u8);
            chunk.extend_from_slice(&bytes);
            chunk
        },
    );
    (any::<u8>(), proptest::collection::vec(chunk, 0..count)).prop_map(|(selector, chunks)| {
        let mut data = vec![selector];
        data.extend(chunks.concat());
        data
    })
}

fn stun_kinds() -> impl Strategy<Value = u16> {
    prop_oneof![
        prop::sample::select(vec![
            6, 8, 9, 0x1C, 0x20, 0x24, 0x25, 0x8028, 0x8029, 0x802A, 0xC001_u16
        ]),
        any::<u16>()
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn stun_holds(data in operations(stun_kinds(), 8)) {
        stun(&data);
        stun(data.get(1..).unwrap_or_default());
    }

    #[test]
    fn stun_holds_for_any_bytes(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        stun(&data);
    }

    #[test]
    fn srtp_unprotect_holds(data in operations(any::<u16>(), 12)) {
        srtp_unprotect(&data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn demux_link_holds(data in operations(any::<u16>(), 40)) {
        demux_link(Instant::now(), &data);
    }
}

/// A damaged HelloRetryRequest once left the DTLS client due at every instant: an endless loop for its owner.
#[test]
fn a_deadline_passes_once_it_is_handled() {
    for _ in 0..10 {
        demux_link(Instant::now(), &[126, 25, 92, 1, 129, 25, 106, 0]);
    }
}
