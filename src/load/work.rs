//! What becomes of a chunk: rows that are ready to be stored, and the lines that are rejected. It knows nothing of the server.

use super::balance::{items, member};
use super::blocks::Block;
use super::bundle::{Entry, Links};
use super::documents::{Piece, Pieces};
use super::line::{self, Rejected};
use super::source::{Chunk, Content};
use crate::json::{self, Limits, Parser};
use crate::model::TypeId;
use crate::path::eval::Services;
use crate::path::reference::{self, Target};
use crate::store::links::{self, Link};
use crate::store::{Refusal, Stamped, Submitted, Version};
use crate::validate::Level;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

/// What holds for the whole load.
pub struct Work {
    /// What each resource has to pass in its thread; nothing beside a type and an id, where there is none.
    pub level: Option<Level>,
    /// Versions are those that the resources name.
    pub keeps_versions: bool,
    /// Tell resources with conditional references apart.
    pub resolves: bool,
    /// Tell what references name.
    pub sees_targets: bool,
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

/// Where a line, or an entry of a Bundle, stands.
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
    /// Lines, also blank ones; or entries.
    pub lines: u64,
    pub outcomes: Vec<(Place, Outcome)>,
    /// What references of the form `Type/id` name, each once.
    pub targets: Vec<(TypeId, String)>,
}

/// What became of a line.
pub enum Outcome {
    Row(Box<Row>),
    /// A deletion of that resource.
    Deletion(TypeId, String),
    Rejected(Box<Rejected>),
}

pub struct Row {
    pub stamped: Stamped,
    /// A reference of it is a search, which other resources may decide.
    pub is_conditional: bool,
}

/// Does chunks one after the other, in the same memory.
pub struct Worker {
    parser: Parser,
    container: Vec<u8>,
    targets: HashSet<(TypeId, String)>,
}

/// Goes on until somebody says stop.
struct Until<'s>(&'s AtomicBool);

