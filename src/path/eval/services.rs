//! What an evaluation is given besides the focus.

use super::item::Item;
use crate::json::Node;

/// What stands around an evaluation.
pub struct Scope<'a, 's> {
    /// `%resource`: the resource that contains the focus.
    pub resource: Node<'a>,
    /// `%rootResource`: the resource that contains `%resource`, or itself.
    pub root: Node<'a>,
    /// Values of further `%names`.
    pub constants: &'s [(&'s str, Item<'a>)],
    pub services: &'a dyn Services,
    pub limits: Limits,
}

impl<'a> Scope<'a, 'a> {
    /// Around a whole resource, of a world of which nothing is known.
    pub fn of(resource: Node<'a>) -> Scope<'a, 'a> {
        Scope { resource, root: resource, constants: &[], services: &NoServices, limits: Limits::default() }
    }
}

/// How much one evaluation may do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Items looked at and functions called. What is held or made costs more of them, so that they bound memory as well.
    pub steps: u64,
    /// Items of one collection that is held.
    pub items: usize,
    /// Bytes of a string that is made.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: 20_000_000, items: 250_000, text: 4 << 20 }
    }
}

/// What an expression may ask of the world. What is not overridden does not know.
pub trait Services {
    /// The resource that a reference points at, other than a contained one or an entry of the same Bundle.
    fn resolve(&self, _reference: &str) -> Option<Node<'_>> {
        None
    }

    /// Whether a code is in a value set. The system is not known of a bare code.
    fn member_of(&self, _value_set: &str, _system: Option<&str>, _code: &str) -> Option<bool> {
        None
    }

    /// Whether the first code means the second or a part of it.
    fn subsumes(&self, _system: &str, _general: &str, _special: &str) -> Option<bool> {
        None
    }

    /// Whether a resource or element conforms to a profile.
    fn conforms_to(&self, _node: Node<'_>, _profile: &str) -> Option<bool> {
        None
    }

    /// Microseconds since 1970-01-01 UTC: the same within one statement.
    fn now(&self) -> i64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(0))
    }

    /// Asked every few thousand steps: whether anybody still waits for the result.
    fn go_on(&self) -> bool {
        true
    }
}

/// Knows nothing of the world but the time.
pub struct NoServices;

impl Services for NoServices {}
