//! Our own notes: one half to tune on, one that nobody tunes on.

use crate::annotated::{self, Annotated, Gold};
use crate::measure::{Counts, around, pairs, ratio, shared};
use crate::{Outcome, Work, read};
use fhirlake::nlp::entity::{Attribute, AttributeKind, Category, Certainty, Conditionality, Entity, Kind, Subject, Temporality};
use fhirlake::nlp::{Options, detect};
use std::ops::Range;
use std::path::Path;

const NAMES: [(Category, &str); 7] = [
    (Category::MedicalCondition, "conditions"),
    (Category::Medication, "medications"),
    (Category::TestTreatmentProcedure, "tests"),
    (Category::Anatomy, "anatomy"),
    (Category::TimeExpression, "time"),
    (Category::ProtectedHealthInformation, "phi"),
    (Category::BehavioralEnvironmentalSocial, "social"),
];

const ICD: &str = "http://hl7.org/fhir/sid/icd-10-cm";

pub fn run(work: &Work) -> Result<Outcome, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(file!()).with_file_name("notes");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    let mut figures = Vec::new();
    for (set, errors) in [("tune", work.errors), ("held-out", work.held_out_errors)] {
        let mut scores = Scores::default();
        let mut count = 0;
        for file in &files {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.starts_with(set) {
                continue;
            }
            let notes = annotated::notes(&read(file)?).map_err(|problem| format!("{name}: {problem}"))?;
            count += notes.len();
            for note in &notes {
                let options = Options { date: note.date, ..Options::default() };
                let found = detect(&note.text, &work.lexicon, &options).map_err(|_| "stopped")?;
                scores.add(note, &found, work, errors);
            }
        }
        println!("{set}: {count} notes");
        scores.finish(set, &mut figures);
    }
    Ok(Outcome::Measured(figures))
}

#[derive(Default)]
struct Scores {
    overlap: [Counts; 7],
    exact: [Counts; 7],
    allergies: Counts,
    attributes: Counts,
    by_attribute: Vec<(AttributeKind, Counts)>,
    triples: Counts,
    /// certainty, temporality, subject, conditionality: right and all
    dimensions: [(usize, usize); 4],
    negation: Counts,
    past: Counts,
    family: Counts,
    conditional: Counts,
    codes: (usize, usize),
    codes_found: Counts,
}

impl Scores {
    fn add(&mut self, note: &Annotated, found: &[Entity], work: &Work, errors: bool) {
        let wrong = |what: &str, span: &Range<usize>, more: &str| {
            if errors {
                println!("{} {what}: {}{more}", note.name, around(&note.text, span));
            }
        };
        for (number, (category, name)) in NAMES.into_iter().enumerate() {
            if !note.complete.contains(&category) {
                continue;
            }
            let gold: Vec<&Gold> = note.entities.iter().filter(|gold| gold.category == category).collect();
            let ours: Vec<&Entity> = found.iter().filter(|entity| entity.category == category).collect();
            let matched = matched(&gold, &ours);
            let counted = self.count_names(number, name, note, &gold, &ours, &matched, &wrong);
            debug_assert!(counted <= ours.len());
            if category == Category::Medication {
                self.medication_attributes(note, &gold, &ours, &matched, &wrong);
            }
            if category == Category::TestTreatmentProcedure {
                self.results(note, &gold, &ours, &matched, &wrong);
            }
            if number < 3 {
                for (g, f) in &matched {
                    self.assertion(category, gold[*g], ours[*f], &wrong);
                }
            }
            for (g, gold) in gold.iter().enumerate() {
                let Some(code) = &gold.code else { continue };
                let ours = matched.iter().find(|(other, _)| *other == g).map(|(_, f)| ours[*f]);
                let codes = ours.map(|entity| icd(work, entity)).unwrap_or_default();
                let right = codes.first().is_some_and(|first| code.split('/').any(|code| code.starts_with(first) || first.starts_with(code)));
                self.codes_found.add(usize::from(right), 1, usize::from(!codes.is_empty()));
                if ours.is_some() {
                    self.codes.0 += usize::from(right);
                    self.codes.1 += 1;
                    if !right {
                        wrong("code", &gold.span, &format!(" should be {code}, is {codes:?}"));
                    }
                }
            }
        }
        let gold: Vec<&Gold> = note.entities.iter().filter(|gold| gold.kind == Kind::Allergies).collect();
        let ours: Vec<&Entity> = found.iter().filter(|entity| entity.kind == Kind::Allergies).collect();
        let matched = matched(&gold, &ours);
        let open = ours.iter().filter(|e| is_open(note, &(e.begin..e.end))).count();
        self.allergies.add(matched.len(), gold.len(), (ours.len() - open).max(matched.len()));
    }

