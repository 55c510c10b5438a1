//! Ontologies in OBO 1.2 and 1.4: terms with their names, synonyms and cross-references. <https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_4.html>

use super::{Defaults, Row, What};
use crate::nlp::lexicon::source::TermKind;
use crate::terminology::formats::FormatError;
use crate::terminology::formats::lines::Lines;
use std::io::BufRead;

/// Cross-references whose prefix is one of these are kept as mappings.
const SYSTEMS: &[(&str, &str)] = &[
    ("ICD10CM", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("SNOMEDCT_US", "http://snomed.info/sct"),
    ("SCTID", "http://snomed.info/sct"),
    ("MESH", "https://meshb.nlm.nih.gov"),
    ("MSH", "https://meshb.nlm.nih.gov"),
];

#[derive(Default)]
struct Stanza {
    code: String,
    name: String,
    synonyms: Vec<(String, TermKind)>,
    mappings: Vec<(&'static str, String)>,
    obsolete: bool,
}

pub fn read<R: BufRead>(input: R, defaults: Defaults<'_>, mut each: impl FnMut(Row<'_>)) -> Result<(), FormatError> {
    let mut lines = Lines::new(input);
    let mut stanza: Option<Stanza> = None;
    while let Some((_, line)) = lines.next_line()? {
        if line.starts_with('[') {
            if let Some(done) = stanza.take() {
                tell(&done, defaults, &mut each);
            }
            stanza = (line == "[Term]").then(Stanza::default);
            continue;
        }
        let (Some(stanza), Some((tag, value))) = (stanza.as_mut(), line.split_once(": ")) else { continue };
        match tag {
            "id" => stanza.code = plain(value).to_owned(),
            "name" => stanza.name = plain(value).to_owned(),
            "is_obsolete" => stanza.obsolete = plain(value) == "true",
            "synonym" => stanza.synonyms.extend(synonym(value)),
            "xref" => {
                let (prefix, code) = plain(value).split_once(':').unwrap_or(("", ""));
                if let Some((_, system)) = SYSTEMS.iter().find(|(known, _)| *known == prefix) {
                    stanza.mappings.push((system, code.split(' ').next().unwrap_or("").to_owned()));
                }
            }
            _ => {}
        }
    }
    if let Some(done) = stanza {
        tell(&done, defaults, &mut each);
    }
    Ok(())
}

fn tell(stanza: &Stanza, Defaults { system, category, kind }: Defaults<'_>, each: &mut impl FnMut(Row<'_>)) {
    if stanza.obsolete || stanza.code.is_empty() || stanza.name.is_empty() {
        return;
    }
    let mut row = |what| each(Row { system, code: &stanza.code, category, kind, display: &stanza.name, what });
    row(What::term(&stanza.name, TermKind::Preferred));
    for (text, kind) in &stanza.synonyms {
        row(What::term(text, *kind));
    }
    for (system, code) in stanza.mappings.iter().filter(|(_, code)| !code.is_empty()) {
        row(What::Mapping { system, code });
    }
}

/// `"Kidney cyst" EXACT layperson []`: a synonym that means the same, or nearly.
fn synonym(value: &str) -> Option<(String, TermKind)> {
    let mut text = String::new();
    let mut letters = value.strip_prefix('"')?.chars();
    loop {
        match letters.next()? {
            '\\' => text.push(letters.next()?),
            '"' => break,
            letter => text.push(letter),
        }
    }
    let kind = match letters.as_str().split_whitespace().next() {
        Some("EXACT") => TermKind::Synonym,
        _ => TermKind::Related,
    };
    Some((text, kind))
}

/// A value without its comment and qualifiers.
fn plain(value: &str) -> &str {
    let value = value.split(" ! ").next().unwrap_or(value);
    value.split(" {").next().unwrap_or(value).trim()
}
