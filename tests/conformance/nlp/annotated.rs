//! Our annotated notes: their markup, which `notes/README.md` describes.

use fhirlake::nlp::entity::{AttributeKind, Category, Certainty, Conditionality, Kind, Subject, Temporality};
use std::ops::Range;

/// A note with what a reader should find in it.
pub struct Annotated {
    pub name: String,
    pub text: String,
    pub entities: Vec<Gold>,
    /// spans that count neither way
    pub open: Vec<Range<usize>>,
    /// the categories of which everything is marked
    pub complete: Vec<Category>,
    pub date: Option<chrono::NaiveDate>,
}

pub struct Gold {
    pub category: Category,
    pub kind: Kind,
    pub span: Range<usize>,
    /// none if it is open how it is meant
    pub assertion: Option<Assertion>,
    /// a code that one of the first concepts must have; several are parted by `/`
    pub code: Option<String>,
    pub attributes: Vec<(AttributeKind, Range<usize>)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assertion {
    pub certainty: Certainty,
    pub temporality: Temporality,
    pub subject: Subject,
    pub conditionality: Conditionality,
}

const KINDS: &[(&str, Category, Kind)] = &[
    ("D", Category::MedicalCondition, Kind::Diagnosis),
    ("G", Category::MedicalCondition, Kind::Sign),
    ("S", Category::MedicalCondition, Kind::Symptom),
    ("M", Category::Medication, Kind::GenericName),
    ("B", Category::Medication, Kind::BrandName),
    ("U", Category::Medication, Kind::Substance),
    ("T", Category::TestTreatmentProcedure, Kind::TestName),
    ("R", Category::TestTreatmentProcedure, Kind::TreatmentName),
    ("P", Category::TestTreatmentProcedure, Kind::ProcedureName),
    ("A", Category::Anatomy, Kind::SystemOrganSite),
    ("when-date", Category::TimeExpression, Kind::Date),
    ("when-time", Category::TimeExpression, Kind::Time),
    ("when-long", Category::TimeExpression, Kind::Duration),
    ("when-often", Category::TimeExpression, Kind::Frequency),
    ("address", Category::ProtectedHealthInformation, Kind::Address),
    ("age", Category::ProtectedHealthInformation, Kind::Age),
    ("date", Category::ProtectedHealthInformation, Kind::PhiDate),
    ("email", Category::ProtectedHealthInformation, Kind::Email),
    ("id", Category::ProtectedHealthInformation, Kind::Id),
    ("name", Category::ProtectedHealthInformation, Kind::Name),
    ("phone", Category::ProtectedHealthInformation, Kind::PhoneOrFax),
    ("profession", Category::ProtectedHealthInformation, Kind::Profession),
    ("url", Category::ProtectedHealthInformation, Kind::Url),
    ("alcohol", Category::BehavioralEnvironmentalSocial, Kind::AlcoholConsumption),
    ("tobacco", Category::BehavioralEnvironmentalSocial, Kind::TobaccoUse),
    ("drugs", Category::BehavioralEnvironmentalSocial, Kind::RecreationalDrugUse),
    ("allergy", Category::BehavioralEnvironmentalSocial, Kind::Allergies),
    ("gender", Category::BehavioralEnvironmentalSocial, Kind::Gender),
    ("race", Category::BehavioralEnvironmentalSocial, Kind::RaceEthnicity),
    ("work", Category::BehavioralEnvironmentalSocial, Kind::Employment),
    ("living", Category::BehavioralEnvironmentalSocial, Kind::LivingStatus),
];

const ATTRIBUTES: &[(&str, AttributeKind)] = &[
    ("dose", AttributeKind::Dosage),
    ("strength", AttributeKind::Strength),
    ("form", AttributeKind::Form),
    ("route", AttributeKind::Route),
    ("freq", AttributeKind::Frequency),
    ("dur", AttributeKind::Duration),
    ("rate", AttributeKind::Rate),
    ("reason", AttributeKind::Reason),
    ("acuity", AttributeKind::Acuity),
    ("severity", AttributeKind::Severity),
    ("side", AttributeKind::Laterality),
    ("site", AttributeKind::BodySite),
    ("quality", AttributeKind::Quality),
    ("value", AttributeKind::TestValue),
    ("unit", AttributeKind::TestUnit),
    ("interp", AttributeKind::Interpretation),
    ("range", AttributeKind::ReferenceRange),
    ("amount", AttributeKind::Amount),
    ("time", AttributeKind::Time),
];

/// Categories that a header may name as complete; the first three always are.
const COMPLETE: &[(&str, Category)] = &[
    ("conditions", Category::MedicalCondition),
    ("medications", Category::Medication),
    ("tests", Category::TestTreatmentProcedure),
    ("anatomy", Category::Anatomy),
    ("time", Category::TimeExpression),
    ("phi", Category::ProtectedHealthInformation),
    ("social", Category::BehavioralEnvironmentalSocial),
];

/// Which entity an attribute belongs to.
struct Pending {
    kind: AttributeKind,
    span: Range<usize>,
    begin_order: usize,
    /// the nth entity before (from 1), or the next behind (0)
    back: usize,
}

/// The notes of a file.
pub fn notes(file: &str) -> Result<Vec<Annotated>, String> {
    let mut notes = Vec::new();
    for block in format!("\n{file}").split("\n=== ").skip(1) {
        let (header, body) = block.split_once('\n').ok_or(format!("a note without text: {block}"))?;
        let note = note(header, body.trim_end_matches('\n')).map_err(|problem| format!("{header}: {problem}"))?;
        notes.push(note);
    }
    Ok(notes)
}

fn note(header: &str, body: &str) -> Result<Annotated, String> {
    let mut fields = header.split(" | ");
    let name = fields.next().unwrap_or_default().trim().to_owned();
    let mut note = Annotated {
        name,
        text: String::new(),
        entities: Vec::new(),
        open: Vec::new(),
        complete: COMPLETE[..3].iter().map(|(_, category)| *category).collect(),
        date: None,
    };
    let mut body = body.to_owned();
    for field in fields.map(str::trim) {
        match field.split_once(' ').unwrap_or((field, "")) {
            ("crlf", "") => body = body.replace('\n', "\r\n"),
            ("date", date) => note.date = Some(date.parse().map_err(|_| format!("no date: {date}"))?),
            ("complete", names) => {
                for name in names.split_whitespace() {
                    let (_, category) = COMPLETE.iter().find(|(n, _)| *n == name).ok_or(format!("no category: {name}"))?;
                    note.complete.push(*category);
                }
            }
            _ => return Err(format!("unknown field of the header: {field}")),
        }
    }
    read_markup(&body, &mut note)?;
    note.entities.sort_by_key(|gold| gold.span.start);
    Ok(note)
}

fn read_markup(body: &str, note: &mut Annotated) -> Result<(), String> {
    let mut open = Vec::new();
    let mut pending = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find(['{', '|', '}']) {
        note.text.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'{' => open.push(note.text.len()),
            // A bar outside of braces is one of the text.
            b'|' if open.is_empty() => note.text.push('|'),
            b'|' => {
                let end = rest[at..].find('}').ok_or("a bar without a brace behind it")? + at;
                let begin = open.pop().unwrap_or_default();
                let span = begin..note.text.len();
                let label = &rest[at + 1..end];
                if note.text[span.clone()].trim() != &note.text[span.clone()] || span.is_empty() {
                    return Err(format!("white space at an end of {:?}", &note.text[span]));
                }
                label_at(label, span, note, &mut pending).map_err(|problem| format!("{label}: {problem}"))?;
                rest = &rest[end + 1..];
                continue;
            }
            _ => return Err(format!("a brace without a label before {:?}", rest.chars().take(30).collect::<String>())),
        }
        rest = &rest[at + 1..];
    }
    if !open.is_empty() {
        return Err("a brace is not closed".into());
    }
    note.text.push_str(rest);
    for Pending { kind, span, begin_order, back } in pending {
        let fits = |gold: &Gold| takes(gold.category, kind) || gold.kind == Kind::Allergies;
        let of = if back == 0 {
            note.entities.iter().position(|gold| gold.span.end > span.end && fits(gold))
        } else {
            let before = note.entities[..begin_order].iter().enumerate().rev();
            before.filter(|(_, gold)| fits(gold)).map(|(number, _)| number).nth(back - 1)
        };
        let of = of.ok_or(format!("nothing that {:?} belongs to", &note.text[span.clone()]))?;
        note.entities[of].attributes.push((kind, span));
    }
    Ok(())
}

