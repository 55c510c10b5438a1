//! Which rules reach an entity: from it outward over the hits of its sentence, nearest first.

use super::hits::{Hit, Hits, What, effects, has};
use super::rules::{ALL, DIMENSIONS, Dimension, Effect, Reach, Rule, Rules};
use crate::nlp::entity::Certainty;
use crate::nlp::note::Note;
use crate::nlp::token::Class;

/// So many hits are looked at on each side.
const MOST: usize = 64;

/// A rule that reaches an entity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reached {
    pub effect: Effect,
    /// first token of the phrase
    pub at: u32,
    /// tokens between phrase and entity
    pub distance: u32,
    /// it is the value of the entity's label, or a mark in its box
    pub exact: bool,
}

pub type Reaches = [Option<Reached>; DIMENSIONS];

/// What is asked of the hits.
pub struct Scope<'a, 'n> {
    pub note: &'a Note<'n>,
    pub rules: &'a Rules,
    pub hits: &'a Hits<'a>,
    /// tokens of the entity
    pub begin: u32,
    pub end: u32,
    /// number of its sentence
    pub sentence: u32,
    /// bit of its category
    pub to: u8,
    /// the end and the category of the entity before it, and the rules that reached that from the left
    pub previous: Option<(u32, u8, Reaches)>,
    /// where the next entity of its category begins
    pub next: Option<u32>,
}

impl Scope<'_, '_> {
    /// Rules to the left of it.
    pub fn left(&self) -> Reaches {
        let mut found = Reaches::default();
        let mut open = ALL;
        let mut depth = 0u32;
        let mut comma = false;
        let mut semicolon = None;
        let first = self.hits.list.partition_point(|h| h.begin < self.begin);
        for (index, hit) in self.hits.list[..first].iter().enumerate().rev().take(MOST) {
            if open == 0 {
                break;
            }
            let numbers = match hit.what {
                What::Mark(mark) => {
                    let after_phrase = index > 0 && self.hits.list[index - 1].end == hit.begin && matches!(self.hits.list[index - 1].what, What::Phrase(_));
                    match mark {
                        b')' => depth += 1,
                        b'(' => depth = depth.saturating_sub(1),
                        _ if depth > 0 => {}
                        b',' => comma = true,
                        b';' => {
                            comma = true;
                            match semicolon {
                            // "no fever; chills; cough": short pieces are a list
                            None if self.is_short_piece(hit.end) => semicolon = Some(hit.begin),
                            Some(from) if from - hit.end <= 4 => semicolon = Some(hit.begin),
                            _ => open = 0,
                            }
                        }
                        b':' | b'-' if after_phrase => {}
                        b':' if self.is_following(hit.begin) => {}
                        _ => open = 0,
                    }
                    continue;
                }
                What::Phrase(_) if depth > 0 || hit.dimensions & open == 0 => continue,
                What::Phrase(numbers) => numbers,
            };
            if semicolon.is_some_and(|from| from > hit.end + 4) {
                break;
            }
            // the phrase may go on into the entity: "no acute" of "no acute distress"
            let distance = self.begin.saturating_sub(hit.end);
            let mut closed = 0;
            for rule in numbers.iter().filter_map(|&n| self.rules.get(n)) {
                if let Effect::End(dimensions) = rule.effect {
                    if rule.forward && rule.to & self.to != 0 {
                        closed |= dimensions;
                    }
                    continue;
                }
                let Some(dimension) = rule.effect.dimension() else { continue };
                if rule.value || open & dimension.bit() == 0 || rule.to & self.to == 0 || !self.holds(rule, hit) {
                    continue;
                }
                if !rule.forward {
                    closed |= dimension.bit();
                    continue;
                }
                if rule.effect == Effect::Kin && !self.kin_leads(index) {
                    continue;
                }
                let within = match rule.reach {
                    Reach::Sentence => true,
                    Reach::Clause => !comma || self.or_follows(hit.end),
                    Reach::Opening => !comma || self.opens(hit.begin),
                    // what reaches over a word or two reaches over no comma
                    Reach::Tokens(most) => distance <= u32::from(most) && (most > 3 || !comma),
                } || (rule.reach != Reach::Clause || dimension == Dimension::Temporality) && self.coordinated(dimension, hit.begin);
                // "problems including A s/p B, C": what reaches less far hides nothing behind it
                if within || dimension != Dimension::Temporality {
                    closed |= dimension.bit();
                }
                if within {
                    let effect = self.nested(rule, index);
                    let exact = matches!(self.note.tokens.get(hit.begin as usize), Some(t) if matches!(t.mark, b'[' | b'(')) && distance == 0;
                    found[dimension as usize] = Some(Reached { effect, at: hit.begin, distance, exact });
                }
            }
            open &= !closed;
        }
        found
    }

