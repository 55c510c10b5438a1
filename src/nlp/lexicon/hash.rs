//! The hashes of a compiled lexicon. They are part of its format: never change one without the number of the format.

use twox_hash::XxHash3_64;

pub fn word(bytes: &[u8]) -> u64 {
    // Words are short: a multiplication for each eight bytes is enough, and shorter than a call.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ bytes.len() as u64;
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        state = mix(state ^ u64::from_le_bytes(*eight));
    }
    if !rest.is_empty() {
        state = mix(state ^ rest.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)));
    }
    state
}

pub fn edge(node: u32, token: u32) -> u64 {
    mix(0x9e37_79b9_7f4a_7c15 ^ (u64::from(node) << 32 | u64::from(token)))
}

fn mix(value: u64) -> u64 {
    let value = value.wrapping_mul(0xff51_afd7_ed55_8ccd);
    let value = (value ^ value >> 32).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    value ^ value >> 29
}

pub fn checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}
