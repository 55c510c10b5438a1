//! Whether a code is in a value set, without listing the set where its rules decide.
//!
//! Definitions are read once into a [`Cache`]. Answers have three values: what is not known (a system that the source does not hold, a
//! set that cannot be read) is never taken for a no.

mod cache;
mod set;
mod truth;

pub use cache::Cache;

use super::code_system::CodeSystem;
use super::error::DefinitionError;
use super::filter::Filter;
use super::{Limits, Source, grammar, implied};
use crate::model;
use set::{Chosen, Codes, Part, Rule, Select, Set};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use truth::Truth;

/// Whether a code is among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    Member,
    NotMember,
    /// Why it cannot be told: which system or set is not known.
    Unknown(String),
}

/// A code of a system, and how it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub system: &'a str,
    pub version: Option<&'a str>,
    pub code: &'a str,
    pub display: Option<&'a str>,
}

/// What there is to say about a code of a system. <https://hl7.org/fhir/R4/terminologies.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing is wrong, or nobody knows.
    Fine,
    /// The system lists all its codes, or makes them by rules, and this is none of them.
    NoSuchCode,
    /// The system only adds to another one: <https://hl7.org/fhir/R4/codesystem.html#supplements>.
    Supplement,
    /// It is no system, but a value set has that url.
    ValueSet,
    /// The system shows the code otherwise; this is its own way.
    OtherDisplay(String),
}

/// What a source fails with, such as a cancelled query.
pub type Failure = Box<dyn std::error::Error>;

/// What is known of codes, for whoever checks resources.
pub trait Terminology {
    /// Whether a value set has a code. It is named by its canonical url, with or without `|version`, or as `ValueSet/id`. Without a
    /// system the code may be of any. <https://hl7.org/fhir/R4/valueset-operation-validate-code.html>
    fn contains(&self, value_set: &str, system: Option<&str>, version: Option<&str>, code: &str) -> Result<Membership, Failure>;

    /// Whether a code system has a code.
    fn has_code(&self, system: &str, version: Option<&str>, code: &str) -> Result<Membership, Failure>;

    /// What is wrong with a code and how it is shown, as far as that is known.
    fn coding(&self, asked: Shown<'_>) -> Result<Finding, Failure> {
        let _ = asked;
        Ok(Finding::Fine)
    }

    /// How a code is shown, where that is known.
    fn display(&self, system: &str, version: Option<&str>, code: &str) -> Result<Option<String>, Failure>;
}

/// [`Terminology`] over any source, with a cache that lives as long as this.
pub struct Checker<S> {
    state: RefCell<(S, Cache)>,
    limits: Limits,
}

impl<S: Source> Checker<S> {
    pub fn new(source: S) -> Checker<S> {
        Checker { state: RefCell::new((source, Cache::default())), limits: Limits::default() }
    }

    fn ask<T>(&self, work: impl FnOnce(&mut S, &mut Cache, &Limits) -> T) -> T {
        let (source, cache) = &mut *self.state.borrow_mut();
        work(source, cache, &self.limits)
    }
}

impl<S: Source> Terminology for Checker<S>
where
    S::Error: std::error::Error + 'static,
{
    fn contains(&self, value_set: &str, system: Option<&str>, version: Option<&str>, code: &str) -> Result<Membership, Failure> {
        Ok(self.ask(|source, cache, limits| contains(source, cache, limits, value_set, Asked { system, version, code }))?)
    }

    fn has_code(&self, system: &str, version: Option<&str>, code: &str) -> Result<Membership, Failure> {
        Ok(self.ask(|source, cache, limits| has_code(source, cache, limits, system, version, code))?)
    }

    fn coding(&self, asked: Shown<'_>) -> Result<Finding, Failure> {
        Ok(self.ask(|source, cache, limits| coding(source, cache, limits, asked))?)
    }

    fn display(&self, system: &str, version: Option<&str>, code: &str) -> Result<Option<String>, Failure> {
        Ok(self.ask(|source, cache, limits| display(source, cache, limits, system, version, code))?)
    }
}

/// The code that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub system: Option<&'a str>,
    pub version: Option<&'a str>,
    pub code: &'a str,
}

/// Whether a value set has a code.
pub fn contains<S: Source>(source: &mut S, cache: &mut Cache, limits: &Limits, value_set: &str, asked: Asked) -> Result<Membership, S::Error> {
    cache.make_room();
    let mut question = Question { source, cache, limits, asked, open: Vec::new(), done: HashMap::new(), steps: 0 };
    Ok(question.in_set(value_set)?.into())
}

