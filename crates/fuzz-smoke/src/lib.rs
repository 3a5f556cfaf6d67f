//! The fuzz targets without libFuzzer: replays each target's committed seeds (`fuzz/seeds/<target>/`) and a
//! fixed number of random mutations of them, so that every change is tried on a stable toolchain. The long
//! search with coverage feedback is `make fuzz`.
//!
//! Deterministic: the same tree tries the same inputs. An input that makes a body panic is written to
//! `fuzz/artifacts/<target>/`, from where `cargo fuzz run <target> <file>` replays it.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};

mod mutate;

pub use mutate::Mutator;

/// A body under test: takes any bytes and must not panic, hang or grow without bound.
pub type Body = fn(&[u8]);

/// A fuzz target: its name, which is also that of its file in `fuzz/fuzz_targets`, and its body.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name of the target and of its seed folder.
    pub name: &'static str,
    /// Where the body lives.
    pub body: Body,
    /// Mutations per smoke run, chosen so that a target takes a few seconds at most.
    pub mutations: u32,
}

const fn target(name: &'static str, body: Body, mutations: u32) -> Target {
    Target {
        name,
        body,
        mutations,
    }
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("rtp_view", rtp::fuzz::rtp_view, 1_000_000),
    target("ext_rewrite", rtp::fuzz::ext_rewrite, 1_000_000),
    target("rtcp", rtp::fuzz::rtcp, 1_000_000),
    target("codec_vp8", rtp::fuzz::codec_vp8, 1_000_000),
    target("codec_h264", rtp::fuzz::codec_h264, 1_000_000),
    target("codec_vp9", rtp::fuzz::codec_vp9, 1_000_000),
    target("codec_av1", rtp::fuzz::codec_av1, 1_000_000),
    target("rtx", rtp::fuzz::rtx, 1_000_000),
    target("stun", link::fuzz::stun, 300_000),
    target(
        "demux_link",
        |data| link::fuzz::demux_link(Instant::now(), data),
        10_000,
    ),
    target("srtp_unprotect", link::fuzz::srtp_unprotect, 50_000),
    target(
        "twcc_bwe",
        |data| link::fuzz::twcc_bwe(Instant::now(), data),
        50_000,
    ),
    target(
        "worker_datagram",
        |data| sfu::fuzz::worker_datagram(Instant::now(), data),
        2_000,
    ),
    target(
        "store_ops",
        |data| sfu::fuzz::store_ops(Instant::now(), data),
        20_000,
    ),
    target("rewrite", sfu::fuzz::rewrite, 300_000),
    target("train_padding", sfu::fuzz::train_padding, 300_000),
    target("negotiate_json", ortc::fuzz::negotiate_json, 50_000),
    target("signalling_json", signalling::fuzz::signalling_json, 50_000),
];

/// The `fuzz` folder of the repository.
#[must_use]
pub fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The committed inputs of a target, in the order of their names.
///
/// # Errors
/// When the target's seed folder or a file in it cannot be read.
pub fn seeds(target: &str) -> io::Result<Vec<Vec<u8>>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(fuzz_folder().join("seeds").join(target))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    paths.sort();
    paths.iter().map(fs::read).collect()
}

/// Replays the seeds and then the mutations; returns how many inputs were tried.
///
/// # Panics
/// When the body panics: the message names the file that the input was saved to.
#[must_use]
pub fn smoke(target: &Target, seeds: &[Vec<u8>]) -> u32 {
    let mut tried = 0;
    for seed in seeds.iter().map(Vec::as_slice).chain([&[] as &[u8]]) {
        try_one(target, seed);
        tried += 1;
    }
    let mut mutator = Mutator::new(target.name, seeds);
    for _ in 0..target.mutations {
        try_one(target, mutator.next_input());
        tried += 1;
    }
    tried
}

fn try_one(target: &Target, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| (target.body)(input))).is_err() {
        let folder = fuzz_folder().join("artifacts").join(target.name);
        let file = folder.join(format!("smoke-{:016x}", mutate::hash(input)));
        let saved = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, input));
        let place = saved.map_or_else(
            |error| format!("not saved: {error}"),
            |()| file.display().to_string(),
        );
        panic!(
            "{} panicked on {} bytes ({place}): {input:02x?}",
            target.name,
            input.len()
        );
    }
}
