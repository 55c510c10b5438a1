//! Our own form of findings: one tree, described in docs/notes.md.

use std::borrow::Cow;

use super::{FINDINGS, Reading, ask, group, text, value};
use crate::json::Item;
use crate::nlp::entity::Attribute;
use crate::nlp::points::Points;
use crate::nlp::{Entity, Interrupted, Lexicon};
use crate::notes::finding::{Coding, codings, integer, member, score, slice, string};

/// Name and version of what reads.
pub const ENGINE: &str = concat!("fhirlake ", env!("CARGO_PKG_VERSION"));

pub fn tree<'a>(readings: &'a [Reading<'_>], lexicon: &'a Lexicon, interrupted: &dyn Fn() -> bool) -> Result<Item<'a>, Interrupted> {
    let mut parts = vec![value("engine", "valueString", string(ENGINE))];
    parts.extend(text("lexicon", Cow::Borrowed(lexicon.version())));
    for reading in readings {
        parts.push(read(reading, lexicon, interrupted)?);
    }
    Ok(group(FINDINGS, parts))
}

fn read<'a>(reading: &'a Reading<'_>, lexicon: &'a Lexicon, interrupted: &dyn Fn() -> bool) -> Result<Item<'a>, Interrupted> {
    let mut parts = vec![value("path", "valueString", string(&reading.text.path))];
    if let Some(problem) = reading.text.problem {
        parts.push(value("problem", "valueString", string(problem.message())));
    }
    if !reading.text.is_english() {
        parts.push(value("problem", "valueString", string("only English is read")));
    }
    if reading.is_cut {
        parts.push(value("problem", "valueString", string("only the first 100,000 findings of a resource are kept")));
    }
    let points = Points::new(&reading.text.text);
    for (number, entity) in reading.found.iter().enumerate() {
        ask(number, interrupted)?;
        parts.push(finding(entity, &reading.text.text, &points, lexicon));
    }
    Ok(group("text", parts))
}

fn finding<'a>(entity: &'a Entity, whole: &'a str, points: &Points<'_>, lexicon: &'a Lexicon) -> Item<'a> {
    let assertion = entity.assertion;
    let mut parts = vec![
        value("category", "valueCode", string(entity.category.name())),
        value("type", "valueCode", string(entity.kind.name())),
    ];
    place(&mut parts, entity.begin, entity.end, whole, points);
    if !entity.section.is_empty() {
        parts.push(value("section", "valueString", string(entity.section)));
    }
    parts.extend([
        value("score", "valueDecimal", score(entity.score)),
        value("certainty", "valueCode", string(assertion.certainty.name())),
        value("temporality", "valueCode", string(assertion.temporality.name())),
        value("subject", "valueCode", string(assertion.subject.name())),
        value("conditionality", "valueCode", string(assertion.conditionality.name())),
    ]);
    parts.extend(entity.value.as_deref().and_then(|value| text("value", Cow::Borrowed(value))));
    parts.extend(entity.attributes.iter().map(|a| attribute(a, whole, points)));
    for coding in codings(entity, lexicon) {
        parts.push(concept(&coding));
    }
    group("finding", parts)
}

fn place<'a>(parts: &mut Vec<Item<'a>>, begin: usize, end: usize, whole: &'a str, points: &Points<'_>) {
    parts.extend(text("text", Cow::Borrowed(slice(whole, begin, end))));
    parts.push(value("begin", "valueUnsignedInt", integer(points.before(begin).into())));
    parts.push(value("end", "valueUnsignedInt", integer(points.before(end).into())));
}

fn attribute<'a>(attribute: &'a Attribute, whole: &'a str, points: &Points<'_>) -> Item<'a> {
    let mut parts = vec![value("type", "valueCode", string(attribute.kind.name()))];
    place(&mut parts, attribute.begin, attribute.end, whole, points);
    parts.extend(attribute.value.as_deref().and_then(|value| text("value", Cow::Borrowed(value))));
    parts.push(value("score", "valueDecimal", score(attribute.score)));
    parts.push(value("relationScore", "valueDecimal", score(attribute.relation_score)));
    group("attribute", parts)
}

fn concept(coding: &Coding) -> Item<'static> {
    let mut object = Vec::with_capacity(3);
    // the lexicon may name no URL for a system that a site has loaded itself
    if !coding.system.is_empty() {
        object.push(member("system", string(coding.system)));
    }
    object.push(member("code", string(coding.code)));
    if !coding.display.trim().is_empty() {
        object.push(member("display", string(coding.display)));
    }
    group("concept", vec![value("coding", "valueCoding", Item::Object(object)), value("score", "valueDecimal", score(coding.score))])
}
