//! Routes: PO, p.o., by mouth, IV push, under the tongue, in both eyes.

use std::sync::LazyLock;

use super::piece::Piece;
use super::vocabulary::{capitals, dotted, sense, sense_at};
use crate::nlp::entity::AttributeKind;
use crate::nlp::note::Note;
use crate::nlp::words::Words;

/// Phrases; found by their first word.
const PHRASES: &[Phrase] = &[
    (&["by", "mouth"], "oral"),
    (&["per", "os"], "oral"),
    (&["swish", "and", "swallow"], "oral"),
    (&["swish", "and", "spit"], "oral"),
    (&["per", "rectum"], "rectal"),
    (&["by", "rectum"], "rectal"),
    (&["per", "vagina"], "vaginal"),
    (&["under", "the", "tongue"], "sublingual"),
    (&["under", "tongue"], "sublingual"),
    (&["under", "the", "skin"], "subcutaneous"),
    (&["into", "the", "skin"], "subcutaneous"),
    (&["into", "the", "muscle"], "intramuscular"),
    (&["into", "the", "vein"], "intravenous"),
    (&["iv", "push"], "intravenous"),
    (&["iv", "drip"], "intravenous"),
    (&["iv", "gtt"], "intravenous"),
    (&["iv", "infusion"], "intravenous"),
    (&["iv", "piggyback"], "intravenous"),
    (&["iv", "bolus"], "intravenous"),
    (&["by", "iv"], "intravenous"),
    (&["via", "iv"], "intravenous"),
    (&["by", "injection"], "injection"),
    (&["by", "inhalation"], "inhalation"),
    (&["by", "nebulizer"], "inhalation"),
    (&["by", "nebulization"], "inhalation"),
    (&["via", "nebulizer"], "inhalation"),
    (&["via", "nebulization"], "inhalation"),
    (&["via", "neb"], "inhalation"),
    (&["via", "inhaler"], "inhalation"),
    (&["into", "the", "lungs"], "inhalation"),
    (&["nasal", "cannula"], "nasal cannula"),
    (&["via", "nasal", "cannula"], "nasal cannula"),
    (&["by", "nasal", "cannula"], "nasal cannula"),
    (&["via", "nc"], "nasal cannula"),
    (&["by", "nc"], "nasal cannula"),
    (&["face", "mask"], "face mask"),
    (&["via", "face", "mask"], "face mask"),
    (&["facemask"], "face mask"),
    (&["nonrebreather"], "face mask"),
    (&["each", "nostril"], "nasal"),
    (&["in", "each", "nostril"], "nasal"),
    (&["into", "each", "nostril"], "nasal"),
    (&["per", "nostril"], "nasal"),
    (&["each", "nare"], "nasal"),
    (&["both", "nostrils"], "nasal"),
    (&["in", "both", "nostrils"], "nasal"),
    (&["each", "eye"], "ophthalmic"),
    (&["both", "eyes"], "ophthalmic"),
    (&["in", "each", "eye"], "ophthalmic"),
    (&["in", "both", "eyes"], "ophthalmic"),
    (&["into", "both", "eyes"], "ophthalmic"),
    (&["into", "each", "eye"], "ophthalmic"),
    (&["to", "both", "eyes"], "ophthalmic"),
    (&["left", "eye"], "ophthalmic"),
    (&["right", "eye"], "ophthalmic"),
    (&["in", "the", "left", "eye"], "ophthalmic"),
    (&["in", "the", "right", "eye"], "ophthalmic"),
    (&["in", "left", "eye"], "ophthalmic"),
    (&["in", "right", "eye"], "ophthalmic"),
    (&["each", "ear"], "otic"),
    (&["both", "ears"], "otic"),
    (&["in", "each", "ear"], "otic"),
    (&["in", "both", "ears"], "otic"),
    (&["left", "ear"], "otic"),
    (&["right", "ear"], "otic"),
    (&["in", "left", "ear"], "otic"),
    (&["in", "right", "ear"], "otic"),
    (&["to", "affected", "area"], "topical"),
    (&["to", "affected", "areas"], "topical"),
    (&["to", "the", "affected", "area"], "topical"),
    (&["to", "the", "affected", "areas"], "topical"),
    (&["to", "skin"], "topical"),
    (&["to", "the", "skin"], "topical"),
    (&["on", "the", "skin"], "topical"),
    (&["onto", "the", "skin"], "topical"),
    (&["via", "tube"], "enteral"),
    (&["per", "tube"], "enteral"),
    (&["per", "ng"], "nasogastric"),
    (&["via", "ng"], "nasogastric"),
    (&["per", "ng", "tube"], "nasogastric"),
    (&["via", "ng", "tube"], "nasogastric"),
    (&["per", "ngt"], "nasogastric"),
    (&["via", "ngt"], "nasogastric"),
    (&["per", "g", "tube"], "gastrostomy"),
    (&["via", "g", "tube"], "gastrostomy"),
    (&["g", "tube"], "gastrostomy"),
    (&["per", "peg"], "gastrostomy"),
    (&["via", "peg"], "gastrostomy"),
    (&["via", "j", "tube"], "jejunostomy"),
    (&["j", "tube"], "jejunostomy"),
    (&["sub", "q"], "subcutaneous"),
    (&["sub", "cut"], "subcutaneous"),
    (&["s", "q"], "subcutaneous"),
    (&["s", "c"], "subcutaneous"),
    (&["p", "o"], "oral"),
    (&["intra", "articular"], "intra-articular"),
];

