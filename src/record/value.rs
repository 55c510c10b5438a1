//! Values in words: the number apart from its unit, everything else as a clinician would read it.
//! <https://hl7.org/fhir/R4/datatypes.html>

use super::event::{What, concept};
use crate::json::Node;
use crate::model::{self, TypeId};

/// A value in words.
#[derive(Debug, Default, PartialEq, Clone)]
pub struct Shown {
    pub text: Option<String>,
    /// Of a quantity: as printed, else its code.
    pub unit: Option<String>,
    /// Whether the text is a plain number.
    pub is_number: bool,
}

/// One of several values with codes of their own: a component of an Observation.
#[derive(Debug, PartialEq)]
pub struct Part {
    system: String,
    code: String,
    label: String,
    value: Shown,
}

impl Shown {
    fn plain(text: impl Into<String>) -> Option<Shown> {
        let text = text.into();
        (!text.is_empty()).then_some(Shown { text: Some(text), unit: None, is_number: false })
    }

    /// The text with its unit.
    pub fn whole(&self) -> String {
        match (&self.text, &self.unit) {
            (Some(text), Some(unit)) if unit == "%" => format!("{text}{unit}"),
            (Some(text), Some(unit)) => format!("{text} {unit}"),
            (Some(text), None) => text.clone(),
            (None, _) => String::new(),
        }
    }
}

fn string<'a>(node: Node<'a>, name: &str) -> Option<&'a str> {
    node.get(name).and_then(Node::as_str).filter(|text| !text.is_empty())
}

fn number(node: Node, name: &str) -> Option<String> {
    node.get(name).and_then(Node::as_number).map(|n| n.to_decimal_string())
}

/// A value of that datatype; `None` where there is nothing to say.
pub fn shown(ty: TypeId, node: Node) -> Option<Shown> {
    match ty {
        model::CODEABLE_CONCEPT | model::CODING => {
            let What { code, display, .. } = concept(node, ty)?;
            Shown::plain(display.or(code)?)
        }
        model::MONEY => Some(Shown { text: Some(number(node, "value")?), unit: string(node, "currency").map(str::to_owned), is_number: true }),
        model::RANGE => range(node),
        model::RATIO => ratio(node),
        model::PERIOD => match (string(node, "start"), string(node, "end")) {
            (Some(start), Some(end)) => Shown::plain(format!("{start} – {end}")),
            (Some(start), None) => Shown::plain(format!("from {start}")),
            (None, Some(end)) => Shown::plain(format!("until {end}")),
            (None, None) => None,
        },
        model::TIMING => timing(node).and_then(Shown::plain),
        model::DOSAGE => dosage(node).and_then(Shown::plain),
        model::SAMPLED_DATA => {
            let samples = string(node, "data")?.split_ascii_whitespace().count();
            Shown::plain(format!("{samples} samples"))
        }
        model::REFERENCE => Shown::plain(string(node, "display").or_else(|| string(node, "reference"))?),
        model::IDENTIFIER => Shown::plain(string(node, "value")?),
        model::ANNOTATION => Shown::plain(string(node, "text")?),
        model::ATTACHMENT => Shown::plain(["title", "url", "contentType"].iter().find_map(|name| string(node, name))?),
        model::HUMAN_NAME => name(node).and_then(Shown::plain),
        _ if model::is_a(ty, model::QUANTITY) => quantity(node),
        _ => match node {
            Node::String(text) => Shown::plain(text),
            Node::Bool(yes) => Shown::plain(if yes { "true" } else { "false" }),
            Node::Number(n) => Some(Shown { text: Some(n.to_decimal_string()), unit: None, is_number: true }),
            _ => None,
        },
    }
}

fn unit(node: Node) -> Option<String> {
    string(node, "unit").or_else(|| string(node, "code")).map(str::to_owned)
}

fn quantity(node: Node) -> Option<Shown> {
    let value = number(node, "value")?;
    match string(node, "comparator") {
        Some(comparator) => Some(Shown { text: Some(format!("{comparator}{value}")), unit: unit(node), is_number: false }),
        None => Some(Shown { text: Some(value), unit: unit(node), is_number: true }),
    }
}