    /// Rules to the right of it.
    pub fn right(&self) -> Reaches {
        let mut found = Reaches::default();
        let mut open = ALL;
        let mut depth = 0u32;
        let mut comma = false;
        let mut label = None;
        let first = self.hits.list.partition_point(|h| h.begin < self.end);
        // behind "is" or "was" a phrase reaches back to the subject
        let mut verb = false;
        for (index, hit) in self.hits.list.iter().enumerate().skip(first).take(MOST) {
            if open == 0 {
                break;
            }
            let numbers = match hit.what {
                What::Mark(mark) => {
                    let near = hit.begin == self.end;
                    match mark {
                        b'(' if near => {}
                        b'(' => depth += 1,
                        b')' => depth = depth.saturating_sub(1),
                        _ if depth > 0 => {}
                        b',' => comma = true,
                        b':' | b'-' if near => label = Some(hit.end),
                        _ => break,
                    }
                    continue;
                }
                What::Phrase(_) if depth > 0 || hit.dimensions & open == 0 => continue,
                What::Phrase(numbers) => numbers,
            };
            let distance = hit.begin - self.end;
            let leads = self.leads_back(index);
            let mut closed = 0;
            for rule in numbers.iter().filter_map(|&n| self.rules.get(n)) {
                if let Effect::End(dimensions) = rule.effect {
                    if rule.backward && !leads && rule.to & self.to != 0 {
                        closed |= dimensions;
                    }
                    continue;
                }
                let Some(dimension) = rule.effect.dimension() else { continue };
                if open & dimension.bit() == 0 || rule.to & self.to == 0 || !self.holds(rule, hit) {
                    continue;
                }
                if rule.value {
                    if label == Some(hit.begin) && self.ends_value(hit.end) {
                        found[dimension as usize] = Some(Reached { effect: rule.effect, at: hit.begin, distance, exact: true });
                        closed |= dimension.bit();
                    }
                    continue;
                }
                if rule.effect == Effect::Kin && !self.kin_follows(hit) {
                    continue;
                }
                closed |= dimension.bit();
                if !rule.backward {
                    continue;
                }
                let within = match rule.reach {
                    Reach::Sentence => true,
                    Reach::Clause | Reach::Opening => !comma,
                    Reach::Tokens(most) => distance <= u32::from(most) || verb,
                };
                // "MS Contin 30 mg and morphine as needed"
                let another = dimension == Dimension::Condition && self.next.is_some_and(|next| next < hit.begin);
                if within && !another {
                    found[dimension as usize] = Some(Reached { effect: rule.effect, at: hit.begin, distance, exact: false });
                }
            }
            // a label's own text: what follows "Heart:" is no scope over it
            if label.is_some_and(|from| hit.begin > from + 8) {
                break;
            }
            verb = leads;
            open &= !closed;
        }
        found
    }

    /// Whether a hit is a verb that a phrase which reaches back follows: "was" of "was ruled out".
    fn leads_back(&self, index: usize) -> bool {
        let (Some(hit), Some(next)) = (self.hits.list.get(index), self.hits.list.get(index + 1)) else { return false };
        hit.verb && next.begin <= hit.end + 2 && effects(self.rules, next).any(|r| r.backward && r.effect.dimension().is_some())
    }

    /// Whether the year of a phrase is before that of the note.
    fn holds(&self, rule: &Rule, hit: &Hit<'_>) -> bool {
        let (true, Some(date)) = (rule.year, self.note.date) else { return true };
        (hit.begin..hit.end)
            .filter_map(|t| self.note.word(t).parse::<i32>().ok())
            .all(|year| year < chrono::Datelike::year(&date))
    }

    /// A possibility or a statement inside a negation: "denies having", "no suspected".
    fn nested(&self, rule: &Rule, index: usize) -> Effect {
        let hit = &self.hits.list[index];
        let outer = Effect::Certainty(Certainty::Negative);
        if let (Effect::Certainty(certainty), Some(before)) = (rule.effect, index.checked_sub(1).map(|b| &self.hits.list[b]))
            && certainty != Certainty::Negative
            && before.end + 3 >= hit.begin
            // "no fever + cough"
            && (certainty != Certainty::Positive || self.previous.as_ref().is_none_or(|(end, ..)| *end <= before.end || *end > hit.begin))
            && self.note.tokens.get(hit.begin as usize).is_some_and(|t| t.class == Class::Word)
            && effects(self.rules, before).any(|r| r.effect == outer && r.forward && r.to & self.to != 0)
        {
            return if certainty == Certainty::Unlikely { rule.effect } else { outer };
        }
        rule.effect
    }

