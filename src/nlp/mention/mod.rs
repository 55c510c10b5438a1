//! Terms of the lexicon in a text: conditions, drugs, tests, procedures and anatomy.
//!
//! The longest term that may stand at a word, by the rules of the modules: [`case`] (how it is written), [`abbreviation`]
//! (what the text itself defines), [`variant`] ("cancer of the breast"), [`compose`] ("left ankle pain"), [`coordination`]
//! ("hepatitis B and C"), [`spelling`] (misspelled drugs); [`meaning`] gives the category and the concepts.

mod abbreviation;
mod adjective;
mod broader;
mod case;
mod chemical;
mod compose;
mod coordination;
mod list;
mod meaning;
mod spelling;
#[cfg(test)]
mod tests;
mod variant;
mod words;

pub use case::is_word as is_english;
pub use chemical::{chemicals, keep};
pub use words::Words;

use super::entity::{Category, Entity, Kind, Origin};
use super::known::BEGINS_TERM;
use super::lexicon::{Image, Match};
use super::note::Note;
use super::token::{Class, Token, UNKNOWN};
use meaning::Meaning;

/// What goes over from one part of a long text to the next: abbreviations that the text defined.
#[derive(Clone, Debug, Default)]
pub struct Carry {
    defined: abbreviation::Defined,
}

/// Finds them.
pub fn find(note: &Note<'_>, carry: &mut Carry, out: &mut Vec<Entity>) {
    let mut finder = Finder {
        note,
        image: &note.lexicon.image,
        words: &note.lexicon.words,
        defined: &mut carry.defined,
        out,
        turned: None,
        terms: Vec::new(),
    };
    let mut at = 0;
    while let Some(token) = note.tokens.get(at as usize) {
        at = match token.class {
            Class::Line => at + 1,
            Class::Mark => {
                match token.mark {
                    b'(' | b'[' => finder.open(at),
                    b')' | b']' => finder.close(at),
                    _ => {}
                }
                at + 1
            }
            Class::Word | Class::Number => finder.word(at, token),
        };
    }
}

struct Finder<'a, 'n, 'o> {
    note: &'a Note<'n>,
    image: &'a Image,
    words: &'a Words,
    defined: &'o mut abbreviation::Defined,
    out: &'o mut Vec<Entity>,
    /// a definition "SF (long form)" whose end is still to come
    turned: Option<abbreviation::Turned>,
    /// terms at one word
    terms: Vec<Match>,
}

/// Terms that may begin at one word, shortest first, of which the longest that fits is taken.
const MOST_TERMS: usize = 24;

/// Whether a text is about research: abstracts and articles are not notes, and words are used in them that are findings in a note.
pub fn is_research(tokens: &[Token]) -> bool {
    let (mut all, mut found) = (0, 0);
    for token in tokens.iter().filter(|t| t.class == Class::Word) {
        all += 1;
        // "patients" speaks of many; "patient" of one
        found += usize::from(token.known.flags & words::RESEARCH != 0);
    }
    found > 2 && found * 45 > all
}

impl Finder<'_, '_, '_> {
    /// What begins with the word at `at`; gives the token behind it.
    fn word(&mut self, at: u32, token: &Token) -> u32 {
        if let Some(end) = self.slashed(at) {
            return end;
        }
        let defined = self.defined_at(at);
        if let Some((found, meaning)) = self.term_at(at)
            && defined.as_ref().is_none_or(|(end, _)| *end < found.end)
        {
            return self.term(found, meaning);
        }
        if let Some((end, meaning)) = defined {
            if let Some(meaning) = meaning {
                self.push(at, end, meaning, Origin::Defined);
            }
            return end;
        }
        if let Some(end) = self.composed(at, token) {
            return end;
        }
        if let Some(meaning) = self.adjective(at, token) {
            self.push(at, at + 1, meaning, Origin::Variant);
            return at + 1;
        }
        if let Some(end) = self.code_name(at) {
            let meaning = Meaning { category: Category::Medication, kind: Kind::Substance, concepts: Vec::new(), abbreviation: false };
            self.push(at, end, meaning, Origin::Pattern);
            return end;
        }
        if token.id == UNKNOWN
            && token.class == Class::Word
            && let Some(meaning) = self.misspelled(at, token)
        {
            self.push(at, at + 1, meaning, Origin::Misspelling);
        }
        at + 1
    }

    /// The longest term that may stand at a token.
    fn term_at(&mut self, at: u32) -> Option<(Match, Meaning)> {
        if self.token(at).is_none_or(|t| !t.known.has(BEGINS_TERM)) {
            return None; // most words
        }
        let mut found = std::mem::take(&mut self.terms);
        found.clear();
        self.image.terms_at(self.note.tokens, at, |m| {
            if found.len() < MOST_TERMS {
                found.push(m);
            }
        });
        let best = self.best(at, &found);
        self.terms = found;
        best
    }

    fn best(&self, at: u32, found: &[Match]) -> Option<(Match, Meaning)> {
        if found.is_empty() {
            return None;
        }
        let limit = self.line_end(at);
        let means = |m: &Match| self.meaning_of(m).filter(|meaning| !self.gives_way(m, meaning));
        found.iter().rev().filter(|m| m.end <= limit).find_map(|m| Some((*m, means(m)?)))
    }

    /// Where terms that begin at a token must end: a blank line or two ends of line are no part of a term.
    fn line_end(&self, at: u32) -> u32 {
        let sentence = self.note.sentence_of(at);
        self.note.sentences.get(sentence as usize).map_or(u32::MAX, |s| s.tokens.end.max(at + 1))
    }

    /// A term stands at a token: with what the rules add to it.
    fn term(&mut self, found: Match, meaning: Meaning) -> u32 {
        let meaning = self.spelled_out(&found, meaning);
        if meaning.category != Category::MedicalCondition {
            let origin = origin(&found, &meaning);
            let begin = if meaning.category == Category::Medication { self.name_begin(found.begin) } else { found.begin };
            while begin < found.begin && self.out.last().is_some_and(|e| e.tokens.end > begin) {
                self.out.pop();
            }
            self.push(begin, found.end, meaning, origin);
            return found.end;
        }
        if let Some(end) = self.of_site(&found, &meaning).or_else(|| self.joined(&found, &meaning)) {
            return end;
        }
        let mut by = origin(&found, &meaning);
        let (begin, meaning, composed) = self.with_parts(found.begin, found.end, meaning);
        let (begin, meaning, joined) = self.shared(begin, found.end, meaning);
        if joined {
            by = Origin::Coordination;
        } else if composed {
            by = Origin::Composed;
        }
        self.push(begin, found.end, meaning, by);
        found.end
    }

    fn push(&mut self, begin: u32, end: u32, mut meaning: Meaning, origin: Origin) {
        self.broaden(begin, end, &mut meaning);
        let mut entity = Entity::new(self.note, meaning.category, meaning.kind, begin..end, origin);
        entity.concepts = meaning.concepts;
        // "cocaine's effects"
        if entity.category == Category::Medication
            && let Some(text) = self.note.text.get(entity.begin..entity.end)
            && let Some(name) = text.strip_suffix("'s").or_else(|| text.strip_suffix("\u{2019}s"))
        {
            entity.end = entity.begin + name.len();
        }
        self.out.push(entity);
    }

    fn token(&self, at: u32) -> Option<&Token> {
        self.note.tokens.get(at as usize)
    }
}

/// How a term of the lexicon was found.
fn origin(found: &Match, meaning: &Meaning) -> Origin {
    if found.end - found.begin == 1 && meaning.abbreviation { Origin::Abbreviation } else { Origin::Term }
}