fn range(node: Node) -> Option<Shown> {
    let (low, high) = (node.get("low").and_then(quantity), node.get("high").and_then(quantity));
    let unit = [&low, &high].into_iter().flatten().find_map(|end| end.unit.clone());
    let text = match (low.and_then(|end| end.text), high.and_then(|end| end.text)) {
        (Some(low), Some(high)) => format!("{low}–{high}"),
        (Some(low), None) => format!("≥{low}"),
        (None, Some(high)) => format!("≤{high}"),
        (None, None) => return None,
    };
    Some(Shown { text: Some(text), unit, is_number: false })
}

/// `1:128` where it is a titre, `5 mg/1 mL` where it has units.
fn ratio(node: Node) -> Option<Shown> {
    let (above, below) = (node.get("numerator").and_then(quantity)?, node.get("denominator").and_then(quantity)?);
    let bare = above.unit.is_none() && below.unit.is_none();
    Shown::plain(format!("{}{}{}", above.whole(), if bare { ':' } else { '/' }, below.whole()))
}

fn timing(node: Node) -> Option<String> {
    if let Some(code) = node.get("code").and_then(|code| concept(code, model::CODEABLE_CONCEPT)) {
        return code.display.or(code.code).map(|text| text.into_owned());
    }
    let repeat = node.get("repeat")?;
    let (period, unit) = (number(repeat, "period")?, string(repeat, "periodUnit")?);
    let times = number(repeat, "frequency").unwrap_or_else(|| "1".into());
    Some(if period == "1" { format!("{times} × per {unit}") } else { format!("{times} × per {period} {unit}") })
}

