use super::*;
use proptest::prelude::*;

type Body = (&'static str, fn(&[u8]), &'static [&'static [u8]]);

/// Each body with a few inputs that get past the first checks.
const BODIES: [Body; 8] = [
    (
        "rtp_view",
        rtp_view,
        &[
            &[0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3],
            &[
                0xb1, 0xe0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 0x10, 7, 0x21, 8, 5,
                0, 2,
            ],
        ],
    ),
    (
        "ext_rewrite",
        ext_rewrite,
        &[
            &[
                0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xbe, 0xde, 0, 2, 0x10, b'v', 0x51, 1, 2, 0x60, 0x85,
                0, 5,
            ],
            &[
                0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x10, 0, 0, 2, 8, 4, 1, 2, 3, 4, 0, 0, 5,
            ],
        ],
    ),
    (
        "rtcp",
        rtcp,
        &[
            &[
                0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2,
            ],
            &[0x81, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0x80, 0x01],
            &[
                0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5, 0, 3, 0, 0, 1, 7, 0xd9, 0, 1, 0xff, 0xff, 0,
            ],
            &[
                0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 1, 0x0b, 0xff, 0xff, 0, 0,
                0, 9,
            ],
        ],
    ),
    (
        "codec_vp8",
        codec_vp8,
        &[
            &[0x90, 0xe0, 0x80, 0x2a, 0x07, 0xa0, 0x01],
            &[7, 1, 0x90, 0xe0, 0x80, 1, 2, 3, 0],
        ],
    ),
    (
        "codec_vp9",
        codec_vp9,
        &[
            &[0xac, 0x80, 0x01, 0x53, 0x09, 0xff],
            &[0x0a, 0x18, 1, 1, 1, 1, 1, 0x04, 9, 0],
        ],
    ),
    (
        "codec_h264",
        codec_h264,
        &[&[
            4, 0, 0x67, 0x42, 0xe0, 0x1f, 4, 1, 0x7c, 0x85, 0x88, 0x84, 2, 0, 0x78, 0,
        ]],
    ),
    (
        "codec_av1",
        codec_av1,
        &[&[
            12, 16, 0x80, 0, 0, 0x80, 1, 0x7a, 0x14, 0, 0x10, 0x34, 0, 1, 3, 6, 0xc1, 0, 1,
        ]],
    ),
    (
        "rtx",
        rtx,
        &[
            &[0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3],
            &[0xa0, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4],
        ],
    ),
];

#[test]
fn seeds() {
    for (_, body, seeds) in BODIES {
        body(&[]);
        for seed in seeds {
            body(seed);
            for cut in 0..seed.len() {
                body(&seed[..cut]);
            }
        }
    }
}

proptest! {
    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, body, _) in BODIES {
            body(&bytes);
        }
    }

    #[test]
    fn changed_seeds(which in any::<prop::sample::Index>(), flips in prop::collection::vec((any::<u16>(), any::<u8>()), 1..6)) {
        for (_, body, seeds) in BODIES {
            let mut bytes = which.get(seeds).to_vec();
            for (at, value) in &flips {
                let at = usize::from(*at) % bytes.len();
                bytes[at] = *value;
            }
            body(&bytes);
        }
    }
}
