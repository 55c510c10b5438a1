//! How a term must be written: acronyms as they are, words that are also acronyms never in lower case.

use super::super::entity::Kind;
use super::super::lexicon::source::TermKind;
use super::super::lexicon::{Match, Output};
use super::super::known;
use super::super::note::Note;
use super::super::token::{Case, Class};

/// English words that are also the acronym of something, or the name of a product.
const ENGLISH: &[&str] = &[
    "a", "act", "ad", "add", "ads", "aid", "aids", "aim", "air", "all", "am", "an", "and", "ant", "any", "arc", "are", "art", "as", "ash",
    "at", "bad", "bar", "bat", "be", "bed", "bid", "big", "bit", "but", "by", "can", "cap", "car", "care", "case", "cat", "chop", "cold", "common", "dam", "date",
    "day", "did", "do", "does", "dose", "dot", "eat", "era", "fact", "far", "fast", "fat", "few", "fit", "for", "from", "gap", "gas",
    "gave", "get", "go", "had", "has", "he", "help", "her", "him", "his", "hit", "hop", "how", "i", "ice", "if", "impact", "in", "ion", "is", "it",
    "its", "kit", "lab", "lamb", "lap", "law", "led", "let", "low", "mac", "mad", "man", "map", "mat", "may", "me", "med", "men",
    "met", "mild", "mine", "mit", "more", "mum", "my", "no", "nor", "not", "now", "of", "off", "old", "on", "one", "or", "our", "out",
    "pan", "pat", "pen", "pet", "pin", "plan", "pop", "pro", "ran", "rap", "rare", "rate", "raw", "red", "rest", "rich", "rip", "said", "sat",
    "saw", "see", "set", "she", "side", "sit", "so", "span", "star", "step", "stop", "tab", "tap", "tar", "ten", "test", "that", "the", "then",
    "tip", "to", "top", "trap", "two", "up", "us", "use", "was", "we", "who", "why", "will", "yes", "you",
];

/// Whether a term may stand there as the text writes it.
pub fn allows(note: &Note<'_>, found: &Match, output: &Output) -> bool {
    let text = note.words(found.begin..found.end);
    if output.case_sensitive {
        // brands are in capitals in their source
        if output.surface.len() > 4 && text.len() == output.surface.len() && found.end - found.begin == 1 && text.eq_ignore_ascii_case(output.surface)
        {
            let kind = note.lexicon.image.category(output.concept).1;
            if matches!(kind, Kind::BrandName | Kind::GenericName) && output.surface.bytes().all(|b| b.is_ascii_alphabetic()) {
                return true;
            }
        }
        return text == output.surface || text.strip_suffix('s').is_some_and(|t| t == output.surface) && !capitals(note, found.begin);
    }
    if found.end - found.begin > 1 {
        return true;
    }
    // two letters: only what is marked as an abbreviation, or written as one
    text.len() > 2
        || output.term == TermKind::Abbreviation
        || note.tokens.get(found.begin as usize).is_some_and(|t| t.case == Case::Upper) && !capitals(note, found.begin)
}

/// Whether a single word is an ordinary English word here, though it may be an acronym elsewhere: "aids" is not AIDS, and "HAS"
/// in a text of capitals is not an acronym.
pub fn is_english(note: &Note<'_>, found: &Match) -> bool {
    let Some(token) = note.tokens.get(found.begin as usize) else { return false };
    if token.class != Class::Word || found.end - found.begin != 1 {
        return false;
    }
    token.known.has(known::ENGLISH) && (token.case != Case::Upper || capitals(note, found.begin))
}

/// Whether a word is of those English words, whatever its case.
pub fn is_word(word: &str) -> bool {
    let mut form = [0u8; 6];
    let Some(form) = form.get_mut(..word.len()) else { return false };
    form.copy_from_slice(word.as_bytes());
    form.make_ascii_lowercase();
    std::str::from_utf8(form).is_ok_and(|word| ENGLISH.binary_search(&word).is_ok())
}

/// Whether the words around a token are in capitals, so that capitals tell nothing.
pub fn capitals(note: &Note<'_>, at: u32) -> bool {
    let from = at.saturating_sub(4) as usize;
    let to = (at as usize + 5).min(note.tokens.len());
    let (mut upper, mut other) = (0, 0);
    for (n, token) in note.tokens.get(from..to).unwrap_or(&[]).iter().enumerate() {
        if token.class == Class::Word && token.end - token.begin > 2 && from + n != at as usize {
            if token.case == Case::Upper {
                upper += 1;
            } else {
                other += 1;
            }
        }
    }
    upper >= 2 && upper > other * 2
}
