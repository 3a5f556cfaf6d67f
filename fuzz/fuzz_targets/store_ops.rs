#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sfu::fuzz::store_ops(std::time::Instant::now(), data));
