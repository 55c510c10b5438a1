//! What becomes of a chunk: rows that are ready to be stored, and the lines that are rejected. It knows nothing of the server.

use super::blocks::Block;
use super::line::{self, Rejected};
use super::source::Chunk;
use crate::json::{Limits, Parser};
use crate::store::{Stamped, Submitted};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

/// What holds for the whole load.
pub struct Work {
    pub validated: bool,
    pub max_line: usize,
    pub ids: Ids,
}

/// Ids for resources that have none.
pub struct Ids {
    /// Time of the load, in microseconds since 2000-01-01 UTC.
    pub now: i64,
    seed: u64,
    hasher: RandomState,
}

impl Ids {
    /// `seed` is random.
    pub fn new(now: i64, seed: u64) -> Ids {
        // Of 62 bits that a UUID has, with room above, so that no load reaches the end of the numbers.
        Ids { now, seed: seed >> 3, hasher: RandomState::new() }
    }

    /// What makes the id of the resource behind so many bytes of the load: later ones sort later, and none can be guessed from
    /// another.
    pub fn random(&self, place: u64) -> [u8; 8] {
        let number = self.seed.wrapping_add(place << 16 | self.hasher.hash_one(place) & 0xFFFF);
        // A UUID takes the upper 14 and the lower 48 bits.
        (number >> 48 << 50 | number & 0xFFFF_FFFF_FFFF).to_be_bytes()
    }
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// In its chunk from 0; the whole file is counted where the chunks are in order.
    pub line: u64,
    /// Bytes of the file before it.
    pub offset: u64,
}

/// A chunk, done.
pub struct Done {
    pub file: usize,
    /// The file ends here.
    pub is_end: bool,
    /// Bytes of text.
    pub bytes: u64,
    /// As [`Chunk::read`].
    pub read: u64,
    /// Lines, also blank ones.
    pub lines: u64,
    pub entries: Vec<Entry>,
}

/// What became of a line.
pub struct Entry {
    pub place: Place,
    pub outcome: Result<Box<Stamped>, Box<Rejected>>,
}

/// Does chunks one after the other, in the same memory.
pub struct Worker {
    parser: Parser,
    container: Vec<u8>,
}

impl Worker {
    pub fn new(work: &Work) -> Worker {
        let limits = Limits { max_bytes: work.max_line, ..Limits::default() };
        Worker { parser: Parser::new(limits), container: Vec::new() }
    }

    /// Gives up early, with what is done so far, where `stop` is set: nobody will look at it then.
    pub fn work(&mut self, chunk: Chunk, work: &Work, stop: &AtomicBool) -> Done {
        let mut done = Done { file: chunk.file, is_end: chunk.block.is_none(), bytes: 0, read: chunk.read, lines: 0, entries: Vec::new() };
        let Some(block) = chunk.block else { return done };
        done.bytes = block.length;
        if block.is_cut {
            done.lines = 1;
            let rejected = line::too_long(&block.bytes, work.max_line);
            done.entries.push(Entry { place: Place { line: 0, offset: block.offset }, outcome: Err(Box::new(rejected)) });
            return done;
        }
        for (place, text) in lines(&block) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            done.lines = place.line + 1;
            if text.is_empty() {
                continue;
            }
            let outcome = if text.len() > work.max_line {
                Err(line::too_long(text, work.max_line))
            } else {
                self.line(text, chunk.before + place.offset, work)
            };
            done.entries.push(Entry { place, outcome: outcome.map(Box::new).map_err(Box::new) });
        }
        done
    }

    /// The row of one line; `place` is how many bytes of the load stand before it.
    pub fn line(&mut self, text: &[u8], place: u64, work: &Work) -> Result<Stamped, Rejected> {
        let Worker { parser, container } = self;
        parser.parse_into(text, container).map_err(|error| line::rejected(text, &error.into()))?;
        let stamped = Submitted::read(container, None).and_then(|submitted| {
            if work.validated {
                submitted.validated()?;
            }
            submitted.first(work.ids.now, work.ids.random(place))
        });
        // A large resource leaves no large buffer behind.
        container.shrink_to(1 << 20);
        stamped.map_err(|refusal| line::rejected(text, &refusal))
    }
}

