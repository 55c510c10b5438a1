//! The words that tell more of a condition, a procedure or a part of the body.

use std::sync::LazyLock;

use crate::nlp::entity::AttributeKind;
use crate::nlp::known::MODIFIES;
use crate::nlp::note::Note;
use crate::nlp::token::{Case, Class};
use crate::nlp::words::Words;

const WORDS: &[(AttributeKind, &str)] = &[
    (AttributeKind::Laterality, "left right both bilateral bilaterally unilateral bilat lt rt left-sided right-sided"),
    (AttributeKind::Severity, "mild mildly moderate severe severely massive marked markedly minimal slight profound extreme excruciating intense mod"),
    (AttributeKind::Acuity, "acute new chronic subacute sudden longstanding gradual hyperacute"),
    (
        AttributeKind::Quality,
        "sharp dull burning aching achy stabbing throbbing cramping crampy crushing tearing shooting tingling pleuritic colicky squeezing gnawing pounding \
         pulsating watery bloody productive nonproductive dry itchy pruritic erythematous maculopapular vesicular heavy tight positional exertional",
    ),
];

static TABLE: LazyLock<Words<(AttributeKind, &'static str)>> = LazyLock::new(|| {
    WORDS.iter().flat_map(|(kind, words)| words.split_whitespace().map(move |word| (word, (*kind, normal(word))))).collect()
});

fn normal(word: &'static str) -> &'static str {
    match word {
        "both" | "bilaterally" | "bilat" => "bilateral",
        "lt" => "left",
        "rt" => "right",
        "mildly" | "slight" | "minimal" => "mild",
        "mod" => "moderate",
        "severely" | "profound" | "extreme" | "excruciating" | "intense" | "massive" => "severe",
        "achy" => "aching",
        "crampy" => "cramping",
        "longstanding" => "chronic",
        word => word,
    }
}

/// A word that tells more, at some tokens.
#[derive(Clone, Debug)]
pub struct Modifier {
    pub kind: AttributeKind,
    pub begin: u32,
    pub end: u32,
    pub value: String,
}

/// Whether a modifier may begin with a word.
pub fn may_begin(word: &str) -> bool {
    matches!(word, "B" | "b" | "L" | "R") || word.len() > 1 && TABLE.get(word).is_some()
}

/// The modifier that begins at a token.
#[inline]
pub fn modifier(note: &Note<'_>, at: u32) -> Option<Modifier> {
    match note.tokens.get(at as usize)? {
        token if token.known.has(MODIFIES) || token.class == Class::Number => begun(note, at),
        _ => None, // most words
    }
}

fn begun(note: &Note<'_>, at: u32) -> Option<Modifier> {
    let made = |kind, end, value: &str| Some(Modifier { kind, begin: at, end, value: value.to_owned() });
    let token = note.tokens.get(at as usize)?;
    match token.class {
        Class::Number => {
            // 8/10, 8 out of 10
            let score = note.word(at).len() <= 2;
            let end = if note.mark(at + 1, b'/') && note.word(at + 2) == "10" {
                at + 3
            } else if note.is(at + 1, "out") && note.is(at + 2, "of") && note.word(at + 3) == "10" {
                at + 4
            } else {
                return None;
            };
            (score && !note.mark(end, b'/')).then(|| made(AttributeKind::Severity, end, &format!("{}/10", note.word(at)))).flatten()
        }
        Class::Word => {
            let word = note.word(at);
            // L knee, R arm, B/L
            if word.len() == 1 {
                if matches!(word, "B" | "b") && note.mark(at + 1, b'/') && (note.is(at + 2, "l") && note.glued(at + 2)) {
                    return made(AttributeKind::Laterality, at + 3, "bilateral");
                }
                let dotted = u32::from(note.mark(at + 1, b'.') && note.glued(at + 1));
                return match word {
                    "L" => made(AttributeKind::Laterality, at + 1 + dotted, "left"),
                    "R" => made(AttributeKind::Laterality, at + 1 + dotted, "right"),
                    _ => None,
                };
            }
            let &(kind, value) = TABLE.get(word)?;
            if value == "new" {
                let onset = at + 1 + u32::from(note.mark(at + 1, b'-'));
                return if note.is(onset, "onset") { made(kind, onset + 1, "new onset") } else { None };
            }
            let mut end = at + 1;
            let mut value = value.to_owned();
            match kind {
                AttributeKind::Laterality if word.eq_ignore_ascii_case("both") => {}
                AttributeKind::Laterality if note.mark(end, b'-') && note.is(end + 1, "sided") => end += 2,
                AttributeKind::Laterality if note.is(end, "sided") => end += 1,
                AttributeKind::Laterality if token.case == Case::Upper && word.len() == 2 || word.len() > 2 => {}
                AttributeKind::Laterality => return None,
                AttributeKind::Acuity => {
                    let joint = u32::from(note.mark(end, b'-'));
                    if note.is(end + joint, "on") && (note.is(end + joint + 1, "chronic") || note.mark(end + joint + 1, b'-') && note.is(end + joint + 2, "chronic")) {
                        end += joint + if note.is(end + joint + 1, "chronic") { 2 } else { 3 };
                        value = "acute on chronic".to_owned();
                    } else if note.is(end + joint, "onset") {
                        end += joint + 1;
                    }
                }
                AttributeKind::Severity => {
                    let joint = u32::from(note.mark(end, b'-'));
                    if note.is(end + joint, "to") {
                        let behind = end + joint + 1;
                        let behind = behind + u32::from(note.mark(behind, b'-'));
                        if let Some(&(AttributeKind::Severity, more)) = TABLE.get(note.word(behind)) {
                            value = format!("{value} to {more}");
                            end = behind + 1;
                        }
                    }
                }
                _ => {}
            }
            Some(Modifier { kind, begin: at, end, value })
        }
        _ => None,
    }
}
