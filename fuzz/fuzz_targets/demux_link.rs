#![no_main]

use std::time::Instant;

libfuzzer_sys::fuzz_target!(|data: &[u8]| link::fuzz::demux_link(Instant::now(), data));
