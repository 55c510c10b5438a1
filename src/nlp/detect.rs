//! A whole text → its entities, in parts of bounded size.

use chrono::NaiveDate;

use super::entity::Entity;
use super::lexicon::Lexicon;
use super::note::Note;
use super::token;
use super::{attribute, context, medication, mention, phi, result, score, sentence, social, time};

/// How to read a text.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// when the note was written
    pub date: Option<NaiveDate>,
    /// the section that the text is (of `lexicon.headings`, see [`Headings::named`](super::section::Headings::named)); 0 if none is known
    pub section: u16,
    /// asked now and then; when it says so, reading stops
    pub interrupted: &'a dyn Fn() -> bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { date: None, section: 0, interrupted: &|| false }
    }
}

/// Reading was stopped before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// Size of a part in bytes. Most notes are one part; what is longer is cut at a blank line, an end of line, or a space.
const PART: usize = 64 * 1024;

/// Finds what a text says. The entities are in the order of their begin.
/// A text of more than 4 GB is read up to there.
pub fn detect(text: &str, lexicon: &Lexicon, options: &Options<'_>) -> Result<Vec<Entity>, Interrupted> {
    let mut found = Vec::new();
    detect_each(text, lexicon, options, &mut |part| {
        found.append(part);
        true
    })?;
    Ok(found)
}

/// As [`detect`], but gives the entities of each part of a long text to `each`, so that memory stays bounded; `each` says whether to go on.
pub fn detect_each(text: &str, lexicon: &Lexicon, options: &Options<'_>, each: &mut dyn FnMut(&mut Vec<Entity>) -> bool) -> Result<(), Interrupted> {
    let text = &text[..token::boundary(text, u32::MAX as usize - 1)];
    let mut tokens = Vec::new();
    let mut entities = Vec::new();
    let (mut sections, mut mentions) = (sentence::Carry::within(options.section), mention::Carry::default());
    let mut from = 0;
    while from < text.len() {
        if (options.interrupted)() {
            return Err(Interrupted);
        }
        let to = part_end(text, from);
        tokens.clear();
        lexicon.tokens(text, from, to, &mut tokens);
        let sentences = sentence::sentences(text, &tokens, lexicon, &mut sections);
        let note = Note { text, tokens: &tokens, sentences: &sentences, lexicon, date: options.date, research: mention::is_research(&tokens) };
        entities.clear();
        mention::find(&note, &mut mentions, &mut entities);
        let chemicals = mention::chemicals(&note, &entities);
        result::find(&note, &mut entities);
        medication::find(&note, &mut entities);
        time::find(&note, &mut entities);
        social::find(&note, &mut entities);
        time::relate(&note, &mut entities);
        phi::find(&note, &mut entities);
        mention::keep(chemicals, &mut entities);
        attribute::find(&note, &mut entities);
        // a known heading, such as "Allergies:", is no finding
        entities.retain(|e| sentences.get(e.sentence as usize).is_none_or(|s| e.tokens.start < s.heading.start || e.tokens.end > s.heading.end));
        context::assert(&note, &mut entities);
        score::calibrate(&note, &mut entities);
        entities.sort_by_key(|e| (e.begin, std::cmp::Reverse(e.end), e.category));
        if !each(&mut entities) {
            break;
        }
        from = to;
    }
    Ok(())
}

/// Where the part that begins at `from` ends.
fn part_end(text: &str, from: usize) -> usize {
    if text.len() - from <= PART {
        return text.len();
    }
    let end = token::boundary(text, from + PART);
    let part = &text.as_bytes()[from..end];
    let half = part.len() / 2;
    let cut = memchr::memmem::rfind(&part[half..], b"\n\n")
        .map(|at| at + 2)
        .or_else(|| memchr::memrchr(b'\n', &part[half..]).map(|at| at + 1))
        .or_else(|| memchr::memmem::rfind(&part[half..], b". ").map(|at| at + 2))
        .or_else(|| memchr::memrchr(b' ', &part[half..]).map(|at| at + 1));
    cut.map_or(end, |at| from + half + at)
}