    /// Counts found names; what is open and matches nothing does not count. Returns how many count.
    #[allow(clippy::too_many_arguments)]
    fn count_names(
        &mut self,
        number: usize,
        name: &str,
        note: &Annotated,
        gold: &[&Gold],
        ours: &[&Entity],
        matched: &[(usize, usize)],
        wrong: &dyn Fn(&str, &Range<usize>, &str),
    ) -> usize {
        let mut counted = 0;
        for (f, entity) in ours.iter().enumerate() {
            let span = entity.begin..entity.end;
            if matched.iter().any(|(_, other)| *other == f) {
                counted += 1;
            } else if !is_open(note, &span) {
                counted += 1;
                wrong(&format!("extra {name}"), &span, "");
            }
        }
        for (g, gold) in gold.iter().enumerate() {
            match matched.iter().find(|(other, _)| *other == g) {
                None => wrong(&format!("missed {name}"), &gold.span, ""),
                Some((_, f)) if gold.span != (ours[*f].begin..ours[*f].end) => {
                    let text = note.text.get(ours[*f].begin..ours[*f].end).unwrap_or_default();
                    wrong(&format!("span {name}"), &gold.span, &format!(" found as [{text}]"));
                }
                _ => {}
            }
        }
        let same = matched.iter().filter(|(g, f)| gold[*g].span == (ours[*f].begin..ours[*f].end)).count();
        self.overlap[number].add(matched.len(), gold.len(), counted);
        self.exact[number].add(same, gold.len(), counted);
        counted
    }

    fn medication_attributes(
        &mut self,
        note: &Annotated,
        gold: &[&Gold],
        ours: &[&Entity],
        matched: &[(usize, usize)],
        wrong: &dyn Fn(&str, &Range<usize>, &str),
    ) {
        for (g, gold) in gold.iter().enumerate() {
            let entity = matched.iter().find(|(other, _)| *other == g).map(|(_, f)| ours[*f]);
            let found = entity.map_or(&[][..], |entity| &entity.attributes);
            let gold_spans: Vec<Range<usize>> = gold.attributes.iter().map(|(_, span)| span.clone()).collect();
            let found_spans: Vec<Range<usize>> = found.iter().map(|a| a.begin..a.end).collect();
            let right = pairs(&gold_spans, &found_spans, |g, f| gold.attributes[g].0 == found[f].kind);
            for (n, (kind, span)) in gold.attributes.iter().enumerate() {
                let hit = right.iter().any(|(g, _)| *g == n);
                self.attribute(*kind, usize::from(hit), 1, usize::from(hit));
                if !hit {
                    wrong(&format!("missed {}", kind.name()), span, &format!(" of {}", &note.text[gold.span.clone()]));
                }
            }
            for (n, attribute) in found.iter().enumerate() {
                let span = &found_spans[n];
                // A part of what is marked, or the form in "2 tablets", is not too much.
                let like = |kind: AttributeKind| {
                    kind == attribute.kind || kind == AttributeKind::Dosage && attribute.kind == AttributeKind::Form
                };
                let part = gold.attributes.iter().any(|(kind, gold)| like(*kind) && shared(gold, span) > 0);
                if !part && !is_open(note, span) && of_medication(attribute.kind) {
                    self.attribute(attribute.kind, 0, 0, 1);
                    wrong(&format!("extra {}", attribute.kind.name()), span, &format!(" of {}", &note.text[gold.span.clone()]));
                }
            }
        }
        for (f, entity) in ours.iter().enumerate() {
            if matched.iter().any(|(_, other)| *other == f) || is_open(note, &(entity.begin..entity.end)) {
                continue;
            }
            for attribute in entity.attributes.iter().filter(|attribute| of_medication(attribute.kind)) {
                self.attribute(attribute.kind, 0, 0, 1);
            }
        }
    }

