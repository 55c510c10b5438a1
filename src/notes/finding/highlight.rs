//! A text with its findings marked, for people.

use super::slice;
use crate::nlp::entity::{Certainty, Conditionality, Subject, Temporality};
use crate::nlp::{Category, Entity};

/// How findings are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `<mark class="medical-condition negative" title="…">`; all else is escaped, so it may stand in a page
    Html,
    /// colours of a terminal
    Ansi,
}

/// The text with each finding marked; of findings that overlap the first, and the longest of those.
pub fn marked(text: &str, entities: &[Entity], style: Style) -> String {
    let mut out = String::with_capacity(text.len() + entities.len() * 64);
    let mut at = 0;
    for entity in entities {
        if entity.begin < at {
            continue;
        }
        plain(slice(text, at, entity.begin), style, &mut out);
        let (open, close) = match style {
            Style::Html => {
                let mut classes = entity.category.name().to_ascii_lowercase().replace('_', "-");
                for word in words(entity) {
                    classes.push(' ');
                    classes.push_str(word);
                }
                let mut title = entity.kind.name().to_ascii_lowercase().replace('_', " ");
                for word in words(entity) {
                    title.push_str(", ");
                    title.push_str(word);
                }
                (format!("<mark class=\"{classes}\" title=\"{title}\">"), "</mark>")
            }
            Style::Ansi => {
                let colour = match entity.category {
                    Category::MedicalCondition => 31,
                    Category::Medication => 32,
                    Category::TestTreatmentProcedure => 34,
                    Category::Anatomy => 36,
                    Category::TimeExpression => 33,
                    Category::ProtectedHealthInformation => 35,
                    Category::BehavioralEnvironmentalSocial => 95,
                };
                let struck = if entity.assertion.certainty == Certainty::Negative { ";9" } else { "" };
                (format!("\u{1b}[{colour}{struck}m"), "\u{1b}[0m")
            }
        };
        out.push_str(&open);
        plain(slice(text, entity.begin, entity.end), style, &mut out);
        out.push_str(close);
        at = entity.end;
    }
    plain(slice(text, at, text.len()), style, &mut out);
    out
}

/// What is said of it that is not the usual.
fn words(entity: &Entity) -> impl Iterator<Item = &'static str> {
    let a = entity.assertion;
    [
        (a.certainty != Certainty::Positive).then_some(a.certainty.name()),
        (a.temporality != Temporality::Current).then_some(a.temporality.name()),
        (a.subject != Subject::Patient).then_some(a.subject.name()),
        (a.conditionality != Conditionality::Unconditional).then_some(a.conditionality.name()),
    ]
    .into_iter()
    .flatten()
}

fn plain(text: &str, style: Style, out: &mut String) {
    for c in text.chars() {
        match (style, c) {
            (Style::Html, '&') => out.push_str("&amp;"),
            (Style::Html, '<') => out.push_str("&lt;"),
            (Style::Html, '>') => out.push_str("&gt;"),
            (Style::Html, '"') => out.push_str("&quot;"),
            (Style::Html, '\'') => out.push_str("&#39;"),
            // no orders of the text's own to a terminal
            (Style::Ansi, '\u{1b}' | '\u{9b}') => out.push('\u{fffd}'),
            (_, c) => out.push(c),
        }
    }
}
