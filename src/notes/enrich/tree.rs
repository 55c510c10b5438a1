//! Our own form of findings: one tree, described in docs/notes.md.

use super::{EnrichError, FINDINGS, Reading, ask};
use crate::json::{JsonError, compose_array, compose_fraction, compose_name, compose_object, compose_string, compose_whole};
use crate::nlp::entity::Attribute;
use crate::nlp::points::Points;
use crate::nlp::{Entity, Lexicon};
use crate::notes::finding::{Coding, codings, slice, ten_thousandths};

/// Name and version of what reads.
pub const ENGINE: &str = concat!("fhirlake ", env!("CARGO_PKG_VERSION"));

type Written = Result<u32, Box<JsonError>>;

/// A part of an extension that has no parts itself.
#[derive(Clone, Copy)]
enum Simple<'a> {
    Code(&'static str, &'static str),
    String(&'static str, &'a str),
    Count(&'static str, u32),
    Score(&'static str, f32),
}

impl Simple<'_> {
    /// `{"url": …, "valueX": …}`
    fn write(self, out: &mut Vec<u8>) -> Written {
        let pair = |ty, url: &'static str, out: &mut Vec<u8>, value: &dyn Fn(&mut Vec<u8>) -> Written| {
            compose_object(["url", ty], out, |place, out| if place == 0 { compose_name(url, out) } else { value(out) })
        };
        match self {
            Simple::Code(url, code) => pair("valueCode", url, out, &|out| compose_name(code, out)),
            Simple::String(url, text) => pair("valueString", url, out, &|out| compose_string(text, out)),
            Simple::Count(url, count) => pair("valueUnsignedInt", url, out, &|out| compose_whole(count, out)),
            Simple::Score(url, score) => pair("valueDecimal", url, out, &|out| compose_fraction(ten_thousandths(score), out)),
        }
    }
}

/// `{"url": …, "extension": […]}`, with so many parts.
fn group(url: &'static str, count: usize, out: &mut Vec<u8>, mut part: impl FnMut(usize, &mut Vec<u8>) -> Written) -> Written {
    compose_object(["url", "extension"], out, |place, out| if place == 0 { compose_name(url, out) } else { compose_array(count, out, &mut part) })
}

/// An empty value is none in FHIR, nor is one of spaces.
fn string<'a>(url: &'static str, text: &'a str) -> Option<Simple<'a>> {
    (!text.trim().is_empty()).then_some(Simple::String(url, text))
}