type Phrase = (&'static [&'static str], &'static str);

/// The phrases by their first word.
static BY_WORD: LazyLock<Words<Vec<&'static Phrase>>> = LazyLock::new(|| {
    let mut words: Words<Vec<&'static Phrase>> = Words::default();
    for phrase in PHRASES {
        if let Some(list) = phrase.0.first().and_then(|first| words.entry(first, Vec::new)) {
            list.push(phrase);
        }
    }
    words
});

/// Where the phrase that stands at a token ends.
pub fn phrase(note: &Note<'_>, at: u32, words: &[&str]) -> Option<u32> {
    let mut next = at;
    for (number, word) in words.iter().enumerate() {
        if number > 0 && note.mark(next, b'-') {
            next += 1;
        }
        if !note.is(next, word) {
            return None;
        }
        next += 1;
    }
    Some(next)
}

/// The route that begins at a token.
pub fn route(note: &Note<'_>, at: u32) -> Option<Piece> {
    let word = note.word(at);
    let mut best: Option<(u32, &str)> = None;
    for (words, name) in BY_WORD.get(word).into_iter().flatten() {
        if let Some(end) = phrase(note, at, words)
            && best.is_none_or(|(known, _)| end > known)
        {
            best = Some((end, name));
        }
    }
    let mut found = best;
    if found.is_none()
        && let Some((name, strict)) = sense(word).route
        && (!strict || capitals(note, at))
    {
        found = Some((at + 1, name));
    }
    if found.is_none()
        && let Some(dots) = dotted(note, at)
    {
        let name = match dots.word() {
            "po" => "oral",
            "iv" => "intravenous",
            "im" => "intramuscular",
            "sc" | "sq" | "subq" => "subcutaneous",
            "sl" => "sublingual",
            "pr" => "rectal",
            "pv" => "vaginal",
            "ou" | "os" => "ophthalmic",
            "ng" => "nasogastric",
            _ => return None,
        };
        found = Some((dots.end, name));
    }
    let (mut end, name) = found?;
    // "PO/NG" is two routes; "IV drip", "subcutaneous injection" one
    if name == "intravenous" && sense_at(note, end).route.is_some_and(|(next, _)| next == "intravenous") {
        end += 1;
    }
    Some(Piece::new(note, AttributeKind::Route, at, end, name.to_owned()))
}

/// The words that begin a phrase.
pub fn beginnings() -> impl Iterator<Item = &'static &'static str> {
    PHRASES.iter().filter_map(|(words, _)| words.first())
}