/// Whether a code system has a code.
pub fn has_code<S: Source>(source: &mut S, cache: &mut Cache, limits: &Limits, system: &str, version: Option<&str>, code: &str) -> Result<Membership, S::Error> {
    cache.make_room();
    let asked = Asked { system: Some(system), version, code };
    let mut question = Question { source, cache, limits, asked, open: Vec::new(), done: HashMap::new(), steps: 0 };
    Ok(question.in_system(system, version, true, false)?.into())
}

/// What there is to say about a code of a system.
pub fn coding<S: Source>(source: &mut S, cache: &mut Cache, limits: &Limits, shown: Shown) -> Result<Finding, S::Error> {
    cache.make_room();
    let Shown { system, version, code, display } = shown;
    let asked = Asked { system: Some(system), version, code };
    let mut question = Question { source, cache, limits, asked, open: Vec::new(), done: HashMap::new(), steps: 0 };
    let no_such_code = || if grammar::makes(system, code) == Some(false) { Finding::NoSuchCode } else { Finding::Fine };
    let Some(known) = question.system(system, version)? else {
        return Ok(match question.is_value_set(system)? {
            true => Finding::ValueSet,
            false => no_such_code(),
        });
    };
    if known.is_supplement() {
        return Ok(Finding::Supplement);
    }
    let near = question.around(&known, &[])?;
    let Some(concept) = near.find(code).map(|at| near.concept(at)) else {
        // one that says that it is complete and lists nothing has its codes elsewhere
        let lists = known.apart().is_some() || !known.is_empty();
        let is_missing = known.is_complete() && lists && !known.concepts().any(|listed| grammar::fits(listed.code(), code));
        return Ok(if is_missing { Finding::NoSuchCode } else { no_such_code() });
    };
    Ok(match (display, concept.display()) {
        (Some(said), Some(own)) if !concept.displays().any(|known| is_same(said, known)) => Finding::OtherDisplay(own.to_owned()),
        _ => Finding::Fine,
    })
}

/// Names are the same whatever their case and spacing.
pub fn is_same(a: &str, b: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    a == b || words(a) == words(b)
}

/// How a code is shown.
pub fn display<S: Source>(source: &mut S, cache: &mut Cache, limits: &Limits, system: &str, version: Option<&str>, code: &str) -> Result<Option<String>, S::Error> {
    cache.make_room();
    let asked = Asked { system: Some(system), version, code };
    let mut question = Question { source, cache, limits, asked, open: Vec::new(), done: HashMap::new(), steps: 0 };
    let Some(known) = question.system(system, version)? else { return Ok(None) };
    let known = question.around(&known, &[])?;
    Ok(known.find(code).and_then(|at| known.concept(at).display().map(str::to_owned)))
}

struct Question<'q, S: Source> {
    source: &'q mut S,
    cache: &'q mut Cache,
    limits: &'q Limits,
    asked: Asked<'q>,
    /// The value sets that are being asked, the outermost first.
    open: Vec<String>,
    done: HashMap<String, Truth>,
    steps: usize,
}