/// The extension as a container.
pub fn tree(readings: &[Reading<'_>], lexicon: &Lexicon, interrupted: &dyn Fn() -> bool) -> Result<Vec<u8>, EnrichError> {
    let mut head = vec![Simple::String("engine", ENGINE)];
    head.extend(string("lexicon", lexicon.version()));
    let mut texts = Vec::with_capacity(readings.len());
    for reading in readings {
        let mut found = Vec::with_capacity(reading.found.len());
        for (number, entity) in reading.found.iter().enumerate() {
            ask(number, interrupted)?;
            found.push((entity, codings(entity, lexicon)));
        }
        texts.push((reading, found));
    }
    let mut out = Vec::with_capacity(512 + texts.iter().map(|(_, found)| 2048 * found.len()).sum::<usize>());
    group(FINDINGS, head.len() + texts.len(), &mut out, |place, out| match head.get(place) {
        Some(simple) => simple.write(out),
        None => texts.get(place - head.len()).map_or(Ok(0), |(reading, found)| text(reading, found, out)),
    })
    .map_err(|error| EnrichError::Json(*error))?;
    Ok(out)
}

fn text(reading: &Reading<'_>, found: &[(&Entity, Vec<Coding>)], out: &mut Vec<u8>) -> Written {
    let mut head = vec![Simple::String("path", &reading.text.path)];
    head.extend(reading.text.problem.map(|problem| Simple::String("problem", problem.message())));
    if !reading.text.is_english() {
        head.push(Simple::String("problem", "only English is read"));
    }
    if reading.is_cut {
        head.push(Simple::String("problem", "only the first 100,000 findings of a resource are kept"));
    }
    let points = Points::new(&reading.text.text);
    // one buffer for all findings
    let mut parts = Vec::with_capacity(16);
    group("text", head.len() + found.len(), out, |place, out| match head.get(place) {
        Some(simple) => simple.write(out),
        None => found.get(place - head.len()).map_or(Ok(0), |(entity, codings)| {
            parts.clear();
            finding(entity, codings, &reading.text.text, &points, &mut parts, out)
        }),
    })
}

fn finding<'a>(entity: &'a Entity, codings: &[Coding], whole: &'a str, points: &Points<'_>, parts: &mut Vec<Simple<'a>>, out: &mut Vec<u8>) -> Written {
    let assertion = entity.assertion;
    parts.extend([Simple::Code("category", entity.category.name()), Simple::Code("type", entity.kind.name())]);
    place(parts, entity.begin, entity.end, whole, points);
    if !entity.section.is_empty() {
        parts.push(Simple::String("section", entity.section));
    }
    parts.extend([
        Simple::Score("score", entity.score),
        Simple::Code("certainty", assertion.certainty.name()),
        Simple::Code("temporality", assertion.temporality.name()),
        Simple::Code("subject", assertion.subject.name()),
        Simple::Code("conditionality", assertion.conditionality.name()),
    ]);
    parts.extend(entity.value.as_deref().and_then(|value| string("value", value)));
    let (simple, attributes) = (parts.len(), entity.attributes.len());
    group("finding", simple + attributes + codings.len(), out, |place, out| {
        if let Some(part) = parts.get(place) {
            return part.write(out);
        }
        match entity.attributes.get(place - simple) {
            Some(one) => attribute(one, whole, points, out),
            None => codings.get(place - simple - attributes).map_or(Ok(0), |coding| concept(coding, out)),
        }
    })
}

fn place<'a>(parts: &mut Vec<Simple<'a>>, begin: usize, end: usize, whole: &'a str, points: &Points<'_>) {
    parts.extend(string("text", slice(whole, begin, end)));
    parts.push(Simple::Count("begin", points.before(begin)));
    parts.push(Simple::Count("end", points.before(end)));
}

fn attribute(attribute: &Attribute, whole: &str, points: &Points<'_>, out: &mut Vec<u8>) -> Written {
    let mut parts = Vec::with_capacity(7);
    parts.push(Simple::Code("type", attribute.kind.name()));
    place(&mut parts, attribute.begin, attribute.end, whole, points);
    parts.extend(attribute.value.as_deref().and_then(|value| string("value", value)));
    parts.push(Simple::Score("score", attribute.score));
    parts.push(Simple::Score("relationScore", attribute.relation_score));
    group("attribute", parts.len(), out, |place, out| parts.get(place).map_or(Ok(0), |part| part.write(out)))
}

fn concept(concept: &Coding, out: &mut Vec<u8>) -> Written {
    group("concept", 2, out, |place, out| {
        if place == 1 {
            return Simple::Score("score", concept.score).write(out);
        }
        compose_object(["url", "valueCoding"], out, |place, out| if place == 0 { compose_name("coding", out) } else { coding(concept, out) })
    })
}

/// The lexicon may name no URL for a system that a site has loaded itself.
fn coding(coding: &Coding, out: &mut Vec<u8>) -> Written {
    let values = [coding.code, coding.system, coding.display];
    let of = |values: &[&str], place: usize, out: &mut Vec<u8>| compose_string(values.get(place).copied().unwrap_or_default(), out);
    match (coding.system.is_empty(), coding.display.trim().is_empty()) {
        (false, false) => compose_object(["code", "system", "display"], out, |place, out| of(&values, place, out)),
        (false, true) => compose_object(["code", "system"], out, |place, out| of(&values, place, out)),
        (true, false) => compose_object(["code", "display"], out, |place, out| of(&values[..], 2 * place, out)),
        (true, true) => compose_object(["code"], out, |place, out| of(&values, place, out)),
    }
}