    fn attribute(&mut self, kind: AttributeKind, right: usize, gold: usize, found: usize) {
        self.attributes.add(right, gold, found);
        match self.by_attribute.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, counts)) => counts.add(right, gold, found),
            None => self.by_attribute.push((kind, Counts { right, gold, found })),
        }
    }

    /// Test, value and unit: right if all three are.
    fn results(
        &mut self,
        note: &Annotated,
        gold: &[&Gold],
        ours: &[&Entity],
        matched: &[(usize, usize)],
        wrong: &dyn Fn(&str, &Range<usize>, &str),
    ) {
        let text = |span: &Range<usize>| note.text.get(span.clone()).unwrap_or_default().trim().to_owned();
        for (g, gold) in gold.iter().enumerate() {
            let entity = matched.iter().find(|(other, _)| *other == g).map(|(_, f)| ours[*f]);
            let attributes: Vec<_> = gold.attributes.iter().map(|(kind, span)| (*kind, span.clone())).collect();
            let wanted = triples(&attributes);
            let found = entity.map(|entity| triples(&plain(&entity.attributes))).unwrap_or_default();
            let mut used = vec![false; found.len()];
            for (value, unit) in &wanted {
                let same = |n: &usize| {
                    let (v, u): &(Range<usize>, Option<Range<usize>>) = &found[*n];
                    let units = (unit.as_ref().map(&text), u.as_ref().map(&text));
                    let same_unit = match units {
                        (Some(a), Some(b)) => a.eq_ignore_ascii_case(&b),
                        (None, None) => true,
                        _ => false,
                    };
                    !used[*n] && shared(v, value) > 0 && text(v) == text(value) && same_unit
                };
                let hit = (0..found.len()).find(same);
                if let Some(n) = hit {
                    used[n] = true;
                }
                self.triples.add(usize::from(hit.is_some()), 1, 0);
                if hit.is_none() {
                    let has: Vec<_> = found.iter().map(|(v, u)| (text(v), u.as_ref().map(&text))).collect();
                    let unit = unit.as_ref().map(&text).unwrap_or_default();
                    wrong("missed result", value, &format!(" {unit} of {}, has {has:?}", &note.text[gold.span.clone()]));
                }
            }
            self.triples.add(0, 0, found.iter().zip(&used).filter(|((v, _), used)| **used || !is_open(note, v)).count());
            for ((value, _), _) in found.iter().zip(&used).filter(|((v, _), used)| !**used && !is_open(note, v)) {
                wrong("extra result", value, &format!(" of {}", &note.text[gold.span.clone()]));
            }
        }
        for (f, entity) in ours.iter().enumerate() {
            if !matched.iter().any(|(_, other)| *other == f) && !is_open(note, &(entity.begin..entity.end)) {
                self.triples.add(0, 0, triples(&plain(&entity.attributes)).len());
            }
        }
    }

    fn assertion(&mut self, category: Category, gold: &Gold, ours: &Entity, wrong: &dyn Fn(&str, &Range<usize>, &str)) {
        let Some(want) = gold.assertion else { return };
        let is = ours.assertion;
        // Nobody asks when a relative had it, or when it was not.
        let timed = want.subject != Subject::Family && want.certainty != Certainty::Negative;
        let same = [
            want.certainty == is.certainty,
            want.temporality == is.temporality || !timed,
            want.subject == is.subject,
            want.conditionality == is.conditionality,
        ];
        for (dimension, same) in self.dimensions.iter_mut().zip(same) {
            dimension.0 += usize::from(same);
            dimension.1 += 1;
        }
        if same.contains(&false) {
            let names = |c: Certainty, t: Temporality, s: Subject, k: Conditionality| {
                let all = [
                    (c != Certainty::Positive, c.name()),
                    (t != Temporality::Current, t.name()),
                    (s != Subject::Patient, s.name()),
                    (k != Conditionality::Unconditional, k.name()),
                ];
                let said: Vec<&str> = all.iter().filter(|(special, _)| *special).map(|(_, name)| *name).collect();
                if said.is_empty() { "plain".to_owned() } else { said.join(" ") }
            };
            let want = names(want.certainty, want.temporality, want.subject, want.conditionality);
            let is = names(is.certainty, is.temporality, is.subject, is.conditionality);
            wrong("assertion", &gold.span, &format!(" should be {want}, is {is}"));
        }
        let count = |counts: &mut Counts, want: bool, is: bool| {
            counts.add(usize::from(want && is), usize::from(want), usize::from(is));
        };
        if category == Category::MedicalCondition {
            count(&mut self.negation, want.certainty == Certainty::Negative, is.certainty == Certainty::Negative);
        }
        if timed {
            count(&mut self.past, want.temporality == Temporality::Past, is.temporality == Temporality::Past);
        }
        count(&mut self.family, want.subject == Subject::Family, is.subject == Subject::Family);
        let under = |c: Conditionality| c != Conditionality::Unconditional;
        count(&mut self.conditional, under(want.conditionality), under(is.conditionality));
    }

    fn finish(&self, set: &str, figures: &mut Vec<(String, f64)>) {
        let marked = |(number, _): &(usize, (Category, &str))| self.overlap[*number].gold > 0;
        for (number, (_, name)) in NAMES.into_iter().enumerate().filter(marked) {
            self.overlap[number].print(&format!("{set} {name}, overlap"));
            self.exact[number].print(&format!("{set} {name}, exact"));
            figures.push((format!("{set}.{name}.overlap"), self.overlap[number].f1()));
            figures.push((format!("{set}.{name}.exact"), self.exact[number].f1()));
        }
        for (kind, counts) in &self.by_attribute {
            counts.print(&format!("{set} medication {}", kind.name()));
        }
        let counts = [
            ("allergies", &self.allergies),
            ("attributes", &self.attributes),
            ("triples", &self.triples),
            ("negation", &self.negation),
            ("past", &self.past),
            ("family", &self.family),
            ("conditional", &self.conditional),
            ("codes-found", &self.codes_found),
        ];
        for (name, counts) in counts {
            counts.print(&format!("{set} {name}"));
            figures.push((format!("{set}.{name}"), counts.f1()));
        }
        for (name, (right, all)) in ["certainty", "temporality", "subject", "conditionality"].into_iter().zip(self.dimensions) {
            println!("{:<44} {:.4}   right {right} of {all}", format!("{set} {name}"), ratio(right, all));
            figures.push((format!("{set}.{name}"), ratio(right, all)));
        }
        let (right, all) = self.codes;
        println!("{:<44} {:.4}   right {right} of {all}", format!("{set} codes of what was found"), ratio(right, all));
        figures.push((format!("{set}.codes"), ratio(right, all)));
    }
}

