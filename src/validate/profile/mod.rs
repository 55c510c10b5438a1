//! Validation against profiles: a StructureDefinition is compiled once, and a resource is checked by one walk along its rules
//! (<https://hl7.org/fhir/R4/profiling.html>, <https://hl7.org/fhir/R4/validation.html>).
//!
//! [`Profile::compile`] keeps only what the base type does not say already: the structure and the invariants of FHIR itself are checked by other
//! levels. Profiles that a profile refers to are asked for while a resource is checked, so cycles do no harm.

mod binding;
mod compile;
mod constraint;
mod definition;
mod discriminator;
mod element;
mod extension;
mod inside;
mod library;
mod rule;
mod slice;
mod snapshot;
mod support;
mod target;
mod tree;
mod value;
mod walk;


pub use extension::extensions;
pub use inside::{Within, resources};
pub use snapshot::MAX_BASES;
pub use library::Library;
#[cfg(test)]
mod tests;

pub use support::{Support, must_support};
pub use walk::{check, level};

use crate::json::Node;
use crate::model::{TypeId, type_named};
use crate::path::eval::Services;
use crate::terminology::Terminology;
use crate::validate::place::At;
use rule::Rule;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use tree::Tree;

/// Where the types and profiles of FHIR itself have their urls.
const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// A compiled StructureDefinition.
#[derive(Debug)]
pub struct Profile {
    url: Arc<str>,
    version: Option<Box<str>>,
    name: Box<str>,
    ty: TypeId,
    is_abstract: bool,
    /// What an extension may extend; empty for other profiles.
    contexts: Box<[extension::ExtensionContext]>,
    context_invariants: Box<[(Box<str>, constraint::Expression)]>,
    /// For an extension: whether it can change what other elements mean.
    is_modifier: bool,
    /// The first is that of the resource or value itself.
    rules: Box<[Rule]>,
    /// What was compiled, for definitions that derive from it.
    tree: Tree,
}

impl Profile {
    /// The canonical url, without version.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `StructureDefinition.version`
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// `StructureDefinition.name`
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type that it constrains.
    pub fn ty(&self) -> TypeId {
        self.ty
    }

    /// Whether only profiles derived from it are for use.
    pub fn is_abstract(&self) -> bool {
        self.is_abstract
    }

    /// How many rules it holds beyond those of its base type.
    pub fn rules(&self) -> usize {
        self.rules.iter().filter(|rule| rule.is_active).count()
    }
}

/// Where profiles come from. Types of FHIR itself are not asked for.
///
/// While a definition is compiled, that of its base may be asked for. An implementation that compiles on demand must not follow a chain of
/// bases that comes back to where it began; [`MAX_BASES`] is a good limit.
pub trait Definitions {
    /// The profile with that canonical url: of that version, or the newest.
    fn structure(&self, url: &str, version: Option<&str>) -> Option<Arc<Profile>>;
}

/// Why a definition cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProfileError {
    /// Not a StructureDefinition.
    NotADefinition,
    Malformed(String),
    /// Logical models describe no resources of FHIR.
    Logical,
    /// The type is not one of FHIR R4.
    UnknownType(String),
    /// Without a snapshot the base must be known.
    UnknownBase(String),
    /// An element that the type does not have.
    UnknownElement { path: String },
    TooLarge { what: &'static str, most: usize },
    Internal,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProfileError::NotADefinition => f.write_str("not a StructureDefinition"),
            ProfileError::Malformed(problem) => f.write_str(problem),
            ProfileError::Logical => f.write_str("a logical model describes no resource"),
            ProfileError::UnknownType(name) => write!(f, "\"{name}\" is not a type of FHIR R4"),
            ProfileError::UnknownBase(url) => write!(f, "the base definition {url} is not known, and there is no snapshot"),
            ProfileError::UnknownElement { path } => write!(f, "the type has no element {path}"),
            ProfileError::TooLarge { what, most } => write!(f, "a definition may have no more than {most} {what}"),
            ProfileError::Internal => f.write_str("the elements do not form a tree"),
        }
    }
}

impl std::error::Error for ProfileError {}

/// What a check may ask of the world: [`Context::new`], and then what there is.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub definitions: &'a dyn Definitions,
    /// Without one no binding is checked.
    pub terminology: Option<&'a dyn Terminology>,
    /// Resources elsewhere, the time, and whether anybody still waits for the result.
    pub services: Option<&'a dyn Services>,
    /// Elements, items of slices and profiles that are looked at; then the check ends with an issue `too-costly`.
    pub steps: u64,
    /// The outermost resource: `%rootResource`. The resource itself where there is none.
    pub root: Option<Node<'a>>,
    /// Where the resource stands within that; `None` for the name of its type.
    pub at: Option<At<'a>>,
    /// How many `conformsTo()` lead here.
    hops: u8,
    /// Steps of the checks that these `conformsTo()` stand in, which are counted together.
    spent: Option<&'a Cell<u64>>,
}

impl<'a> Context<'a> {
    /// Steps that a resource of ten megabytes does not need with profiles that make sense.
    pub const STEPS: u64 = 50_000_000;

    /// With the definitions alone.
    pub fn new(definitions: &'a dyn Definitions) -> Context<'a> {
        Context { definitions, terminology: None, services: None, hops: 0, spent: None, steps: Context::STEPS, root: None, at: None }
    }
}

/// The type of FHIR that a code or url names.
fn core_type(name: &str) -> Option<TypeId> {
    let name = unversioned(name);
    type_named(name.strip_prefix(CORE).unwrap_or(name))
}

/// A canonical without `|version`.
fn unversioned(canonical: &str) -> &str {
    canonical.split_once('|').map_or(canonical, |(url, _)| url)
}

/// Url and version of a canonical.
fn parts(canonical: &str) -> (&str, Option<&str>) {
    let canonical = canonical.split_once('#').map_or(canonical, |(url, _)| url);
    canonical.split_once('|').map_or((canonical, None), |(url, version)| (url, Some(version)))
}