impl Services for Until<'_> {
    fn go_on(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

impl Worker {
    pub fn new(work: &Work) -> Worker {
        let limits = Limits { max_bytes: work.max_line, ..Limits::default() };
        Worker { parser: Parser::new(limits), container: Vec::new(), targets: HashSet::new() }
    }

    /// Gives up early, with what is done so far, where `stop` is set: nobody will look at it then.
    pub fn work(&mut self, chunk: Chunk, work: &Work, stop: &AtomicBool) -> Done {
        let Chunk { file, before, content, read, are_deletions } = chunk;
        let services = &Until(stop);
        let mut done = Done { file, is_end: false, bytes: 0, read, lines: 0, outcomes: Vec::new(), targets: Vec::new() };
        match content {
            Content::End => done.is_end = true,
            Content::Block(block) => {
                done.bytes = block.length;
                self.block(&block, before, are_deletions, work, services, &mut done);
            }
            Content::Pieces(pieces, links) => {
                done.bytes = pieces.length;
                self.pieces(&pieces, before, &links, work, services, &mut done);
            }
        }
        done.targets = self.targets.drain().collect();
        done
    }

    fn block(&mut self, block: &Block, before: u64, are_deletions: bool, work: &Work, services: &Until, done: &mut Done) {
        if block.is_cut {
            done.lines = 1;
            let rejected = line::too_long(&block.bytes, work.max_line);
            done.outcomes.push((Place { line: 0, offset: block.offset }, Outcome::Rejected(Box::new(rejected))));
            return;
        }
        for (place, text) in lines(block) {
            if !services.go_on() {
                return;
            }
            done.lines = place.line + 1;
            if text.is_empty() {
                continue;
            }
            if are_deletions {
                let entries = member(text, "entry").into_iter().flat_map(items);
                let found = entries.map(|entry| deletion(&Entry::read(entry), entry).unwrap_or_else(|| no_resource(entry)));
                done.outcomes.extend(found.map(|outcome| (place, outcome)));
                continue;
            }
            let outcome = if text.len() > work.max_line {
                Outcome::Rejected(Box::new(line::too_long(text, work.max_line)))
            } else {
                self.resource(text, before + place.offset, None, work, services)
            };
            done.outcomes.push((place, outcome));
        }
    }

    fn pieces(&mut self, pieces: &Pieces, before: u64, links: &Links, work: &Work, services: &Until, done: &mut Done) {
        for item in &pieces.items {
            if !services.go_on() {
                return;
            }
            let place = Place { line: done.lines, offset: item.offset };
            done.lines += 1;
            let text = pieces.bytes.get(item.range.clone()).unwrap_or_default();
            let outcome = match item.piece {
                Piece::Resource => self.resource(text, before + item.offset, None, work, services),
                Piece::Cut => Outcome::Rejected(Box::new(line::too_long(text, work.max_line))),
                Piece::Broken => Outcome::Rejected(Box::new(line::broken(text))),
                Piece::Entry => match self.entry(text, before + item.offset, links, work, services) {
                    Some(outcome) => outcome,
                    None => continue,
                },
            };
            done.outcomes.push((place, outcome));
        }
    }

    /// An entry of a Bundle, as data; none if it is only a message to who searched.
    fn entry(&mut self, text: &[u8], place: u64, links: &Links, work: &Work, services: &dyn Services) -> Option<Outcome> {
        let entry = Entry::read(text);
        if entry.is_outcome {
            return None;
        }
        let method = entry.request.as_ref().map(|(method, _)| method.as_str());
        Some(match entry.resource {
            None => deletion(&entry, text).unwrap_or_else(|| no_resource(text)),
            // a patch, or the input of a search, is not what is to be stored
            Some(_) if !matches!(method, None | Some("POST" | "PUT" | "GET" | "HEAD")) => no_resource(text),
            Some(resource) => self.resource(resource, place, Some((&entry, links)), work, services),
        })
    }

    /// The row of one line; `place` is how many bytes of the load stand before it.
    pub fn line(&mut self, text: &[u8], place: u64, work: &Work, services: &dyn Services) -> Result<Stamped, Rejected> {
        self.row(text, place, None, work, services).map(|row| row.stamped).map_err(|refusal| line::rejected(text, &refusal))
    }

    /// One resource; as an entry it may have its id, and the targets of its links, from its Bundle.
    fn resource(&mut self, text: &[u8], place: u64, entry: Option<(&Entry, &Links)>, work: &Work, services: &dyn Services) -> Outcome {
        match self.row(text, place, entry, work, services) {
            Ok(row) => Outcome::Row(Box::new(row)),
            Err(refusal) => Outcome::Rejected(Box::new(line::rejected(text, &refusal))),
        }
    }

    fn row(&mut self, text: &[u8], place: u64, entry: Option<(&Entry, &Links)>, work: &Work, services: &dyn Services) -> Result<Row, Refusal> {
        let Worker { parser, container, targets } = self;
        // A large resource leaves no large buffer behind.
        container.shrink_to(1 << 20);
        parser.parse_into(text, container)?;
        if let Some((_, links)) = entry.filter(|(_, links)| !links.is_empty())
            && let Some(linked) = json::root(container).and_then(|resource| {
                links::replaced(resource, &mut |link: Link, text: &str| match link {
                    Link::Reference => links.target(text, &work.ids),
                    Link::Address => text.starts_with("urn:").then(|| links.target(text, &work.ids)).flatten(),
                })
            })
        {
            *container = linked?;
        }
        let submitted = Submitted::read(container, None)?;
        if let Some(level) = work.level {
            submitted.validated(level, services)?;
        }
        let mut is_conditional = false;
        if work.resolves || work.sees_targets {
            links::references(submitted.node, &mut |text| match reference::target(text) {
                Target::Literal { base: "", ty, id, .. } if work.sees_targets => {
                    targets.insert((ty, id.to_owned()));
                }
                Target::Conditional(_) => is_conditional = work.resolves,
                _ => {}
            });
        }
        let own = || entry.filter(|_| submitted.id.is_none()).and_then(|(entry, _)| entry.id(submitted.ty));
        let id = own().map_or_else(|| submitted.id_or_new(work.ids.now, work.ids.random(place)), Into::into);
        let version = if work.keeps_versions {
            submitted.own_version(work.ids.now)?
        } else {
            Version::after(None, work.ids.now)
        };
        Ok(Row { stamped: submitted.stamped(&id, version)?, is_conditional })
    }
}

fn deletion(entry: &Entry, text: &[u8]) -> Option<Outcome> {
    let (method, _) = entry.request.as_ref()?;
    if method != "DELETE" {
        return None;
    }
    Some(match entry.deletes() {
        Some((ty, id)) => Outcome::Deletion(ty, id),
        None => Outcome::Rejected(Box::new(line::refused(text, "a deletion that does not name Type/id cannot be loaded"))),
    })
}

fn no_resource(text: &[u8]) -> Outcome {
    Outcome::Rejected(Box::new(line::refused(text, "the entry has no resource to store")))
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
        let ids = Ids::new(800_000_000_000_000, u64::MAX);
        Work { level: Some(Level::Structure), keeps_versions: false, resolves: true, sees_targets: true, max_line: 1000, ids }
    }

    fn done(offset: u64, text: &[u8]) -> Done {
        let block = Block { offset, bytes: text.to_vec(), is_cut: false, length: text.len() as u64 };
        of(Content::Block(block), &work(), false)
    }

    fn of(content: Content, work: &Work, are_deletions: bool) -> Done {
        let chunk = Chunk { file: 0, before: 0, content, read: 0, are_deletions };
        Worker::new(work).work(chunk, work, &AtomicBool::new(false))
    }

    fn is_row(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Row(_))
    }

    fn rejection(outcome: &Outcome) -> &str {
        match outcome {
            Outcome::Rejected(rejected) => &rejected.reason,
            _ => "",
        }
    }

    #[test]
    fn a_rejected_line_says_why() {
        let reason = |text: &[u8]| rejection(&done(0, text).outcomes[0].1).to_owned();
        assert!(reason(br#"{"resourceType":"Patient""#).contains("at byte"));
        assert!(reason(br#"{"resourceType":"Nobody"}"#).contains("Nobody"));
        assert!(reason(br#"[1]"#).contains("not a JSON object"));
        assert!(reason(br#"{"resourceType":"Patient","gender":"none"}"#).contains("Patient.gender"));
    }

    #[test]
    fn lines_know_their_number_and_their_byte() {
        let found = done(0, b"\xEF\xBB\xBF{\"resourceType\":\"Patient\",\"id\":\"a\"}\r\n\n  \n7\n{\"resourceType\":\"Patient\",\"id\":\"b\"}");
        let places: Vec<(u64, u64, bool)> = found.outcomes.iter().map(|(place, outcome)| (place.line, place.offset, is_row(outcome))).collect();
        assert_eq!(places, [(0, 0, true), (3, 44, false), (4, 46, true)]);
        assert_eq!(found.lines, 5);
    }

    #[test]
    fn a_byte_order_mark_is_one_only_at_the_start_of_a_file() {
        assert!(!is_row(&done(10, b"\xEF\xBB\xBF{\"resourceType\":\"Patient\"}").outcomes[0].1));
    }

    #[test]
    fn a_line_that_is_too_long_is_rejected_and_the_next_is_not() {
        let text = format!("{}\n{{\"resourceType\":\"Patient\"}}\n", "x".repeat(1001));
        let found = done(0, text.as_bytes());
        assert_eq!(rejection(&found.outcomes[0].1), "line is longer than 1000 bytes");
        assert!(is_row(&found.outcomes[1].1));
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
        let done = Worker::new(&work).work(Chunk { file: 0, before: 0, content: Content::Block(block), read: 0, are_deletions: false }, &work, &AtomicBool::new(true));
        assert!(done.outcomes.is_empty());
    }

    fn bundle(text: &str, work: &Work) -> Vec<String> {
        let stop = AtomicBool::new(false);
        let mut survey = crate::load::documents::Survey::of(text.as_bytes(), 1000, 0, &stop).unwrap();
        let mut documents = crate::load::documents::Documents::new(text.as_bytes(), &mut survey, 1000);
        let pieces = documents.next_pieces(&stop).unwrap().unwrap();
        let done = of(Content::Pieces(pieces, std::sync::Arc::new(survey.links)), work, false);
        let shown = |(place, outcome): &(Place, Outcome)| match outcome {
            Outcome::Row(row) => {
                let text = json::root(&row.stamped.resource).unwrap().to_json();
                let reference = text.split("\"reference\": \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned();
                format!("{} {}/{} {reference} {}", place.line, row.stamped.ty.name(), row.stamped.id, row.is_conditional)
            }
            Outcome::Deletion(ty, id) => format!("{} - {}/{id}", place.line, ty.name()),
            Outcome::Rejected(rejected) => format!("{} ! {}", place.line, rejected.reason),
        };
        done.outcomes.iter().map(shown).collect()
    }

    #[test]
    fn entries_of_a_bundle_are_data_and_their_links_lead_to_each_other() {
        let text = r#"{"resourceType":"Bundle","type":"transaction","entry":[
            {"fullUrl":"urn:uuid:a","resource":{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"urn:uuid:b"}},"request":{"method":"POST","url":"Observation"}},
            {"fullUrl":"urn:uuid:b","resource":{"resourceType":"Patient","id":"p"}},
            {"fullUrl":"http://x.org/Patient/q","resource":{"resourceType":"Patient","generalPractitioner":[{"reference":"Practitioner?identifier=x|1"}]}},
            {"search":{"mode":"outcome"},"resource":{"resourceType":"OperationOutcome"}},
            {"request":{"method":"DELETE","url":"Patient/r"}},
            {"request":{"method":"DELETE","url":"Patient?x=y"}},
            {"request":{"method":"GET","url":"Patient/r"}},
            {"request":{"method":"PATCH","url":"Patient/r"},"resource":{"resourceType":"Binary","contentType":"x"}}]}"#;
        let found = bundle(text, &work());
        assert_eq!(
            found,
            [
                "0 Observation/o Patient/p false",
                "1 Patient/p  false",
                "2 Patient/q Practitioner?identifier=x|1 true",
                "4 - Patient/r",
                "5 ! a deletion that does not name Type/id cannot be loaded",
                "6 ! the entry has no resource to store",
                "7 ! the entry has no resource to store",
            ]
        );
        assert!(bundle(text, &Work { resolves: false, ..work() })[2].ends_with("false"));
    }

    #[test]
    fn lines_of_deletions_are_bundles() {
        let text = br#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Patient/1"}},{"request":{"method":"DELETE","url":"Patient/2"}}]}"#;
        let block = Block { offset: 0, bytes: text.to_vec(), is_cut: false, length: text.len() as u64 };
        let done = of(Content::Block(block), &work(), true);
        assert!(matches!(&done.outcomes[..], [(_, Outcome::Deletion(_, a)), (_, Outcome::Deletion(_, b))] if a == "1" && b == "2"));
    }

    #[test]
    fn targets_of_references_are_told_once() {
        let line = r#"{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1"}}"#;
        let found = done(0, format!("{line}\n{line}\n").as_bytes());
        assert_eq!(found.targets.iter().map(|(ty, id)| format!("{}/{id}", ty.name())).collect::<Vec<_>>(), ["Organization/1"]);
    }

    #[test]
    fn versions_are_those_of_the_file_where_they_are_kept() {
        let text = br#"{"resourceType":"Patient","id":"p","meta":{"versionId":"4"}}"#;
        let block = || Content::Block(Block { offset: 0, bytes: text.to_vec(), is_cut: false, length: text.len() as u64 });
        let version = |work: &Work| match &of(block(), work, false).outcomes[0].1 {
            Outcome::Row(row) => row.stamped.version.number,
            _ => 0,
        };
        assert_eq!((version(&work()), version(&Work { keeps_versions: true, ..work() })), (1, 4));
    }
}
