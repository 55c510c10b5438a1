//! Headings of sections and what a section says of all that stands in it.
//!
//! The list `sections` (`fhir-schemas/lexicon/sections.tsv`, whose head tells the form of its rows) names them.

use super::phrases::{Builder, NONE, Phrases, Word};
use super::token::{self, Case, Class, Token};

/// What a section says of its contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Other,
    ChiefComplaint,
    PresentIllness,
    PastHistory,
    SurgicalHistory,
    FamilyHistory,
    SocialHistory,
    Allergies,
    Medications,
    ReviewOfSystems,
    Examination,
    Vitals,
    Results,
    Assessment,
    /// diagnoses that may be
    Differential,
    Plan,
    Procedure,
    Instructions,
    Administrative,
}

impl Role {
    const ALL: [(Role, &'static str); 19] = [
        (Role::Other, "other"),
        (Role::ChiefComplaint, "chief-complaint"),
        (Role::PresentIllness, "present-illness"),
        (Role::PastHistory, "past-history"),
        (Role::SurgicalHistory, "surgical-history"),
        (Role::FamilyHistory, "family-history"),
        (Role::SocialHistory, "social-history"),
        (Role::Allergies, "allergies"),
        (Role::Medications, "medications"),
        (Role::ReviewOfSystems, "review-of-systems"),
        (Role::Examination, "examination"),
        (Role::Vitals, "vitals"),
        (Role::Results, "results"),
        (Role::Assessment, "assessment"),
        (Role::Differential, "differential"),
        (Role::Plan, "plan"),
        (Role::Procedure, "procedure"),
        (Role::Instructions, "instructions"),
        (Role::Administrative, "administrative"),
    ];

    pub fn from_name(name: &str) -> Option<Role> {
        Self::ALL.iter().find(|(_, n)| *n == name).map(|(role, _)| *role)
    }

    /// Whether sub-headings such as "HEENT:" are usual in it.
    fn has_systems(self) -> bool {
        matches!(
            self,
            Role::Other
                | Role::PresentIllness
                | Role::PastHistory
                | Role::ReviewOfSystems
                | Role::Examination
                | Role::Vitals
                | Role::Results
                | Role::Assessment
                | Role::Plan
                | Role::Procedure
        )
    }

    /// Whether such a section is one paragraph where its text begins on the line of its heading.
    pub fn is_short(self) -> bool {
        matches!(
            self,
            Role::ChiefComplaint | Role::PastHistory | Role::SurgicalHistory | Role::FamilyHistory | Role::SocialHistory | Role::Allergies
        )
    }
}

/// A section that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// its name as findings tell it: `past-medical-history`
    pub name: &'static str,
    pub role: Role,
}

/// The headings of a lexicon.
#[derive(Debug, Default)]
pub struct Headings {
    /// number 0 is "no section"
    pub known: Vec<Heading>,
    pub(super) phrases: Phrases,
}

/// In the number of a phrase: a heading inside a section.
const SUB: u32 = 1 << 16;
/// In the number of a phrase: only a heading if a colon follows.
const COLON: u32 = 1 << 17;

/// Longest heading that is found in the middle of a line, in tokens.
const LONGEST: usize = 8;

/// Longest title of a section in bytes.
const MOST: usize = 120;

/// A heading in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// its tokens, with the colon
    pub begin: usize,
    pub end: usize,
    section: u16,
    sub: bool,
}

impl Found {
    /// The section behind the heading, if `now` is the one before it.
    pub fn section(&self, headings: &Headings, now: u16) -> u16 {
        match headings.get(now) {
            _ if !self.sub => self.section,
            Some(heading) if heading.role.has_systems() => now,
            _ => 0,
        }
    }
}

