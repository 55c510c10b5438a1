//! A sentence with its continued lines → drugs and the parts of prescriptions around them, in order.

use super::piece::Piece;
use super::vocabulary::{Role, may_begin, sense_at};
use super::{amount, duration, form, frequency, route};
use crate::nlp::entity::AttributeKind;
use crate::nlp::note::Note;
use crate::nlp::token::Class;

/// One or several entities that a prescription tells of as one: "hydrocodone/APAP", "acetaminophen (Tylenol)".
#[derive(Clone, Debug)]
pub struct Drug {
    /// numbers of the entities
    pub entities: Vec<u32>,
    pub begin: u32,
    pub end: u32,
}

/// A drug or a part of a prescription.
#[derive(Clone, Debug)]
pub struct Event {
    /// the number of the drug, or none for a piece
    pub drug: Option<u32>,
    pub piece: Option<Piece>,
    /// words between it and the event before that say something
    pub gap: u32,
    /// a comma, a semicolon, "and" or an end of line stands between
    pub parted: bool,
    pub line: bool,
    /// "of" stands between
    pub of: bool,
    /// "take", "give", "sig" stand between
    pub take: bool,
}

/// How far from a drug its parts are looked for, in tokens.
pub const BEFORE: u32 = 14;
pub const BEHIND: u32 = 48;

/// Where a sentence ends with the lines that go on with a prescription.
pub fn extent(note: &Note<'_>, sentence: u32) -> u32 {
    let Some(first) = note.sentences.get(sentence as usize) else { return note.tokens.len() as u32 };
    let mut end = first.tokens.end;
    for next in note.sentences.iter().skip(sentence as usize + 1).take(8) {
        let between = end..next.tokens.start;
        if next.item || between.len() > 6 || begins_item(note, next.tokens.start) {
            break;
        }
        let inside = note.class(end.wrapping_sub(1)) == Some(Class::Line);
        let lines = between.clone().filter(|t| note.class(*t) == Some(Class::Line)).count() + usize::from(inside);
        let mut begin = next.tokens.start;
        while note.class(begin) == Some(Class::Line) && begin < next.tokens.end {
            begin += 1;
        }
        let told = ["sig", "take", "give", "dose", "inject", "inhale", "apply", "use", "route", "frequency", "instructions", "directions"]
            .iter()
            .any(|w| note.is(begin, w));
        let heading = !next.heading.is_empty() && !told;
        if heading || lines > 2 || (lines > 1 && !told) {
            break;
        }
        // the points of "p.o." and "b.i.d." end no sentence
        let point = lines == 0 && note.mark(begin.wrapping_sub(1), b'.');
        if point && (note.glued(begin) || note.word(begin).starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())) {
            let inside = note.glued(begin) && note.word(begin).len() == 1;
            if inside || piece_at(note, begin, true).is_some() || note.mark(begin.wrapping_sub(3), b'.') {
                end = next.tokens.end;
                continue;
            }
        }
        let goes_on = told || (lines == 1 && piece_at(note, begin, true).is_some());
        if !goes_on {
            break;
        }
        end = next.tokens.end;
    }
    end
}

/// "1. Aspirin", "- 5 mg", "2) 10 mg": an item of a list begins.
fn begins_item(note: &Note<'_>, at: u32) -> bool {
    match note.class(at) {
        Some(Class::Number) => (note.mark(at + 1, b'.') || note.mark(at + 1, b')')) && note.word(at).len() <= 2,
        Some(Class::Mark) => (note.mark(at, b'-') || note.mark(at, b'*')) && note.spaced(at + 1),
        _ => false,
    }
}

/// The part of a prescription that begins at a token. `behind` says that a frequency or a dose stands right before.
pub fn piece_at(note: &Note<'_>, at: u32, behind: bool) -> Option<Piece> {
    match note.class(at)? {
        Class::Line => None,
        Class::Mark => {
            if note.mark(at, b'.') {
                amount::amount(note, at)
            } else if note.mark(at, b'x') {
                duration::duration(note, at, behind).or_else(|| frequency::frequency(note, at))
            } else if note.mark(at, b'/') && behind {
                frequency::frequency(note, at)
            } else {
                None
            }
        }
        Class::Number => frequency::frequency(note, at)
            .or_else(|| duration::duration(note, at, behind))
            .or_else(|| amount::amount(note, at)),
        Class::Word => {
            let sense = sense_at(note, at);
            if !may_begin(note.word(at), sense) {
                return None;
            }
            frequency::frequency(note, at)
                .or_else(|| duration::duration(note, at, behind))
                .or_else(|| amount::amount(note, at))
                .or_else(|| if sense.form.is_some() { form::form(note, at) } else { None })
                .or_else(|| route::route(note, at))
                .or_else(|| form::form(note, at))
        }
    }
}