/// Whether entities of a category have such an attribute.
fn takes(category: Category, kind: AttributeKind) -> bool {
    use AttributeKind::*;
    match kind {
        Dosage | Strength | Form | Route | Rate => category == Category::Medication,
        Reason => matches!(category, Category::Medication | Category::TestTreatmentProcedure),
        Frequency | Duration => matches!(category, Category::Medication | Category::BehavioralEnvironmentalSocial),
        Acuity | Severity | Quality => category == Category::MedicalCondition,
        Laterality | BodySite => matches!(category, Category::MedicalCondition | Category::Anatomy | Category::TestTreatmentProcedure),
        TestValue | TestUnit | Interpretation | ReferenceRange => category == Category::TestTreatmentProcedure,
        Amount => category == Category::BehavioralEnvironmentalSocial,
        Time => true,
    }
}

fn label_at(label: &str, span: Range<usize>, note: &mut Annotated, pending: &mut Vec<Pending>) -> Result<(), String> {
    let mut words = label.split_whitespace();
    let first = words.next().ok_or("an empty label")?;
    if first == "*" {
        note.open.push(span);
        return Ok(());
    }
    if let Some(name) = first.strip_prefix('.') {
        let (name, back) = match name.split_once(['<', '>']) {
            None => (name, 1),
            Some((name, "")) if first.ends_with('>') => (name, 0),
            Some((name, n)) => (name, n.parse().map_err(|_| "no number behind <")?),
        };
        let (_, kind) = ATTRIBUTES.iter().find(|(n, _)| *n == name).ok_or("no such attribute")?;
        pending.push(Pending { kind: *kind, span, begin_order: note.entities.len(), back });
        return Ok(());
    }
    let name = first.trim_end_matches(['-', '!', '?', '~', '%']);
    // Names such as when-date have a dash of their own.
    let (_, category, kind) = KINDS.iter().find(|(n, ..)| *n == name).ok_or("no such label")?;
    let mut assertion = Assertion::default();
    let mut known = true;
    match &first[name.len()..] {
        "" => {}
        "-" => assertion.certainty = Certainty::Negative,
        "!" => assertion.certainty = Certainty::Unlikely,
        "?" => assertion.certainty = Certainty::Possible,
        "~" => assertion.certainty = Certainty::Probable,
        "%" => known = false,
        _ => return Err("no such certainty".into()),
    }
    let mut code = None;
    for word in words {
        match word {
            "past" => assertion.temporality = Temporality::Past,
            "future" => assertion.temporality = Temporality::Future,
            "family" => assertion.subject = Subject::Family,
            "other" => assertion.subject = Subject::Other,
            "hypo" => assertion.conditionality = Conditionality::Hypothetical,
            "cond" => assertion.conditionality = Conditionality::Conditional,
            _ => code = Some(word.strip_prefix('=').ok_or(format!("no such word: {word}"))?.to_owned()),
        }
    }
    let assertion = known.then_some(assertion);
    note.entities.push(Gold { category: *category, kind: *kind, span, assertion, code, attributes: Vec::new() });
    Ok(())
}
