//! Any text gives findings that slice it: whatever its bytes, however long.

use std::path::Path;
use std::sync::LazyLock;

use super::entity::Entity;
use super::lexicon::{Lexicon, shipped};
use super::{Options, detect};

/// The lexicon that is shipped: the small one of the other tests finds too little.
static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::open(shipped::compile().unwrap().leak()).unwrap());

/// The annotated notes, with their markup: more marks do no harm here.
static NOTES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(file!()).ancestors().nth(3).unwrap().join("tests/conformance/nlp/notes");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    files.sort();
    let all: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    all.split("\n=== ").map(str::to_owned).collect()
});

/// Reads a text and checks what must hold of all findings.
fn read(text: &str) -> Vec<Entity> {
    let found = detect(text, &LEXICON, &Options::default()).unwrap();
    let slices = |begin: usize, end: usize| begin < end && text.get(begin..end).is_some();
    let shown = || text.chars().take(200).collect::<String>();
    for entity in &found {
        assert!(slices(entity.begin, entity.end), "{}..{} of {:?}", entity.begin, entity.end, shown());
        assert!((0.0..=1.0).contains(&entity.score), "score {} of {:?}", entity.score, shown());
        for attribute in &entity.attributes {
            assert!(slices(attribute.begin, attribute.end), "{} {}..{} of {:?}", attribute.kind.name(), attribute.begin, attribute.end, shown());
        }
        for reference in &entity.concepts {
            assert!(reference.concept < LEXICON.image.concepts());
        }
    }
    assert!(found.is_sorted_by_key(|entity| entity.begin), "not in order: {:?}", shown());
    found
}

/// Numbers in no order, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

#[test]
fn notes_as_they_are() {
    assert!(NOTES.len() >= 300);
    let found: usize = NOTES.iter().map(|note| read(note).len()).sum();
    assert!(found > NOTES.len() * 3, "{found} findings");
}

/// Bytes changed at random, then read as UTF-8 as far as it goes; characters lost, doubled, and such put in as no keyboard has.
#[test]
fn notes_with_damage() {
    const STRANGE: &[&str] = &[
        "\u{200b}", "\u{200d}", "\u{feff}", "\u{202e}", "\u{200f}", "\u{ad}", "\u{301}", "\u{0}", "\u{b}", "\u{85}", "\u{2028}", "🤒", "👩‍⚕️", "ש", "٣", "½",
        "ﬁ", "İ", "ß", "µ", "\r", "\n", "\t", "(", "]", "%", "/", "<", "'", "’", "–",
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for note in NOTES.iter() {
        let mut bytes = note.clone().into_bytes();
        for _ in 0..1 + bytes.len() / 40 {
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
        }
        read(&String::from_utf8_lossy(&bytes));

        let mut text = String::new();
        for c in note.chars() {
            match random.below(30) {
                0 => {}
                1 => text.extend([c, c]),
                2 => {
                    text.push(c);
                    text.push_str(STRANGE[random.below(STRANGE.len())]);
                }
                _ => text.push(c),
            }
        }
        read(&text);
        read(&note.replace('\n', " "));
        read(&note.replace(['\n', ' '], ""));
        read(&note.replace(' ', "\n"));
        read(&note.to_uppercase());
        read(&note.chars().rev().collect::<String>());
        let end = (0..=random.below(note.len())).rev().find(|at| note.is_char_boundary(*at)).unwrap();
        read(&note[..end]);
    }
}

/// What breaks patience: the same again and again. A quadratic step would take minutes for each of these.
#[test]
fn endless_texts() {
    // without optimisation one part and a bit must do
    const SIZE: usize = if cfg!(debug_assertions) { 70_000 } else { 1_000_000 };
    let note = &NOTES[3];
    for piece in [
        note.as_str(), "(", ")", "[", "((x", "1", "1.", "1,", "9/", "a", "A", "é", "-", ".", ":", ",", "\n", "\r", " ", "\t", "'", "\u{200b}", "🤒", "no ", "if ",
        "denies ", "pain ", "pain,", "pain and ", "or ", "left ", "mg ", "25 mg ", "25 mg po bid ", "aspirin ", "aspirin 25 mg, ", "K 5.2 ", "BP 120/80 ",
        "BP ", "1-", "[x] ", "HTN (", "a (b", "COPD) ", "of the ", "hepatitis B and ", "cancer of ", "Dr. ", "John ", "history of ", "FH: ", "FH:\n", "x.\n\n",
        "allergic to ", "for ", "q", "1/2/", "Mon ", "https://", "a@", "|", "\t1", "1\n", "Patient: ", "xqzjk",
    ] {
        read(&piece.repeat(SIZE / piece.len()));
    }
    read(&"word".repeat(SIZE / 4));
    let all = NOTES.concat();
    read(&all.repeat(1 + SIZE / all.len()));
}

/// A part of a long text says what it would say alone.
#[test]
fn repetition_changes_nothing() {
    let note = "HPI: 60 year old with chest pain, no fever. Takes aspirin 81 mg daily.\n\n";
    let one = read(note).len();
    assert!(one >= 3);
    assert_eq!(read(&note.repeat(3000)).len(), one * 3000);
}

#[test]
fn nothing_gives_nothing() {
    for text in ["", " ", "\n", "\u{feff}", "\u{200b}\u{200b}", "...", "()"] {
        assert!(read(text).is_empty(), "{text:?}");
    }
}