/// The lines of a block without white space around them, and without the byte order mark of a file.
fn lines(block: &Block) -> impl Iterator<Item = (Place, &[u8])> {
    let mut rest = block.bytes.as_slice();
    let (mut line, mut offset) = (0, block.offset);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (text, behind) = rest.split_at(end);
        let place = Place { line, offset };
        line += 1;
        offset += end as u64;
        rest = behind;
        let text = if place.offset == 0 { text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text) } else { text };
        Some((place, text.trim_ascii()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> Work {
        Work { validated: true, max_line: 1000, ids: Ids::new(800_000_000_000_000, u64::MAX) }
    }

    fn done(offset: u64, text: &[u8]) -> Done {
        let block = Block { offset, bytes: text.to_vec(), is_cut: false, length: text.len() as u64 };
        let work = work();
        Worker::new(&work).work(Chunk { file: 0, before: 0, block: Some(block), read: 0 }, &work, &AtomicBool::new(false))
    }

    #[test]
    fn a_rejected_line_says_why() {
        let reason = |text: &[u8]| done(0, text).entries.remove(0).outcome.err().map(|rejected| rejected.reason).unwrap_or_default();
        assert!(reason(br#"{"resourceType":"Patient""#).contains("at byte"));
        assert!(reason(br#"{"resourceType":"Nobody"}"#).contains("Nobody"));
        assert!(reason(br#"[1]"#).contains("not a JSON object"));
        assert!(reason(br#"{"resourceType":"Patient","gender":"none"}"#).contains("Patient.gender"));
    }

    #[test]
    fn lines_know_their_number_and_their_byte() {
        let found = done(0, b"\xEF\xBB\xBF{\"resourceType\":\"Patient\",\"id\":\"a\"}\r\n\n  \n7\n{\"resourceType\":\"Patient\",\"id\":\"b\"}");
        let places: Vec<(u64, u64, bool)> = found.entries.iter().map(|entry| (entry.place.line, entry.place.offset, entry.outcome.is_ok())).collect();
        assert_eq!(places, [(0, 0, true), (3, 44, false), (4, 46, true)]);
        assert_eq!(found.lines, 5);
    }

    #[test]
    fn a_byte_order_mark_is_one_only_at_the_start_of_a_file() {
        assert!(done(10, b"\xEF\xBB\xBF{\"resourceType\":\"Patient\"}").entries[0].outcome.is_err());
    }

    #[test]
    fn a_line_that_is_too_long_is_rejected_and_the_next_is_not() {
        let text = format!("{}\n{{\"resourceType\":\"Patient\"}}\n", "x".repeat(1001));
        let found = done(0, text.as_bytes());
        assert_eq!(found.entries[0].outcome.as_ref().unwrap_err().reason, "line is longer than 1000 bytes");
        assert!(found.entries[1].outcome.is_ok());
    }

    #[test]
    fn ids_of_a_load_sort_as_its_lines_do() {
        for seed in [0, u64::MAX, 0x1234_5678_9ABC_DEF0] {
            let ids = Ids::new(0, seed);
            let id = |place: u64| crate::store::time::uuid(ids.now, ids.random(place));
            let places: Vec<u64> = (0..40).map(|bit| 1 << bit).chain((1 << 40)..(1 << 40) + 100).collect();
            assert!(places.windows(2).all(|pair| id(pair[0]) < id(pair[1])));
        }
    }

    #[test]
    fn a_worker_that_must_stop_does() {
        let block = Block { offset: 0, bytes: b"7\n7\n".to_vec(), is_cut: false, length: 4 };
        let work = work();
        let done = Worker::new(&work).work(Chunk { file: 0, before: 0, block: Some(block), read: 0 }, &work, &AtomicBool::new(true));
        assert!(done.entries.is_empty());
    }
}
