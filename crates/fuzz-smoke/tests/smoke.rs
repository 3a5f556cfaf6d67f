//! One test per fuzz target, so that a panic names its target and targets run side by side.

use std::collections::BTreeSet;
use std::fs;

use fuzz_smoke::{TARGETS, Target, fuzz_folder, seeds, smoke};

fn run(name: &str) {
    let target = TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("a target of that name");
    let seeds = seeds(name).expect("a readable seed folder");
    assert!(!seeds.is_empty(), "fuzz/seeds/{name} is empty");
    let tried = smoke(target, &seeds);
    assert!(tried > target.mutations, "{name} tried only {tried} inputs");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    rtp_view ext_rewrite rtcp codec_vp8 codec_h264 codec_vp9 codec_av1 rtx
    stun demux_link srtp_unprotect twcc_bwe
    worker_datagram store_ops rewrite train_padding
    negotiate_json
    signalling_json
}

#[test]
fn every_target_has_a_file_a_body_and_a_test() {
    let files: BTreeSet<String> = fs::read_dir(fuzz_folder().join("fuzz_targets"))
        .expect("fuzz/fuzz_targets")
        .map(|entry| {
            entry
                .expect("an entry")
                .path()
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let bodies: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let tested: BTreeSet<String> = TESTED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(files, bodies);
    assert_eq!(files, tested);
}

#[test]
fn a_panicking_body_is_reported_with_its_input() {
    fn refuses_nine(data: &[u8]) {
        assert!(data.first() != Some(&9), "nine");
    }
    let target = Target {
        name: "self_test",
        body: refuses_nine,
        mutations: 0,
    };
    let outcome = std::panic::catch_unwind(|| smoke(&target, &[vec![9, 1]]));
    let message = *outcome
        .expect_err("the body panics")
        .downcast::<String>()
        .expect("a message");
    assert!(
        message.contains("self_test panicked on 2 bytes") && message.contains("[09, 01]"),
        "{message}"
    );
    fs::remove_dir_all(fuzz_folder().join("artifacts/self_test")).expect("the saved input");
}