impl<S: Source> Question<'_, S> {
    fn in_set(&mut self, reference: &str) -> Result<Truth, S::Error> {
        if let Some(known) = self.done.get(reference) {
            return Ok(known.clone());
        }
        let name = || reference.to_owned();
        if self.open.iter().any(|open| open == reference) {
            return Ok(Truth::unknown(DefinitionError::Circular { value_set: name() }));
        }
        if self.open.len() >= self.limits.depth {
            return Ok(Truth::unknown(DefinitionError::TooDeep { value_set: name(), depth: self.limits.depth }));
        }
        let set = match self.cache.set(reference) {
            Some(set) => set,
            None => {
                let set = Rc::new(self.read(reference)?);
                self.cache.keep_set(reference, set.clone());
                set
            }
        };
        self.open.push(name());
        let truth = self.meets(&set)?;
        self.open.pop();
        self.done.insert(name(), truth.clone());
        Ok(truth)
    }

    /// The value set of that name, as the source or the specification has it.
    fn read(&mut self, reference: &str) -> Result<Set, S::Error> {
        let (url, version) = super::value_set::split(reference);
        let found = match reference.strip_prefix("ValueSet/") {
            Some(id) => self.source.value_set_by_id(id)?,
            None => self.source.value_set(url, version)?,
        };
        if let Some(container) = found {
            return Ok(Set::read(&container, reference));
        }
        if let Some((system, code)) = implied::is_a(url) {
            return Ok(Set::is_a(system, code));
        }
        if let Some(system) = implied::whole(url) {
            return Ok(Set::whole(system));
        }
        Ok(match implied::bound(url, version) {
            Some(set) => Set { rule: Rule::Bound(set), size: 0 },
            None => Set::broken(DefinitionError::UnknownValueSet { url: reference.to_owned() }),
        })
    }

    fn meets(&mut self, set: &Set) -> Result<Truth, S::Error> {
        match &set.rule {
            Rule::Broken(reason) => Ok(Truth::Unknown(reason.clone())),
            Rule::Bound(set) => Ok(self.is_bound(set).into()),
            Rule::Listed(codes) => self.is_listed(codes),
            Rule::Composed { include, exclude, active_only } => {
                let mut truth = Truth::No;
                for part in include {
                    if matches!(truth, Truth::Yes) {
                        break;
                    }
                    truth = truth.or(self.in_part(part, *active_only)?);
                }
                for part in exclude {
                    if matches!(truth, Truth::No) {
                        break;
                    }
                    truth = truth.and(self.in_part(part, false)?.not());
                }
                Ok(truth)
            }
        }
    }

    fn is_bound(&self, set: &model::ValueSet) -> bool {
        let from = set.codes.partition_point(|(_, code)| *code < self.asked.code);
        let mut same = set.codes.iter().skip(from).take_while(|(_, code)| *code == self.asked.code);
        same.any(|(system, _)| self.asked.system.is_none_or(|asked| asked == *system))
    }

    fn is_listed(&mut self, codes: &Codes) -> Result<Truth, S::Error> {
        if codes.has(self.asked.system, self.asked.code) {
            return Ok(Truth::Yes);
        }
        // the same code in another case
        let asked = self.asked.system;
        for system in codes.systems().filter(|listed| asked.is_none_or(|asked| asked == *listed)) {
            if let Some(other) = self.as_listed(system, None)?
                && codes.has(Some(system), &other)
            {
                return Ok(Truth::Yes);
            }
        }
        Ok(Truth::No)
    }

    /// The code as its system writes it, where that is not how it was asked for.
    fn as_listed(&mut self, system: &str, version: Option<&str>) -> Result<Option<String>, S::Error> {
        let Some(known) = self.system(system, version)? else { return Ok(None) };
        if matches!(known.key(self.asked.code), std::borrow::Cow::Borrowed(_)) {
            return Ok(None);
        }
        let known = self.around(&known, &[])?;
        let found = known.find(self.asked.code).map(|at| known.concept(at).code());
        Ok(found.filter(|code| *code != self.asked.code).map(str::to_owned))
    }

    fn in_part(&mut self, part: &Part, active_only: bool) -> Result<Truth, S::Error> {
        self.steps += 1;
        if self.steps > self.limits.steps {
            return Ok(Truth::unknown(DefinitionError::TooCostly { steps: self.limits.steps }));
        }
        let mut truth = match &part.chosen {
            Some(chosen) => self.is_chosen(chosen, active_only)?,
            None => Truth::Yes,
        };
        for other in &part.value_sets {
            if matches!(truth, Truth::No) {
                break;
            }
            truth = truth.and(match other {
                set::Other::Named(name) => self.in_set(name)?,
                set::Other::Contained(set) => self.meets(set)?,
            });
        }
        Ok(truth)
    }

    fn is_chosen(&mut self, chosen: &Chosen, active_only: bool) -> Result<Truth, S::Error> {
        if self.asked.system.is_some_and(|asked| asked != &*chosen.system) {
            return Ok(Truth::No);
        }
        let version = chosen.version.as_deref();
        let truth = match &chosen.select {
            Select::Listed(codes) => {
                let is_listed = codes.contains(self.asked.code)
                    || self.as_listed(&chosen.system, version)?.is_some_and(|other| codes.contains(other.as_str()));
                let inactive = is_listed && active_only && self.is_inactive(&chosen.system, version)?;
                Truth::from(is_listed && !inactive)
            }
            Select::All => self.in_system(&chosen.system, version, false, active_only)?,
            Select::Filtered { filters, found } => {
                let Some(known) = self.system(&chosen.system, version)? else {
                    return Ok(self.unknown_system(&chosen.system, version));
                };
                match self.in_system(&chosen.system, version, false, active_only)? {
                    Truth::Yes if known.apart().is_some() => self.meets_filters(&known, filters)?,
                    Truth::Yes => {
                        let codes = found.get_or_init(|| select(&known, filters));
                        match codes {
                            Ok(codes) if codes.contains(&*known.key(self.asked.code)) => Truth::Yes,
                            Ok(_) if known.is_complete() => Truth::No,
                            Ok(_) => Truth::Unknown(partly(&chosen.system)),
                            Err(reason) => Truth::Unknown(reason.clone()),
                        }
                    }
                    other => other,
                }
            }
        };
        // of another version than the set names it may or may not be
        match (truth, version, self.asked.version) {
            (Truth::Yes, Some(wanted), Some(version)) if wanted != version => {
                Ok(Truth::Unknown(format!("the value set names version {wanted} of {}", chosen.system).into()))
            }
            (truth, ..) => Ok(truth),
        }
    }

    /// Whether a system has the code. One that only groups others counts where `abstracts` says so.
    fn in_system(&mut self, url: &str, version: Option<&str>, abstracts: bool, active_only: bool) -> Result<Truth, S::Error> {
        let Some(known) = self.system(url, version)? else {
            return Ok(match grammar::makes(url, self.asked.code) {
                Some(made) => made.into(),
                None => self.unknown_system(url, version),
            });
        };
        let near = self.around(&known, &[])?;
        Ok(match near.find(self.asked.code).map(|at| near.concept(at)) {
            Some(concept) => {
                let left_out = !abstracts && near.is_abstract(concept) || active_only && near.is_inactive(concept);
                (!left_out).into()
            }
            None if known.is_complete() => Truth::No,
            None => match grammar::makes(url, self.asked.code) {
                Some(made) => made.into(),
                None => Truth::Unknown(partly(url)),
            },
        })
    }

    fn is_inactive(&mut self, url: &str, version: Option<&str>) -> Result<bool, S::Error> {
        let Some(known) = self.system(url, version)? else { return Ok(false) };
        let near = self.around(&known, &[])?;
        Ok(near.find(self.asked.code).is_some_and(|at| near.is_inactive(near.concept(at))))
    }

    /// Whether the code of a system that is kept apart meets all filters, by the concepts around it.
    fn meets_filters(&mut self, known: &Rc<CodeSystem>, filters: &[set::Condition]) -> Result<Truth, S::Error> {
        if filters.iter().any(|filter| known.is_child(filter.property())) {
            let whole = self.source.whole(known)?;
            return Ok(match select(&whole, filters) {
                Ok(codes) => codes.contains(&*known.key(self.asked.code)).into(),
                Err(reason) => Truth::Unknown(reason),
            });
        }
        let named: Vec<&str> = filters.iter().filter(|filter| filter.names_code()).map(|filter| &*filter.value).collect();
        let near = self.around(known, &named)?;
        let mut truth = Truth::Yes;
        for filter in filters {
            let chosen = match filter.as_filter().select(&near) {
                Ok(chosen) => near.find(self.asked.code).is_some_and(|at| chosen.get(at as usize) == Some(&true)),
                Err(error) => return Ok(Truth::Unknown(filter.refused(&error))),
            };
            if !chosen {
                truth = if known.is_complete() { Truth::No } else { Truth::Unknown(partly(known.url())) };
            }
        }
        Ok(truth)
    }

    /// Whether the url of a system that is not known is that of a value set.
    fn is_value_set(&mut self, url: &str) -> Result<bool, S::Error> {
        if let Some(known) = self.cache.is_value_set(url) {
            return Ok(known);
        }
        let is_one = self.source.value_set(url, None)?.is_some();
        self.cache.keep_whether_value_set(url, is_one);
        Ok(is_one)
    }

    fn system(&mut self, url: &str, version: Option<&str>) -> Result<Option<Rc<CodeSystem>>, S::Error> {
        if let Some(known) = self.cache.system(url, version) {
            return Ok(known);
        }
        let known = self.source.code_system(url, version)?;
        self.cache.keep_system(url, version, known.clone());
        Ok(known)
    }

    /// The concepts around the code asked for and those named: all of the system, where it is not kept apart.
    fn around(&mut self, known: &Rc<CodeSystem>, named: &[&str]) -> Result<Rc<CodeSystem>, S::Error> {
        let Some(id) = known.apart() else { return Ok(known.clone()) };
        let mut codes = vec![self.asked.code];
        codes.extend(named);
        if let Some(part) = self.cache.part(id, &codes) {
            return Ok(part);
        }
        let part = self.source.part(known, &codes)?;
        self.cache.keep_part(id, &codes, part.clone());
        Ok(part)
    }

    fn unknown_system(&self, url: &str, version: Option<&str>) -> Truth {
        let version = version.map(|version| format!("|{version}")).unwrap_or_default();
        Truth::Unknown(format!("code system {url}{version} is not in the lake").into())
    }
}

fn partly(url: &str) -> Rc<str> {
    format!("of code system {url} the lake has only a part").into()
}

/// The keys of the concepts that meet all filters, of those that can be chosen.
fn select(known: &CodeSystem, filters: &[set::Condition]) -> Result<HashSet<Box<str>>, Rc<str>> {
    let mut chosen = vec![true; known.len()];
    for filter in filters {
        let more = Filter::select(&filter.as_filter(), known).map_err(|error| filter.refused(&error))?;
        for (chosen, more) in chosen.iter_mut().zip(more) {
            *chosen &= more;
        }
    }
    let chosen = known.concepts().zip(chosen).filter(|(_, chosen)| *chosen);
    Ok(chosen.map(|(concept, _)| known.key(concept.code()).into()).collect())
}
