//! The same entries without nightly: generated documents, damaged at random, for FUZZ_SECONDS (5 unless set) each.

use fhirlake::json::generate::{damaged, document};
use fhirlake::json::{Limits, parse};
use std::time::{Duration, Instant, SystemTime};

/// SplitMix64; the seed is printed, so that a failure can be repeated with FUZZ_SEED.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// Flips, sets, drops, repeats and splices.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(5) {
            let at = self.below(bytes.len());
            let end = (at + self.below(12)).min(bytes.len());
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = self.next() as u8,
                2 if at + 4 <= bytes.len() => {
                    let at = at & !3;
                    let word = [0, 1, 0x0FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, self.next() as u32][self.below(6)];
                    bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
                }
                3 if at < end => drop(bytes.drain(at..end)),
                4 if at < end => {
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                5 if at + 4 <= bytes.len() => {
                    // Near misses: an offset or a count that is off by a little.
                    let at = at & !3;
                    let word = u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
                    let near = word.wrapping_add(self.below(9) as u32).wrapping_sub(4);
                    bytes[at..at + 4].copy_from_slice(&near.to_ne_bytes());
                }
                _ => bytes.truncate(bytes.len() - self.below(4).min(bytes.len())),
            }
        }
    }
}

/// Calls `once` until the time is over, and says on what it failed.
fn hammer(name: &str, mut once: impl FnMut(&mut Random)) {
    let number = |variable: &str| std::env::var(variable).ok().and_then(|value| value.parse::<u64>().ok());
    let seconds = number("FUZZ_SECONDS").unwrap_or(5);
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    let first = number("FUZZ_SEED").unwrap_or(clock);
    let begin = Instant::now();
    let mut rounds = 0u64;
    while begin.elapsed() < Duration::from_secs(seconds) {
        let seed = first.wrapping_add(rounds);
        let round = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| once(&mut Random(seed))));
        assert!(round.is_ok(), "{name}: repeat with FUZZ_SEED={seed}");
        rounds += 1;
    }
    println!("{name}: {rounds} rounds in {seconds} s");
}

#[test]
fn json_text() {
    hammer("json_text", |random| {
        let seed = random.next();
        fhirlake_fuzz::json_text(document(seed).as_bytes());
        fhirlake_fuzz::json_text(&damaged(seed));
        let mut text = document(seed).into_bytes();
        random.damage(&mut text);
        fhirlake_fuzz::json_text(&text);
    });
}

#[test]
fn json_container() {
    hammer("json_container", |random| {
        let text = document(random.next());
        let mut bytes = parse(text.as_bytes(), &Limits::default()).expect("a generated document");
        if bytes.len() > 100_000 {
            return;
        }
        fhirlake_fuzz::json_container(&bytes);
        for _ in 0..20 {
            random.damage(&mut bytes);
            fhirlake_fuzz::json_container(&bytes);
        }
        let noise: Vec<u8> = (0..random.below(200)).map(|_| random.next() as u8).collect();
        fhirlake_fuzz::json_container(&noise);
    });
}
