#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| signalling::fuzz::signalling_json(data));
