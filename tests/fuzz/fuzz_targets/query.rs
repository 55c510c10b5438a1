#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| fhirlake_fuzz::query(text));