    /// Whether the entity before it was reached by the rule at `at`, and only a comma or a conjunction stands between the two.
    fn coordinated(&self, dimension: Dimension, at: u32) -> bool {
        let Some((end, to, reaches)) = &self.previous else { return false };
        if *to != self.to || reaches[dimension as usize].is_none_or(|r| r.at != at) || *end > self.begin || self.begin - end > 5 {
            return false;
        }
        self.hits.joins(self.rules, *end, self.begin)
    }

    /// Whether an "or" comes soon after the entity or before it within a list: "possible A, B or C".
    fn or_follows(&self, from: u32) -> bool {
        let from = from.max(self.begin.saturating_sub(16));
        (from..self.sentence_end().min(self.end + 8)).any(|t| ["or", "vs", "versus"].iter().any(|word| self.note.is(t, word)))
    }

    /// Whether a token is the first word of the sentence.
    fn opens(&self, token: u32) -> bool {
        let begin = self.note.sentences.get(self.sentence as usize).map_or(0, |s| s.heading.end.max(s.tokens.start));
        token <= begin + 3 && (begin..token).all(|t| self.note.tokens.get(t as usize).is_none_or(|t| t.class != Class::Word))
    }

    fn sentence_end(&self) -> u32 {
        self.note.sentences.get(self.sentence as usize).map_or(self.end, |s| s.tokens.end)
    }

    /// Whether the piece that begins at a token ends soon: a semicolon or the end of the sentence within four tokens.
    fn is_short_piece(&self, from: u32) -> bool {
        let end = self.sentence_end().min(self.end + 8);
        let next = (self.end..end).find(|&t| self.note.tokens.get(t as usize).is_some_and(|t| t.is_mark(b';') || t.is_mark(b'.'))).unwrap_or(end);
        next.saturating_sub(from) <= 4
    }

    /// "any of the following:"
    fn is_following(&self, colon: u32) -> bool {
        colon.checked_sub(1).is_some_and(|t| self.note.is(t, "following") || self.note.is(t, "symptoms") || self.note.is(t, "these"))
    }

    /// What follows the value of a label, if it is nothing but a value: "fever: no, cough: yes".
    fn ends_value(&self, at: u32) -> bool {
        if at >= self.sentence_end() {
            return true;
        }
        let Some(token) = self.note.tokens.get(at as usize) else { return true };
        match token.class {
            Class::Line => true,
            Class::Mark => !matches!(token.mark, b'-' | b'/' | b'\''),
            // "fever: no cough: yes"
            _ => (at + 1..at + 5).any(|t| self.note.tokens.get(t as usize).is_some_and(|t| t.is_mark(b':') || t.is_mark(b'='))),
        }
    }

    /// Whether something is said of the relative at a hit, rather than by them or of somebody with them.
    fn kin_leads(&self, index: usize) -> bool {
        let hit = &self.hits.list[index];
        if let Some(next) = self.hits.list.get(index + 1)
            && next.begin <= hit.end + 2
            && has(self.rules, next, |e| e == Effect::Telling)
        {
            return false;
        }
        !self.word_before(hit.begin, &["by", "per", "from", "with", "to", "via", "and"])
    }

    /// Whether the relative at a hit is one in whom the entity is: "diabetes in his mother", "asthma (brother)".
    fn kin_follows(&self, hit: &Hit<'_>) -> bool {
        hit.begin - self.end <= 12
            && (self.word_before(hit.begin, &["in", "of"]) || hit.begin.checked_sub(1).is_some_and(|t| t >= self.end && self.note.word(t) == "("))
            && !self.note.word(hit.end - 1).ends_with("s")
    }

    /// Whether one of these words stands before a token, with none but "his", "her", "the", "a" between.
    fn word_before(&self, token: u32, words: &[&str]) -> bool {
        let mut at = token;
        for _ in 0..4 {
            let Some(before) = at.checked_sub(1) else { return false };
            at = before;
            if words.iter().any(|word| self.note.is(at, word)) {
                return true;
            }
            let word = self.note.word(at);
            if !["his", "her", "the", "a", "their", "my", "patient's", "pt's", "one", "both", "maternal", "paternal", "patient"]
                .iter()
                .any(|passed| word.eq_ignore_ascii_case(passed))
            {
                return false;
            }
        }
        false
    }
}
