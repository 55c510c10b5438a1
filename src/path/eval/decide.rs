//! Functions that decide something. They stop as soon as they know.

use super::code::{Code, Function, Kind};
use super::convert;
use super::distinct::Distinct;
use super::error::{Problem, Stop, absorbed};
use super::html;
use super::item::{Element, Item};
use super::run::{Frame, Run, text_in_place, told_type, truth_of};
use super::value::Value;
use crate::json::Node;
use crate::model::{self, is_a, type_named};

/// What the urls of the definitions of FHIR's own types begin with.
const DEFINITIONS: &str = "http://hl7.org/fhir/StructureDefinition/";

impl<'a> Run<'a, '_> {
    /// The answer of a function of which [`Function::is_decision`] is true.
    pub fn decide(&self, function: Function, of: &'a Code, arguments: &'a [Code], at: u32, frame: &Frame<'a, '_>) -> Result<Option<bool>, Stop> {
        use Function::*;
        match (function, arguments) {
            (Empty, _) => Ok(Some(!self.exists(of, frame)?)),
            (Exists, []) => self.exists(of, frame).map(Some),
            (Exists, [criteria, ..]) => self.any(of, criteria, true, frame).map(Some),
            (All, [criteria, ..]) => Ok(Some(!self.any(of, criteria, false, frame)?)),
            (AllTrue, _) => Ok(Some(!self.any_is(of, false, at, frame)?)),
            (AnyTrue, _) => self.any_is(of, true, at, frame).map(Some),
            (AllFalse, _) => Ok(Some(!self.any_is(of, true, at, frame)?)),
            (AnyFalse, _) => self.any_is(of, false, at, frame).map(Some),
            (SubsetOf, [other, ..]) => self.is_subset(of, other, frame).map(Some),
            (SupersetOf, [other, ..]) => self.is_subset(other, of, frame).map(Some),
            (IsDistinct, _) => self.is_distinct(of, at, frame).map(Some),
            (Not, _) => Ok(self.truth(of, frame)?.map(|truth| !truth)),
            (StartsWith | EndsWith | Contains, [part, ..]) => {
                if let (StartsWith, Kind::Literal(Item::String(part)), Some(text)) = (function, &part.kind, text_in_place(of, frame)) {
                    return Ok(Some(text.starts_with(part.as_bytes())));
                }
                let Some(text) = self.text(of, frame)? else { return Ok(None) };
                let Some(part) = self.text(part, frame)? else { return Ok(None) };
                Ok(Some(match function {
                    StartsWith => text.starts_with(&*part),
                    EndsWith => text.ends_with(&*part),
                    _ => {
                        self.steps(text.len() as u64 / 64)?;
                        text.contains(&*part)
                    }
                }))
            }
            (HasValue, _) => self.has_value(of, frame).map(Some),
            (HasExtension, [url, ..]) => {
                let Some(url) = self.text(url, frame)? else { return Ok(None) };
                let mut found = false;
                absorbed(self.each(of, frame, &mut |item| {
                    self.extensions(&item, &url, &mut |_| {
                        found = true;
                        Err(Stop::Enough)
                    })
                }))?;
                Ok(Some(found))
            }
            (Comparable, [other, ..]) => match (self.single(of, frame)?, self.single(other, frame)?) {
                (Some(a), Some(b)) => match (a.value(), b.value()) {
                    (Value::Quantity(a), Value::Quantity(b)) => Ok(Some(a.unit.is_comparable(&b.unit))),
                    _ => Err(Stop::new(at, Problem::Mismatch("quantities are expected".into()))),
                },
                _ => Ok(None),
            },
            (MemberOf, [value_set, ..]) => {
                let Some(item) = self.single(of, frame)? else { return Ok(None) };
                let Some(value_set) = self.text(value_set, frame)? else { return Ok(None) };
                Ok(self.is_member(&item, &value_set))
            }
            (Subsumes | SubsumedBy, [other, ..]) => match (self.single(of, frame)?, self.single(other, frame)?) {
                (Some(a), Some(b)) if function == Subsumes => Ok(self.subsumes(&a, &b)),
                (Some(a), Some(b)) => Ok(self.subsumes(&b, &a)),
                _ => Ok(None),
            },
            (ConformsTo, [profile, ..]) => {
                let Some(item) = self.single(of, frame)? else { return Ok(None) };
                let Some(profile) = self.text(profile, frame)? else { return Ok(None) };
                match self.conforms(&item, &profile) {
                    Some(answer) => Ok(Some(answer)),
                    None => Err(Stop::new(at, Problem::Unanswered("the profile is not known".into()))),
                }
            }
            (HtmlChecks, _) => match self.single(of, frame)? {
                None => Ok(None),
                Some(item) => Ok(self.text_of(item, at)?.map(|text| html::is_narrative(&text))),
            },
            (function, arguments) => {
                let Some(item) = self.single(of, frame)? else { return Ok(None) };
                self.convert(function, item, arguments.first(), frame).map(|found| Some(found.is_some()))
            }
        }
    }

    /// Whether the criteria are, or are not, true for any item.
    fn any(&self, of: &'a Code, criteria: &'a Code, wanted: bool, frame: &Frame<'a, '_>) -> Result<bool, Stop> {
        let (mut found, mut index) = (false, 0);
        absorbed(self.each(of, frame, &mut |item| {
            let within = Frame { this: Some(&item), index, ..*frame };
            index += 1;
            found = (self.truth(criteria, &within)? == Some(true)) == wanted;
            if found { Err(Stop::Enough) } else { Ok(()) }
        }))?;
        Ok(found)
    }

    fn any_is(&self, of: &'a Code, wanted: bool, at: u32, frame: &Frame<'a, '_>) -> Result<bool, Stop> {
        let mut found = false;
        absorbed(self.each(of, frame, &mut |item| match item.value() {
            Value::Boolean(value) => {
                found = value == wanted;
                if found { Err(Stop::Enough) } else { Ok(()) }
            }
            Value::Nothing if truth_of(&item).is_none() => Ok(()),
            _ => Err(Stop::new(at, Problem::Mismatch(format!("{} is no boolean", told_type(&item))))),
        }))?;
        Ok(found)
    }

    /// Collects what is not equal to anything before.
    pub fn distinct(&self, of: &'a Code, at: u32, frame: &Frame<'a, '_>) -> Result<Distinct<'a>, Stop> {
        let mut seen = Distinct::default();
        self.each(of, frame, &mut |item| {
            self.step()?;
            self.hold(seen.len(), at)?;
            seen.insert(&item, &self.meter())?;
            Ok(())
        })?;
        Ok(seen)
    }

    fn is_subset(&self, of: &'a Code, other: &'a Code, frame: &Frame<'a, '_>) -> Result<bool, Stop> {
        let all = self.distinct(other, other.at, frame)?;
        let mut holds = true;
        absorbed(self.each(of, frame, &mut |item| {
            self.step()?;
            holds = all.contains(&item, &self.meter())?;
            if holds { Ok(()) } else { Err(Stop::Enough) }
        }))?;
        Ok(holds)
    }

    fn is_distinct(&self, of: &'a Code, at: u32, frame: &Frame<'a, '_>) -> Result<bool, Stop> {
        let (mut seen, mut holds) = (Distinct::default(), true);
        absorbed(self.each(of, frame, &mut |item| {
            self.step()?;
            self.hold(seen.len(), at)?;
            holds = seen.insert(&item, &self.meter())?;
            if holds { Ok(()) } else { Err(Stop::Enough) }
        }))?;
        Ok(holds)
    }

    /// Whether there is one item, a primitive, that has a value.
    fn has_value(&self, of: &'a Code, frame: &Frame<'a, '_>) -> Result<bool, Stop> {
        let (mut count, mut holds) = (0, false);
        absorbed(self.each(of, frame, &mut |item| {
            count += 1;
            holds = match &item {
                Item::Element(element) => element.is_primitive() && !element.node.is_null(),
                Item::Type(_) => false,
                _ => true,
            };
            if count > 1 { Err(Stop::Enough) } else { Ok(()) }
        }))?;
        Ok(holds && count == 1)
    }

    /// Whether a code, Coding or any Coding of a CodeableConcept is in a value set; `None` where that is not known.
    fn is_member(&self, item: &Item<'a>, value_set: &str) -> Option<bool> {
        let url = value_set.split('|').next().unwrap_or(value_set);
        let known = |system: Option<&str>, code: &str| {
            let set = model::VALUE_SETS.binary_search_by(|set| set.url.cmp(url)).ok().and_then(|i| model::VALUE_SETS.get(i))?;
            Some(system.map_or_else(|| set.contains(code), |system| set.contains_coding(system, code)))
        };
        let ask = |system: Option<&str>, code: &str| self.scope.services.member_of(value_set, system, code).or_else(|| known(system, code));
        if let Some(code) = item.text() {
            return ask(None, code);
        }
        let mut outcome = Some(false);
        for (system, code) in codings(item.as_element()?) {
            match ask(system, code) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => outcome = None,
            }
        }
        outcome
    }

    /// Whether a coding of `general` means one of `special`, or a whole of which that is a part.
    fn subsumes(&self, general: &Item<'a>, special: &Item<'a>) -> Option<bool> {
        let mut outcome = Some(false);
        for (system, code) in codings(general.as_element()?) {
            for (other_system, other) in codings(special.as_element()?) {
                if system != other_system {
                    continue;
                }
                let answer = if code == other { Some(true) } else { system.and_then(|system| self.scope.services.subsumes(system, code, other)) };
                match answer {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => outcome = None,
                }
            }
        }
        outcome
    }

    fn conforms(&self, item: &Item<'a>, profile: &str) -> Option<bool> {
        let element = item.as_element()?;
        let url = profile.split('|').next().unwrap_or(profile);
        if let Some(ty) = url.strip_prefix(DEFINITIONS).and_then(type_named) {
            return Some(is_a(element.ty, ty));
        }
        self.scope.services.conforms_to(element.node, profile)
    }

    /// What a conversion gives; `None` where the value has no such form.
    pub fn convert(&self, function: Function, item: Item<'a>, argument: Option<&'a Code>, frame: &Frame<'a, '_>) -> Result<Option<Item<'a>>, Stop> {
        use Function::*;
        Ok(match function {
            ToBoolean | ConvertsToBoolean => convert::to_boolean(&item).map(Item::Boolean),
            ToInteger | ConvertsToInteger => convert::to_integer(&item).map(Item::Integer),
            ToDecimal | ConvertsToDecimal => convert::to_decimal(item),
            ToStringValue | ConvertsToString => convert::to_text(item).map(Item::String),
            ToDate | ConvertsToDate => convert::to_date(&item).map(Item::Date),
            ToDateTime | ConvertsToDateTime => convert::to_date_time(&item).map(Item::DateTime),
            ToTime | ConvertsToTime => convert::to_time(&item).map(Item::Time),
            ToQuantity | ConvertsToQuantity => {
                let unit = match argument {
                    Some(code) => match self.text(code, frame)? {
                        Some(unit) => Some(unit),
                        None => return Ok(None),
                    },
                    None => None,
                };
                convert::to_quantity(&item, unit.as_deref()).map(Item::Quantity)
            }
            _ => None,
        })
    }
}

/// System and code of a Coding, or of all of a CodeableConcept.
fn codings<'a>(element: &Element<'a>) -> impl Iterator<Item = (Option<&'a str>, &'a str)> {
    let coding = |node: Node<'a>| Some((node.get("system").and_then(Node::as_str), node.get("code")?.as_str()?));
    let many = element.node.get("coding").into_iter().flat_map(Node::items);
    many.chain(Some(element.node)).filter_map(coding)
}
