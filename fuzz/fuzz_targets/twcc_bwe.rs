#![no_main]

use std::time::Instant;

libfuzzer_sys::fuzz_target!(|data: &[u8]| link::fuzz::twcc_bwe(Instant::now(), data));