fn matched(gold: &[&Gold], ours: &[&Entity]) -> Vec<(usize, usize)> {
    let gold_spans: Vec<Range<usize>> = gold.iter().map(|gold| gold.span.clone()).collect();
    let spans: Vec<Range<usize>> = ours.iter().map(|entity| entity.begin..entity.end).collect();
    pairs(&gold_spans, &spans, |_, _| true)
}

fn is_open(note: &Annotated, span: &Range<usize>) -> bool {
    note.open.iter().any(|open| shared(open, span) > 0)
}

/// The time of a medication is marked in none of the notes.
fn of_medication(kind: AttributeKind) -> bool {
    kind != AttributeKind::Time
}

fn plain(attributes: &[Attribute]) -> Vec<(AttributeKind, Range<usize>)> {
    attributes.iter().map(|a| (a.kind, a.begin..a.end)).collect()
}

/// Values with the unit of each: the next behind it and before another value, or the only one there is.
fn triples(attributes: &[(AttributeKind, Range<usize>)]) -> Vec<(Range<usize>, Option<Range<usize>>)> {
    let of = |kind: AttributeKind| {
        let mut spans: Vec<Range<usize>> = attributes.iter().filter(|(k, _)| *k == kind).map(|(_, span)| span.clone()).collect();
        spans.sort_by_key(|span| span.start);
        spans
    };
    let (values, units) = (of(AttributeKind::TestValue), of(AttributeKind::TestUnit));
    let mut triples = Vec::new();
    for (n, value) in values.iter().enumerate() {
        let next = values.get(n + 1).map_or(usize::MAX, |next| next.start);
        let behind = units.iter().find(|unit| unit.start >= value.end && unit.start < next);
        let only = if units.len() == 1 { units.first() } else { None };
        triples.push((value.clone(), behind.or(only).cloned()));
    }
    triples
}

/// The codes of ICD-10-CM that an entity has, best first.
fn icd(work: &Work, entity: &Entity) -> Vec<&'static str> {
    let image = &work.lexicon.image;
    let mut codes = Vec::new();
    for reference in &entity.concepts {
        let concepts = std::iter::once(reference.concept).chain(image.mapped(reference.concept));
        for concept in concepts.map(|number| image.concept(number)).filter(|concept| concept.system == ICD) {
            if !codes.contains(&concept.code) {
                codes.push(concept.code);
            }
        }
    }
    codes
}
