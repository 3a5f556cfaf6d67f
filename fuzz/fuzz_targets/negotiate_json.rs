#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ortc::fuzz::negotiate_json(data));