impl Headings {
    /// Reads the list `sections`. A row that cannot be read is left out.
    pub fn new(list: &'static str) -> Headings {
        let mut known = vec![Heading { name: "", role: Role::Other }];
        let mut builder = Builder::default();
        for line in list.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
            let mut fields = line.split('\t').map(str::trim);
            let (Some(phrase), Some(name), Some(role)) = (fields.next(), fields.next(), fields.next()) else { continue };
            let flags = fields.next().unwrap_or("");
            let sub = flags.contains('s');
            let section = if sub {
                0
            } else {
                let Some(role) = Role::from_name(role) else { continue };
                let heading = Heading { name, role };
                known.iter().position(|k| *k == heading).unwrap_or_else(|| {
                    known.push(heading);
                    known.len() - 1
                })
            };
            let Ok(section) = u16::try_from(section) else { break };
            builder.add(phrase, u32::from(section) | if sub { SUB } else { 0 } | if flags.contains('c') { COLON } else { 0 });
        }
        Headings { known, phrases: builder.finish() }
    }

    pub fn get(&self, section: u16) -> Option<Heading> {
        self.known.get(section as usize).copied()
    }

    /// The section that is headed so, such as that of the title "Family history" or the question "Allergies?".
    pub fn named(&self, title: &str) -> Option<u16> {
        if title.len() > MOST {
            return None;
        }
        let mut tokens = Vec::new();
        token::tokens(title, 0, title.len(), &mut tokens, |_| token::UNKNOWN);
        while tokens.pop_if(|t| t.class != Class::Word).is_some() {}
        let words: Vec<Word> = tokens.iter().map(|t| self.phrases.word(title, t)).collect();
        let found = self.phrases.longest_at(&tokens, &words, 0, tokens.len()).filter(|f| f.end == tokens.len())?;
        found.values.last().filter(|value| *value & SUB == 0).map(|value| *value as u16)
    }

    /// The heading that begins at token `at` of a line that ends before `to`, with `marks` (a number, a bullet) before it or not.
    pub fn at(&self, tokens: &[Token], at: usize, to: usize, marked: bool) -> Option<Found> {
        let mut begin = at;
        while begin < to && begin < at + 6 && tokens.get(begin).is_some_and(|t| t.class == Class::Mark && matches!(t.mark, b'#' | b'*' | b'_' | b'=' | b'>' | b'[' | b'<')) {
            begin += 1;
        }
        let plain = begin == at && !marked;
        let line = tokens.get(begin..to)?;
        let first = line.first()?;
        if first.class != Class::Word || !self.phrases.begins(first.known.heading) {
            return None;
        }
        let line = &line[..line.len().min(3 * LONGEST)];
        let words: Vec<Word> = line.iter().map(|t| t.known.heading).collect();
        let found = self.phrases.longest_at(line, &words, 0, line.len())?;
        let value = *found.values.last()?;
        let (sub, colon_only) = (value & SUB != 0, value & COLON != 0);
        let heading = &line[..found.end];
        let is = |at: usize, mark: u8| line.get(at).is_some_and(|t| t.is_mark(mark));
        let mut end = found.end;
        let mut after = end;
        // "**PMH**", "[PMH]"
        while line.get(after).is_some_and(|t| t.class == Class::Mark && matches!(t.mark, b'*' | b'_' | b'#' | b'=' | b']' | b'>')) {
            after += 1;
        }
        // "Medications (home):"
        if is(after, b'(') {
            let close = line[after..].iter().take(12).position(|t| t.is_mark(b')'));
            match close {
                Some(length) if is(after + length + 1, b':') || begin + after + length + 1 == to => after += length + 1,
                _ => return None,
            }
        }
        let alone = begin + after == to;
        let capitals = heading.iter().all(|t| t.class != Class::Word || t.case == Case::Upper);
        let title = first.case != Case::Lower;
        if is(after, b':') {
            end = after + 1;
            while line.get(end).is_some_and(|t| t.class == Class::Mark && matches!(t.mark, b'*' | b'_')) && !line[end].spaced {
                end += 1;
            }
        } else if alone && !colon_only && title && (plain || !sub) {
            end = after;
        } else if is(after, b'-') && line[after].spaced && title && plain && !sub && line.get(after + 1).is_some_and(|t| t.spaced) {
            end = after + 1;
        } else if capitals
            && plain
            && !sub
            && !colon_only
            && (heading.len() > 1 || first.end - first.begin > 5)
            && line.get(after).is_some_and(|t| t.spaced && t.class == Class::Word && t.case != Case::Upper && t.case != Case::Lower)
        {
            end = after;
        } else {
            return None;
        }
        Some(Found { begin, end: begin + end, section: value as u16, sub })
    }

    /// The heading within a line that ends with the colon at token `colon` and begins behind token `from`.
    pub fn before_colon(&self, tokens: &[Token], from: usize, colon: usize) -> Option<Found> {
        let last = tokens.get(colon.checked_sub(1)?)?;
        if last.known.heading == NONE {
            return None;
        }
        let from = from.max(colon.saturating_sub(LONGEST));
        let window = tokens.get(from..colon)?;
        let mut words = [NONE; LONGEST];
        for (word, token) in words.iter_mut().zip(window) {
            *word = token.known.heading;
        }
        for (at, token) in window.iter().enumerate() {
            if token.case == Case::Lower || token.class != Class::Word || !self.phrases.begins(words[at]) {
                continue;
            }
            if let Some(found) = self.phrases.longest_at(window, &words[..window.len()], at, window.len())
                && found.end == window.len()
                && let Some(&value) = found.values.last()
            {
                return Some(Found { begin: from + at, end: colon + 1, section: value as u16, sub: value & SUB != 0 });
            }
        }
        None
    }
}
