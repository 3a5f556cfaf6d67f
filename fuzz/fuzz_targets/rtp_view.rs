#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rtp::fuzz::rtp_view(data));