/// Its text, else dose, how often, and whether only as needed. <https://hl7.org/fhir/R4/dosage.html>
fn dosage(node: Node) -> Option<String> {
    if let Some(text) = string(node, "text").or_else(|| string(node, "patientInstruction")) {
        return Some(text.to_owned());
    }
    let rate = node.get("doseAndRate").and_then(|rates| rates.items().next());
    let dose = rate.and_then(|rate| {
        let quantity = rate.get("doseQuantity").and_then(quantity);
        quantity.or_else(|| rate.get("doseRange").and_then(range)).map(|dose| dose.whole())
    });
    let often = node.get("timing").and_then(timing);
    let as_needed = node.get("asNeededBoolean").and_then(Node::as_bool).unwrap_or(false).then(|| "as needed".to_owned());
    let parts: Vec<String> = [dose, often, as_needed].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn name(node: Node) -> Option<String> {
    if let Some(text) = string(node, "text") {
        return Some(text.to_owned());
    }
    let given = node.get("given").into_iter().flat_map(Node::items).filter_map(Node::as_str);
    let parts: Vec<&str> = given.chain(string(node, "family")).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Several values of one element in one text.
pub fn listed(mut found: Vec<Shown>) -> Option<Shown> {
    match found.len() {
        0 => None,
        1 => found.pop(),
        _ => {
            let mut texts: Vec<String> = Vec::new();
            for text in found.iter().map(Shown::whole) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            Shown::plain(texts.join("; "))
        }
    }
}

/// Reads an element with a code and a value; `None` where it has no value.
pub fn part(ty: TypeId, node: Node) -> Option<Part> {
    let fields = ty.get().fields;
    let value = fields.iter().filter(|field| ty.get().elements.get(usize::from(field.element)).is_some_and(|e| e.name == "value"));
    let value = value.into_iter().find_map(|field| shown(field.ty, node.get(field.name)?))?;
    let code = node.get("code").and_then(|code| concept(code, model::CODEABLE_CONCEPT)).unwrap_or_default();
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Some(Part {
        system: owned(code.system),
        label: owned(code.display.as_deref().or(code.code.as_deref())),
        code: owned(code.code.as_deref()),
        value,
    })
}

/// Parts in one text: `120/80` where a profile says in which order they are read and they share a unit, else each with its label.
pub fn joined(mut parts: Vec<Part>) -> Option<Shown> {
    for panel in model::PANELS {
        let place = |part: &Part| panel.iter().position(|(system, code)| *system == part.system && *code == part.code);
        let complete = parts.len() == panel.len() && (0..panel.len()).all(|n| parts.iter().filter_map(place).any(|at| at == n));
        if complete && parts.iter().all(|part| part.value.is_number && part.value.unit == parts[0].value.unit) {
            parts.sort_by_key(place);
            let numbers: Vec<&str> = parts.iter().filter_map(|part| part.value.text.as_deref()).collect();
            return Some(Shown { text: Some(numbers.join("/")), unit: parts[0].value.unit.clone(), is_number: false });
        }
    }
    let labelled = parts.iter().map(|part| match part.label.as_str() {
        "" => part.value.whole(),
        label => format!("{label}: {}", part.value.whole()),
    });
    Shown::plain(labelled.collect::<Vec<String>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn said(ty: TypeId, text: &str) -> String {
        let container = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
        shown(ty, json::root(&container).unwrap()).map(|shown| shown.whole()).unwrap_or_default()
    }

    #[test]
    fn each_datatype_in_words() {
        for (ty, value, expected) in [
            (model::QUANTITY, r#"{"value":1.10,"unit":"mmol/L"}"#, "1.10 mmol/L"),
            (model::QUANTITY, r#"{"value":5,"comparator":"<","code":"mg"}"#, "<5 mg"),
            (model::QUANTITY, r#"{"value":40,"unit":"%"}"#, "40%"),
            (model::AGE, r#"{"value":3,"unit":"a"}"#, "3 a"),
            (model::QUANTITY, r#"{"unit":"mg"}"#, ""),
            (model::MONEY, r#"{"value":12.50,"currency":"USD"}"#, "12.50 USD"),
            (model::RANGE, r#"{"low":{"value":1,"unit":"mg"},"high":{"value":2,"unit":"mg"}}"#, "1–2 mg"),
            (model::RANGE, r#"{"low":{"value":1}}"#, "≥1"),
            (model::RATIO, r#"{"numerator":{"value":1},"denominator":{"value":128}}"#, "1:128"),
            (model::RATIO, r#"{"numerator":{"value":5,"unit":"mg"},"denominator":{"value":1,"unit":"mL"}}"#, "5 mg/1 mL"),
            (model::CODEABLE_CONCEPT, r#"{"coding":[{"code":"a","display":"A"},{"code":"b","display":"B","userSelected":true}]}"#, "B"),
            (model::CODEABLE_CONCEPT, r#"{"text":"T","coding":[{"code":"a","display":"A"}]}"#, "T"),
            (model::CODEABLE_CONCEPT, r#"{"coding":[{"code":"a"}]}"#, "a"),
            (model::BOOLEAN, "true", "true"),
            (model::STRING, r#""x""#, "x"),
            (model::INTEGER, "7", "7"),
            (model::PERIOD, r#"{"start":"2015","end":"2016-03"}"#, "2015 – 2016-03"),
            (model::PERIOD, r#"{"end":"2016-03"}"#, "until 2016-03"),
            (model::SAMPLED_DATA, r#"{"data":"1 2 E 4"}"#, "4 samples"),
            (model::DOSAGE, r#"{"timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d"}},"doseAndRate":[{"doseQuantity":{"value":1,"unit":"tablet"}}],"asNeededBoolean":true}"#, "1 tablet, 2 × per d, as needed"),
            (model::DOSAGE, r#"{"text":"as told"}"#, "as told"),
            (model::HUMAN_NAME, r#"{"given":["A","B"],"family":"C"}"#, "A B C"),
            (model::REFERENCE, r#"{"reference":"Device/1"}"#, "Device/1"),
            (model::QUANTITY, "[]", ""),
            (model::STRING, "{}", ""),
        ] {
            assert_eq!(said(ty, value), expected, "{value}");
        }
    }
}