/// Whether a word counts what the pharmacy gives out, not what is taken.
fn dispensed(note: &Note<'_>, at: u32) -> bool {
    note.mark(at, b'#') || sense_at(note, at).role == Role::Dispensed
}

/// The events of some tokens. `drugs` are those that begin in them; `taken` tells where a token of something else ends.
pub fn events(note: &Note<'_>, drugs: &[Drug], offset: u32, from: u32, to: u32, taken: impl Fn(u32) -> Option<u32>) -> Vec<Event> {
    let mut out: Vec<Event> = Vec::new();
    let (mut gap, mut parted, mut line, mut of, mut take) = (0u32, false, false, false, false);
    let mut next_drug = 0usize;
    let mut since = 0u32;
    let mut at = from;
    let mut amounts = 0;
    while at < to {
        while drugs.get(next_drug).is_some_and(|d| d.begin < at) {
            next_drug += 1;
        }
        let upcoming = drugs.get(next_drug);
        if let Some(drug) = upcoming
            && drug.begin == at
        {
            out.push(Event { drug: Some(next_drug as u32 + offset), piece: None, gap, parted, line, of, take });
            (gap, parted, line, of, take) = (0, false, false, false, false);
            (since, amounts) = (0, 0);
            at = drug.end;
            continue;
        }
        since += 1;
        if since > BEHIND {
            // far from any drug: on to the next one
            match upcoming {
                Some(drug) if drug.begin.saturating_sub(BEFORE) > at => {
                    at = drug.begin - BEFORE;
                    gap += 20;
                    since = BEHIND - BEFORE;
                    continue;
                }
                Some(_) => {}
                None => break,
            }
        }
        if let Some(end) = taken(at) {
            gap += 4;
            at = end.max(at + 1);
            continue;
        }
        if dispensed(note, at) {
            // "#3" of Tylenol #3 is its strength
            let first = note.mark(at, b'#') && gap == 0 && out.last().is_some_and(|e| e.drug.is_some()) && note.glued(at + 1);
            let low = matches!(note.word(at + 1), "1" | "2" | "3" | "4");
            if first && low {
                let mut piece = Piece::new(note, AttributeKind::Strength, at, at + 2, format!("#{}", note.word(at + 1)));
                piece.score = 0.8;
                out.push(Event { drug: None, piece: Some(piece), gap, parted, line, of, take });
                at += 2;
                continue;
            }
            at += 1;
            for _ in 0..5 {
                let unit = sense_at(note, at).unit.is_some();
                let marks = note.mark(at, b':') || note.mark(at, b'#') || note.mark(at, b'*') || note.mark(at, b'(') || note.mark(at, b')');
                if unit || marks || note.class(at) == Some(Class::Number) {
                    at += 1;
                } else {
                    break;
                }
            }
            parted = true;
            continue;
        }
        let last = out.last();
        let after_piece = gap == 0 && last.is_some_and(|e| e.piece.is_some());
        let after_drug = gap == 0 && last.is_some_and(|e| e.drug.is_some());
        let found = piece_at(note, at, after_piece || after_drug).or_else(|| {
            // "IV Lasix 40", "metoprolol tab 25 bid"
            let near = after_drug
                || (after_piece && amounts == 0 && last.is_some_and(|e| e.piece.as_ref().is_some_and(|p| p.kind == AttributeKind::Form)));
            if near && !parted && !line && amounts == 0 { amount::bare(note, at) } else { None }
        });
        // a piece may not reach over a drug
        if let Some(piece) = found
            && upcoming.is_none_or(|d| piece.last <= d.begin)
            && piece.last <= to.max(at + 1)
        {
            at = piece.last.max(at + 1);
            if matches!(piece.kind, AttributeKind::Strength | AttributeKind::Dosage | AttributeKind::Rate) {
                amounts += 1;
            }
            out.push(Event { drug: None, piece: Some(piece), gap, parted, line, of, take });
            (gap, parted, line, of, take) = (0, false, false, false, false);
            continue;
        }
        match note.class(at) {
            Some(Class::Line) => line = true,
            Some(Class::Mark) => {
                parted |= matches!(note.tokens.get(at as usize).map(|t| t.mark), Some(b',' | b';' | b'+' | b'&' | b'.'));
                if note.mark(at, b';') || note.mark(at, b'.') {
                    gap += 1;
                }
            }
            Some(Class::Word) => {
                let sense = sense_at(note, at);
                match sense.role {
                    Role::Of => of = true,
                    Role::Parts => parted = true,
                    Role::Take => take = true,
                    _ if !sense.filler => gap += 1,
                    _ => {}
                }
            }
            Some(Class::Number) => gap += 1,
            None => break,
        }
        at += 1;
    }
    out
}
